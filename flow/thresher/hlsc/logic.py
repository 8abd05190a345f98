"""Bitwise operations and selects, cut where a run of bits is known or passes straight through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from thresher.hlsc.ir import Node, Op
from thresher.hlsc.known import runs
from thresher.hlsc.wiring import Wiring

MAX_PIECES = 24
"""An operation is not cut into more pieces than this; more would hide what it does."""

MAX_PARTS = 100
"""Selects between more parts than this, and chains of more selects, are left as they are."""

Piece = tuple[int, Callable[[int, int], Node]]
"""A mask of bits, and how to make the bits (lowest, number) of the result under it."""


class Logic(Wiring):
    """The second layer of the `Builder`."""

    def not_(self, arg: Node) -> Node:
        """Every bit inverted."""
        if arg.op is Op.NOT:
            return arg.args[0]
        if arg.op is Op.CONST:
            return self.const(arg.width, ~arg.value)
        if arg.op is Op.SEXT:
            return self.sext(self.not_(arg.args[0]), arg.width)
        if arg.op is Op.CONCAT and (arg.zeros or arg.ones):
            return self.concat([self.not_(part) for part in arg.args])
        return self.raw(Op.NOT, arg.width, (arg,))

    def and_(self, a: Node, b: Node) -> Node:
        """Bitwise and."""
        a, b = _ordered(a, b)
        if a is b:
            return a
        if self._inverse(a, b):
            return self.const(a.width, 0)
        zero = a.zeros | b.zeros
        through_b = a.ones & ~zero
        pieces: list[Piece] = [
            (zero, lambda low, width: self.const(width, 0)),
            (through_b, lambda low, width: self.slice(b, low, width)),
            (b.ones & ~zero & ~through_b, lambda low, width: self.slice(a, low, width)),
        ]
        return self._cut(a.width, pieces, lambda low, width: self._and_or(Op.AND, a, b, low, width))

    def or_(self, a: Node, b: Node) -> Node:
        """Bitwise or."""
        a, b = _ordered(a, b)
        if a is b:
            return a
        if self._inverse(a, b):
            return self.const(a.width, -1)
        one = a.ones | b.ones
        through_b = a.zeros & ~one
        pieces: list[Piece] = [
            (one, lambda low, width: self.const(width, -1)),
            (through_b, lambda low, width: self.slice(b, low, width)),
            (b.zeros & ~one & ~through_b, lambda low, width: self.slice(a, low, width)),
        ]
        return self._cut(a.width, pieces, lambda low, width: self._and_or(Op.OR, a, b, low, width))

    def _and_or(self, op: Op, a: Node, b: Node, low: int, width: int) -> Node:
        """And and or of bits of which nothing is known, with the laws of absorption."""
        a, b = _ordered(self.slice(a, low, width), self.slice(b, low, width))
        if a is b:
            return a
        absorbed = self._absorbed(op, a, b) or self._absorbed(op, b, a) or self._common(op, a, b)
        return absorbed or self._narrowed(op, (a, b))

    def _absorbed(self, op: Op, x: Node, y: Node) -> Node | None:
        """What is left of `y` beside `x`, where that is less than both."""
        dual = Op.OR if op is Op.AND else Op.AND
        if op is Op.AND and excluded(x, y):
            return self.const(x.width, 0)
        implied = op is Op.AND and x.op is Op.NOT and excluded(x.args[0], y)
        if implied or (y.op is op and x in y.args):
            return y
        if y.op is dual and x in y.args:
            return x
        other = self._without_inverse(x, y) if y.op is dual else None
        if other is None:
            return None
        return self.and_(x, other) if op is Op.AND else self.or_(x, other)

    def _without_inverse(self, x: Node, y: Node) -> Node | None:
        """The other argument of `y`, where one is the inverse of `x`."""
        for mine, other in (y.args, y.args[::-1]):
            if self._inverse(x, mine):
                return other
        return None

    def _common(self, op: Op, a: Node, b: Node) -> Node | None:
        """`p&c | p&~c` is `p`, and the dual."""
        dual = Op.OR if op is Op.AND else Op.AND
        if a.op is not dual or b.op is not dual:
            return None
        for p, c in (a.args, a.args[::-1]):
            if p in b.args:
                rest = b.args[0] if b.args[1] is p else b.args[1]
                if self._inverse(c, rest):
                    return p
        return None

    def xor(self, a: Node, b: Node) -> Node:
        """Bitwise exclusive or."""
        a, b = _ordered(a, b)
        if a is b:
            return self.const(a.width, 0)
        if b.op is Op.CONST and b.zeros == 0:
            return self.not_(a)
        if a.op is Op.NOT and b.op in (Op.NOT, Op.CONST):
            return self.xor(a.args[0], self.not_(b))
        both = (a.zeros | a.ones) & (b.zeros | b.ones)
        pieces: list[Piece] = [
            (both, lambda low, width: self.const(width, (a.ones ^ b.ones) >> low)),
            (a.zeros & ~both, lambda low, width: self.slice(b, low, width)),
            (
                b.zeros & ~both & ~a.zeros if b.op is not Op.CONST else 0,
                lambda low, width: self.slice(a, low, width),
            ),
        ]
        return self._cut(a.width, pieces, lambda low, width: self._xor(a, b, low, width))

    def _xor(self, a: Node, b: Node, low: int, width: int) -> Node:
        a, b = self.slice(a, low, width), self.slice(b, low, width)
        if a is b:
            return self.const(width, 0)
        if b.op is Op.CONST and b.value == 0:
            return a
        if b.op is Op.CONST and b.zeros == 0:
            return self.not_(a)
        if b.op is Op.CONST and a.op is Op.CONCAT and len(a.args) <= MAX_PARTS:
            return self._inverted_parts(a, b.value)
        return self._narrowed(Op.XOR, _ordered(a, b))

    def _inverted_parts(self, joined: Node, inverted: int) -> Node:
        """A concatenation of which some bits are inverted: each part on its own, as that of a bit is free."""
        parts = []
        for part in joined.args:
            parts.append(self.xor(part, self.const(part.width, inverted)))
            inverted >>= part.width
        return self.concat(parts)

    def note_equal(self, condition: Node, arg: Node, value: Node) -> None:
        """From now on `arg` is known to be `value` where the condition is 1."""
        self._equal_where[condition, arg] = value

    def select(self, condition: Node, a: Node, b: Node) -> Node:
        """`a` where the condition is 1, else `b`."""
        if condition.op is Op.CONST:
            return a if condition.value else b
        if a is b or self._is_noted(condition, b, a):
            return b
        if condition.op is Op.NOT:
            return self.select(condition.args[0], b, a)
        a, b = self._assume(condition, a, 1), self._assume(condition, b, 2)
        equal = a.zeros & b.zeros | a.ones & b.ones
        follows, inverts = a.ones & b.zeros, a.zeros & b.ones
        if (follows | inverts).bit_count() > 1:
            follows = inverts = 0
        pieces: list[Piece] = [
            (equal, lambda low, width: self.const(width, a.ones >> low)),
            (follows, lambda low, width: condition),
            (inverts, lambda low, width: self.not_(condition)),
        ]
        return self._cut(a.width, pieces, lambda low, width: self._select(condition, a, b, low, width))

    def _is_noted(self, condition: Node, arg: Node, value: Node) -> bool:
        """Whether `note_equal` says so of `arg`, or of what it is a slice of."""
        if not self._equal_where:
            return False
        whole = arg.args[0] if arg.op is Op.SLICE else arg
        known = self._equal_where.get((condition, whole))
        if known is None or whole is arg:
            return known is value
        return self.slice(known, arg.value, arg.width) is value

    def _assume(self, condition: Node, arg: Node, branch: int) -> Node:
        """`arg` where the condition is known: a select by the same condition is decided."""
        while arg.op is Op.SELECT and arg.args[0] is condition:
            arg = arg.args[branch]
        return arg

    def _select(self, condition: Node, a: Node, b: Node, low: int, width: int) -> Node:
        a, b = self.slice(a, low, width), self.slice(b, low, width)
        if a is b:
            return a
        narrow = max(a.signed_width, b.signed_width)
        if narrow < width:
            return self.sext(self.select(condition, self.low(a, narrow), self.low(b, narrow)), width)
        merged = self._merged(condition, a, b) or self._merged(self.not_(condition), b, a)
        if merged is None and self._excluded(condition, a, b):
            merged = b
        if merged is None:
            merged = (self._select_bit if width == 1 else self._part_by_part)(condition, a, b)
        return merged or self.raw(Op.SELECT, width, (condition, a, b))

    def _merged(self, condition: Node, a: Node, b: Node) -> Node | None:
        """One select for two, where one side of the inner is the other side of the outer."""
        if a.op is not Op.SELECT:
            return None
        inner, x, y = a.args
        if y is b:
            return self.select(self.and_(condition, inner), x, b)
        if x is b:
            return self.select(self.and_(condition, self.not_(inner)), y, b)
        return None

    def _part_by_part(self, condition: Node, a: Node, b: Node) -> Node | None:
        """A select between concatenations as selects between their parts, where that makes one simpler.

        Of two that are joined alike none is simpler yet, but a select around may change only some parts. Not
        so of a difference and what it is made from, as of a divider: slices of it gain nothing.
        """
        edges = sorted({0, a.width} | _edges(a) | _edges(b))
        if not 2 < len(edges) <= MAX_PARTS:
            return None
        sides = [
            (self.slice(a, low, high - low), self.slice(b, low, high - low)) for low, high in pairwise(edges)
        ]
        parts = [self.select(condition, x, y) for x, y in sides]
        whole = [
            part.op is Op.SELECT and part.args == (condition, x, y)
            for part, (x, y) in zip(parts, sides, strict=True)
        ]
        joined = {a.op, b.op} <= {Op.CONCAT, Op.CONST}
        return None if all(whole) and not joined else self.concat(parts)

    def _excluded(self, condition: Node, a: Node, b: Node) -> bool:
        """Whether `b` alone decides: it is `a` but under conditions that exclude `condition`."""
        for _ in range(MAX_PARTS):
            if b.op is not Op.SELECT or not excluded(condition, b.args[0]):
                return False
            b = b.args[2]
            if b is a:
                return True
        return False

    def _select_bit(self, condition: Node, a: Node, b: Node) -> Node | None:
        if a.op is Op.CONST or a is condition:
            chosen_one = a is condition or a.value
            return self.or_(condition, b) if chosen_one else self.and_(self.not_(condition), b)
        if b.op is Op.CONST or b is condition:
            other_zero = b is condition or not b.value
            return self.and_(condition, a) if other_zero else self.or_(self.not_(condition), a)
        return None

    def any_of(self, bits: Sequence[Node]) -> Node:
        """The or of single bits; 0 if there are none."""
        result = self.const(1, 0)
        for bit in bits:
            result = self.or_(result, bit)
        return result

    def _narrowed(self, op: Op, args: tuple[Node, Node]) -> Node:
        """The operation on the bits below the sign extension that both arguments have."""
        width, narrow = args[0].width, max(arg.signed_width for arg in args)
        if narrow == width:
            return self.raw(op, width, args)
        low = self.raw(op, narrow, _ordered(self.low(args[0], narrow), self.low(args[1], narrow)))
        return self.sext(low, width)

    def _inverse(self, a: Node, b: Node) -> bool:
        if a.op is Op.NOT and a.args[0] is b:
            return True
        return b.op is Op.NOT and b.args[0] is a

    def _cut(self, width: int, pieces: list[Piece], rest: Callable[[int, int], Node]) -> Node:
        """Each run of bits made as its piece says; what is under no mask is `rest`."""
        parts: list[tuple[int, int, Callable[[int, int], Node]]] = []
        covered = 0
        for mask, make in pieces:
            covered |= mask
            parts += [(low, length, make) for low, length, bit in runs(mask, 0, width) if bit]
        parts += [(low, length, rest) for low, length, bit in runs(covered, 0, width) if not bit]
        if len(parts) > MAX_PIECES:
            return rest(0, width)
        parts.sort(key=lambda part: part[0])
        return self.concat([make(low, length) for low, length, make in parts])


def excluded(a: Node, b: Node) -> bool:
    """Whether two bits compare one value with different constants, so that at most one is 1."""
    if a.op is not Op.EQ or b.op is not Op.EQ or a.args[0] is not b.args[0]:
        return False
    return a.args[1].op is Op.CONST and b.args[1].op is Op.CONST and a is not b


def _edges(node: Node) -> set[int]:
    """The bits at which the parts of a concatenation begin."""
    edges, low = set[int](), 0
    for part in node.args if node.op is Op.CONCAT else ():
        edges.add(low)
        low += part.width
    return edges


def _ordered(a: Node, b: Node) -> tuple[Node, Node]:
    """Commutative arguments in one order, a constant last."""
    if a.op is Op.CONST or (b.op is not Op.CONST and b.index < a.index):
        return b, a
    return a, b
