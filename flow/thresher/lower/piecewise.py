"""What the model does to integers before a quantiser, as a piecewise linear function per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import Doubles, Ints
from thresher.ir.quant import Arithmetic, BatchNorm, Clip, Layout, Leaky, Negate, QuantNode
from thresher.lower.forms import Pending, to_stream


@dataclass(frozen=True, eq=False)
class Piecewise:
    """`slopes[c, k] * q + offsets[c, k]` for integers q of channel c in segment k, in float64.

    Segment k is the number of `starts[c]` that are <= q; `starts` is `[channels, segments - 1]`, ascending.
    """

    starts: Ints
    slopes: Doubles
    offsets: Doubles

    @property
    def segments(self) -> int:
        """Segments of each channel."""
        return int(self.slopes.shape[1])

    def on(self, lo: Ints, hi: Ints) -> Piecewise:
        """The same function on integers `lo..hi`: with one segment, if no channel reaches more than one."""
        last, rows = (lo[:, None] >= self.starts).sum(axis=1), np.arange(len(lo))
        if (last != (hi[:, None] >= self.starts).sum(axis=1)).any():
            return self
        starts = np.empty((len(lo), 0), np.int64)
        return Piecewise(starts, self.slopes[rows, last][:, None], self.offsets[rows, last][:, None])

    def repeated(self, times: int) -> Piecewise:
        """The functions of all channels, several times over."""
        return Piecewise(
            np.tile(self.starts, (times, 1)),
            np.tile(self.slopes, (times, 1)),
            np.tile(self.offsets, (times, 1)),
        )

    def gains(self, scale: Doubles) -> Doubles:
        """By how much each channel's function can enlarge what integers of `scale` mean."""
        largest = np.abs(self.slopes).max(axis=1)
        result: Doubles = np.divide(largest, np.abs(scale), out=np.zeros_like(largest), where=scale != 0)
        return result


@dataclass(frozen=True, eq=False)
class _Parts:
    """A function on its way through the steps: arrays `[segments, *shape]`, `starts` one segment less."""

    starts: Array
    slopes: Array
    offsets: Array


def piecewise(form: Pending) -> Piecewise | None:
    """The function from the integers of `form` to what its steps make of them; None where it is no such one.

    Channels are those of the stream.
    """
    zero = -form.zero * form.scale + (0.0 if form.offset is None else form.offset)
    parts = _Parts(
        np.empty((0, *form.sample.shape)), form.scale[None][:, form.sample], zero[None][:, form.sample]
    )
    lo, hi = (end.astype(np.float64)[None][:, form.sample] for end in (form.lo, form.hi))
    for step in form.steps:
        after = _after(step, parts, lo, hi)
        if after is None:
            return None
        parts = after
        if isinstance(step, Layout):
            lo, hi = step.apply(lo), step.apply(hi)
    return _in_stream_order(_pruned(parts, lo, hi), form.final_sample())


def _after(step: QuantNode, parts: _Parts, lo: Array, hi: Array) -> _Parts | None:
    match step:
        case Layout():
            return _Parts(*(step.apply(each) for each in (parts.starts, parts.slopes, parts.offsets)))
        case Negate() | BatchNorm():
            return _linear(step, parts)
        case Arithmetic() if step.op not in ("Min", "Max"):
            return _linear(step, parts) if step.monotone else None
        case Arithmetic() | Clip() | Leaky():
            for at, below, above in _bends(step):
                parts = _bent(parts, at, (below, above), lo, hi)
            return parts
    return None


def _bends(step: Arithmetic | Clip | Leaky) -> list[tuple[Array, Array, Array]]:
    """The bends of a continuous function, one after the other: the value, and the slopes below and above."""
    none, one = np.zeros(()), np.ones(())
    if isinstance(step, Leaky):
        return [(none, step.slope.astype(np.float64), one)]
    if isinstance(step, Arithmetic):
        limit = step.constant.astype(np.float64)
        return [(limit, none, one) if step.op == "Max" else (limit, one, none)]
    bends = [(np.asarray(step.low), none, one), (np.asarray(step.high), one, none)]
    return [bend for bend in bends if np.isfinite(bend[0])]


def _linear(step: Arithmetic | BatchNorm | Negate, parts: _Parts) -> _Parts:
    """Linear steps act on slopes without their constant part."""
    if isinstance(step, Arithmetic) and step.op == "Add":
        slopes = parts.slopes
    elif isinstance(step, Arithmetic) and step.op == "Sub":
        slopes = -parts.slopes if step.constant_first else parts.slopes
    elif isinstance(step, BatchNorm):
        slopes = step.apply(parts.slopes) - step.apply(np.zeros_like(parts.slopes))
    else:
        slopes = step.apply(parts.slopes)
    offsets = step.apply(parts.offsets)
    return _Parts(parts.starts, np.broadcast_to(slopes, offsets.shape), offsets)


def _bent(parts: _Parts, at: Array, factors: tuple[Array, Array], lo: Array, hi: Array) -> _Parts:
    """A continuous function with a bend at the value `at`: slopes times one of `factors` below and above."""
    slopes, offsets = parts.slopes, parts.offsets
    begins = np.concatenate([lo, parts.starts])
    ends = np.concatenate([parts.starts, hi + 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = (at - offsets) / slopes
    rising, falling = slopes > 0, slopes < 0
    # The first integer on the far side of the bend; a constant is on one side as a whole.
    middle = np.where(rising, np.ceil(crossing), np.where(falling, np.floor(crossing) + 1, ends))
    middle = np.clip(middle, begins, np.maximum(begins, ends))
    below = np.where(slopes == 0, offsets < at, rising)
    halves = []
    for under in (below, np.where(slopes == 0, offsets < at, falling)):
        factor = np.where(under, *factors)
        halves.append((slopes * factor, (offsets - at) * factor + at))
    starts = np.empty((2 * len(slopes) - 1, *slopes.shape[1:]))
    starts[0::2], starts[1::2] = middle, ends[:-1]
    return _Parts(
        starts, _interleaved([half[0] for half in halves]), _interleaved([half[1] for half in halves])
    )


def _interleaved(halves: Sequence[Array]) -> Array:
    result = np.empty((2 * len(halves[0]), *halves[0].shape[1:]))
    result[0::2], result[1::2] = halves
    return result


def _pruned(parts: _Parts, lo: Array, hi: Array) -> _Parts:
    """Without the segments that no channel's integers reach."""
    begins, ends = np.concatenate([lo, parts.starts]), np.concatenate([parts.starts, hi + 1])
    used = [place for place in range(len(begins)) if (begins[place] < ends[place]).any()]
    return _Parts(begins[used[1:]], parts.slopes[used], parts.offsets[used])


def _in_stream_order(parts: _Parts, sample: Ints) -> Piecewise:
    def columns(values: Array) -> Array:
        rows = [to_stream(each[None], sample) for each in values]
        return np.stack(rows, axis=1) if rows else np.empty((sample.size, 0))

    return Piecewise(columns(parts.starts).astype(np.int64), columns(parts.slopes), columns(parts.offsets))
