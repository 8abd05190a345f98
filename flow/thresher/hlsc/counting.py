"""Sums of many single bits: groups that look-up tables count, and a bit as the carry of every sum of these.

A sum of two counts of b bits on a carry chain takes a third bit for nothing, and still is a number of b + 1
bits where both were as large as such counts get. So three bits to a group and one for each sum make 7, 15, 31
bits a number of 3, 4, 5 bits, and no part of a look-up table is left over. Sums that go on behind a
count, to an accumulator for instance, take a bit each as well.

Where a layer is unrolled in full its weights are constants, and rows count inputs as they are or inverted.
All rows then count the same three inputs together, so that synthesis finds the at most four counts of these
that are not each other's inverse, and makes them once. Counts of seven, shared by rows of equal patterns in
the graph itself, took more look-up tables in Yosys (128 x 32: 2,214 for 2,106, and fewer registers, 1,354
for 1,600).
"""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import GATES, Node, Op

_BEHIND_GATES, _PLAIN = 3, 6
"""Bits that a group has: two look-up tables of six inputs count three bits, each a gate of two others, and
three of them count six bits."""

_WIRES = frozenset({Op.SLICE, Op.SEXT, Op.NOT})


def group_bits(builder: Builder, bits: Sequence[Node], others: int) -> tuple[list[Node], list[Node]]:
    """The counts of groups of `bits`, and the bits that are left as carries.

    With the groups and `others` numbers there is a sum for each of the bits left over.
    """
    size = _BEHIND_GATES if any(map(is_gate, bits)) else _PLAIN
    groups = max(0, -(-(len(bits) + 1 - others) // (size + 1)))
    counted, carries = bits[: groups * size], bits[groups * size :]
    return _counts(builder, counted, size), list(carries)


def _counts(builder: Builder, bits: Sequence[Node], size: int) -> list[Node]:
    """The number of ones in every `size` bits; those of the last group may be fewer."""
    full = len(bits) // size * size
    counts = _columns(builder, bits[:full], size) if full else []
    rest = list(bits[full:])
    return counts + (rest if len(rest) <= 1 else _columns(builder, rest, max(len(rest), _BEHIND_GATES)))


def _columns(builder: Builder, bits: Sequence[Node], size: int) -> list[Node]:
    """The counts of full groups, or of one that is not."""
    columns = builder.compress(builder.concat(bits), size)
    groups = -(-len(bits) // size)
    weights = columns.width // groups
    return [
        builder.concat([builder.bit(columns, weight * groups + group) for weight in range(weights)])
        for group in range(groups)
    ]


def add_with_carry(builder: Builder, a: Node, b: Node, carry: Node) -> Node:
    """`a + b + carry` modulo 2**width, on one carry chain: a pair of bits below adds up to the carry."""
    low = builder.const(1, 1), carry
    first, second = (builder.concat((bit, number)) for bit, number in zip(low, (a, b), strict=True))
    return builder.slice(builder.add(first, second), 1, a.width)


def is_gate(node: Node) -> bool:
    """Whether a value comes from a gate, which a look-up table that uses it may have room for."""
    while node.op in _WIRES:
        node = node.args[0]
    return node.op in GATES
