"""Which tables and memories become block memory, and which words are registered.

The rule, where a table does not ask for one or the other: block memory, where look-up tables would need at
least `LUTS_PER_BLOCK` for each 18 kbit block that the words fill. A six-input look-up table holds 64 words
of one bit. A block holds 512 words of 36 bits, and narrower words in proportion down to 16384 of one bit:
so are RAMB18E1 (AMD, UG473, 7 Series FPGAs Memory Resources) and DP16KD (Lattice, TN1264, ECP5 Memory Usage
Guide) but for parity bits. The limit is below the 190 look-up tables that a Zynq-7020 has for each of its
280 blocks (AMD, DS190).

A block memory registers what it reads. So a memory whose words are needed in the same cycle stays in
look-up tables: one that a recurrence goes through, and one that decides whether a beat is taken.

Of the tables that stay in look-up tables the words are registered as well where there are more than
`MERGED_WORDS`, by the cell `rom`. A look-up table of six inputs that holds a bit of so many has an input
left for a gate behind it, which then is free; of more words it has none.

A memory that a step writes at two places takes two memories of either kind, one for each, where a step may
read it as well; the cell `last_writer` knows which has the latest word. Where no step does both, it is one
block memory whose two ports read or write (RAMB18E1 and DP16KD in true dual port mode, by the sources above).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thresher.hlsc.ir import Memory, Node, Op, TableStyle, UnitGraph
from thresher.hlsc.schedule.dependencies import Dependencies, Point

LUTS_PER_BLOCK = 128
MERGED_WORDS = 32

_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Depth and width of one block."""


def lut_cost(width: int, depth: int) -> int:
    """The look-up tables that hold the words."""
    return width * -(-depth // 64)


def block_cost(width: int, depth: int) -> int:
    """The 18 kbit blocks that hold the words."""
    return min(-(-depth // deep) * -(-width // wide) for deep, wide in _SHAPES)


def prefers_blocks(width: int, depth: int) -> bool:
    """The rule by depth and width."""
    return lut_cost(width, depth) >= LUTS_PER_BLOCK * block_cost(width, depth)


def takes_two_memories(memory: Memory, block: bool) -> bool:
    """Whether each read needs a memory for each write port: both kinds have but one port to write.

    But block memory that no step both reads and writes: it has two ports, each of which reads or writes.
    """
    return len(memory.writes) > 1 and not (block and memory.reads_apart)


def is_block(graph: UnitGraph, read: Node) -> bool:
    """Whether a registered read of a table is of block memory: as the table asks for, else by the rule."""
    table = graph.tables[read.symbol]
    if table.style is TableStyle.AUTO:
        return prefers_blocks(read.width, len(table.words))
    return table.style is TableStyle.BLOCK


def registered_reads(graph: UnitGraph, needs: Dependencies, first: Collection[Point]) -> frozenset[Node]:
    """The reads whose words are registered; `first` are the points that must stand in stage 0."""
    found: set[Node] = set()
    for group in needs.groups:
        if any(point in first for point in group):
            continue
        memories = [point for point in group if isinstance(point, Memory)]
        if not memories:
            found |= _table_reads(graph, needs, group)
        elif _only_accesses(group) and prefers_blocks(memories[0].width, memories[0].depth):
            found |= {point for point in group if isinstance(point, Node)}
    return frozenset(found)


def _table_reads(graph: UnitGraph, needs: Dependencies, group: Sequence[Point]) -> set[Node]:
    """A group of one read of a table, where that is no part of a recurrence."""
    node = group[0]
    if len(group) > 1 or not isinstance(node, Node) or node.op is not Op.ROM or node in needs.of[node]:
        return set()
    large = len(graph.tables[node.symbol].words) > MERGED_WORDS
    return {node} if large or is_block(graph, node) else set()


def _only_accesses(group: Sequence[Point]) -> bool:
    """Whether a memory and its reads are all of a recurrence, so that no word decides on a write."""
    memories = sum(isinstance(point, Memory) for point in group)
    return memories == 1 and all(isinstance(point, Memory) or point.op is Op.RAM for point in group)
