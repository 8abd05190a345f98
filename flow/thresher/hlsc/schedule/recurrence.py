"""The recurrences of a unit: what one step must hand to the next within a cycle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thresher.hlsc.ir import Memory, Node, Op
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import Dependencies, Point


@dataclass(frozen=True)
class Recurrence:
    """A cycle through registers or a memory.

    `keeps` names these, `delay_ns` is the time from one of them to the next along `path`, the nodes
    that take it, in order; no registers can be put in between.
    """

    keeps: tuple[str, ...]
    delay_ns: float
    path: tuple[Node, ...]


def slowest_first(needs: Dependencies, delays: DelayModel) -> list[Recurrence]:
    """All recurrences that compute something, the one with the longest delay first."""
    found = [_recurrence(needs, delays, group) for group in needs.groups if len(group) > 1]
    return sorted((one for one in found if one.path), key=lambda one: (-one.delay_ns, one.keeps))


def _recurrence(needs: Dependencies, delays: DelayModel, group: Sequence[Point]) -> Recurrence:
    members = set(group)
    arrival: dict[Node, float] = {}
    before: dict[Node, Node] = {}
    nodes = sorted((point for point in group if isinstance(point, Node)), key=lambda node: node.index)
    for node in nodes:
        if node.op is Op.STATE:
            arrival[node] = 0.0
            continue
        inner = [source for source in needs.of[node] if isinstance(source, Node) and source in members]
        last = max(inner, key=lambda source: arrival[source], default=None)
        if last is not None and last.op is not Op.STATE:
            before[node] = last
        start = arrival[last] if last else 0.0
        arrival[node] = start + delays.delay_ns(node, first=not start)
    end = max(nodes, key=lambda node: arrival[node])
    path = tuple(reversed([*_back(end, before)])) if arrival[end] else ()
    return Recurrence(tuple(sorted(_kept(group))), arrival[end], path)


def _back(node: Node | None, before: dict[Node, Node]) -> Iterator[Node]:
    while node is not None:
        yield node
        node = before.get(node)


def _kept(group: Sequence[Point]) -> Iterator[str]:
    for point in group:
        if isinstance(point, Memory):
            yield point.name
        elif point.op is Op.STATE:
            yield point.symbol
