"""Instances of the cells, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from thresher.hlsc.ir import Node, Table, UnitGraph
from thresher.hlsc.schedule.memories import is_block
from thresher.hlsc.schedule.stages import Schedule
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


LONG_TABLE = 128
"""Words from which on a table is printed for Verilator too.

Verilator makes a statement of every `assign` and a test of every item of a `case`, and compiling those
takes minutes for some thousands of words. A constant it prints as it is.
"""


@dataclass(frozen=True)
class TableRead:
    """A read of columns of a table: the signal `word` takes `width` bits from bit `low` on.

    A table has the form that synthesis makes least of. A long one also has a form for Verilator alone, of
    the same words; past its end both are undefined.
    """

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
        words = self._words()
        *rows, last = filled([f"{name}[{address}] = {word}" for address, word in enumerate(words)])
        lines = [f"  wire {self._columns()}{name} [0:{len(words) - 1}];", "  assign"]
        lines += [*(f"    {row}" for row in rows), f"    {last};"]
        read = f"  assign {self.word} = {name}[{self.address}];"
        return ["", *self._also(self._constant(name), lines), read]

    def block_lines(self, enable: str, name: str) -> list[str]:
        """The read as block memory, whose word is there after a clock edge with `enable`."""
        words = self._words()
        rows = _rows([f"{name}[{address}] = {word};" for address, word in enumerate(words)], " ")
        array = ['  (* rom_style = "block" *)', f"  logic {self._columns()}{name} [0:{len(words) - 1}];"]
        filled = [*array, "", "  initial begin", *(f"    {row}" for row in rows), "  end"]
        read = ["  always_ff @(posedge ap_clk) begin", f"    if ({enable}) begin"]
        read += [f"      {self.word} <= {name}[{self.address}];", "    end", "  end"]
        return ["", *self._also(self._constant(name), filled), "", *read]

    def rom_lines(self, enable: str, name: str, instance_name: str) -> list[str]:
        """The read by the cell `rom`, whose word is there after a clock edge with `enable`."""
        words = self._words()
        head = f"  localparam logic [{len(words) * self.width - 1}:0] {name} = {{"
        rows = [f"    {row}" for row in filled(words[::-1])]
        parameters = [("Width", str(self.width)), ("Depth", str(len(words))), ("Words", name)]
        bits = max(1, (len(words) - 1).bit_length())
        address = self.address if bits == self.address_width else f"{self.address}[{bits - 1}:0]"
        ports = [
            ("clk_i", "ap_clk"),
            ("read_i", enable),
            ("address_i", address),
            ("word_o", self.word),
        ]
        return ["", head, *rows, "  };", *instance("rom", parameters, instance_name, ports)]

    def _also(self, verilator: Sequence[str], synthesis: Sequence[str]) -> Sequence[str]:
        if len(self.table.words) < LONG_TABLE:
            return synthesis
        return ["`ifdef VERILATOR", *verilator, "`else", *synthesis, "`endif"]

    def _constant(self, name: str) -> list[str]:
        words = self._words()
        head = f"  localparam logic {self._columns()}{name} [0:{len(words) - 1}] = '{{"
        return [head, *(f"    {row}" for row in filled(words)), "  };"]

    def _columns(self) -> str:
        return "" if self.width == 1 else f"[{self.width - 1}:0] "

    def _words(self) -> list[str]:
        mask = (1 << self.width) - 1
        return [constant(self.width, word >> self.low & mask) for word in self.table.words]


def filled(items: Sequence[str]) -> list[str]:
    """Items with commas between them, as many on a line as there is room for if all are as long as any."""
    return _list(_rows(items, ", "))


def _rows(items: Sequence[str], between: str) -> list[str]:
    per_line = max(1, 96 // (max(map(len, items)) + len(between)))
    return [between.join(items[place : place + per_line]) for place in range(0, len(items), per_line)]


class TableKind(Enum):
    """What a table is made of: look-up tables, these in a `rom`, or block memory."""

    LOGIC = "logic"
    ROM = "rom"
    BLOCK = "block"


def table_kind(graph: UnitGraph, plan: Schedule, read: Node) -> TableKind:
    """What the table that is read is made of, by the rule of `schedule.memories`."""
    if read not in plan.registered:
        return TableKind.LOGIC
    return TableKind.BLOCK if is_block(graph, read) else TableKind.ROM


TABLE_STYLE = '(* rom_style = "distributed" *)'
"""The attribute of a word of a table that is look-up tables, by which synthesis lets it stay so."""
