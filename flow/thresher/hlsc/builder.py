"""The one way to make nodes: every method returns the simplest node that it can see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, or_

from thresher.hlsc.arithmetic import Arithmetic
from thresher.hlsc.ir import Node, Op, Table


class Builder(Arithmetic):
    """Makes the nodes of one graph. Two nodes of the same meaning and shape are one."""

    def input(self, port: str, width: int, low: int = 0) -> Node:
        """The signal of a stream that is the bits `low..low+width-1` of the beat that is read."""
        return self.raw(Op.INPUT, width, value=low, symbol=port)

    def valid(self, port: str) -> Node:
        """Whether a stream offers a beat."""
        return self.raw(Op.VALID, 1, symbol=port)

    def full(self, port: str) -> Node:
        """Whether a stream has no room for a beat of this step."""
        return self.raw(Op.FULL, 1, symbol=port)

    def state(self, register: str, width: int) -> Node:
        """A register before the step."""
        return self.raw(Op.STATE, width, symbol=register)

    def ram(self, memory: str, width: int, address: Node) -> Node:
        """The word of a memory before the step."""
        return self.raw(Op.RAM, width, (address,), symbol=memory)

    def rom(self, table: Table, address: Node, low: int = 0, width: int | None = None) -> Node:
        """The bits `low..low+width-1` of a table's word; columns that never differ are constants."""
        width = table.width if width is None else width
        words = [word >> low & ((1 << width) - 1) for word in table.words]
        if address.op is Op.CONST:
            return self.const(width, words[min(address.value, len(words) - 1)])
        differ = reduce(or_, words) & ~reduce(and_, words)
        if not differ:
            return self.const(width, words[0])
        bottom = (differ & -differ).bit_length() - 1
        top = differ.bit_length()
        varying = self.raw(Op.ROM, top - bottom, (address,), value=low + bottom, symbol=table.name)
        parts = [varying]
        if bottom:
            parts.insert(0, self.const(bottom, words[0]))
        if top < width:
            parts.append(self.const(width - top, words[0] >> top))
        return self.concat(parts)

    def eq(self, a: Node, b: Node) -> Node:
        """Whether the two are equal."""
        if a.op is Op.CONST:
            a, b = b, a
        if a is b:
            return self.const(1, 1)
        if a.ones & b.zeros or a.zeros & b.ones:
            return self.const(1, 0)
        same = a.zeros & b.zeros | a.ones & b.ones
        differ = a.mask & ~same
        if differ != a.mask:
            low = (differ & -differ).bit_length() - 1
            width = differ.bit_length() - low
            if width < a.width:
                return self.eq(self.slice(a, low, width), self.slice(b, low, width))
        narrow = max(a.signed_width, b.signed_width)
        if narrow < a.width:
            return self.eq(self.low(a, narrow), self.low(b, narrow))
        if a.width == 1:
            return self.not_(self.xor(a, b))
        simpler = self._eq_of_select(a, b) or self._eq_of_rounded(a, b)
        return simpler or self.raw(Op.EQ, 1, (a, b))

    def _eq_of_rounded(self, a: Node, b: Node) -> Node | None:
        """`(x + 2**(k-1)) >> k == 0` says that the bits of `x` from `k - 1` on are equal, without a sum.

        So clang asks whether a signed number has no more than `k` bits.
        """
        if a.op is not Op.SLICE or b.op is not Op.CONST or b.value or a.args[0].op is not Op.ADD:
            return None
        (x, added), low = a.args[0].args, a.value
        is_half = added.op is Op.CONST and 2 * added.value == 1 << low
        if not is_half or low + a.width != x.width:
            return None
        return self.eq(self.slice(x, low, a.width), self.sext(self.bit(x, low - 1), a.width))

    def _eq_of_select(self, a: Node, b: Node) -> Node | None:
        """A choice between two constants compared with a constant is the choice itself."""
        if a.op is not Op.SELECT or b.op is not Op.CONST:
            return None
        condition, x, y = a.args
        if x.op is not Op.CONST or y.op is not Op.CONST:
            return None
        return self.select(condition, self.eq(x, b), self.eq(y, b))

    def ult(self, a: Node, b: Node) -> Node:
        """Whether `a` is below `b`, both unsigned."""
        if a.mask & ~a.zeros < b.ones:
            return self.const(1, 1)
        if a is b or a.ones >= b.mask & ~b.zeros:
            return self.const(1, 0)
        narrow = max(a.unsigned_width, b.unsigned_width, 1)
        narrow = min(narrow, max(a.signed_width, b.signed_width))
        if narrow < a.width:
            return self.ult(self.low(a, narrow), self.low(b, narrow))
        return self._ult(a, b)

    def _ult(self, a: Node, b: Node) -> Node:
        if b.op is Op.CONST and b.value.bit_count() == 1:
            return self._below_power(a, b.value.bit_length() - 1)
        if a.op is Op.CONST and (a.value + 1).bit_count() == 1:
            return self.not_(self._below_power(b, a.value.bit_length()))
        if (bit := _copied_bit(b)) is not None:  # 0, or the largest number
            return self.and_(bit, self.not_(self.eq(a, self.const(a.width, a.mask))))
        if (bit := _copied_bit(a)) is not None:
            return self.and_(self.not_(bit), self.not_(self.eq(b, self.const(b.width, 0))))
        return self._ult_of_any(a, b)

    def _ult_of_any(self, a: Node, b: Node) -> Node:
        even = _trailing_zeros(b.value) if b.op is Op.CONST else 0
        even = _trailing_zeros(a.value + 1) if a.op is Op.CONST else even
        if even:  # the lowest bits of a constant that decide nothing
            return self.ult(*(self.slice(arg, even, arg.width - even) for arg in (a, b)))
        return self.raw(Op.ULT, 1, (a, b))

    def _below_power(self, a: Node, power: int) -> Node:
        """Whether `a < 2**power`."""
        high = self.slice(a, power, a.width - power)
        return self.eq(high, self.const(high.width, 0))

    def slt(self, a: Node, b: Node) -> Node:
        """Whether `a` is below `b`, both signed."""
        sign = a.width - 1
        if a is b or (a.op is Op.CONST and b.op is Op.CONST):
            return self.const(1, (a.value ^ 1 << sign) < (b.value ^ 1 << sign))
        if (a.zeros & b.zeros | a.ones & b.ones) >> sign:
            return self.ult(a, b)
        narrow = max(a.signed_width, b.signed_width)
        if narrow < a.width:
            return self.slt(self.low(a, narrow), self.low(b, narrow))
        if b.op is Op.CONST and b.value == 0:
            return self.bit(a, sign)
        if a.op is Op.CONST and a.value == a.mask:
            return self.not_(self.bit(b, sign))
        return self.raw(Op.SLT, 1, (a, b)) if sign else self.and_(a, self.not_(b))

    def rebuild(self, node: Node, args: Sequence[Node]) -> Node:
        """The node with other arguments of the same widths; `ROM` is the caller's, it has a table."""
        if node.op in (Op.CONST, Op.INPUT, Op.VALID, Op.FULL, Op.STATE, Op.RAM):
            return self.raw(node.op, node.width, tuple(args), node.value, node.symbol)
        if node.op is Op.CONCAT:
            return self.concat(args)
        if node.op in _OF_ONE:
            return _OF_ONE[node.op](self, args[0], node)
        return _METHODS[node.op](self, *args)


