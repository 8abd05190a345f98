"""The meaning of LLVM's pure intrinsics on integers, in nodes, at any width.

What LLVM calls poison may be anything: the magnitude of the lowest number, or the zeros of zero, where the
flag of `abs`, `ctlz` and `cttz` says so; these are computed as without the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.division import magnitude, remainder_by_constant
from thresher.hlsc.frontend.operations import binary, bytes_reversed, compare, three_way
from thresher.hlsc.ir import Node

Pair = tuple[Node, Node]
"""The two results of a `with.overflow` intrinsic: the number, and whether it overflowed."""


def intrinsic(builder: Builder, name: str, args: Sequence[Node], width: int) -> Node | Pair | None:
    """The result of a pure `llvm.*` intrinsic; None if hlsc does not know it.

    `width` is that of a result that is one integer, and nothing where there are two.
    """
    base = ".".join(part for part in name.split(".")[1:] if not _is_type(part))
    if base in _OF_WIDTH:
        return _OF_WIDTH[base](builder, *args, width)
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


def _funnel(builder: Builder, high: Node, low: Node, amount: Node, *, left: bool) -> Node:
    """A shift of two words side by side; the amount counts modulo the width."""
    width = high.width
    amount = remainder_by_constant(builder, amount, builder.const(amount.width, width))
    both = builder.concat((low, high))
    if left:
        shifted = builder.shl(both, builder.zext(amount, 2 * width))
        return builder.slice(shifted, width, width)
    return builder.low(builder.lshr(both, builder.zext(amount, 2 * width)), width)


def _saturating_sub(builder: Builder, a: Node, b: Node) -> Node:
    return builder.select(builder.ult(a, b), builder.const(a.width, 0), builder.sub(a, b))


def _saturating_add(builder: Builder, a: Node, b: Node) -> Node:
    total, over = _unsigned_overflow(Builder.add)(builder, a, b)
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


def _unsigned_overflow(
    operation: Callable[[Builder, Node, Node], Node],
) -> Callable[[Builder, Node, Node], Pair]:
    """Sums and products that are exact at twice the width."""

    def made(builder: Builder, a: Node, b: Node) -> Pair:
        width = a.width
        exact = operation(builder, builder.zext(a, 2 * width), builder.zext(b, 2 * width))
        high = builder.slice(exact, width, width)
        return builder.low(exact, width), builder.not_(builder.eq(high, builder.const(width, 0)))

    return made


def _usub_overflow(builder: Builder, a: Node, b: Node) -> Pair:
    return builder.sub(a, b), builder.ult(a, b)


def _signed_overflow(
    operation: Callable[[Builder, Node, Node], Node],
) -> Callable[[Builder, Node, Node], Pair]:
    """Sums, differences and products that are exact at twice the width."""

    def made(builder: Builder, a: Node, b: Node) -> Pair:
        wide = 2 * a.width
        exact = operation(builder, builder.sext(a, wide), builder.sext(b, wide))
        low = builder.low(exact, a.width)
        return low, builder.not_(builder.eq(exact, builder.sext(low, wide)))

    return made


def _shl_saturating(signed: bool) -> Callable[[Builder, Node, Node], Node]:
    """A shift that stays at the end of the range where it would lose bits; two ends where it is `signed`."""

    def made(builder: Builder, arg: Node, amount: Node) -> Node:
        width = arg.width
        shifted = binary(builder, "shl", arg, amount)
        back = binary(builder, "ashr" if signed else "lshr", shifted, amount)
        lowest = 1 << (width - 1)
        ends = (lowest, lowest - 1) if signed else (-1, -1)
        limit = builder.select(builder.bit(arg, width - 1), *(builder.const(width, end) for end in ends))
        return builder.select(builder.eq(back, arg), shifted, limit)

    return made


_OF_WIDTH: dict[str, Callable[..., Node]] = {
    "scmp": lambda builder, a, b, width: three_way(builder, "slt", a, b, width),
    "ucmp": lambda builder, a, b, width: three_way(builder, "ult", a, b, width),
}

_INTRINSICS: dict[str, Callable[..., Node | Pair]] = {
    "ctpop": _ctpop,
    "cttz": _cttz,
    "ctlz": _ctlz,
    "bitreverse": _bitreverse,
    "bswap": bytes_reversed,
    "umin": _choose("ult"),
    "umax": _choose("ugt"),
    "smin": _choose("slt"),
    "smax": _choose("sgt"),
    "abs": lambda builder, arg, _: magnitude(builder, arg),
    "fshl": partial(_funnel, left=True),
    "fshr": partial(_funnel, left=False),
    "usub.sat": _saturating_sub,
    "uadd.sat": _saturating_add,
    "ssub.sat": _signed_saturating(Builder.sub),
    "sadd.sat": _signed_saturating(Builder.add),
    "ushl.sat": _shl_saturating(signed=False),
    "sshl.sat": _shl_saturating(signed=True),
    "uadd.with.overflow": _unsigned_overflow(Builder.add),
    "usub.with.overflow": _usub_overflow,
    "umul.with.overflow": _unsigned_overflow(Builder.mul),
    "sadd.with.overflow": _signed_overflow(Builder.add),
    "ssub.with.overflow": _signed_overflow(Builder.sub),
    "smul.with.overflow": _signed_overflow(Builder.mul),
    # What the optimiser asks, and what it may be told: both are answered as code generators do.
    "is.constant": lambda builder, _: builder.const(1, 0),
    "expect": lambda builder, arg, *_: arg,
    "expect.with.probability": lambda builder, arg, *_: arg,
}
