"""The meaning of LLVM's arithmetic instructions, in nodes.

What LLVM calls poison (a shift by too much, a sum that overflows in spite of `nsw`) may be
anything; the cheapest value is taken.
"""

from __future__ import annotations

from collections.abc import Callable

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node, Op


class NotConstantError(Exception):
    """A division by something that is not a constant."""


def binary(builder: Builder, opcode: str, a: Node, b: Node) -> Node:
    """The result of a binary instruction on integers; that of a division by zero may be anything.

    Raises:
        NotConstantError: a division by a variable.
        KeyError: the opcode is none of them.
    """
    if opcode in ("shl", "lshr", "ashr"):
        b = builder.zext(builder.low(b, max((b.width - 1).bit_length(), 1)), b.width)
    if opcode in ("udiv", "urem", "sdiv", "srem"):
        if b.op is not Op.CONST:
            raise NotConstantError
        if b.value == 0:
            return builder.const(a.width, 0)
        return _DIVISIONS[opcode](builder, a, b)
    return _BINARY[opcode](builder, a, b)


def _udiv(builder: Builder, a: Node, b: Node) -> Node:
    """Division by a constant: a shift, or a product with the rounded-up reciprocal.

    With `2**k >= b`, `ceil(2**(width + k) / b)` is exact for every `a` of `width` bits.
    """
    if b.value.bit_count() == 1:
        return builder.lshr(a, builder.const(a.width, b.value.bit_length() - 1))
    width = max(a.unsigned_width, 1)
    shift = width + (b.value - 1).bit_length()
    reciprocal = -(-(1 << shift) // b.value)
    wide = width + shift + 1
    product = builder.mul(builder.resize(a, wide), builder.const(wide, reciprocal))
    needed = ((1 << width) // b.value).bit_length()
    return builder.resize(builder.slice(product, shift, max(needed, 1)), a.width)


def remainder_by_constant(builder: Builder, a: Node, b: Node) -> Node:
    """The unsigned remainder."""
    if b.value.bit_count() == 1:
        return builder.and_(a, builder.const(a.width, b.value - 1))
    width = (b.value - 1).bit_length()
    return builder.zext(_remainder(builder, a, b, _udiv(builder, a, b), width), a.width)


def _sdiv(builder: Builder, a: Node, b: Node) -> Node:
    """Division that rounds towards zero: of the magnitudes, and then the sign."""
    negative = builder.bit(a, a.width - 1)
    quotient = _udiv(builder, absolute(builder, a), absolute(builder, b))
    flips = negative if b.value >> (b.width - 1) == 0 else builder.not_(negative)
    return builder.select(flips, negated(builder, quotient), quotient)


def _srem(builder: Builder, a: Node, b: Node) -> Node:
    magnitude = min(b.value, (1 << b.width) - b.value)
    width = min((magnitude - 1).bit_length() + 1, a.width)
    return builder.sext(_remainder(builder, a, b, _sdiv(builder, a, b), width), a.width)


def _remainder(builder: Builder, a: Node, b: Node, quotient: Node, width: int) -> Node:
    """The low bits of what is left of `a`."""
    low, times, divisor = (builder.low(each, width) for each in (a, quotient, b))
    return builder.sub(low, builder.mul(times, divisor))


_DIVISIONS = {"udiv": _udiv, "urem": remainder_by_constant, "sdiv": _sdiv, "srem": _srem}

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


def negated(builder: Builder, arg: Node) -> Node:
    """Zero minus the argument."""
    return builder.sub(builder.const(arg.width, 0), arg)


def absolute(builder: Builder, arg: Node) -> Node:
    """The magnitude, as an unsigned number of the same width."""
    return builder.select(builder.bit(arg, arg.width - 1), negated(builder, arg), arg)


def three_way(builder: Builder, below: str, a: Node, b: Node, width: int) -> Node:
    """-1 where `a` is below `b`, 0 where they are equal, and else 1; `below` is `slt` or `ult`."""
    differs = builder.not_(builder.eq(a, b))
    return builder.concat((differs, builder.sext(compare(builder, below, a, b), width - 1)))


def bytes_reversed(builder: Builder, arg: Node) -> Node:
    """The bytes in the other order; the width is a multiple of 8."""
    return builder.concat([builder.slice(arg, low, 8) for low in reversed(range(0, arg.width, 8))])
