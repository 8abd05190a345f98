"""One grid for terms of different scales: exact integer multiples where there are any, else fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.ir.integer import Doubles, Flags, Ints
from thresher.ir.integer_branches import in_fixed_point
from thresher.lower.piecewise import Piecewise

# Multiples beyond this are no cheaper than fixed point.
_MOST_MULTIPLE = 255
_MOST_PARTS = 64
# Bits of a multiplier with its sign: the narrower input of a 7-series DSP slice (AMD UG479). Where the terms
# have more bits than these leave room for, it has two bits more than they.
_MULTIPLIER_BITS = 18
_MOST_SHIFT = 30
# The host reads sums as int32, so that an exact grid must not make them wider than that.
_MOST_BITS = 32


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

    @property
    def vanished(self) -> bool:
        """Whether it is 0 for every integer, and so adds nothing to a sum."""
        return not (self.multipliers.any() or self.offsets.any())

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

    def flat(self) -> Term:
        """The same function, with the slope 0 in channels that have one integer only."""
        single = (self.lo == self.hi)[:, None]
        if not single.any():
            return self
        function, rows = self.function, np.arange(len(self.lo))
        segment = (self.lo[:, None] >= function.starts).sum(axis=1)
        values = function.offsets[rows, segment] + function.slopes[rows, segment] * self.lo
        slopes = np.where(single, 0.0, function.slopes)
        offsets = np.where(single, values[:, None], function.offsets)
        return replace(self, function=Piecewise(function.starts, slopes, offsets))


def joint_grid(terms: Sequence[Term], bits: int) -> Grid:
    """A grid for the sum of `terms`: the exact one where there is one, else fixed point of `bits` bits.

    A term that is constant, or less than half a step of fixed point everywhere, is left to the offset: its
    `FixedPoint` is `vanished`. So an activation that a network never uses, to which Brevitas gives a scale of
    1e-10, costs its sum nothing. Where all terms are constant the first keeps its integers, times 0.
    """
    if len(terms) > 1:
        terms = [term.flat() for term in terms]
    grid = exact_grid(terms) or fixed_grid(terms, bits)
    left_out: dict[int, tuple[Doubles, Doubles]] = {}
    for place, (term, made) in enumerate(zip(terms, grid.terms, strict=True)):
        lo, hi = made.reach(term.lo, term.hi)
        if (lo == hi).all():
            left_out[place] = _at(term, lo * grid.step)
    kept = [place for place in range(len(terms)) if place not in left_out]
    if not kept:
        return _constant_grid([left_out[place] for place in range(len(terms))])
    taken = {place: grid.terms[place] for place in kept}
    if left_out:
        remaining = [terms[place] for place in kept]
        alone = exact_grid(remaining) or fixed_grid(remaining, bits)
        constant = not any(error.any() for _, error in left_out.values())
        # What is left out is less than half a step only where the steps of the others grow no finer.
        if constant or (alone.step >= grid.step).all():
            grid, taken = alone, dict(zip(kept, alone.terms, strict=True))
    offset = np.sum(
        [left_out[place][0] if place in left_out else _offset(term) for place, term in enumerate(terms)],
        axis=0,
    )
    every = [
        _vanished(left_out[place][1]) if place in left_out else taken[place] for place in range(len(terms))
    ]
    return Grid(grid.step, tuple(every), offset)


def _offset(term: Term) -> Doubles:
    """What a grid leaves out of `term`: the constant of a linear function."""
    function = term.function
    return function.offsets[:, 0] if function.segments == 1 else np.zeros(len(term.lo))


def _constant_grid(constants: Sequence[tuple[Doubles, Doubles]]) -> Grid:
    """Terms of which every one is a value, and within an error of it, whatever its integers are."""
    values, errors = zip(*constants, strict=True)
    channels = len(values[0])
    one, none = np.ones((channels, 1), np.int64), np.zeros((channels, 1), np.int64)
    kept = FixedPoint(np.empty((channels, 0), np.int64), one, none, 0, errors[0])
    return Grid(np.zeros(channels), (kept, *map(_vanished, errors[1:])), np.sum(values, axis=0))


def _vanished(error: Doubles) -> FixedPoint:
    none = np.zeros((len(error), 1), np.int64)
    return FixedPoint(np.empty((len(error), 0), np.int64), none, none, 0, error)


def _at(term: Term, values: Doubles) -> tuple[Doubles, Doubles]:
    """What stands for a `term` that fixed point takes to be `values` `[channels]`, and how far it is off.

    That is the term's own value where it has but one.
    """
    reals = _ends(term) * term.function.slopes + term.function.offsets[None]
    # What a segment without integers would give does not count.
    reals = np.where(_is_empty(term), np.nan, reals)
    least, largest = np.nanmin(reals, axis=(0, 2)), np.nanmax(reals, axis=(0, 2))
    constant = np.where(least == largest, least, values + _offset(term))
    return constant, np.maximum(largest - constant, constant - least)


def exact_grid(terms: Sequence[Term]) -> Grid | None:
    """The coarsest grid on which all terms are multiples of their integers; None where there is none.

    There is one where all terms are linear and in each channel

    1. their slopes have small integer ratios, exactly, or
    2. each slope is the least one times a power of two, which takes no multiplier,

    and their sum has at most 32 bits, or as many as they themselves make it. A slope may be zero, as behind a
    batch norm that switches a channel off.
    """
    if any(term.function.segments > 1 for term in terms):
        return None
    slopes = np.stack([term.function.slopes[:, 0] for term in terms])
    for step, multiples in (*_small_multiples(slopes), *_powers_of_two(slopes)):
        if _fits(terms, multiples):
            return _linear_grid(terms, step, multiples)
    return None


def _small_multiples(slopes: Doubles) -> list[tuple[Doubles, Ints]]:
    """The step of each channel and the multiples `[term, channel]` of it, where they are small."""
    first = _first_slopes(slopes)
    for parts in range(1, _MOST_PARTS + 1):
        with np.errstate(over="ignore"):
            multiples = np.rint(slopes / first * parts)
        if (np.abs(multiples) <= _MOST_MULTIPLE).all() and (multiples * first == parts * slopes).all():
            signs = np.sign(first)
            return [(np.abs(first) / parts, (multiples * signs).astype(np.int64))]
    return []


def _powers_of_two(slopes: Doubles) -> list[tuple[Doubles, Ints]]:
    """As `_small_multiples`, where all slopes are the least one of their channel times powers of two."""
    magnitudes = np.abs(slopes)
    least = np.where(magnitudes > 0, magnitudes, np.inf).min(axis=0)
    least = np.where(np.isinf(least), 0.0, least)
    least = np.where(least > 0, least, _some(least))
    with np.errstate(over="ignore"):
        multiples = slopes / least
    mantissas = np.frexp(np.abs(multiples))[0]
    whole = (multiples == 0) | ((mantissas == 0.5) & (multiples * least == slopes))
    if not whole.all() or np.abs(multiples).max() >= 2.0 ** (_MOST_BITS - 1):
        return []
    return [(least, multiples.astype(np.int64))]


def _fits(terms: Sequence[Term], multiples: Ints) -> bool:
    """Whether the sum of `multiples` `[term, channel]` of the terms' integers is narrow enough."""
    reach = np.sum([np.abs(m) * _largest(term) for m, term in zip(multiples, terms, strict=True)], axis=0)
    own = np.sum([_largest(term) for term in terms], axis=0)
    return bool((reach < np.maximum(own + 1, 2.0 ** (_MOST_BITS - 1))).all())


