"""Cut operations that take longer than a cycle into parts, between which registers can stand.

A long sum becomes a chain of shorter ones, a comparison a tree, a product a sum of smaller products,
a shift by a variable one choice for each bit of the amount. What must be done within one cycle anyway,
because a recurrence or the reading of a beat waits for it, is left whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from thresher.hlsc.arithmetic import signed_digits
from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.rebuild import rebuilt, remade
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import dependencies, first_points, recurrences

_SMALLEST = 4
"""No part has fewer bits."""


def cut(graph: UnitGraph, delays: DelayModel, clock_mhz: float) -> UnitGraph:
    """The same unit with every operation that can be cut fast enough for the clock."""
    usable = delays.usable_ns(clock_mhz)
    while True:
        needs = dependencies(graph)
        whole = first_points(graph, needs) | recurrences(needs).keys()
        slow = [
            node
            for node in graph.nodes()
            if node.op in _CUTS and node not in whole and delays.delay_ns(node) > usable and _is_large(node)
        ]
        if not slow:
            return graph
        graph = _Cutting(graph, delays, usable).run(frozenset(slow))


def _is_large(node: Node) -> bool:
    """Whether a node can be cut at all."""
    if node.op is Op.MUL:
        factor = _constant_factor(node)
        if factor is not None:
            return len(signed_digits(factor, node.width)) > 2
        return min(_factor_width(arg) for arg in node.args) >= 2 * _SMALLEST
    return node.args[0].width >= 2 * _SMALLEST


class _Cutting:
    """Rebuilds a graph with some nodes cut once; their parts may have to be cut again."""

    def __init__(self, graph: UnitGraph, delays: DelayModel, usable: float) -> None:
        self._graph = graph
        self._builder = Builder()
        self._delays = delays
        self._usable = usable

    def run(self, slow: frozenset[Node]) -> UnitGraph:
        made: dict[Node, Node] = {}
        for node in self._graph.nodes():
            args = [made[arg] for arg in node.args]
            if node in slow:
                made[node] = _CUTS[node.op](self, node, args)
            else:
                made[node] = remade(self._graph, self._builder, node, args)
        return rebuilt(self._graph, made)

    def add(self, node: Node, args: Sequence[Node]) -> Node:
        """A sum as a chain of sums."""
        return self._chain(node, args[0], args[1], self._builder.const(1, 0))

    def sub(self, node: Node, args: Sequence[Node]) -> Node:
        """A difference as a chain of sums."""
        return self._chain(node, args[0], self._builder.not_(args[1]), self._builder.const(1, 1))

    def _chain(self, node: Node, a: Node, b: Node, carry: Node) -> Node:
        """`a + b + carry` from the low bits on. Below each part a pair of bits adds the carry to it."""
        builder = self._builder
        zero, one = builder.const(1, 0), builder.const(1, 1)
        chunk = self._chunk(node)
        parts = []
        for low in range(0, node.width, chunk):
            width = min(chunk, node.width - low)
            first = builder.concat((one, builder.slice(a, low, width), zero))
            second = builder.concat((carry, builder.slice(b, low, width), zero))
            total = builder.add(first, second)
            parts.append(builder.slice(total, 1, width))
            carry = builder.bit(total, width + 1)
        return builder.concat(parts)

    def _chunk(self, node: Node) -> int:
        """The bits of each part of a sum: the fewest parts that are fast enough, of equal width."""
        count = 2
        while True:
            width = -(-node.width // count)
            if width <= _SMALLEST or self._delays.delay_ns(replace(node, width=width + 2)) <= self._usable:
                return width
            count += 1

    def eq(self, node: Node, args: Sequence[Node]) -> Node:
        """Equal in both halves."""
        low, high = self._halves(args)
        return self._builder.and_(self._builder.eq(*low), self._builder.eq(*high))

    def ult(self, node: Node, args: Sequence[Node]) -> Node:
        """Below by the upper halves, or where these are equal by the lower ones."""
        return self._below(args, self._builder.ult)

    def slt(self, node: Node, args: Sequence[Node]) -> Node:
        """The same for signed numbers: the lower halves have no sign."""
        return self._below(args, self._builder.slt)

    def _below(self, args: Sequence[Node], below: Callable[[Node, Node], Node]) -> Node:
        builder = self._builder
        low, high = self._halves(args)
        return builder.or_(below(*high), builder.and_(builder.eq(*high), builder.ult(*low)))

    def _halves(self, args: Sequence[Node]) -> tuple[tuple[Node, Node], tuple[Node, Node]]:
        """The lower bits of both operands, and the upper ones."""
        a, b = args
        half = a.width // 2
        low = self._builder.low(a, half), self._builder.low(b, half)
        rest = a.width - half
        return low, (self._builder.slice(a, half, rest), self._builder.slice(b, half, rest))

    def mul(self, node: Node, args: Sequence[Node]) -> Node:
        """The sum of the products by the halves of one factor; its upper half has its sign."""
        builder = self._builder
        factor = _constant_factor(node)
        if factor is not None:
            return self._mul_by_constant(next(arg for arg in args if arg.op is not Op.CONST), factor)
        b, a = sorted(args, key=lambda arg: (_factor_width(arg), arg.index))
        width = _factor_width(b)
        half = width // 2
        upper = builder.slice(b, half, width - half)
        extended = (builder.zext if b.unsigned_width <= width else builder.sext)(upper, node.width)
        low = builder.mul(a, builder.zext(builder.low(b, half), node.width))
        high = builder.mul(a, extended)
        return builder.add(low, builder.shl(high, builder.const(node.width, half)))

    def _mul_by_constant(self, a: Node, factor: int) -> Node:
        """The sum of the products by half of the constant's digits each."""
        builder = self._builder
        digits = signed_digits(factor, a.width)
        half = len(digits) // 2
        parts = (builder.const(a.width, sum(some)) for some in (digits[:half], digits[half:]))
        return builder.add(*(builder.mul(a, part) for part in parts))

    def shift(self, node: Node, args: Sequence[Node]) -> Node:
        """A choice for each bit of the amount, the largest distance first."""
        builder = self._builder
        shift = {Op.SHL: builder.shl, Op.LSHR: builder.lshr, Op.ASHR: builder.ashr}[node.op]
        value, amount = args
        for place in reversed(range(amount.width)):
            moved = shift(value, builder.const(amount.width, 1 << place))
            value = builder.select(builder.bit(amount, place), moved, value)
        return value


def _constant_factor(node: Node) -> int | None:
    """The factor of a product that is constant, if one is."""
    return next((arg.value for arg in node.args if arg.op is Op.CONST), None)


def _factor_width(factor: Node) -> int:
    """The low bits of a factor that say all of it."""
    return min(factor.unsigned_width, factor.signed_width)


_CUTS: dict[Op, Callable[[_Cutting, Node, Sequence[Node]], Node]] = {
    Op.ADD: _Cutting.add,
    Op.SUB: _Cutting.sub,
    Op.EQ: _Cutting.eq,
    Op.ULT: _Cutting.ult,
    Op.SLT: _Cutting.slt,
    Op.MUL: _Cutting.mul,
    Op.SHL: _Cutting.shift,
    Op.LSHR: _Cutting.shift,
    Op.ASHR: _Cutting.shift,
}
