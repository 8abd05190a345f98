"""Thresholds of a quantiser, found by bisection of the function in front of it.

For every channel and every level at once the smallest integer is sought that reaches the level
(for a falling function the largest). The function is evaluated operator by operator as the model
does it, so ties and rounding fall where the model has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from thresher.errors import NodeError
from thresher.ir.integer import Ints
from thresher.ir.quant import Elementwise
from thresher.ir.quantisers import Quantiser, Rounding, Truncation
from thresher.lower.forms import FLOAT32, FLOAT64, Pending, is_largest
from thresher_sim.streams import IntType

# Above this many evaluations a function that may turn round is not scanned.
_MAX_SCAN = 1 << 24
# Bounds the memory of one step of the bisection.
_MAX_EVALUATIONS = 1 << 22


@dataclass(frozen=True, eq=False)
class Staircase:
    """`thresholds` `[channels, levels]` and `descending` `[channels]` as of an `IntThreshold`, and its ties.

    A tie is a threshold that float64 arithmetic puts elsewhere than float32, be it on the exact sum
    or at either end of what the order of float32 additions can make of it. A single product has none.
    """

    thresholds: Ints
    descending: npt.NDArray[np.bool_]
    ties: int


def find_staircase(pending: Pending, quantiser: Quantiser, element: IntType | None = None) -> Staircase:
    """Find the thresholds of `quantiser` on `pending`, exactly, channel by channel.

    Its levels are those of `element`, which holds those of the quantiser; without it they are its own. A
    level that the integers `lo..hi` of an element always reach has the threshold `lo`, one that they never
    reach `hi + 1`; falling functions likewise in their own direction.

    Raises:
        NodeError: The function rises and falls, or may do so on too wide a range to be looked at.
    """
    _check_monotone(pending, quantiser)
    levels = level_values(element or quantiser.element)
    thresholds, descending = _bisect(pending, quantiser, levels, FLOAT32)
    tied = np.zeros(thresholds.shape, np.bool_)
    for slacks in (0.0,) if pending.slack is None else (-1.0, 0.0, 1.0):
        exact, _ = _bisect(pending, quantiser, levels, FLOAT64, slacks)
        # Where the integers skip what lies between the two, both are the same.
        tied |= pending.at_or_above(thresholds) != pending.at_or_above(exact)
    if pending.known_product is not None:
        tied[pending.known_product.weights != 0] = False
    return Staircase(thresholds, descending, ties=int(tied.sum()))


def falls_before(pending: Pending, quantiser: Quantiser) -> npt.NDArray[np.bool_]:
    """Whether each channel's function falls up to the pools among the steps, of which there is one at least.

    Raises:
        NodeError: Up to one pool it does, and up to another it does not, or it may turn round.
    """
    places = [place for place, step in enumerate(pending.steps) if is_largest(step)]
    before = pending.steps[: places[-1]]
    falls = np.stack([falling(replace(pending, steps=pending.steps[:place])) for place in places])
    turning = [step for step in before if isinstance(step, Elementwise) and not step.monotone]
    if turning or (falls != falls[0]).any():
        reason = (
            "the functions around the pools before it rise and fall, which no pool of its integers can do"
        )
        raise NodeError("lower", quantiser.name, reason, "quantise before the pools")
    first: npt.NDArray[np.bool_] = falls[0]
    return first


def falling(pending: Pending) -> npt.NDArray[np.bool_]:
    """Whether each channel's function has less at the highest integer than at the lowest."""
    with np.errstate(all="ignore"):
        ends = pending.values(np.stack([pending.lo, pending.hi])).reshape(2, -1)
    falls = np.empty(pending.channels, np.bool_)
    falls[pending.final_sample().reshape(-1)] = ends[0] > ends[1]
    return falls


def fitted(quantiser: Quantiser, pending: Pending) -> Quantiser:
    """The quantiser with the levels that it really gives, where it is one that nothing else bounds.

    That may be a single one: a quantiser limits what it rounds to its levels, so one more would be given too.

    Raises:
        NodeError: As `find_staircase`.
    """
    if not isinstance(quantiser, Truncation | Rounding):
        return quantiser
    _check_monotone(pending, quantiser)
    ends = quantised(pending, quantiser, np.stack([pending.lo, pending.hi]), FLOAT32)
    low, high = int(ends.min()), int(ends.max())
    return replace(quantiser, element=IntType(low, high))


