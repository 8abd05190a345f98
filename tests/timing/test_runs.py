"""A unit by itself, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.timing.runs import own_cycles, own_latency
from thresher.kernels import Lookahead, Schedule


def test_a_unit_in_step_takes_its_steps() -> None:
    """It takes beats in cycles 0 and 1; step 4 runs in cycle 4, and its beat leaves 3 cycles later."""
    schedule = Schedule(np.array([1, 1, 0, 0, 0]) > 0, np.array([0, 0, 1, 0, 1]) > 0)
    assert own_cycles(schedule) == 5
    assert own_latency(schedule, 3) == 4 + 3 + 1


def test_a_unit_that_reads_ahead_takes_its_steps_where_its_buffer_lets_it() -> None:
    """A sum over windows of 3 of 6 values: beats go on coming while it writes.

    Beat 2 is taken in cycle 2, so step 0 runs in cycle 3, and step 3, with all 6 beats, in cycle 6.
    """
    schedule = Lookahead(6, 4, np.array([3, 4, 5, 6]), np.ones(4, np.bool_), np.array([1, 2, 3, 6]))
    assert own_latency(schedule, 2) == 6 + 2 + 1
    assert own_cycles(schedule) == 6


@pytest.mark.parametrize(("capacity", "cycles"), [(1, 2), (2, 1)])
def test_a_beat_has_its_place_until_the_cycle_after_it_is_given_up(capacity: int, cycles: int) -> None:
    """Each step needs one beat, which is taken in the cycle before."""
    schedule = Lookahead(1, capacity, np.array([1]), np.ones(1, np.bool_), np.array([1]))
    assert own_cycles(schedule) == cycles
