"""Division and remainder in nodes: by a constant a product, by a variable one row of logic a quotient bit.

A division by a variable is the restoring one, unrolled. Row `k` takes one more bit of the dividend, `k` in
all, and subtracts the divisor where that leaves nothing negative. Below `2**k` only the low `k` bits of the
divisor are subtracted: a larger divisor does not fit. So a quotient of `n` bits by a divisor of as many takes
`n * (n + 1) / 2` bits of subtraction. The rows follow one another without a loop, so registers can stand
between any two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node, Op

OPCODES = frozenset(("udiv", "urem", "sdiv", "srem"))


@dataclass(frozen=True)
class Divisions:
    """The divisions of one function. Quotient and remainder of the same numbers are of one division.

    clang writes a remainder beside its quotient as `a - (a / b) * b`; `difference` finds it again.
    """

    builder: Builder
    _remainders: dict[tuple[Node, Node], Node] = field(default_factory=dict)

    def divide(self, opcode: str, a: Node, b: Node) -> Node:
        """The result of `udiv`, `urem`, `sdiv` or `srem`; that of a division by zero may be anything."""
        if b.op is Op.CONST:
            return _by_constant(self.builder, opcode, a, b)
        builder = self.builder
        divided = signed_division if opcode[0] == "s" else unsigned_division
        quotient, remainder = divided(builder, a, b)
        self._remainders[a, builder.mul(quotient, b)] = remainder
        by_zero = builder.eq(b, builder.const(b.width, 0))
        builder.note_equal(by_zero, remainder, a)
        if divided is unsigned_division and a.unsigned_width == a.width:
            builder.note_equal(by_zero, quotient, builder.const(a.width, -1))
        return quotient if opcode.endswith("div") else remainder

    def difference(self, a: Node, b: Node) -> Node:
        """`a - b`, which is the remainder where `b` is the product of a quotient and its divisor."""
        return self._remainders.get((a, b)) or self.builder.sub(a, b)


def unsigned_division(builder: Builder, a: Node, b: Node) -> tuple[Node, Node]:
    """The quotient and the remainder, as wide as `a` and `b`, which are of one width.

    By zero they are all ones and `a`.
    """
    width = a.width
    bits = max(a.unsigned_width, 1)
    divisor = builder.low(b, max(b.unsigned_width, 1))
    rest, quotient = builder.const(1, 0), []
    for row, place in enumerate(reversed(range(bits)), start=1):
        taken = builder.concat((builder.bit(a, place), rest))
        fits, rest = _row(builder, builder.low(taken, min(row, taken.width)), divisor)
        quotient.append(fits)
    return builder.zext(builder.concat(quotient[::-1]), width), builder.resize(rest, width)


def _row(builder: Builder, taken: Node, divisor: Node) -> tuple[Node, Node]:
    """Whether the divisor fits into what was taken, and what it leaves, in no more bits than the divisor."""
    low = builder.low(divisor, min(divisor.width, taken.width))
    high = builder.slice(divisor, low.width, divisor.width - low.width) if low is not divisor else None
    wide = taken.width + 1
    difference = builder.sub(builder.zext(taken, wide), builder.zext(low, wide))
    fits = builder.not_(builder.bit(difference, taken.width))
    if high is not None:
        fits = builder.and_(fits, builder.eq(high, builder.const(high.width, 0)))
    return fits, builder.select(fits, builder.low(difference, low.width), builder.low(taken, low.width))


def signed_division(builder: Builder, a: Node, b: Node) -> tuple[Node, Node]:
    """The quotient, rounded towards zero, and the remainder, which has the sign of `a`."""
    width = a.width
    negative, opposite = (builder.bit(each, width - 1) for each in (a, b))
    quotient, remainder = unsigned_division(builder, magnitude(builder, a), magnitude(builder, b))
    return (
        builder.negated_where(builder.xor(negative, opposite), quotient),
        builder.negated_where(negative, remainder),
    )


def magnitude(builder: Builder, arg: Node) -> Node:
    """The magnitude of a signed number, known to have no more bits than the number."""
    narrow = builder.low(arg, arg.signed_width)
    negative = builder.bit(narrow, narrow.width - 1)
    return builder.zext(builder.negated_where(negative, narrow), arg.width)


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
    quotient = _udiv(builder, magnitude(builder, a), magnitude(builder, b))
    flips = negative if b.value >> (b.width - 1) == 0 else builder.not_(negative)
    return builder.negated_where(flips, quotient)


def _srem(builder: Builder, a: Node, b: Node) -> Node:
    magnitude = min(b.value, (1 << b.width) - b.value)
    width = min((magnitude - 1).bit_length() + 1, a.width)
    return builder.sext(_remainder(builder, a, b, _sdiv(builder, a, b), width), a.width)


def _remainder(builder: Builder, a: Node, b: Node, quotient: Node, width: int) -> Node:
    """The low bits of what is left of `a`."""
    low, times, divisor = (builder.low(each, width) for each in (a, quotient, b))
    return builder.sub(low, builder.mul(times, divisor))


def _by_constant(builder: Builder, opcode: str, a: Node, b: Node) -> Node:
    if b.value == 0:
        return builder.const(a.width, 0)
    return _BY_CONSTANT[opcode](builder, a, b)


_BY_CONSTANT = {"udiv": _udiv, "urem": remainder_by_constant, "sdiv": _sdiv, "srem": _srem}