def of_two_levels(element: IntType) -> IntType:
    """`element`, or where it is a single integer a type of that and its neighbour towards zero (of 0: 1)."""
    if element.lo < element.hi:
        return element
    return IntType(element.lo - 1, element.lo) if element.lo > 0 else IntType(element.lo, element.lo + 1)


def level_values(element: IntType) -> Ints:
    """Every integer of `element` but the lowest, in ascending order: one per threshold."""
    return np.arange(element.lo, element.hi + 1, 2 if element.bipolar else 1, dtype=np.int64)[1:]


def quantised(
    pending: Pending, quantiser: Quantiser, q: Ints, dtype: np.dtype[np.floating], slacks: float = 0.0
) -> Ints:
    """The quantiser's integers for the integers `q` `[m, n]`, both in stream order."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        levels = quantiser.levels(pending.values(q, dtype, slacks)).reshape(q.shape)
    result = np.empty_like(q)
    result[:, pending.final_sample().reshape(-1)] = levels
    return result


def _bisect(
    pending: Pending, quantiser: Quantiser, levels: Ints, dtype: np.dtype[np.floating], slacks: float = 0.0
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    ends = quantised(pending, quantiser, np.stack([pending.lo, pending.hi]), dtype, slacks)
    descending = ends[0] > ends[1]
    rows = max(1, _MAX_EVALUATIONS // pending.channels)
    parts = [
        _bisect_levels(pending, quantiser, levels[first : first + rows], descending, dtype, slacks)
        for first in range(0, len(levels), rows)
    ]
    first_reached = np.concatenate(parts) if parts else np.empty((0, pending.channels), np.int64)
    # A falling function counts its thresholds the other way round: the highest level comes first.
    first_reached[:, descending] = first_reached[::-1, descending]
    return np.ascontiguousarray(first_reached.T), descending


def _bisect_levels(
    pending: Pending,
    quantiser: Quantiser,
    levels: Ints,
    descending: npt.NDArray[np.bool_],
    dtype: np.dtype[np.floating],
    slacks: float,
) -> Ints:
    """The first integer, `[levels, n]`, where a rising function has a level or a falling one has lost it.

    Invariant: the first such integer lies in `low..high`, where `high` may be one past the range.
    """
    shape = (len(levels), pending.channels)
    low = np.broadcast_to(pending.lo, shape).copy()
    high = np.broadcast_to(pending.hi + 1, shape).copy()
    while (low < high).any():
        middle = (low + high) >> 1
        # Where the search is over, `middle` may be one past the range; its answer is not used.
        reached = (
            quantised(pending, quantiser, np.minimum(middle, pending.hi), dtype, slacks) >= levels[:, None]
        )
        passed = (reached != descending) | (middle > pending.hi)
        high = np.where(passed, middle, high)
        low = np.where(passed, low, np.minimum(middle + 1, high))
    return low


def _check_monotone(pending: Pending, quantiser: Quantiser) -> None:
    """Steps that rise or fall everywhere compose to a function that does; others are scanned."""
    turning = [step for step in pending.steps if isinstance(step, Elementwise) and not step.monotone]
    if not turning:
        return
    remedy = "use an activation that rises everywhere, such as ReLU or HardTanh"
    first, last = int(pending.lo.min()), int(pending.hi.max())
    if (last - first + 1) * pending.channels > _MAX_SCAN:
        reason = f"node '{turning[0].name}' before it may rise and fall, on too many integers to look at"
        raise NodeError("lower", quantiser.name, reason, remedy)
    candidates = np.arange(first, last + 1, dtype=np.int64)[:, None]
    scan = np.clip(np.broadcast_to(candidates, (last - first + 1, pending.channels)), pending.lo, pending.hi)
    change = np.diff(quantised(pending, quantiser, scan, FLOAT32), axis=0)
    both = (change > 0).any(axis=0) & (change < 0).any(axis=0)
    if both.any():
        reason = f"the function before it rises and falls (by node '{turning[0].name}'), as no thresholds do"
        raise NodeError("lower", quantiser.name, reason, remedy)
