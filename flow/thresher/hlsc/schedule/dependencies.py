"""What must be known before what, within one step: the graph that is cut into stages.

Its points are the nodes that are not mere wiring, and the memories. A register's `STATE` node
depends on the register's next value: the register stands where its next value is known, and
whoever reads it stands there or later. So a cycle is a recurrence, which takes one stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from thresher.hlsc.ir import OF_STREAMS, WIRING, Memory, Node, Op, UnitGraph, wired_bits

Point = Node | Memory


@dataclass(frozen=True)
class Dependencies:
    """`of[p]` is what point `p` needs; `groups` are the recurrences, each after all that it needs."""

    of: Mapping[Point, Sequence[Point]]
    groups: Sequence[Sequence[Point]]


def dependencies(graph: UnitGraph) -> Dependencies:
    """The dependencies of everything that the unit computes."""
    following = {register.name: register.next for register in graph.registers}
    memories = {memory.name: memory for memory in graph.memories}
    needs: dict[Point, list[Point]] = {memory: [] for memory in graph.memories}
    for node in graph.nodes():
        if node.op in WIRING:
            continue
        needs[node] = [*sources(node.args)]
        if node.op is Op.STATE:
            needs[node] = [*sources([following[node.symbol]])]
        elif node.op is Op.RAM:
            needs[node].append(memories[node.symbol])
            needs[memories[node.symbol]].append(node)
    for memory in graph.memories:
        needs[memory] += sources(memory.nodes)
    return Dependencies(needs, _components(needs))


def sources(operands: Iterable[Node]) -> list[Node]:
    """The nodes that operands are wired to."""
    return [node for node in _wired(operands) if node.op not in WIRING]


def ancestors(of: Mapping[Point, Sequence[Point]], points: Iterable[Point]) -> set[Point]:
    """The points and all that they need, now or in earlier steps."""
    found: set[Point] = set()
    pending = list(points)
    while pending:
        point = pending.pop()
        if point not in found:
            found.add(point)
            pending.extend(of[point])
    return found


def recurrences(needs: Dependencies) -> dict[Point, int]:
    """The number of its recurrence for each point that is in one."""
    return {
        point: number
        for number, group in enumerate(needs.groups)
        for point in group
        if len(group) > 1 or point in needs.of[point]
    }


def first_points(graph: UnitGraph, needs: Dependencies) -> set[Point]:
    """The points that must stand in stage 0: what streams say, and what decides whether a beat is taken."""
    said = [point for point in needs.of if isinstance(point, Node) and point.op in OF_STREAMS]
    return ancestors(needs.of, sources(port.needed for port in graph.inputs)) | set(said)


def _components(needs: Mapping[Point, Sequence[Point]]) -> list[list[Point]]:
    """Strongly connected components (Tarjan), each after those that it needs."""
    order: dict[Point, int] = {}
    lowest: dict[Point, int] = {}
    stack: list[Point] = []
    waiting: set[Point] = set()
    components: list[list[Point]] = []
    for root in needs:
        if root in order:
            continue
        path = [(root, iter(needs[root]))]
        order[root] = lowest[root] = len(order)
        stack.append(root)
        waiting.add(root)
        while path:
            point, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[point])
                if lowest[point] == order[point]:
                    components.append(_pop_component(stack, waiting, point))
            elif following not in order:
                order[following] = lowest[following] = len(order)
                stack.append(following)
                waiting.add(following)
                path.append((following, iter(needs[following])))
            elif following in waiting:
                lowest[point] = min(lowest[point], order[following])
    return components


def _pop_component(stack: list[Point], waiting: set[Point], last: Point) -> list[Point]:
    component: list[Point] = []
    while not component or component[-1] is not last:
        component.append(stack.pop())
        waiting.discard(component[-1])
    return component


def demands(operands: Iterable[Node]) -> dict[Node, int]:
    """The nodes that operands are wired to, each with a mask of the bits that are."""
    masks: dict[Node, int] = {}
    for operand in operands:
        masks[operand] = operand.mask
    found: dict[Node, int] = {}
    for node in sorted(_wired(masks), key=lambda node: -node.index):
        mask = masks[node]
        if node.op not in WIRING:
            found[node] = mask
        for arg, bits in zip(node.args, wired_bits(node, mask), strict=False):
            masks[arg] = masks.get(arg, 0) | bits
    return found


def _wired(operands: Iterable[Node]) -> dict[Node, None]:
    """The operands and all that they are wired to."""
    found: dict[Node, None] = {}
    pending = list(operands)
    while pending:
        node = pending.pop()
        if node not in found:
            found[node] = None
            if node.op in WIRING:
                pending.extend(node.args)
    return found
