"""Instances of the cells popcount, rom and ram."""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.ir import Memory, Table
from thresher.hlsc.verilog.expressions import constant
from thresher.hlsc.verilog.layout import statement

NARROW = 4
"""Words of fewer bits than this are printed 64 bits at a time."""


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


def table_lines(name: str, table: Table, low: int, width: int) -> list[str]:
    """A table's columns as a constant vector; the last word stands first."""
    mask = (1 << width) - 1
    total = width * len(table.words)
    columns = [word >> low & mask for word in table.words]
    if width < NARROW:
        columns, width = _packed(columns, width), 64
    last = total - width * (len(columns) - 1)
    words = [constant(last, columns[-1]), *(constant(width, word) for word in reversed(columns[:-1]))]
    lines = [f"  localparam logic [{total - 1}:0] {name} = {{"]
    per_line = max(1, 96 // (len(words[0]) + 2))
    rows = [", ".join(words[place : place + per_line]) for place in range(0, len(words), per_line)]
    return [*lines, *_list([f"    {row}" for row in rows]), "  };"]


def _packed(words: Sequence[int], width: int) -> list[int]:
    """Narrow words side by side as 64-bit pieces."""
    contents = sum(word << place * width for place, word in enumerate(words))
    return [contents >> low & (1 << 64) - 1 for low in range(0, width * len(words), 64)]


def ram_parameters(memory: Memory) -> list[tuple[str, str]]:
    """The parameters of a ram."""
    return [("Width", str(memory.width)), ("Depth", str(memory.depth))]
