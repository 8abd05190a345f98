"""Runs of the token simulator: of a graph once, and of a unit by itself, that nothing makes wait."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from thresher.hardware.fifos import MIN_DEPTH
from thresher.kernels import Lookahead, Schedule
from thresher.timing.simulator import Simulator, Supply, TimedUnit, TokenGraph, TokenRun

_MOST_FRAMES = 256
_INPUT, _OUTPUT = "input", "output"


def simulate(graph: TokenGraph, depths: Mapping[str, int], supply: Supply) -> TokenRun:
    """One run of `graph`; raises as `Simulator` and its `run`."""
    with Simulator(graph) as simulator:
        return simulator.run(depths, supply)


def own_cycles(schedule: Schedule | Lookahead) -> Fraction:
    """Cycles per frame in steady state; raises as `simulate`."""
    return _run(schedule, 1, Supply(_MOST_FRAMES, endless=True)).cycles_per_frame


def own_latency(schedule: Schedule | Lookahead, stages: int) -> int:
    """Cycles of the first frame from its first beat taken to its last beat given, both included.

    With several inputs or outputs these are the first of any and the last of any.

    The pipeline has `stages` stages, and the first step takes a beat. Raises as `simulate`.
    """
    # One cycle in the FIFO on either side.
    return _run(schedule, stages, Supply(1)).latency_cycles - 2


def _run(schedule: Schedule | Lookahead, stages: int, supply: Supply) -> TokenRun:
    if isinstance(schedule, Schedule):
        # All inputs always have a beat, so they are as one that every step reads that reads any of them.
        reads = np.logical_or.reduce(schedule.reads_by_input)
        schedule = Schedule(reads, schedule.writes)
    taken = schedule.beats if isinstance(schedule, Lookahead) else int(schedule.reads.sum())
    unit = TimedUnit(schedule, stages, (_INPUT,), (_OUTPUT,))
    graph = TokenGraph((unit,), _INPUT, taken, _OUTPUT, int(schedule.writes.sum()))
    return simulate(graph, {_INPUT: MIN_DEPTH, _OUTPUT: MIN_DEPTH}, supply)
