"""Constants in the smallest shape that broadcasts to the same."""

from __future__ import annotations

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.quant import Shape


def shrunk(values: Array) -> Array:
    """`values` with one element along every axis on which all are equal; a scalar if all are."""
    if not values.size:
        return values
    for axis in range(values.ndim):
        first = values.take([0], axis=axis)
        if values.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, values.shape), values):
            values = first
    return values.reshape(()) if values.size == 1 else values


def shrunk_operand(values: Array, shape: Shape) -> Array:
    """`values` as `shrunk` has them, where they do not enlarge a tensor of `shape` that they are applied to.

    PyTorch exports `bias.expand_as(x)` as a constant with an element for every pixel; all pixels of a channel
    are alike, and one element for each channel says so.
    """
    try:
        fits = np.broadcast_shapes(values.shape, shape) == shape
    except ValueError:
        fits = False
    return shrunk(values) if fits else values
