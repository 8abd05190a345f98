"""The type and scale of a quantiser, chosen for the values that it is to meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.quant import Floats
from thresher.ir.quantisers import quantised_range
from thresher_sim.streams import IntType

# Values that the error of a scale is estimated on, and the scales that are tried.
_MOST_VALUES = 1 << 18
_STEPS_PER_OCTAVE = 8
_OCTAVES = 4


@dataclass(frozen=True, eq=False)
class Grid:
    """The integers `element`, of which each `q` stands for `scale * q`."""

    element: IntType
    scale: Floats


def calibrate(values: Array, bits: int) -> Grid:
    """The grid of `bits` with the least mean squared error on `values`, unsigned if none is negative.

    Scales are tried from where the largest magnitude is the largest integer down to a sixteenth of that, so
    values that lie far out are cut off where this makes the rest finer by more. Powers of two come first:
    they are taken where nothing is more exact, as where the values are small integers already.
    """
    flat = np.ravel(values)
    ends = [float(flat.min()), float(flat.max())]
    most = max(map(abs, ends))
    element = quantised_range(bits, signed=ends[0] < 0, narrow=False)
    if most == 0:
        return Grid(element, np.ones((), np.float32))
    stride = -(-flat.size // _MOST_VALUES)
    sample = np.append(flat[::stride].astype(np.float64), ends)
    scales = _candidates(most / element.hi)
    errors = [_error(sample, scale, element) for scale in scales]
    return Grid(element, np.asarray(scales[int(np.argmin(errors))]))


def _candidates(widest: float) -> Floats:
    """Scales to try, up to `widest`, but for powers of two, which may be a little above."""
    octave = np.ceil(np.log2(widest))
    powers = np.exp2(octave - np.arange(_OCTAVES + 1))
    fractions = widest * np.exp2(-np.arange(_OCTAVES * _STEPS_PER_OCTAVE + 1) / _STEPS_PER_OCTAVE)
    return np.concatenate([powers, fractions]).astype(np.float32)


def _error(values: Array, scale: np.float32, element: IntType) -> float:
    step = float(scale)
    levels = np.clip(np.rint(values / step), element.lo, element.hi)
    return float(np.mean(np.square(levels * step - values)))