def _copied_bit(node: Node) -> Node | None:
    """The bit of which every bit of a node is a copy, if there is one."""
    if node.width == 1:
        return node
    copied = node.op is Op.SEXT or (node.op is Op.CONCAT and len(set(node.args)) == 1)
    return node.args[0] if copied and node.args[0].width == 1 else None


def _trailing_zeros(value: int) -> int:
    return (value & -value).bit_length() - 1 if value else 0


_OF_ONE: dict[Op, Callable[[Builder, Node, Node], Node]] = {
    Op.SLICE: lambda builder, arg, node: builder.slice(arg, node.value, node.width),
    Op.SEXT: lambda builder, arg, node: builder.sext(arg, node.width),
    Op.POPCOUNT: lambda builder, arg, node: builder.popcount(arg),
    Op.COMPRESS: lambda builder, arg, node: builder.compress(arg, node.value),
}

_METHODS: dict[Op, Callable[..., Node]] = {
    Op.NOT: Builder.not_,
    Op.AND: Builder.and_,
    Op.OR: Builder.or_,
    Op.XOR: Builder.xor,
    Op.SELECT: Builder.select,
    Op.ADD: Builder.add,
    Op.SUB: Builder.sub,
    Op.MUL: Builder.mul,
    Op.SHL: Builder.shl,
    Op.LSHR: Builder.lshr,
    Op.ASHR: Builder.ashr,
    Op.EQ: Builder.eq,
    Op.ULT: Builder.ult,
    Op.SLT: Builder.slt,
}
