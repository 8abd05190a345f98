"""When results are there, and the earliest and latest stage of everything.

The units of placement are the groups of `Dependencies`: points that stand in one stage together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import Dependencies, Point, first_points
from thresher.hlsc.schedule.memories import is_block, registered_reads, takes_two_memories

_STEERED = frozenset((Op.SELECT, Op.ROM))
"""Operations whose first argument drives every bit of the result, and of others with the same one."""

Stages = list[int]
"""A stage for each group: that in which its results are there."""


@dataclass
class Timing:
    """A unit's groups, numbered in an order in which each comes after all that it needs.

    `sources` and `users` are the numbers of the groups that a group needs and that need it. Those in
    `first` must stand in stage 0. Those in `registered` are read into registers: what they need must be
    there one stage before their results are, and as long before the end of that stage as `_ahead` says.
    """

    graph: UnitGraph
    needs: Dependencies
    delays: DelayModel
    usable: float
    groups: Sequence[Sequence[Point]] = field(init=False)
    number: dict[Point, int] = field(init=False)
    sources: list[list[int]] = field(init=False)
    users: list[list[int]] = field(init=False)
    first: set[int] = field(init=False)
    registered: set[int] = field(init=False)
    reads: frozenset[Node] = field(init=False)

    def __post_init__(self) -> None:
        self._memories = {memory.name: memory for memory in self.graph.memories}
        self.groups = self.needs.groups
        self.number = {point: number for number, group in enumerate(self.groups) for point in group}
        self.sources = [self._needed(number) for number in range(len(self.groups))]
        self.users = [[] for _ in self.groups]
        for number, needed in enumerate(self.sources):
            for other in needed:
                self.users[other].append(number)
        first = first_points(self.graph, self.needs)
        self.first = {self.number[point] for point in first}
        self.reads = registered_reads(self.graph, self.needs, first)
        self.registered = {self.number[node] for node in self.reads}
        self._nodes = [
            sorted((point for point in group if isinstance(point, Node)), key=lambda node: node.index)
            for group in self.groups
        ]
        self._loads = Counter[tuple[Op, Node]]()
        for nodes in self._nodes:
            for node in nodes:
                if node.op in _STEERED:
                    self._loads[node.op, node.args[0]] += node.width
        self._ahead = {number: self._read_ns(number) for number in self.registered}
        self._delay = {node: self._delay_of(node) for nodes in self._nodes for node in nodes}
        self._delay_first = {node: self._delay_of(node, first=True) for node in self._delay}
        self._node_users: dict[Node, list[Node]] = {node: [] for node in self._delay}
        for user in self._delay:
            for source in self.needs.of[user]:
                if isinstance(source, Node) and user.op is not Op.STATE:
                    self._node_users[source].append(user)

    def _needed(self, number: int) -> list[int]:
        found = {self.number[source] for point in self.groups[number] for source in self.needs.of[point]}
        return sorted(found - {number})

    def _delay_of(self, node: Node, first: bool = False) -> float:
        """The delay of a node; `first` if all that it needs comes from registers."""
        if node in self.reads:
            block = self.delays.block_memory_ns if self._is_block(node) else 0.0
            return block + self._choice_ns(node)
        if node.op is Op.STATE:
            return 0.0
        delay = self.delays.delay_ns(node, first) + self._choice_ns(node)
        if node.op in _STEERED:
            loads = self._loads[node.op, node.args[0]]
            delay += self.delays.fanout_ns(loads) - self.delays.fanout_ns(node.width)
        return delay

    def _choice_ns(self, node: Node) -> float:
        """What it takes to choose between the two memories that the word of a memory may be in."""
        if node.op is not Op.RAM or not takes_two_memories(self._memories[node.symbol], node in self.reads):
            return 0.0
        return self.delays.curve_ns("select", node.width)

    def _is_block(self, read: Node) -> bool:
        return read.op is Op.RAM or is_block(self.graph, read)

    def _read_ns(self, number: int) -> float:
        """What look-up tables take from the address to the register of a group's word."""
        reads = (node for node in self._nodes[number] if node in self.reads and not self._is_block(node))
        return max((self.delays.delay_ns(node) for node in reads), default=0.0)

    def distance(self, user: int) -> int:
        """The stages that must lie between what a group needs and its results."""
        return int(user in self.registered)

    def earliest(self, bounds: Stages) -> tuple[Stages, dict[Node, float]]:
        """The earliest stages that are not before `bounds`, and when results are there, in nanoseconds."""
        stages: Stages = []
        arrival: dict[Node, float] = {}
        for number in range(len(self.groups)):
            # A word that is read into a register is there in stage 1 at first, whatever its address needs.
            distance = self.distance(number)
            after = [stages[source] + distance for source in self.sources[number]]
            stage = max([bounds[number], distance, *after])
            late = self._arrive(number, stage, stages, arrival)
            if late > self.usable and number not in self.first:
                if self._arrive(number, stage + 1, stages, arrival) < late:
                    stage += 1
                else:
                    self._arrive(number, stage, stages, arrival)
            stages.append(stage)
        return stages, arrival

    def _arrive(self, number: int, stage: int, stages: Stages, arrival: dict[Node, float]) -> float:
        """Set when the results of a group in a stage are there; return the last of these times."""
        last = self._address_arrival(number, stage, stages, arrival)
        for node in self._nodes[number]:
            start = 0.0
            if node.op is not Op.STATE and number not in self.registered:
                for source in self.needs.of[node]:
                    home = self.number[source]
                    if isinstance(source, Node) and (home == number or stages[home] == stage):
                        start = max(start, arrival[source])
            arrival[node] = start + self._delay[node] if start else self._delay_first[node]
            last = max(last, arrival[node])
        return last

    def _address_arrival(self, number: int, stage: int, stages: Stages, arrival: dict[Node, float]) -> float:
        """When a word that is read into a register is there before it, in the stage ahead."""
        ahead = self._ahead.get(number, 0.0)
        if not ahead:
            return 0.0
        start = 0.0
        for node in self._nodes[number]:
            for source in self.needs.of[node]:
                if isinstance(source, Node) and stages[self.number[source]] == stage - 1:
                    start = max(start, arrival[source])
        return start + ahead

    def words(self, stages: Stages, arrival: dict[Node, float]) -> Iterator[tuple[Node, int, float]]:
        """The reads into registers, the stage ahead of each, and when the word of look-up tables is there."""
        for number in self._ahead:
            stage = stages[number]
            when = self._address_arrival(number, stage, stages, arrival)
            yield from ((node, stage - 1, when) for node in self._nodes[number])

    def latest(self, bounds: Stages) -> Stages:
        """The latest stages that are not after `bounds`."""
        stages = list(bounds)
        rest: dict[Node, float] = {}
        for number in reversed(range(len(self.groups))):
            before = [stages[user] - self.distance(user) for user in self.users[number]]
            stage = min([bounds[number], *before])
            late = self._depart(number, stage, stages, rest)
            if late > self.usable and number not in self.first:
                if self._depart(number, stage - 1, stages, rest) < late:
                    stage -= 1
                else:
                    self._depart(number, stage, stages, rest)
            stages[number] = stage
        return stages

    def _depart(self, number: int, stage: int, stages: Stages, rest: dict[Node, float]) -> float:
        """Set how long each node of a group and what follows in its stage take; return the most of it."""
        most = 0.0
        for node in reversed(self._nodes[number]):
            behind = 0.0
            for user in self._node_users[node]:
                home = self.number[user]
                if home == number or (stages[home] == stage and home not in self.registered):
                    behind = max(behind, rest[user])
                elif home in self._ahead and stages[home] == stage + 1:
                    behind = max(behind, self._ahead[home])
            rest[node] = behind + self._delay[node]
            most = max(most, behind + self._delay_first[node])
        return most
