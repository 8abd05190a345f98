"""Instances of the cells popcount, rom and ram."""

from __future__ import annotations

from collections.abc import Sequence

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


def table_lines(name: str, table: Table, low: int, width: int) -> list[str]:
    """A table's columns as a constant array, word 0 first."""
    mask = (1 << width) - 1
    words = [constant(width, word >> low & mask) for word in table.words]
    per_line = max(1, 96 // (max(map(len, words)) + 2))
    rows = [", ".join(words[place : place + per_line]) for place in range(0, len(words), per_line)]
    head = f"  localparam logic [{width - 1}:0] {name} [{len(words)}] = '{{"
    return [head, *_list([f"    {row}" for row in rows]), "  };"]


def ram_parameters(memory: Memory) -> list[tuple[str, str]]:
    """The parameters of a ram."""
    return [("Width", str(memory.width)), ("Depth", str(memory.depth))]
