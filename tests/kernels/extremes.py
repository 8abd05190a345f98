"""Stimulus that reaches the bounds: what random frames leave out.

A sum of many random products lies near the middle of its range. The frames here give every row of a kernel
with weights its largest and its smallest sum, and drive every input of the others to the ends of its type.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from tests.kernels.values import random_frames
from thresher.ir.integer import IntMatMul, Ints
from thresher.kernels import Kernel
from thresher.kernels.mvu import Mvu
from thresher.kernels.vvu import Vvu
from thresher_sim.streams import IntType


def extreme_frames(kernel: Kernel) -> tuple[Ints, ...]:
    """Frames `[frames, vectors, channels]` for each input of `kernel` that reach its bounds.

    With weights: for each row a frame with its largest sum in every window, and one with its smallest. A
    frame serves one row of each group of an `mvu`, and all channels of a `vvu`. Without: each combination
    of the lowest and the highest value of the inputs' types.
    """
    match kernel:
        case Mvu():
            return (_matrix_frames(kernel.matmul),)
        case Vvu():
            return (_filter_frames(kernel),)
    ends = product(*((layout.element.lo, layout.element.hi) for layout in kernel.input_layouts))
    frames = zip(*ends, strict=True)
    return tuple(
        np.broadcast_to(np.array(values)[:, None, None], (len(values), layout.vectors, layout.channels))
        for values, layout in zip(frames, kernel.input_layouts, strict=True)
    )


def stimulus(random: np.random.Generator, kernel: Kernel, frames: int) -> tuple[Ints, ...]:
    """So many frames for each input of `kernel`: a third are random, the others reach its bounds.

    They come in random order. Where more frames reach bounds than there is room for, some are drawn.
    """
    extremes = extreme_frames(kernel)
    chosen = random.permutation(len(extremes[0]))[: frames - -(-frames // 3)]
    order = random.permutation(frames)
    return tuple(
        np.concatenate([ends[chosen], random_frames(random, layout, frames - len(chosen))])[order]
        for ends, layout in zip(extremes, kernel.input_layouts, strict=True)
    )


def largest_and_smallest(weights: Ints, element: IntType) -> Ints:
    """Inputs `[2, ...]` in the shape of `weights`: those of the largest products, then of the smallest."""
    largest = np.where(weights > 0, element.hi, element.lo)
    return np.stack([largest, np.where(weights > 0, element.lo, element.hi)])


def _matrix_frames(matmul: IntMatMul) -> Ints:
    """A pair of frames for each row of a group, alike in all windows: `[2 * rows, vectors, columns]`."""
    columns = matmul.weights.shape[1]
    pairs = largest_and_smallest(matmul.weights, matmul.input_type.element)
    frames = pairs.reshape(2, matmul.groups, -1, columns).transpose(2, 0, 1, 3)
    return np.tile(frames.reshape(-1, matmul.groups, columns), (1, matmul.output_type.vectors, 1))


def _filter_frames(kernel: Vvu) -> Ints:
    """Two frames, alike in all windows, in the order of the stream: tiles of channels, taps, channels."""
    filters, layout = kernel.filters, kernel.input_layout
    channels, taps = filters.weights.shape
    lanes = kernel.input_tile or channels
    missing = -channels % lanes
    # Lanes behind the last channel carry zero bits.
    element = layout.element
    filler = -1 if element.bipolar else 0
    pairs = largest_and_smallest(filters.weights, element)
    padded = np.concatenate([pairs, np.full((2, missing, taps), filler)], axis=1)
    window = padded.reshape(2, -1, lanes, taps).swapaxes(2, 3).reshape(2, -1)
    frames = np.tile(window, filters.output_type.vectors)
    return frames.reshape(2, layout.vectors, layout.channels)
