"""Whether inputs fit a quantiser: images of 0..255 for one that takes 0..1 lie far beyond its levels.

Values that saturate are no mistake by themselves. A sign saturates everything, most of an MNIST image is one
black, and a trained quantiser of few levels cuts off a share of what it gets. But values that differ by more
than the whole range of the levels from all of them were never meant for these levels, and a quantiser that
puts nearly all of what differs onto one level (of a sign), or on two neighbouring ones (of many), tells
nothing of its input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Of the values other than the commonest, the share that must be far beyond the levels, or on a level or two.
MOST_FAR = 0.5
MOST_ALIKE = 0.99
# Fewer levels are few by nature; of fewer values, or fewer different ones, nothing can be told.
FEWEST_LEVELS = 8
FEWEST_VALUES = 64
FEWEST_DIFFERENT = 8
# Values that are looked at, spread evenly over all that there are.
MOST_VALUES = 1 << 18

Array = Any


@dataclass(frozen=True)
class Misfit:
    """Inputs that do not fit a quantiser.

    Attributes:
        saturated: The share of all values that lie half a step or more beyond the levels.
        alike: The share of the values other than the commonest on one level of two, or on two neighbours
            of many; 0 where it is not because of that.
    """

    saturated: float
    alike: float = 0.0


def find_misfit(
    positions: Array, low: int, high: int, two: bool, common: Array, reach: int = 1
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
    if rest.size < FEWEST_VALUES or len(np.unique(rest)) < FEWEST_DIFFERENT:
        return None
    if two:
        upper = float((rest >= 0).mean())
        alike = max(upper, 1 - upper)
        return Misfit(0.0, alike) if alike >= MOST_ALIKE else None
    count = high - low + 1
    saturated = float(((positions > high + 0.5) | (positions < low - 0.5)).mean())
    far = reach * count
    if ((rest > high + far) | (rest < low - far)).mean() >= MOST_FAR:
        return Misfit(saturated)
    if count < FEWEST_LEVELS:
        return None
    levels = np.bincount(np.clip(np.rint(rest), low, high).astype(np.int64) - low, minlength=count)
    alike = float((levels[1:] + levels[:-1]).max() / rest.size)
    return Misfit(saturated, alike) if alike >= MOST_ALIKE else None
