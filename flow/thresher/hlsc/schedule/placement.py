"""A tentative place in the pipeline for every point, and when its result is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from thresher.hlsc.ir import Memory, Node, Op, UnitGraph
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import Dependencies, Point, first_points, recurrences
from thresher.hlsc.schedule.memories import registered_reads


@dataclass
class Placement:
    """Stages and arrival times, in nanoseconds after the clock edge that begins the stage.

    `first` are the points that must stand in stage 0, `recurrence` numbers the points that must
    stand together, `registered` are the reads whose word is there one stage later.
    """

    graph: UnitGraph
    needs: Dependencies
    delays: DelayModel
    usable: float
    stage: dict[Point, int] = field(default_factory=dict)
    arrival: dict[Point, float] = field(default_factory=dict)
    first: set[Point] = field(init=False)
    recurrence: dict[Point, int] = field(init=False)
    registered: frozenset[Node] = field(init=False)

    def __post_init__(self) -> None:
        self.first = first_points(self.graph, self.needs)
        self.recurrence = recurrences(self.needs)
        self.registered = registered_reads(self.graph, self.needs, self.first)

    def separated(self, source: Point, user: Point) -> bool:
        """Whether `user` must stand in a later stage than `source`; a memory stands with its reads."""
        of_itself = isinstance(user, Memory) and isinstance(source, Node) and source.symbol == user.name
        return source in self.registered and not of_itself

    def ready(self, point: Point) -> int:
        """The first stage in which a result is there."""
        return self.stage[point] + (point in self.registered)

    def put(self, group: Sequence[Point], stage: int) -> float:
        """Put points that need only each other and points placed before; return the last arrival."""
        for point in group:
            self.stage[point] = stage
            self.arrival[point] = 0.0
        nodes = [point for point in group if isinstance(point, Node)]
        for node in sorted(nodes, key=lambda node: node.index):
            self.arrival[node] = self.time(node)
        return max(self.arrival[point] for point in group)

    def time(self, node: Node) -> float:
        """When a node's result is there, given those of its own stage that it needs."""
        if node.op is Op.STATE:
            return 0.0
        there = max((self._there(source, self.stage[node]) for source in self.needs.of[node]), default=0.0)
        return there if node in self.registered else there + self.delays.delay_ns(node)

    def _there(self, source: Point, stage: int) -> float:
        """When a result is there, within a stage in which it is used."""
        if source in self.registered:
            return self.delays.block_memory_ns if self.stage[source] == stage - 1 else 0.0
        return self.arrival[source] if self.stage[source] == stage else 0.0