def _largest(term: Term) -> Doubles:
    """The largest magnitude of each channel's integers."""
    return np.maximum(np.abs(term.lo), np.abs(term.hi)).astype(np.float64)


def _first_slopes(slopes: Doubles) -> Doubles:
    """Of each channel the first of `slopes[term, channel]` that is not zero, or else that of another."""
    first: Doubles = np.zeros(slopes.shape[1])
    for each in slopes[::-1]:
        first = np.where(each != 0, each, first)
    return np.where(first != 0, first, _some(first))


def _some(values: Doubles) -> float:
    """The first of `values` that is not zero, or 1."""
    others = values[values != 0]
    return float(others[0]) if others.size else 1.0


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
    of two. Constants of linear terms are left to the grid's offset. Where the sum would have more than 32
    bits, terms have as many fewer.
    """
    bits = min(bits, _MOST_BITS - (len(terms) - 1).bit_length())
    largest = max(float(_magnitudes(term).max()) for term in terms)
    # Where all terms are zero any step will do, and 1 keeps slopes that no integers meet in range.
    step = _step(terms, max(largest or 1.0, float(np.finfo(np.float32).tiny)), bits)
    made = tuple(_fixed(term, step, max(_MULTIPLIER_BITS, bits + 2)) for term in terms)
    channels = len(terms[0].lo)
    return Grid(np.full(channels, step), made, np.sum([_offset(term) for term in terms], axis=0))


def _step(terms: Sequence[Term], largest: float, bits: int) -> float:
    """The step of a grid on which `largest` has `bits` bits with its sign, and no more.

    It is a slope that is to stay exact over a power of two, or a power of two where all such slopes are finer
    than these bits allow.
    """
    most = 2 ** (bits - 1) - 1
    uniform = [slope for term in terms for slope in _one_slope(term) if slope * most >= largest]
    if not uniform:
        return float(np.exp2(np.ceil(np.log2(largest / most))))
    slope: float = min(uniform)
    finer = int(np.floor(np.log2(slope * most / largest)))
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
    largest: Doubles = np.where(_is_empty(term), 0.0, values).max(axis=(0, 2))
    return largest


def _ends(term: Term) -> Doubles:
    """The first and the last integer of each segment, `[2, channels, segments]`."""
    begins, ends = _limits(term)
    # Where a channel has no integers in a segment, its last one stands for both.
    return np.stack(
        [np.minimum(begins, np.maximum(ends, term.lo[:, None])), np.maximum(ends, term.lo[:, None])]
    )


def _is_empty(term: Term) -> Flags:
    """Which segments have none of the integers, `[channels, segments]`."""
    begins, ends = _limits(term)
    empty: Flags = begins > ends
    return empty


def _limits(term: Term) -> tuple[Ints, Ints]:
    """The first and last integer of each segment, `[channels, segments]`; empty ones have first > last."""
    starts = np.clip(term.function.starts, term.lo[:, None], term.hi[:, None] + 1)
    begins = np.concatenate([term.lo[:, None], starts], axis=1)
    ends = np.concatenate([starts - 1, term.hi[:, None]], axis=1)
    return begins, ends


def _fixed(term: Term, step: float, bits: int) -> FixedPoint:
    function = term.function
    empty = _is_empty(term)
    slopes = np.where(empty, 0.0, function.slopes) / step
    offsets = np.where(empty | (function.segments == 1), 0.0, function.offsets)
    constants = offsets / step
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
