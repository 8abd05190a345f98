"""Instances of the cells, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thresher.hlsc.ir import Memory, Table
from thresher.hlsc.verilog.expressions import constant
from thresher.hlsc.verilog.layout import statement


def instance(
    cell: str, parameters: Sequence[tuple[str, str]], name: str, ports: Sequence[tuple[str, str]]
) -> list[str]:
    """An instance with named parameters and ports."""
    longest = max(len(port) for port, _ in ports)
    lines = [f"  {cell} #("]
    lines += _list([f"    .{key}({value})" for key, value in parameters])
    lines += [f"  ) {name} ("]
    for place, (port, value) in enumerate(ports):
        comma = "," if place < len(ports) - 1 else ""
        lines += statement(f".{port.ljust(longest)}({value}){comma}", 4)
    return [*lines, "  );"]


def _list(items: Sequence[str]) -> list[str]:
    return [item + ("," if place < len(items) - 1 else "") for place, item in enumerate(items)]


@dataclass(frozen=True)
class TableRead:
    """A read of columns of a table: the signal `word` takes `width` bits from bit `low` on."""

    word: str
    address: str
    address_width: int
    table: Table
    low: int
    width: int

    def logic_lines(self, name: str) -> list[str]:
        """The read as look-up tables; `name` is that of the table.

        An array of constants is what Yosys makes one look-up table of for each bit. Of a `case` it makes
        gates, which cost up to twice that, or a block memory.
        """
        width = "" if self.width == 1 else f"[{self.width - 1}:0] "
        rows = [f"{name}[{address}] = {word}" for address, word in enumerate(self._words())]
        per_line = max(1, 96 // (max(map(len, rows)) + 2))
        lines = [", ".join(rows[place : place + per_line]) for place in range(0, len(rows), per_line)]
        return [
            "",
            f"  wire {width}{name} [0:{len(rows) - 1}];",
            f"  assign {self.word} = {name}[{self.address}];",
            "  assign",
            *[f"    {line}," for line in lines[:-1]],
            f"    {lines[-1]};",
        ]

    def block_lines(self, enable: str) -> list[str]:
        """The read as block memory, whose word is there after a clock edge with `enable`."""
        head = [
            "  always_ff @(posedge ap_clk) begin",
            f"    if ({enable}) begin",
            f"      case ({self.address})",
        ]
        rows = [
            f"        {constant(self.address_width, address)}: {self.word} <= {word};"
            for address, word in enumerate(self._words())
        ]
        rows.append(f"        default: {self.word} <= 'x;")
        return ["", *head, *rows, "      endcase", "    end", "  end"]

    def _words(self) -> list[str]:
        mask = (1 << self.width) - 1
        return [constant(self.width, word >> self.low & mask) for word in self.table.words]


def table_style(registered: bool) -> str:
    """The attribute of a table's word, by which synthesis chooses what the table is made of."""
    return f'(* rom_style = "{"block" if registered else "distributed"}" *)'


def ram_parameters(memory: Memory) -> list[tuple[str, str]]:
    """The parameters of a ram."""
    return [("Width", str(memory.width)), ("Depth", str(memory.depth))]
