"""Cut a unit into pipeline stages.

The rules, in order of weight:

1. Beats are taken in stage 0, and streams tested. Whatever decides whether a beat is taken is computed in
   stage 0.
2. A recurrence through registers, and all accesses of one memory, take place in one stage. A word of
   block memory is registered by the memory itself, and is there in the next stage.
3. There are as few stages as the delay model lets meet the clock.
4. Among the schedules of that many stages one with few registers in between is taken, or of one stage
   more, where that saves at least a tenth of the registers: see `Schedule.cost`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.hlsc.ir import Node, UnitGraph
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import Point, dependencies
from thresher.hlsc.schedule.registers import Registers
from thresher.hlsc.schedule.timing import Timing

WORTH_A_STAGE = 0.9
"""One more stage is worth it where it leaves no more than this part of the registers."""


@dataclass(frozen=True)
class Schedule:
    """The stage of every node that is not wiring and of every memory, and what it means in time.

    `registered` are the reads into registers, of block memory or of look-up tables: such a node stands
    where its address is used, and its word is there one stage later. `misses` are the nodes that the delay
    model says come too late for the clock, slowest first. `register_bits` are those of the unit's state and
    between the stages.
    """

    stages: int
    stage: Mapping[Point, int]
    registered: frozenset[Node]
    stage_ns: tuple[float, ...]
    misses: tuple[Node, ...]
    register_bits: int

    @property
    def cost(self) -> float:
        """What to choose schedules by: a stage more is worth a tenth of the registers."""
        return self.register_bits / WORTH_A_STAGE**self.stages

    def ready(self, node: Node) -> int:
        """The first stage in which a node's value is there."""
        return self.stage[node] + (node in self.registered)


def schedule(graph: UnitGraph, delays: DelayModel, clock_mhz: float) -> Schedule:
    """The stages of a unit for a clock."""
    timing = Timing(graph, dependencies(graph), delays, delays.usable_ns(clock_mhz))
    registers = Registers(timing)
    last = max(registers.earliest, default=0)
    lengths = (last, last + 1) if last else (last,)
    return min((_finished(timing, registers, end) for end in lengths), key=lambda plan: plan.cost)


def _finished(timing: Timing, registers: Registers, last: int) -> Schedule:
    """The schedule of fewest registers whose last stage is `last`."""
    stages = registers.fewest(last)
    _, arrival = timing.earliest(stages)
    worst = [0.0] * (last + 1)
    late: dict[Node, float] = {}
    results = ((node, stages[timing.number[node]], when) for node, when in arrival.items())
    for node, stage, when in (*results, *timing.words(stages, arrival)):
        worst[stage] = max(worst[stage], when)
        if when > timing.usable:
            late[node] = when
    return Schedule(
        last + 1,
        {point: stages[number] - timing.distance(number) for point, number in timing.number.items()},
        timing.reads,
        tuple(worst),
        tuple(sorted(late, key=lambda node: (-late[node], node.index))),
        sum(register.width for register in timing.graph.registers) + registers.count(stages, last),
    )
