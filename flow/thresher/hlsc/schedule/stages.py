"""Cut a unit into pipeline stages.

The rules, in order of weight:

1. Beats are taken in stage 0. Whatever decides whether a beat is taken is computed in stage 0.
2. A recurrence through registers, and all accesses of one memory, take place in one stage. A word of
   block memory is registered by the memory itself, and is there in the next stage.
3. Everything stands in the earliest stage in which the delay model lets it meet the clock.
4. Then what makes registers fewer is moved to later stages, where the clock allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thresher.hlsc.ir import Node, UnitGraph
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import Point, dependencies
from thresher.hlsc.schedule.placement import Placement
from thresher.hlsc.schedule.sinking import sink


@dataclass(frozen=True)
class Schedule:
    """The stage of every node that is not wiring and of every memory, and what it means in time.

    `registered` are the reads of block memory: such a node stands where its address is used, and its
    word is there one stage later. `misses` are the nodes that the delay model says come too late for
    the clock, slowest first.
    """

    stages: int
    stage: Mapping[Point, int]
    registered: frozenset[Node]
    stage_ns: tuple[float, ...]
    misses: tuple[Node, ...]

    def ready(self, node: Node) -> int:
        """The first stage in which a node's value is there."""
        return self.stage[node] + (node in self.registered)


def schedule(graph: UnitGraph, delays: DelayModel, clock_mhz: float) -> Schedule:
    """The stages of a unit for a clock."""
    placement = Placement(graph, dependencies(graph), delays, delays.usable_ns(clock_mhz))
    for group in placement.needs.groups:
        _place(placement, group)
    stages = max((placement.ready(point) for point in placement.stage), default=0) + 1
    sink(placement, stages)
    worst = [0.0] * stages
    for point, when in placement.arrival.items():
        worst[placement.stage[point]] = max(worst[placement.stage[point]], when)
    return Schedule(stages, placement.stage, placement.registered, tuple(worst), _misses(placement))


def _place(placement: Placement, group: Sequence[Point]) -> None:
    """Rules 1 to 3 for points that stand together."""
    if any(point in placement.first for point in group):
        placement.put(group, 0)
        return
    members = set(group)
    earliest = max(
        (
            placement.stage[source] + placement.separated(source, point)
            for point in group
            for source in placement.needs.of[point]
            if source not in members
        ),
        default=0,
    )
    worst = placement.put(group, earliest)
    if worst > placement.usable and placement.put(group, earliest + 1) >= worst:
        placement.put(group, earliest)


def _misses(placement: Placement) -> tuple[Node, ...]:
    late = [
        (when, point)
        for point, when in placement.arrival.items()
        if when > placement.usable and isinstance(point, Node)
    ]
    return tuple(node for _, node in sorted(late, key=lambda entry: (-entry[0], entry[1].index)))
