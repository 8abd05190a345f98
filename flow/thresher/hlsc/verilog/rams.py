"""The cells of memories: which reads they serve, and their parameters.

With one write port each read has a cell of its own, all written alike. With two, look-up tables and block
memory take two memories for each read; block memory that no step both reads and writes serves two reads
by its two ports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thresher.hlsc.ir import Memory, Node, Op, UnitGraph
from thresher.hlsc.schedule.memories import takes_two_memories
from thresher.hlsc.schedule.stages import Schedule
from thresher.hlsc.verilog.cells import filled
from thresher.hlsc.verilog.expressions import constant

DUAL_PORT = "dual_port_ram"
GROUP = 128
"""Words that are printed as one group: Verilator's time grows with the square of the items of a list."""

_INNER = {
    "two_write_ram": ("last_writer", "ram"),
    "two_write_block_ram": ("block_ram", "last_writer", "ram"),
}


@dataclass(frozen=True)
class RamCell:
    """A cell for some reads of a memory, and the number of memories that it is made of."""

    cell: str
    memory: Memory
    reads: tuple[Node, ...]
    copies: int = 1

    @property
    def is_block(self) -> bool:
        """Whether it is block memory."""
        return self.cell in ("block_ram", "two_write_block_ram", DUAL_PORT)

    @property
    def modules(self) -> tuple[str, ...]:
        """The cell, and those inside of it."""
        return (self.cell, *_INNER.get(self.cell, ()))


def ram_cells(graph: UnitGraph, plan: Schedule) -> list[RamCell]:
    """The cells of all memories, in the order of their first reads."""
    memories = {memory.name: memory for memory in graph.memories}
    reads: dict[str, list[Node]] = {}
    for node in graph.nodes():
        if node.op is Op.RAM:
            reads.setdefault(node.symbol, []).append(node)
    return [cell for name, nodes in reads.items() for cell in _cells(memories[name], nodes, plan)]


def _cells(memory: Memory, reads: Sequence[Node], plan: Schedule) -> list[RamCell]:
    block = reads[0] in plan.registered
    if takes_two_memories(memory, block):
        cell = "two_write_block_ram" if block else "two_write_ram"
        return [RamCell(cell, memory, (read,), 2) for read in reads]
    if len(memory.writes) == 1:
        return [RamCell("block_ram" if block else "ram", memory, (read,)) for read in reads]
    pairs = [tuple(reads[first : first + 2]) for first in range(0, len(reads), 2)]
    return [RamCell(DUAL_PORT, memory, pair) for pair in pairs]


def ram_parameters(memory: Memory, words: str) -> list[tuple[str, str]]:
    """The parameters of a cell; `words` is the name of the initial ones, empty where there are none."""
    parameters = [("Width", str(memory.width)), ("Depth", str(memory.depth))]
    return [*parameters, ("Filled", "1'b1"), ("Initial", words)] if words else parameters


def initial_lines(memory: Memory, name: str) -> list[str]:
    """The initial words of a memory as a constant."""
    words = [constant(memory.width, word) for word in memory.initial or ()][::-1]
    head = f"  localparam logic [{len(words) * memory.width - 1}:0] {name} = {{"
    if len(words) <= GROUP:
        return [head, *(f"    {row}" for row in filled(words)), "  };"]
    lines = []
    for first in range(0, len(words), GROUP):
        lines += ["    {", *(f"      {row}" for row in filled(words[first : first + GROUP])), "    },"]
    lines[-1] = "    }"
    return [head, *lines, "  };"]
