"""Whether values fit a quantiser, by where they lie among its levels.

Values that saturate are no mistake by themselves: a sign saturates everything, most of an MNIST image is one
black, and a trained quantiser of few levels cuts off a part of what it gets. Two things are mistakes. Values
farther beyond the levels than these reach in all were never meant for them: 255 for levels from 0 to 1. And
a quantiser of the inputs that puts nearly all of different values onto one level of few, or onto two
neighbours of many, tells nothing of them. Behind a layer few levels may be that sparse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import Flags

# Of the values other than the commonest, the share that must be far beyond the levels, or on a level or two.
MOST_FAR = 1 / 3
MOST_ALIKE = 0.99
# Fewer levels are few by nature, and cut off more than their range. Of fewer values it cannot be told that
# they are alike, of the fewest that they are far beyond, of fewer different ones anything.
FEWEST_LEVELS = 8
FEWEST_VALUES = 64
FEWEST_FAR = 16
FEWEST_DIFFERENT = 8
# Values that are looked at, spread evenly over all that there are.
MOST_VALUES = 1 << 18


@dataclass(frozen=True)
class Misfit:
    """Inputs that do not fit a quantiser.

    Attributes:
        saturated: The share of all values that lie half a step or more beyond the levels.
        alike: The share of the values other than the commonest on one level of few, or on two neighbours
            of many; 0 where it is not because of that.
        levels: Of which that is the share: 1 or 2.
    """

    saturated: float
    alike: float = 0.0
    levels: int = 1


def find_misfit(
    positions: Array, low: int, high: int, two: bool, common: Flags, reach: int = 1
) -> Misfit | None:
    """What is wrong with values at `positions` for a quantiser of the levels `low..high`; None: they fit.

    Args:
        positions: Where values lie among the levels, in steps, before they are rounded and limited.
        low: The lowest level.
        high: The highest.
        two: Whether there are two levels, and a position from 0 on gives the upper.
        common: For each position, whether it belongs to the commonest value of the input.
        reach: How many times the whole range is far beyond it.
    """
    rest = positions[~common]
    if rest.size < FEWEST_FAR or len(np.unique(rest)) < FEWEST_DIFFERENT:
        return None
    enough = rest.size >= FEWEST_VALUES
    if two:
        if not enough:
            return None
        upper = float((rest >= 0).mean())
        alike = max(upper, 1 - upper)
        return Misfit(0.0, alike) if alike >= MOST_ALIKE else None
    count = high - low + 1
    saturated = float(((positions > high + 0.5) | (positions < low - 0.5)).mean())
    far = reach * max(count, FEWEST_LEVELS)
    if ((rest > high + far) | (rest < low - far)).mean() >= MOST_FAR:
        return Misfit(saturated)
    if not enough or (count < FEWEST_LEVELS and reach > 1):
        return None
    levels = np.bincount(np.clip(np.rint(rest), low, high).astype(np.int64) - low, minlength=count)
    few = 1 if count < FEWEST_LEVELS else 2
    alike = float((levels if few == 1 else levels[1:] + levels[:-1]).max() / rest.size)
    return Misfit(saturated, alike, few) if alike >= MOST_ALIKE else None
