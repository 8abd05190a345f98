"""What kernels mean in Python's own integers, element by element: the reference that golden is held to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.kernels.branches import joined_by_hand
from tests.kernels.windows import by_hand as windows_by_hand
from thresher.ir.integer import EdgeCorrections, IntMatMul, Ints, IntThreshold
from thresher.kernels import Kernel
from thresher.kernels.argmax import Argmax
from thresher.kernels.global_pool import GlobalPool
from thresher.kernels.mvu import Mvu
from thresher.kernels.pool import Pool
from thresher.kernels.swg import Swg
from thresher.kernels.threshold import Threshold
from thresher.kernels.vvu import Vvu
from thresher_sim.streams import IntType


def by_hand(kernel: Kernel, frames: Ints, *others: Ints) -> Ints:
    """The kernel's meaning in Python's own integers, element by element."""
    values, threshold = frames, None
    match kernel:
        case Mvu():
            values, threshold = _matrix_by_hand(kernel.matmul, frames), kernel.threshold
        case Swg():
            values = windows_by_hand(kernel, frames)
        case Vvu():
            values, threshold = _filters_by_hand(kernel, frames), kernel.threshold
        case Pool():
            channels, taps = kernel.pool.output_type.channels, kernel.pool.taps
            windows = _taps_by_hand(frames, channels, taps, kernel.input_tile)
            values = _largest_by_hand(windows, kernel.pool.reversed, kernel.input_layout.element)
        case GlobalPool() if kernel.pool.largest:
            values = _largest_by_hand(frames[:, None], kernel.pool.reversed, kernel.input_layout.element)
        case GlobalPool():
            sums = [[sum(channel) for channel in zip(*frame, strict=True)] for frame in frames.tolist()]
            values, threshold = np.array(sums)[:, None], kernel.threshold
        case Threshold():
            threshold = kernel.threshold
        case Argmax():
            flat = [frame.reshape(-1).tolist() for frame in frames]
            values = np.array([frame.index(max(frame)) for frame in flat])
        case _:
            values, threshold = joined_by_hand(kernel, frames, *others)
    if threshold is not None:
        values = _staircase(threshold, values)
    return values.reshape(-1, kernel.output_layout.vectors, kernel.output_layout.channels)


def _matrix_by_hand(matmul: IntMatMul, frames: Ints) -> Ints:
    """Sums of vectors in the order of the stream: every window is one for each group."""
    rows = len(matmul.weights) // matmul.groups
    lacks = _lacks_by_hand(matmul.corrections, matmul.output_type.vectors, len(matmul.weights))
    sums = [
        [
            [
                sum(w * x for w, x in zip(weights, frame[window * matmul.groups + row // rows], strict=True))
                + lacks[window][row]
                for row, weights in enumerate(matmul.weights.tolist())
            ]
            for window in range(matmul.output_type.vectors)
        ]
        for frame in frames.tolist()
    ]
    return np.array(sums)


def _filters_by_hand(kernel: Vvu, frames: Ints) -> Ints:
    filters = kernel.filters
    channels, taps = filters.weights.shape
    lacks = _lacks_by_hand(filters.corrections, filters.output_type.vectors, channels)
    sums = [
        [
            [
                sum(int(w) * window[tap][channel] for tap, w in enumerate(filters.weights[channel]))
                + lacks[index][channel]
                for channel in range(channels)
            ]
            for index, window in enumerate(windows)
        ]
        for windows in _taps_by_hand(frames, channels, taps, kernel.input_tile).tolist()
    ]
    return np.array(sums)


def _taps_by_hand(frames: Ints, channels: int, taps: int, tile: int) -> Ints:
    """Windows `[frame, window, tap, channel]` of a stream, element by element."""
    lanes = tile or channels
    tiles = -(-channels // lanes)
    flat = frames.reshape(len(frames), -1)
    windows = np.zeros((len(frames), flat.shape[1] // (tiles * taps * lanes), taps, channels), np.int64)
    for frame, window, tap, channel in np.ndindex(windows.shape):
        place = ((window * tiles + channel // lanes) * taps + tap) * lanes + channel % lanes
        windows[frame, window, tap, channel] = flat[frame, place]
    return windows


def _largest_by_hand(windows: Ints, mirrored: npt.NDArray[np.bool_], element: IntType) -> Ints:
    """Of `[frame, window, tap, channel]`, with the values of the type in a line and its mirror image."""
    line = [-1, 1] if element.bipolar else list(range(element.lo, element.hi + 1))
    result = np.zeros((len(windows), windows.shape[1], windows.shape[3]), np.int64)
    for frame, window, channel in np.ndindex(result.shape):
        place = line.index(max(windows[frame, window, :, channel].tolist()))
        result[frame, window, channel] = line[::-1][place] if mirrored[channel] else line[place]
    return result


def _lacks_by_hand(corrections: EdgeCorrections | None, windows: int, channels: int) -> list[list[int]]:
    if corrections is None:
        return [[0] * channels] * windows
    places = [(row, column) for row in corrections.row_classes for column in corrections.column_classes]
    return [corrections.values[row, column].tolist() for row, column in places]


def _staircase(threshold: IntThreshold, values: Ints) -> Ints:
    element = threshold.output_type.element
    ladder = [-1, 1] if element.bipolar else list(range(element.lo, element.hi + 1))
    result = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        channel = place[-1]
        steps = sorted(threshold.thresholds[channel].tolist())
        reached = sum(1 for step in steps if values[place] >= step)
        if threshold.descending[channel]:
            reached = len(steps) - reached
        result[place] = ladder[reached]
    return result
