"""One grid for terms of different scales: exact integer multiples where there are any, else fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thresher.lower.branches import in_fixed_point
from thresher.lower.forms import Doubles
from thresher.lower.integer import Ints
from thresher.lower.piecewise import Piecewise

# Multiples beyond this are no cheaper than fixed point.
_MOST_MULTIPLE = 255
_MOST_PARTS = 64
# Bits of a multiplier with its sign: the narrower input of a 7-series DSP slice (AMD UG479). Where the terms
# have more bits than these leave room for, it has two bits more than they.
_MULTIPLIER_BITS = 18
_MOST_SHIFT = 30


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """`(multipliers * q + offsets) >> shift` by segment: the fields of an `IntRescale`, without its names.

    `error` bounds how far each channel's result, times the grid's step, is from the real value.
    """

    starts: Ints
    multipliers: Ints
    offsets: Ints
    shift: int
    error: Doubles

    @property
    def trivial(self) -> bool:
        """Whether it changes no integer."""
        return not self.shift and bool((self.multipliers == 1).all() and (self.offsets == 0).all())

    def of(self, q: Ints) -> Ints:
        """The results for integers `[m, channels]`."""
        return in_fixed_point(q, self.starts, self.multipliers, self.offsets, self.shift)

    def reach(self, lo: Ints, hi: Ints) -> tuple[Ints, Ints]:
        """The least and the largest result of each channel for integers `lo..hi`: those at segments' ends."""
        starts = self.starts.T
        ends = np.concatenate([lo[None], hi[None], starts, starts - 1])
        results = self.of(np.clip(ends, lo, hi))
        return results.min(axis=0), results.max(axis=0)


@dataclass(frozen=True, eq=False)
class Grid:
    """Terms whose results count steps of `step` per channel; what is left of their values is `offset`."""

    step: Doubles
    terms: tuple[FixedPoint, ...]
    offset: Doubles

    @property
    def error(self) -> Doubles:
        """How far the sum of all terms can be from the real one, channel by channel."""
        total: Doubles = np.sum([term.error for term in self.terms], axis=0)
        return total


@dataclass(frozen=True, eq=False)
class Term:
    """A function of integers `lo..hi`, channel by channel."""

    function: Piecewise
    lo: Ints
    hi: Ints


def exact_grid(terms: Sequence[Term]) -> Grid | None:
    """The coarsest grid on which all terms are multiples of their integers; None where there is none.

    There is one where all terms are linear and their slopes have small integer ratios, exactly. A slope may
    be zero, as behind a batch norm that switches a channel off.
    """
    if any(term.function.segments > 1 for term in terms):
        return None
    slopes = np.stack([term.function.slopes[:, 0] for term in terms])
    first = _first_slopes(slopes)
    for parts in range(1, _MOST_PARTS + 1):
        multiples = np.rint(slopes / first * parts)
        if (np.abs(multiples) <= _MOST_MULTIPLE).all() and (multiples * first == parts * slopes).all():
            signs = np.sign(first)
            return _linear_grid(terms, np.abs(first) / parts, (multiples * signs).astype(np.int64))
    return None


def _first_slopes(slopes: Doubles) -> Doubles:
    """Of each channel the first of `slopes[term, channel]` that is not zero, or 1."""
    first: Doubles = np.ones(slopes.shape[1])
    for each in slopes[::-1]:
        first = np.where(each != 0, each, first)
    return first


def _linear_grid(terms: Sequence[Term], step: Doubles, multiples: Ints) -> Grid:
    none = np.zeros(len(step))
    made = [
        FixedPoint(
            term.function.starts, multiple[:, None], np.zeros((len(step), 1), np.int64), shift=0, error=none
        )
        for term, multiple in zip(terms, multiples, strict=True)
    ]
    offset = np.sum([term.function.offsets[:, 0] for term in terms], axis=0)
    return Grid(step, tuple(made), offset)


