"""The cycles in which a unit's steps run, from its schedule and the arrival of its beats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thresher.kernels import Schedule

Cycles = npt.NDArray[np.int64]


def departures(schedule: Schedule, arrivals: Cycles) -> Cycles:
    """The cycles at which a unit's steps write, given those at which its input beats are there."""
    return step_times(schedule, arrivals)[schedule.writes]


def step_times(schedule: Schedule, arrivals: Cycles) -> Cycles:
    """The cycle of every step, given those at which the input beats are there.

    Step k runs at `t[k] = max(t[k - 1] + 1, arrival of the beat it reads)`; subtracting k turns
    that into a running maximum.
    """
    steps = np.arange(len(schedule.reads), dtype=np.int64)
    earliest = np.zeros(len(steps), np.int64)
    earliest[schedule.reads] = arrivals
    return np.maximum.accumulate(earliest - steps) + steps
