"""Turn chains of one operation into trees.

clang makes one chain of every sum, whatever tree the C++ had. Here the operands of a chain are
combined anew, those that are there first first. An operand of a recurrence comes last, so that
only one operation stays inside of it. Single bits that are added are counted.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator

from thresher.hlsc.builder import Builder
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
"""Whether it comes of the sum's own recurrence, when it is there, its bits, its index, and the value."""

_FEWEST_COUNTED = 3


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
                self._made[node] = self._tree(node) if node.op in _CHAINS else self._same(node)
        return rebuilt(self._graph, self._made)

    def _same(self, node: Node) -> Node:
        return remade(self._graph, self._builder, node, [self._made[arg] for arg in node.args])

    def _absorbed(self, node: Node) -> Iterator[Node]:
        """The nodes that only serve as operands of the chain that `node` ends or continues."""
        if node.op not in _CHAINS:
            return
        for arg in node.args:
            inner, wire = _behind(arg)
            if inner.op is node.op and self._uses[inner] == 1 and self._uses[arg] == 1:
                yield inner
                if wire:
                    yield arg

    def _operands(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """The operands of a chain: each as it was, and made anew as wide as `node`."""
        for arg in node.args:
            inner, _ = _behind(arg)
            if inner not in self._inner:
                yield arg, self._made[arg]
                continue
            extend = self._builder.sext if arg.op is Op.SEXT else self._builder.zext
            for leaf, made in self._operands(inner):
                yield leaf, extend(made, node.width)

    def _tree(self, node: Node) -> Node:
        home = self._recurrence.get(node)
        heap: list[_Operand] = []
        for leaf, made in self._operands(node):
            late = home is not None and any(self._recurrence.get(core) == home for core in sources([leaf]))
            heapq.heappush(heap, (late, self._arrival[leaf], made.unsigned_width, made.index, made))
        if node.op is Op.ADD:
            heap = self._counted(heap)
        while len(heap) > 1:
            first, second = heapq.heappop(heap), heapq.heappop(heap)
            result = _CHAINS[node.op](self._builder, first[-1], second[-1])
            when = max(first[1], second[1]) + self._delays.delay_ns(node)
            heapq.heappush(heap, (first[0] or second[0], when, result.unsigned_width, result.index, result))
        return heap[0][-1]

    def _counted(self, operands: list[_Operand]) -> list[_Operand]:
        """The operands of a sum with those of one bit replaced by their number, which one table gives."""
        bits = [operand for operand in operands if not operand[0] and operand[-1].unsigned_width == 1]
        if len(bits) < _FEWEST_COUNTED:
            return operands
        width = operands[0][-1].width
        word = self._builder.concat([self._builder.bit(bit[-1], 0) for bit in sorted(bits)])
        ones = self._builder.popcount(word)
        when = max(bit[1] for bit in bits) + self._delays.delay_ns(ones)
        count = self._builder.resize(ones, width)
        rest = [operand for operand in operands if operand not in bits]
        heap = [*rest, (False, when, count.unsigned_width, count.index, count)]
        heapq.heapify(heap)
        return heap


def _behind(arg: Node) -> tuple[Node, bool]:
    """The sum that an operand is an exact extension of, or the operand itself; whether there is one."""
    inner = arg.args[0] if arg.args else arg
    if inner.op is Op.ADD and len(inner.args) == 2:
        a, b = inner.args
        if arg.op is Op.SEXT and max(a.signed_width, b.signed_width) < inner.width:
            return inner, True
        zeros_above = (
            arg.op is Op.CONCAT and len(arg.args) == 2 and arg.args[1].ones == arg.args[1].value == 0
        )
        if (
            zeros_above
            and arg.args[1].op is Op.CONST
            and max(a.unsigned_width, b.unsigned_width) < inner.width
        ):
            return inner, True
    return arg, False


def _arrivals(graph: UnitGraph, delays: DelayModel) -> dict[Node, float]:
    """When each node is there if nothing were pipelined."""
    arrival: dict[Node, float] = {}
    for node in graph.nodes():
        arrival[node] = max((arrival[arg] for arg in node.args), default=0.0) + delays.delay_ns(node)
    return arrival
