"""A sample of the sweep over arithmetic, fan-in, output and folding; all of it: `make sweep-units`."""

from __future__ import annotations

import numpy as np

from tests.kernels.sweep import FAN_INS, ONE, Point, grid, samples, wrong_in_cpp, wrong_in_rtl
from thresher_sim.streams import BIPOLAR

SMALL = 34


def test_the_grid_has_every_fan_in_that_is_near_a_power_of_two() -> None:
    units = grid()

    assert len(units) == len(set(units))
    assert {point.fan_in for point in units} == set(FAN_INS)
    assert {1, 7, 15, 16, 20, 30, 34, 62, 66, 126, 130, 254, 258, 510, 514} <= set(FAN_INS)


def test_units_of_the_grid_are_right_in_cpp() -> None:
    random = np.random.default_rng(0)
    small = [point for point in grid() if point.fan_in <= SMALL]

    assert wrong_in_cpp([small[place] for place in random.permutation(len(small))[:24]]) == []


def test_units_from_anywhere_are_right_in_cpp() -> None:
    assert wrong_in_cpp(samples(12, seed=1)) == []


def test_sums_as_large_as_a_power_of_two_are_right_in_rtl() -> None:
    at_once = [
        Point(BIPOLAR, BIPOLAR, fan_in, 4, ONE, 4, fan_in, seed)
        for seed, fan_in in enumerate((7, 15, 31, 64))
    ]
    small = [point for point in grid() if point.fan_in <= SMALL]
    others = [small[place] for place in np.random.default_rng(0).permutation(len(small))[:4]]

    assert wrong_in_rtl([*at_once, *others]) == []
