"""The meaning of LLVM's arithmetic instructions, in nodes.

What LLVM calls poison (a shift by too much, a sum that overflows in spite of `nsw`) may be
anything; the cheapest value is taken.
"""

from __future__ import annotations

from collections.abc import Callable

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.division import OPCODES, Divisions
from thresher.hlsc.ir import Node


def binary(builder: Builder, opcode: str, a: Node, b: Node) -> Node:
    """The result of a binary instruction on integers; that of a division by zero may be anything.

    Raises:
        KeyError: the opcode is none of them.
    """
    if opcode in ("shl", "lshr", "ashr"):
        b = builder.zext(builder.low(b, max((b.width - 1).bit_length(), 1)), b.width)
    if opcode in OPCODES:
        return Divisions(builder).divide(opcode, a, b)
    return _BINARY[opcode](builder, a, b)


_BINARY: dict[str, Callable[[Builder, Node, Node], Node]] = {
    "add": Builder.add,
    "sub": Builder.sub,
    "mul": Builder.mul,
    "and": Builder.and_,
    "or": Builder.or_,
    "xor": Builder.xor,
    "shl": Builder.shl,
    "lshr": Builder.lshr,
    "ashr": Builder.ashr,
}


def compare(builder: Builder, predicate: str, a: Node, b: Node) -> Node:
    """The result of `icmp`."""
    if predicate in ("eq", "ne"):
        equal = builder.eq(a, b)
        return equal if predicate == "eq" else builder.not_(equal)
    below = builder.ult if predicate[0] == "u" else builder.slt
    order = predicate[1:]
    if order in ("gt", "le"):
        a, b = b, a
    result = below(a, b)
    return builder.not_(result) if order in ("ge", "le") else result


def three_way(builder: Builder, below: str, a: Node, b: Node, width: int) -> Node:
    """-1 where `a` is below `b`, 0 where they are equal, and else 1; `below` is `slt` or `ult`."""
    differs = builder.not_(builder.eq(a, b))
    return builder.concat((differs, builder.sext(compare(builder, below, a, b), width - 1)))


def bytes_reversed(builder: Builder, arg: Node) -> Node:
    """The bytes in the other order; the width is a multiple of 8."""
    return builder.concat([builder.slice(arg, low, 8) for low in reversed(range(0, arg.width, 8))])
