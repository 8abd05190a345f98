"""Whether FIFOs are deep enough that units never wait for each other for ever, however beats are held up.

Where branches of a network meet, a unit may wait for a beat of one branch, which waits for room in a
FIFO of another, which waits for that unit. A run that does not end so says nothing of another timing,
such as that of a slow source. But one run does for all:

- A unit waits for beats and for room, and never asks what time it is. So which steps can be taken at
  all depends on how many beats there is room for between two units, and more room never hinders one.
- A FIFO always has room for its depth, and an output register for one beat. All other room comes and
  goes: the stages of a pipeline that is held up may hold steps or bubbles, and a unit that takes beats
  ahead may have found none to take when it was held up. It has then taken what its present step needs.
- So the least room is that of units of a single stage, in which a step waits before it takes its beats,
  and which take no beat ahead of the step that needs it. Where a unit of `stages` stages would wait for
  ever in some run, that with the least room has taken no step which that one has not.
- Steps wait for those of the same frame, or of frames before. So those that wait in a circle are all of
  one frame, and wait likewise in the first, which every unit has behind it once the second is out.

Hence the depths of FIFOs are safe if two frames pass through the units of the least room. Depths to begin
with are those that a lazy run fills, in which no unit takes a step before its beats are waited for: a
FIFO then holds only what its branch must take in before the others can go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from thresher.hardware.fifos import MIN_DEPTH
from thresher.kernels import Lookahead
from thresher.timing.simulator import UNLIMITED, DeadlockError, Simulator, Supply, TimedUnit, TokenGraph

_FRAMES = 2


def has_joins(graph: TokenGraph) -> bool:
    """Whether units may wait for each other in a circle: in a chain, or a tree of forks, none can."""
    return any(len(unit.inputs) > 1 for unit in graph.units)


def least_room(graph: TokenGraph) -> TokenGraph:
    """The same units, where each holds as few beats as it ever may when it is held up."""
    return replace(graph, units=tuple(_least_room(unit) for unit in graph.units))


def _least_room(unit: TimedUnit) -> TimedUnit:
    schedule = unit.schedule
    if isinstance(schedule, Lookahead):
        # A buffer without a place beyond the need of the step to come.
        needs = np.maximum.accumulate(schedule.needs)
        following = np.append(needs[1:], needs[0] + schedule.beats)
        schedule = replace(schedule, capacity=0, needs=needs, frees=following)
    return replace(unit, schedule=schedule, stages=1)


def most_room(unit: TimedUnit) -> int:
    """The most beats that a unit holds above those of `least_room`."""
    ahead = unit.schedule.capacity if isinstance(unit.schedule, Lookahead) else 0
    return unit.stages + ahead


class Liveness:
    """Tells depths that are safe for a graph from others; to be closed, or used in a `with`.

    Raises as `Simulator`.
    """

    def __init__(self, graph: TokenGraph) -> None:
        self._simulator = Simulator(least_room(graph))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._simulator.close()

    def filled(self) -> Mapping[str, int]:
        """What each FIFO holds at the most in a frame where all is done as late as it can be."""
        graph = self._simulator.graph
        depths = {name: MIN_DEPTH if name == graph.input else UNLIMITED for name in graph.streams}
        run = self._simulator.run(depths, Supply(1, endless=True, lazy=True))
        return {name: max(MIN_DEPTH, most) for name, most in run.occupancy.items()}

    def holds(self, depths: Mapping[str, int]) -> bool:
        """Whether no units wait for each other for ever with FIFOs of `depths`, whatever the timing."""
        try:
            self._simulator.run(depths, Supply(_FRAMES, endless=True))
        except DeadlockError:
            return False
        return True
