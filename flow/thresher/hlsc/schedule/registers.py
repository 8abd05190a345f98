"""The stages that need the fewest registers in between.

Between the earliest and the latest stage of each group there are many schedules. They are narrowed down
boundary by boundary: what stands before a boundary and what behind is the cheapest cut through the graph,
where each value that crosses costs its bits, and that of a gate twice as many: a gate ahead of a register
has look-up tables of its own, and one ahead of a sum or a count most often shares theirs. The groups before
are then free to stand anywhere up to the boundary, those behind anywhere after it, for the next boundary.
(So does the scheduler of Google's XLS, "min cut"; https://google.github.io/xls/scheduling.)
"""

from __future__ import annotations

from collections.abc import Iterable

from thresher.hlsc.ir import Node, Op
from thresher.hlsc.schedule.dependencies import demands
from thresher.hlsc.schedule.maximum_flow import UNLIMITED, Network
from thresher.hlsc.schedule.timing import Stages, Timing

MOST_CUTS = 250_000
"""The most groups times boundaries. A larger unit keeps the earliest stages: the cuts would take minutes."""

_GATES = frozenset({Op.AND, Op.OR, Op.XOR})
_BITS_OF_A_GATE = 2


def _is_gate(node: Node) -> bool:
    return node.op in _GATES or (node.op is Op.NOT and node.args[0].op in _GATES)


class Registers:
    """What each value costs where it crosses a boundary between stages.

    `earliest` are the earliest stages of all.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self.earliest, _ = timing.earliest([0] * len(timing.groups))
        graph = timing.graph
        outputs = [node for port in graph.outputs for node in (port.written, port.value)]
        self._at_end = set(demands(outputs))
        wanted = demands(
            [*graph.roots(), *(arg for node in timing.number if isinstance(node, Node) for arg in node.args)]
        )
        self._values: list[tuple[int, int, tuple[int, ...], bool]] = []
        users: dict[Node, set[int]] = {}
        for point, home in timing.number.items():
            for source in timing.needs.of[point]:
                if isinstance(source, Node) and timing.number[source] != home:
                    users.setdefault(source, set()).add(home)
        for node in wanted:
            bits = wanted[node].bit_length() - ((wanted[node] & -wanted[node]).bit_length() - 1)
            bits *= _BITS_OF_A_GATE if _is_gate(node) else 1
            used_by = tuple(sorted(users.get(node, ())))
            if used_by or node in self._at_end:
                self._values.append((timing.number[node], bits, used_by, node in self._at_end))

    def count(self, stages: Stages, last: int) -> int:
        """The bits of all registers between the stages `0..last`, those of gates more than once."""
        total = 0
        for home, bits, users, at_end in self._values:
            until = max([stages[user] - self._timing.distance(user) for user in users], default=0)
            total += bits * max(0, (last if at_end else until) - stages[home])
        return total

    def fewest(self, last: int) -> Stages:
        """Stages up to `last`, at least that of the earliest schedule, with few registers in between."""
        if len(self._timing.groups) * last > MOST_CUTS:
            return self.earliest
        found = [self.earliest]
        for order in (range(last), reversed(range(last))):
            stages = self._narrowed(order, last)
            if self._is_sound(stages, last):
                found.append(stages)
        return min(found, key=lambda stages: self.count(stages, last))

    def _narrowed(self, boundaries: Iterable[int], last: int) -> Stages:
        timing = self._timing
        low = self.earliest
        high = timing.latest([0 if number in timing.first else last for number in range(len(low))])
        for boundary in boundaries:
            before = self._cheapest_cut(boundary, low, high)
            low, _ = timing.earliest(
                [old if near else max(old, boundary + 1) for old, near in zip(low, before, strict=True)]
            )
            high = timing.latest(
                [min(old, boundary) if near else old for old, near in zip(high, before, strict=True)]
            )
        return low

    def _cheapest_cut(self, boundary: int, low: Stages, high: Stages) -> list[bool]:
        """For each group, whether it stands before the boundary that follows a stage."""
        source, sink = 0, 1
        place: list[int] = []
        size = 2
        for first, latest in zip(low, high, strict=True):
            if latest <= boundary or first > boundary:
                place.append(source if first <= boundary else sink)
            else:
                place.append(size)
                size += 1
        edges: list[tuple[int, int, int]] = []
        for home, bits, users, at_end in self._values:
            tail = place[home]
            heads = {place[user] for user in users} | ({sink} if at_end else set())
            if tail == sink or heads <= {source} or (tail == source and sink in heads):
                continue
            edges.append((tail, size, bits))
            edges += [(size, head, UNLIMITED) for head in heads if head != source]
            edges += [(head, tail, UNLIMITED) for head in heads if tail != source and head != sink]
            size += 1
        for number, needed in enumerate(self._timing.sources):
            for other in needed:
                if place[other] > sink and place[number] != sink:
                    edges.append((place[number], place[other], UNLIMITED))
        network = Network(size)
        for edge in edges:
            network.connect(*edge)
        near = network.near_side(source, sink)
        return [near[vertex] for vertex in place]

    def _is_sound(self, stages: Stages, last: int) -> bool:
        """Whether everything stands after what it needs, and nothing after the end."""
        timing = self._timing
        return all(
            stages[number] <= last
            and all(stages[source] + timing.distance(number) <= stages[number] for source in needed)
            for number, needed in enumerate(timing.sources)
        )
