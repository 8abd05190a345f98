"""Constants that met no quantiser node but lie on a grid of integers, whatever nodes made them.

Binary weights written in plain PyTorch, XNOR-Net's `alpha * sign(w)`, DoReFa-Net's rounded weights, and any
of them after an exporter has folded a batch norm into them: each output channel is some scale times small
integers. A scale is looked for in each channel by itself.

A few floats lie on a grid by accident, so the layer as a whole must give evidence. The grids that are
tried have 128 steps at most, and a float is on one if it is within two roundings of a step: less than
one in 2**13 is. Each further weight of a channel is then worth 13 bits, less the 7 bits of choosing among
128 grids; a layer needs 32 in all, so less than one in 2**32 layers of floats is taken for integers. Such
a layer would still compute the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array
from thresher.ir.quant import Floats, Ints
from thresher.ir.quantisers import QuantisedConstant

_STEPS = 128
_BITS_PER_WEIGHT = 13
_BITS_OF_CHOICE = 7
_EVIDENCE = 32
# Rounding may split a step into several floats; more than these for each are no grid.
_MAX_MAGNITUDES = 4 * _STEPS


def weights_on_grid(weights: Array, axis: int = 0) -> QuantisedConstant | None:
    """`weights` as a scale for each index of the output channel's `axis` times integers of 8 bits at most.

    Every weight is within two units in the last place (of the largest of its channel) of that. None where
    no such scales exist, or the weights are too few to tell.
    """
    floats = np.asarray(weights, np.float32)
    if floats.ndim < 2 or not floats.size or not np.isfinite(floats).all():
        return None
    rows = np.moveaxis(floats, axis, 0).reshape(floats.shape[axis], -1)
    if _evidence(rows) < _EVIDENCE:
        return None
    scales = np.ones(len(rows), np.float32)
    for index, row in enumerate(rows):
        found = _scale_of(np.abs(row))
        if found is None:
            return None
        scales[index] = found
    levels = np.rint(rows / scales[:, None]).astype(np.int64)
    if levels.max() >= _STEPS:
        return None
    empty = ~rows.any(axis=1)
    if (np.abs(levels[~empty]) == 1).all():
        # A channel of zeros is any signs times zero, and leaves the others their single bit.
        levels[empty], scales[empty] = 1, 0
    shape = [1] * floats.ndim
    shape[axis] = len(rows)
    moved = np.moveaxis(floats, axis, 0).shape
    scale = np.broadcast_to(scales.reshape(shape), floats.shape)
    whole: Ints = np.moveaxis(levels.reshape(moved), 0, axis)
    exact = QuantisedConstant(whole, scale, np.zeros_like(floats), ())
    return replace(exact, rounded=not np.array_equal(exact.real, floats))


def _evidence(rows: Floats) -> int:
    """Bits of evidence that the weights would give if they were on a grid."""
    used = np.count_nonzero(rows, axis=1)
    return int(np.maximum(0, _BITS_PER_WEIGHT * (used - 1) - _BITS_OF_CHOICE).sum())


def _scale_of(magnitudes: Floats) -> np.float32 | None:
    """The largest scale of which all `magnitudes` are integers, 1 where all are zero."""
    distinct = np.unique(magnitudes)
    distinct = distinct[distinct > 0]
    if not distinct.size:
        return np.float32(1)
    if distinct.size > _MAX_MAGNITUDES:
        return None
    largest = distinct[-1]
    scales: Floats = largest / np.arange(1, _STEPS + 1, dtype=np.float32)
    scales = scales[scales > 0]  # Of the least float32 a part is none.
    real = distinct.astype(np.float64)
    steps = np.maximum(1, np.rint(real / scales[:, None]))
    misfit = np.abs(steps * scales[:, None].astype(np.float64) - real)
    fits: npt.NDArray[np.bool_] = (misfit <= 2 * np.spacing(largest)).all(axis=1)
    return scales[np.argmax(fits)] if fits.any() else None
