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

    def logic_lines(self) -> list[str]:
        """The read as look-up tables.

        Address and labels are inverted, for Yosys would else move the registers of the address behind
        the table, and `rom_block` keeps it from making a block memory of a table before registers.
        """
        head = ["  always_comb begin", '    (* rom_block = "logic" *)', f"    case (~{self.address})"]
        return ["", *head, *self._rows("~", "=", 6), "    endcase", "  end"]

    def block_lines(self, enable: str) -> list[str]:
        """The read as block memory, whose word is there after a clock edge with `enable`."""
        head = [
            "  always_ff @(posedge ap_clk) begin",
            f"    if ({enable}) begin",
            f"      case ({self.address})",
        ]
        return ["", *head, *self._rows("", "<=", 8), "      endcase", "    end", "  end"]

    def _rows(self, inversion: str, assign: str, indent: int) -> list[str]:
        mask = (1 << self.width) - 1
        rows = [
            f"{inversion}{constant(self.address_width, address)}: "
            f"{self.word} {assign} {constant(self.width, word >> self.low & mask)};"
            for address, word in enumerate(self.table.words)
        ]
        return [" " * indent + row for row in [*rows, f"default: {self.word} {assign} 'x;"]]


def table_style(registered: bool) -> str:
    """The attribute of a table's word, by which synthesis chooses what the table is made of."""
    return f'(* rom_style = "{"block" if registered else "distributed"}" *)'


def ram_parameters(memory: Memory) -> list[tuple[str, str]]:
    """The parameters of a ram."""
    return [("Width", str(memory.width)), ("Depth", str(memory.depth))]
