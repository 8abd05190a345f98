"""Whether the network's answer can be chosen on integers."""

from __future__ import annotations

import numpy as np

from thresher.lower.forms import Pending

# Above this many evaluations the tail is not looked at.
_MAX_SCAN = 1 << 24


def same_order(pending: Pending) -> bool:
    """Whether the largest integer of a frame always stands where the largest real value does.

    So it is where what follows the integers is one function for all elements, strictly rising on
    all integers that can occur, and moves no element: equal integers then mean equal values, and
    the first of equals is the same.
    """
    first, last = int(pending.lo.min()), int(pending.hi.max())
    if (last - first + 1) * pending.size > _MAX_SCAN:
        return False
    if not np.array_equal(pending.final_index().reshape(-1), np.arange(pending.size)):
        return False
    candidates = np.arange(first, last + 1, dtype=np.int64)[:, None]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values = pending.values(np.broadcast_to(candidates, (last - first + 1, pending.size)))
    values = values.reshape(last - first + 1, pending.size)
    return bool((values == values[:, :1]).all() and (np.diff(values[:, 0]) > 0).all())