def fixed_grid(terms: Sequence[Term], bits: int) -> Grid:
    """Terms in fixed point of `bits` bits with their sign, one step for all channels.

    A term that is linear with the same slope in all channels stays exact: the step is its slope over a power
    of two. Constants of linear terms are left to the grid's offset.
    """
    largest = max(float(_magnitudes(term).max()) for term in terms)
    step = _step(terms, max(largest, float(np.finfo(np.float32).tiny)), bits)
    made = tuple(_fixed(term, step, max(_MULTIPLIER_BITS, bits + 2)) for term in terms)
    channels = len(terms[0].lo)
    offset = np.sum(
        [
            term.function.offsets[:, 0] if term.function.segments == 1 else np.zeros(channels)
            for term in terms
        ],
        axis=0,
    )
    return Grid(np.full(channels, step), made, offset)


def _step(terms: Sequence[Term], largest: float, bits: int) -> float:
    """The step of a grid: a power of two times a slope that is to stay exact, or a power of two."""
    uniform = [slope for term in terms for slope in _one_slope(term)]
    if not uniform:
        return float(np.exp2(np.ceil(np.log2(largest / (2 ** (bits - 1) - 1)))))
    slope: float = min(uniform)
    finer = max(0, int(np.floor(np.log2(slope * (2 ** (bits - 1) - 1) / largest))))
    return float(np.ldexp(slope, -finer))


def _one_slope(term: Term) -> tuple[float, ...]:
    """The magnitude of the slope that a linear term has in all channels; nothing where there is none."""
    slopes = np.abs(term.function.slopes)
    if term.function.segments > 1 or not slopes[0, 0] or (slopes != slopes[0, 0]).any():
        return ()
    return (float(slopes[0, 0]),)


def _magnitudes(term: Term) -> Doubles:
    """The largest value of each channel that fixed point must hold."""
    function = term.function
    values = np.abs(_ends(term) * function.slopes + (function.offsets if function.segments > 1 else 0.0))
    largest: Doubles = values.max(axis=(0, 2))
    return largest


def _ends(term: Term) -> Doubles:
    """The first and the last integer of each segment, `[2, channels, segments]`."""
    starts = np.clip(term.function.starts, term.lo[:, None], term.hi[:, None] + 1)
    begins = np.concatenate([term.lo[:, None], starts], axis=1)
    ends = np.concatenate([starts - 1, term.hi[:, None]], axis=1)
    # Where a channel has no integers in a segment, its last one stands for both.
    return np.stack(
        [np.minimum(begins, np.maximum(ends, term.lo[:, None])), np.maximum(ends, term.lo[:, None])]
    )


def _fixed(term: Term, step: float, bits: int) -> FixedPoint:
    function = term.function
    slopes = function.slopes / step
    constants = function.offsets / step if function.segments > 1 else np.zeros_like(slopes)
    shift = 0 if _whole(slopes) and _whole(constants) else _shift(slopes, bits)
    multipliers = np.rint(np.ldexp(slopes, shift)).astype(np.int64)
    centred = np.rint(np.ldexp(constants, shift)).astype(np.int64)
    half = (1 << shift) >> 1
    ends = _ends(term)
    exact = slopes * ends + constants
    off = np.abs(np.ldexp(multipliers * ends + centred, -shift) - exact).max(axis=(0, 2))
    error = (off + (0.5 if shift else 0.0)) * step
    return FixedPoint(function.starts, multipliers, centred + half, shift, error)


def _whole(values: Doubles) -> bool:
    return bool((values == np.rint(values)).all() and np.abs(values).max(initial=0) <= 1 << _MULTIPLIER_BITS)


def _shift(slopes: Doubles, bits: int) -> int:
    """As many bits behind the point as a multiplier of `bits` has room for."""
    largest = float(np.abs(slopes).max())
    before = int(np.ceil(np.log2(largest))) if largest else 0
    return int(np.clip(bits - 1 - before, 0, _MOST_SHIFT))
