"""What is measured: operations between registers, as SystemVerilog modules.

The operands of a case are shifted in and its result is folded out, so that pins limit nothing. Only
the path from the operands' registers to the result's has the clock `clk_i` at both ends.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.share import share_dir

OPERANDS = "abcdefgh"


@dataclass(frozen=True)
class Case:
    """One point of a curve: operands' widths, result's width, and what computes `y` from `a`, `b`, ...

    `size` is where the point lies on the curve.
    """

    curve: str
    size: int
    operands: tuple[int, ...]
    result: int
    body: str

    @property
    def name(self) -> str:
        """The module's name."""
        return f"{self.curve}_{self.size}"

    @property
    def needs_block_memory(self) -> bool:
        """Whether it measures block memory; others must not be mapped to it with their registers."""
        return self.curve == "block_memory"

    def module(self) -> str:
        """The case between its registers."""
        total = sum(self.operands)
        lows = (sum(self.operands[:place]) for place in range(len(self.operands)))
        slices = "".join(
            f"  wire [{width - 1}:0] {letter} = operands_q[{low} +: {width}];\n"
            for letter, width, low in zip(OPERANDS, self.operands, lows, strict=False)
        )
        return (
            f"(* keep_hierarchy *) module {self.name} (\n"
            "  input wire clk_i, input wire io_clk_i, input wire bit_i, output wire bit_o\n);\n"
            f"  logic [{total - 1}:0] operands_q;\n"
            f"{slices}"
            f"  logic [{self.result - 1}:0] y, y_q, fold_q;\n"
            f"  {self.body}\n"
            "  always_ff @(posedge clk_i) begin\n"
            f"    operands_q <= {total}'({{operands_q, bit_i}});\n"
            "    y_q <= y;\n  end\n"
            f"  always_ff @(posedge io_clk_i) fold_q <= (fold_q << 1) ^ y_q;\n"
            f"  assign bit_o = fold_q[{self.result - 1}];\n"
            "endmodule\n"
        )


def cases() -> list[Case]:
    """Every point that is measured."""
    return [*_logic(), *_arithmetic(), *_lookups()]


def read_cases(group: Sequence[Case], folder: Path) -> str:
    """Write the modules of cases to `folder`; returns the Yosys commands that read them and the cells."""
    cells = sorted(share_dir("rtl").glob("*.sv"))
    for cell in cells:
        (folder / cell.name).write_text(cell.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "cases.sv").write_text("".join(case.module() for case in group), encoding="utf-8")
    tops = " ".join(f"--top {case.name}" for case in group)
    return f"read_slang --threads 1 {tops} cases.sv {' '.join(cell.name for cell in cells)}\n"


def _expression(curve: str, size: int, operands: tuple[int, ...], result: int, expression: str) -> Case:
    return Case(curve, size, operands, result, f"assign y = {expression};")


def _logic() -> Iterator[Case]:
    for width in (1, 16, 64, 256):
        yield _expression("gate", width, (width, width), width, "a ^ b")
    for gates in (2, 4, 8, 16):
        # Unlike operators, which no tool may reorder, and operands of their own: the chain stays one.
        yield Case("gate_chain", gates, (8 * (gates + 1),), 8, _chain(gates))
    for inputs in (4, 16, 64, 256):
        yield _expression("gate_tree", inputs, (inputs,), 1, "^a")
    for width in (1, 8, 32, 128, 512, 1024):
        yield _expression("select", width, (1, width, width), width, "a ? b : c")
    for selects in (2, 4, 8):
        yield Case("select_chain", selects, (selects, 8 * (selects + 1)), 8, _select_chain(selects))


def _chain(gates: int) -> str:
    text = "a[0 +: 8]"
    for gate in range(1, gates + 1):
        text = f"({text} {'&^|^'[gate % 4]} a[{8 * gate} +: 8])"
    return f"assign y = {text};"


def _select_chain(selects: int) -> str:
    text = "b[0 +: 8]"
    for place in range(selects):
        text = f"(a[{place}] ? b[{8 * (place + 1)} +: 8] : {text})"
    return f"assign y = {text};"


def _arithmetic() -> Iterator[Case]:
    for width in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        yield _expression("add", width, (width, width), width, "a + b")
    for width in (1, 4, 16, 64, 256):
        yield _expression("less", width, (width, width), 1, "a < b")
    for width in (1, 2, 4, 8, 16, 64, 256, 1024):
        yield _expression("equal", width, (width, width), 1, "a == b")
    for width in (2, 4, 8, 16, 64, 256):
        number = random.Random(width).getrandbits(width)
        yield _expression("equal_constant", width, (width,), 1, f"a == {width}'h{number:x}")
    for width in (2, 4, 8, 12, 16, 18, 24, 32):
        yield _expression("multiply", width, (width, width), 2 * width, f"{2 * width}'(a) * {2 * width}'(b)")
    for width, amount in ((2, 1), (4, 2), (8, 3), (16, 4), (32, 5), (64, 6), (128, 7), (256, 8)):
        yield _expression("shift", width, (width, amount), width, "a << b")
    for group, weights in ((3, 2), (6, 3)):
        body = f"compressor #(.Width(60), .Group({group})) u_cell (.word_i(a), .columns_o(y));"
        yield Case("compress", group, (60,), 60 // group * weights, body)


def _lookups() -> Iterator[Case]:
    for address in (2, 4, 6, 8):
        depth = 1 << address
        source = random.Random(depth)
        rows = "".join(
            f"    ~{address}'d{place}: y = 8'd{source.getrandbits(8)};\n" for place in range(depth)
        )
        body = f'always_comb (* rom_block = "logic" *) case (~a)\n{rows}    default: y = \'x;\n  endcase'
        yield Case("rom", address, (address,), 8, body)
    for address in (2, 4, 6, 8):
        depth = 1 << address
        body = (
            f"ram #(.Width(8), .Depth({depth})) u_cell (.clk_i, .write_i(b), .write_address_i(c),\n"
            "    .write_data_i(d), .read_address_i(a), .read_data_o(y));"
        )
        yield Case("ram", address, (address, 1, address, 8), 8, body)
    body = (
        '(* ram_style = "block" *) logic [15:0] words [1024];\n'
        "  always_ff @(posedge clk_i) begin\n"
        "    if (b) words[c] <= d;\n    y <= words[a];\n  end"
    )
    yield Case("block_memory", 1024, (10, 1, 10, 16), 16, body)
