"""The meaning of LLVM's arithmetic instructions and intrinsics, in nodes.

What LLVM calls poison (a shift by too much, a sum that overflows in spite of `nsw`) may be
anything; the cheapest value is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node, Op


class NotConstantError(Exception):
    """A division by something that is not a constant."""


def binary(builder: Builder, opcode: str, a: Node, b: Node) -> Node:
    """The result of a binary instruction on integers.

    Raises:
        NotConstantError: a division by a variable.
        KeyError: the opcode is none of them.
    """
    if opcode in ("shl", "lshr", "ashr"):
        b = builder.zext(builder.low(b, max((b.width - 1).bit_length(), 1)), b.width)
    if opcode in ("udiv", "urem", "sdiv", "srem"):
        if b.op is not Op.CONST or b.value == 0:
            raise NotConstantError
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


def _urem(builder: Builder, a: Node, b: Node) -> Node:
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


_DIVISIONS = {"udiv": _udiv, "urem": _urem, "sdiv": _sdiv, "srem": _srem}

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


def intrinsic(builder: Builder, name: str, args: Sequence[Node]) -> Node | tuple[Node, Node] | None:
    """The result of a pure `llvm.*` intrinsic; None if hlsc does not know it.

    The `with.overflow` intrinsics give two results: the sum and whether it overflowed.
    """
    parts = name.split(".")[1:]
    base = ".".join(part for part in parts if not _is_type(part))
    made = _INTRINSICS.get(base)
    return made(builder, *args) if made else None


def _is_type(part: str) -> bool:
    return part[:1] in "ip" and part[1:].isdigit()


def _choose(predicate: str) -> Callable[[Builder, Node, Node], Node]:
    def made(builder: Builder, a: Node, b: Node) -> Node:
        return builder.select(compare(builder, predicate, a, b), a, b)

    return made


def _ctpop(builder: Builder, arg: Node) -> Node:
    return builder.resize(builder.popcount(arg), arg.width)


def _cttz(builder: Builder, arg: Node, _: Node) -> Node:
    """The ones of `(arg - 1) & ~arg` are the trailing zeros."""
    below = builder.add(arg, builder.const(arg.width, -1))
    return _ctpop(builder, builder.and_(below, builder.not_(arg)))


def _ctlz(builder: Builder, arg: Node, zero_is_poison: Node) -> Node:
    return _cttz(builder, _bitreverse(builder, arg), zero_is_poison)


def _bitreverse(builder: Builder, arg: Node) -> Node:
    return builder.concat([builder.bit(arg, place) for place in reversed(range(arg.width))])


def _bswap(builder: Builder, arg: Node) -> Node:
    return builder.concat([builder.slice(arg, low, 8) for low in reversed(range(0, arg.width, 8))])


def _funnel(builder: Builder, high: Node, low: Node, amount: Node, left: bool) -> Node:
    """A shift of two words side by side; the amount counts modulo the width."""
    width = high.width
    amount = _urem(builder, amount, builder.const(amount.width, width))
    both = builder.concat((low, high))
    if left:
        shifted = builder.shl(both, builder.zext(amount, 2 * width))
        return builder.slice(shifted, width, width)
    return builder.low(builder.lshr(both, builder.zext(amount, 2 * width)), width)


def _saturating_sub(builder: Builder, a: Node, b: Node) -> Node:
    return builder.select(builder.ult(a, b), builder.const(a.width, 0), builder.sub(a, b))


def _saturating_add(builder: Builder, a: Node, b: Node) -> Node:
    total, over = _add_overflow(builder, a, b)
    return builder.select(over, builder.const(a.width, -1), total)


def _signed_saturating(
    operation: Callable[[Builder, Node, Node], Node],
) -> Callable[[Builder, Node, Node], Node]:
    def made(builder: Builder, a: Node, b: Node) -> Node:
        width = a.width
        exact = operation(builder, builder.sext(a, width + 1), builder.sext(b, width + 1))
        over = builder.xor(builder.bit(exact, width), builder.bit(exact, width - 1))
        lowest = 1 << (width - 1)
        negative = builder.bit(exact, width)
        limit = builder.select(negative, builder.const(width, lowest), builder.const(width, lowest - 1))
        return builder.select(over, limit, builder.low(exact, width))

    return made


def _add_overflow(builder: Builder, a: Node, b: Node) -> tuple[Node, Node]:
    exact = builder.add(builder.zext(a, a.width + 1), builder.zext(b, a.width + 1))
    return builder.low(exact, a.width), builder.bit(exact, a.width)


def _sub_overflow(builder: Builder, a: Node, b: Node) -> tuple[Node, Node]:
    return builder.sub(a, b), builder.ult(a, b)


_INTRINSICS: dict[str, Callable[..., Node | tuple[Node, Node]]] = {
    "ctpop": _ctpop,
    "cttz": _cttz,
    "ctlz": _ctlz,
    "bitreverse": _bitreverse,
    "bswap": _bswap,
    "umin": _choose("ult"),
    "umax": _choose("ugt"),
    "smin": _choose("slt"),
    "smax": _choose("sgt"),
    "abs": lambda builder, arg, _: absolute(builder, arg),
    "fshl": lambda builder, a, b, amount: _funnel(builder, a, b, amount, True),
    "fshr": lambda builder, a, b, amount: _funnel(builder, a, b, amount, False),
    "usub.sat": _saturating_sub,
    "uadd.sat": _saturating_add,
    "ssub.sat": _signed_saturating(Builder.sub),
    "sadd.sat": _signed_saturating(Builder.add),
    "uadd.with.overflow": _add_overflow,
    "usub.with.overflow": _sub_overflow,
}
