"""Sums, products, shifts and counts, each at the fewest bits that hold its result."""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.ir import Node, Op
from thresher.hlsc.known import runs, trailing_zeros
from thresher.hlsc.logic import Logic


class Arithmetic(Logic):
    """The third layer of the `Builder`."""

    def add(self, a: Node, b: Node) -> Node:
        """The sum modulo 2**width."""
        if a.width == 1:
            return self.xor(a, b)
        a, b = _constant_last(a, b)
        if b.op is Op.CONST:
            known = self._add_constant(a, b.value)
            if known is not None:
                return known
        quiet = min(trailing_zeros(a), trailing_zeros(b), a.width - 1)
        alone = max(trailing_zeros(a), trailing_zeros(b))
        if alone > quiet:
            return self._add_above(a, b, min(alone, a.width))
        if quiet:
            high = self.add(*(self.slice(arg, quiet, a.width - quiet) for arg in (a, b)))
            return self.concat((self.const(quiet, 0), high))
        return self._sum(Op.ADD, a, b)

    def _add_constant(self, a: Node, value: int) -> Node | None:
        """A sum that needs no adder, or that makes one of two."""
        if value == 0:
            return a
        if a.op is Op.CONST:
            return self.const(a.width, a.value + value)
        unknown = a.mask & ~(a.zeros | a.ones)
        if unknown.bit_count() == 1:
            totals = [self.const(a.width, a.ones + part + value) for part in (unknown, 0)]
            return self.select(self.bit(a, unknown.bit_length() - 1), *totals)
        if a.op is Op.ADD and a.args[1].op is Op.CONST:
            return self.add(a.args[0], self.const(a.width, a.args[1].value + value))
        return None

    def _add_above(self, a: Node, b: Node, low: int) -> Node:
        """A sum whose `low` lowest bits meet only zeros on one side, so that nothing carries."""
        bottom = self.or_(self.low(a, low), self.low(b, low))
        if low == a.width:
            return bottom
        top = self.add(*(self.slice(arg, low, a.width - low) for arg in (a, b)))
        return self.concat((bottom, top))

    def sub(self, a: Node, b: Node) -> Node:
        """The difference modulo 2**width."""
        if a is b:
            return self.const(a.width, 0)
        if a.width == 1:
            return self.xor(a, b)
        if b.op is Op.CONST:
            return self.add(a, self.const(a.width, -b.value))
        return self._sum(Op.SUB, a, b)

    def negated_where(self, condition: Node, arg: Node) -> Node:
        """Zero minus the argument where the condition is 1, by one sum: the bits are inverted on its way."""
        flipped = self.xor(arg, self.sext(condition, arg.width))
        return self.add(flipped, self.zext(condition, arg.width))

    def _select(self, condition: Node, a: Node, b: Node, low: int, width: int) -> Node:
        if width == a.width and _is_negation(a, b):
            return self.negated_where(condition, b)
        if width == a.width and _is_negation(b, a):
            return self.negated_where(self.not_(condition), a)
        return super()._select(condition, a, b, low, width)

    def _sum(self, op: Op, a: Node, b: Node) -> Node:
        """A sum or difference at one bit more than its arguments need."""
        width = a.width
        unsigned = max(a.unsigned_width, b.unsigned_width) + 1
        signed = max(a.signed_width, b.signed_width) + 1
        narrow = min(unsigned, signed)
        if narrow >= width:
            return self.raw(op, width, (a, b))
        result = self.raw(op, narrow, (self.low(a, narrow), self.low(b, narrow)))
        if op is Op.ADD and unsigned == narrow:
            return self.zext(result, width)
        return self.sext(result, width)

    def mul(self, a: Node, b: Node) -> Node:
        """The product modulo 2**width."""
        a, b = _constant_last(a, b)
        if b.op is Op.CONST and (a.op is Op.CONST or b.value.bit_count() <= 1):
            return self._mul_by_constant(a, b)
        width, zeros = a.width, min(trailing_zeros(b), a.width - 1)
        if b.op is Op.CONST and zeros:
            high = self.mul(self.low(a, width - zeros), self.slice(b, zeros, width - zeros))
            return self.concat((self.const(zeros, 0), high))
        if b.op is Op.CONST and len(digits := signed_digits(b.value, width)) <= 2:
            return self._mul_by_digits(a, digits)
        unsigned = a.unsigned_width + b.unsigned_width
        signed = a.signed_width + b.signed_width
        narrow = min(unsigned, signed)
        if narrow >= width:
            return self.raw(Op.MUL, width, (a, b))
        result = self.raw(Op.MUL, narrow, (self.low(a, narrow), self.low(b, narrow)))
        return self.zext(result, width) if unsigned == narrow else self.sext(result, width)

    def _mul_by_constant(self, a: Node, b: Node) -> Node:
        if a.op is Op.CONST or b.value == 0:
            return self.const(a.width, a.value * b.value)
        return self.shl(a, self.const(a.width, b.value.bit_length() - 1))

    def _mul_by_digits(self, a: Node, digits: Sequence[int]) -> Node:
        """The sum or difference of `a` shifted up, for each digit: 511 * a is (a << 9) - a."""
        total = self.const(a.width, 0)
        for digit in sorted(digits, reverse=True):
            moved = self.shl(a, self.const(a.width, abs(digit).bit_length() - 1))
            total = self.add(total, moved) if digit > 0 else self.sub(total, moved)
        return total

    def shl(self, arg: Node, amount: Node) -> Node:
        """`arg` shifted up, zeros from below."""
        width = arg.width
        if amount.op is not Op.CONST:
            return self._shift(Op.SHL, arg, amount)
        if amount.value >= width:
            return self.const(width, 0)
        return self.concat(
            (self.const(amount.value, 0), self.low(arg, width - amount.value)) if amount.value else (arg,)
        )

    def lshr(self, arg: Node, amount: Node) -> Node:
        """`arg` shifted down, zeros from above."""
        if amount.op is not Op.CONST:
            narrow = max(arg.unsigned_width, 1)
            return self.zext(self._shift(Op.LSHR, self.low(arg, narrow), amount), arg.width)
        if amount.value >= arg.width:
            return self.const(arg.width, 0)
        return self.zext(self.slice(arg, amount.value, arg.width - amount.value), arg.width)

    def ashr(self, arg: Node, amount: Node) -> Node:
        """`arg` shifted down, copies of its sign from above."""
        if arg.zeros >> (arg.width - 1):
            return self.lshr(arg, amount)
        if amount.op is not Op.CONST:
            narrow = self.low(arg, arg.signed_width)
            return self.sext(self._shift(Op.ASHR, narrow, amount), arg.width)
        low = min(amount.value, arg.width - 1)
        return self.sext(self.slice(arg, low, arg.width - low), arg.width)

    def _shift(self, op: Op, arg: Node, amount: Node) -> Node:
        """A shift by a variable, whose amount needs no more bits than it has values that differ."""
        if arg.op is Op.CONST and arg.value == 0:
            return arg
        if arg.op is op:
            # Two shifts are one by the sum. Verilator 5.48 does that itself, and cuts the carry off the sum.
            value, before = arg.args
            width = max(before.width, amount.width) + 1
            return self._shift(op, value, self.add(self.zext(before, width), self.zext(amount, width)))
        used = self.low(amount, max(amount.unsigned_width, 1))
        if used.op is Op.CONST:
            return {Op.SHL: self.shl, Op.LSHR: self.lshr, Op.ASHR: self.ashr}[op](arg, used)
        return self.raw(op, arg.width, (arg, used))

    def popcount(self, arg: Node) -> Node:
        """The number of ones, in as many bits as `arg.width` itself needs."""
        width = arg.width.bit_length()
        always = arg.ones.bit_count()
        known = arg.zeros | arg.ones
        unknown = [self.slice(arg, low, size) for low, size, bit in runs(known, 0, arg.width) if not bit]
        if not unknown:
            return self.const(width, always)
        counted = self.concat(unknown)
        count = counted
        if counted.width > 1:
            count = self.raw(Op.POPCOUNT, counted.width.bit_length(), (counted,))
        return self.add(self.zext(count, width), self.const(width, always))

    def compress(self, arg: Node, group: int) -> Node:
        """The counts of ones of every `group` bits, by columns."""
        groups = -(-arg.width // group)
        return self.raw(Op.COMPRESS, groups * group.bit_length(), (arg,), group)


def signed_digits(value: int, width: int) -> list[int]:
    """Powers of two, some negative, that sum to `value` modulo 2**width, the lowest first, and few of them.

    The non-adjacent form (Reitwiesner, "Binary Arithmetic", 1960): no two of them are next to each other.
    """
    digits = []
    for place in range(width):
        if value >> place & 1:
            above = value >> place & 3
            digit = (1 if above == 1 else -1) << place
            digits.append(digit)
            value -= digit
    return digits


def _is_negation(a: Node, b: Node) -> bool:
    """Whether `a` is zero minus `b`, of which nothing is known: a select does better with known bits."""
    known = b.zeros | b.ones
    return a.op is Op.SUB and a.args[1] is b and a.args[0].op is Op.CONST and not (a.args[0].value or known)


def _constant_last(a: Node, b: Node) -> tuple[Node, Node]:
    if a.op is Op.CONST or (b.op is not Op.CONST and b.index < a.index):
        return b, a
    return a, b
