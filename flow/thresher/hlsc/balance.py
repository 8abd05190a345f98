"""Turn chains of one operation into trees.

clang makes one chain of every sum, whatever tree the C++ had. Here the operands of a chain are
combined anew, those that are there first first. An operand of a recurrence comes last, so that
only one operation stays inside of it. Bits that are added one by one, and those that a sum adds the count of,
become the groups and carries of `counting`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from thresher.hlsc.builder import Builder
from thresher.hlsc.counting import add_with_carry, group_bits
from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.rebuild import rebuilt, remade
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import dependencies, sources

_CHAINS: dict[Op, Callable[[Builder, Node, Node], Node]] = {
    Op.ADD: Builder.add,
    Op.AND: Builder.and_,
    Op.OR: Builder.or_,
    Op.XOR: Builder.xor,
}


_Operand = tuple[bool, float, int, int, Node]
"""Whether it comes of the chain's own recurrence, when it is there, its bits, its index, and the value."""

_Bit = tuple[float, Node]
"""When it is there, and the bit."""


def balance(graph: UnitGraph, delays: DelayModel) -> UnitGraph:
    """The same unit with every sum and every bitwise chain as a tree."""
    return _Balancing(graph, delays).run()


class _Balancing:
    def __init__(self, graph: UnitGraph, delays: DelayModel) -> None:
        self._graph = graph
        self._delays = delays
        self._builder = Builder()
        self._uses = Counter(arg for node in graph.nodes() for arg in node.args)
        self._uses.update(graph.roots())
        self._arrival = _arrivals(graph, delays)
        groups = enumerate(dependencies(graph).groups)
        self._recurrence = {point: number for number, group in groups if len(group) > 1 for point in group}
        self._inner = {inner for node in graph.nodes() for inner in self._absorbed(node)}
        self._made: dict[Node, Node] = {}

    def run(self) -> UnitGraph:
        for node in self._graph.nodes():
            if node not in self._inner:
                self._made[node] = self._new(node)
        return rebuilt(self._graph, self._made)

    def _new(self, node: Node) -> Node:
        if node.op is Op.ADD:
            return self._sum(node, *self._numbers_and_bits(node))
        if node.op is Op.POPCOUNT:
            return self._sum(node, [], list(self._bits_of(node)))
        if node.op not in _CHAINS:
            return remade(self._graph, self._builder, node, [self._made[arg] for arg in node.args])
        operands = [self._operand(node, leaf, made) for leaf, made in self._operands(node)]
        return self._combined(node, operands, partial(_CHAINS[node.op], self._builder))

    def _absorbed(self, node: Node) -> Iterator[Node]:
        """The nodes that only serve as operands of the chain that `node` ends or continues."""
        if node.op not in _CHAINS:
            return
        for arg in node.args:
            inner, wire = _behind(arg)
            fits = inner.op is node.op or (node.op is Op.ADD and inner.op is Op.POPCOUNT)
            if fits and self._uses[inner] == 1 and self._uses[arg] == 1:
                yield inner
                if wire:
                    yield arg

    def _operands(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """The operands of a chain: each as it was, and made anew as wide as `node`; of a count, its word."""
        for arg in node.args:
            inner, _ = _behind(arg)
            if inner not in self._inner:
                yield arg, self._made[arg]
                continue
            if inner.op is Op.POPCOUNT:
                yield inner, self._made[inner.args[0]]
                continue
            extend = self._builder.sext if arg.op is Op.SEXT else self._builder.zext
            for leaf, made in self._operands(inner):
                yield (
                    leaf,
                    made if leaf.op is Op.POPCOUNT and leaf in self._inner else extend(made, node.width),
                )

    def _operand(self, node: Node, leaf: Node, made: Node) -> _Operand:
        home = self._recurrence.get(node)
        late = home is not None and any(self._recurrence.get(core) == home for core in sources([leaf]))
        return late, self._arrival[leaf], made.unsigned_width, made.index, made

    def _numbers_and_bits(self, node: Node) -> tuple[list[_Operand], list[_Bit]]:
        """The operands of a sum; single bits, and those that counts among them count, apart."""
        numbers: list[_Operand] = []
        bits: list[_Bit] = []
        for leaf, made in self._operands(node):
            operand = self._operand(node, leaf, made)
            if leaf in self._inner:
                bits += self._bits_of(leaf)
            elif made.unsigned_width == 1 and not operand[0]:
                bits.append((self._arrival[leaf], self._builder.bit(made, 0)))
            else:
                numbers.append(operand)
        return numbers, bits

    def _bits_of(self, count: Node) -> Iterator[_Bit]:
        """The bits that a count counts."""
        word = self._made[count.args[0]]
        return ((self._arrival[count.args[0]], self._builder.bit(word, place)) for place in range(word.width))

    def _sum(self, node: Node, numbers: list[_Operand], bits: list[_Bit]) -> Node:
        """The sum of numbers and bits, as wide as `node`."""
        when = max((arrival for arrival, _ in bits), default=0.0)
        counts, carries = group_bits(self._builder, [bit for _, bit in bits], len(numbers))
        for count in counts:
            there = when + self._delays.delay_ns(_counter(count))
            wide = self._builder.resize(count, node.width)
            numbers.append((False, there, wide.unsigned_width, wide.index, wide))

        def add(a: Node, b: Node) -> Node:
            return add_with_carry(self._builder, a, b, carries.pop()) if carries else self._builder.add(a, b)

        return self._combined(node, numbers, add)

    def _combined(self, node: Node, operands: list[_Operand], combine: Callable[[Node, Node], Node]) -> Node:
        """The operands of a chain combined, those that are there first first."""
        heapq.heapify(operands)
        while len(operands) > 1:
            first, second = heapq.heappop(operands), heapq.heappop(operands)
            result = combine(first[-1], second[-1])
            when = max(first[1], second[1]) + self._delays.delay_ns(node)
            heapq.heappush(
                operands, (first[0] or second[0], when, result.unsigned_width, result.index, result)
            )
        return operands[0][-1]


def _counter(count: Node) -> Node:
    """What a count is wired to."""
    while count.op in (Op.CONCAT, Op.SLICE):
        count = count.args[0]
    return count


def _behind(arg: Node) -> tuple[Node, bool]:
    """The sum or count that an operand is an exact extension of, or the operand; whether there is one."""
    inner = arg.args[0] if arg.args else arg
    zeros_above = arg.op is Op.CONCAT and len(arg.args) == 2 and _is_zero(arg.args[1])
    if inner.op is Op.POPCOUNT and zeros_above:
        return inner, True
    if inner.op is Op.ADD and len(inner.args) == 2:
        a, b = inner.args
        if arg.op is Op.SEXT and max(a.signed_width, b.signed_width) < inner.width:
            return inner, True
        if zeros_above and max(a.unsigned_width, b.unsigned_width) < inner.width:
            return inner, True
    return arg, False


def _is_zero(node: Node) -> bool:
    return node.op is Op.CONST and node.value == 0


def _arrivals(graph: UnitGraph, delays: DelayModel) -> dict[Node, float]:
    """When each node is there if nothing were pipelined."""
    arrival: dict[Node, float] = {}
    for node in graph.nodes():
        arrival[node] = max((arrival[arg] for arg in node.args), default=0.0) + delays.delay_ns(node)
    return arrival
