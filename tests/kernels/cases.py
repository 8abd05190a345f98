"""Kernels of random shapes, types and foldings, for tests that hold every kernel to the same contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from thresher.kernels import Kernel
from thresher.kernels.argmax import Argmax
from thresher.kernels.mvu import Mvu
from thresher.kernels.threshold import Threshold
from thresher.kernels.width_converter import WidthConverter
from thresher.lower.integer import IntArgMax, IntMatMul, Ints, IntThreshold, TensorType, reachable
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

ELEMENTS = (
    BIPOLAR,
    IntType(-1, 1),
    IntType(0, 3),
    IntType(-2, 1),
    IntType(0, 255),
    IntType(-128, 127),
    IntType(0, 1),
    IntType(-1, 0),
)
LEVELS = (BIPOLAR, IntType(-1, 1), IntType(0, 3), IntType(-4, 3))


def random_frames(random: np.random.Generator, layout: StreamLayout, frames: int) -> Ints:
    """Random frames `[frames, vectors, channels]` of a stream."""
    return _values(random, layout.element, (frames, layout.vectors, layout.channels))


def random_mvu(random: np.random.Generator) -> Mvu:
    """Any pair of types, with no, one or several thresholds, and a folding that need not divide."""
    rows, columns, vectors = (int(random.integers(1, most)) for most in (20, 20, 4))
    source, weight_type = _pick(random, ELEMENTS), _pick(random, ELEMENTS)
    weights = _values(random, weight_type, (rows, columns))
    low, high = reachable(weights, source)
    sums = IntType(int(low.min()), int(high.max()))
    matmul = IntMatMul(
        "matmul", "x", "sum", TensorType(source, vectors, columns), TensorType(sums, vectors, rows), (),
        weights, weight_type,
    )  # fmt: skip
    threshold = _threshold(random, matmul.output_type, low, high) if random.random() < 0.7 else None
    folding = [int(random.integers(1, most + 1)) for most in (rows, columns)]
    return Mvu(matmul, threshold, *folding)


def random_threshold(random: np.random.Generator) -> Threshold:
    """Any input type and staircase."""
    source = TensorType(_pick(random, ELEMENTS), int(random.integers(1, 3)), int(random.integers(1, 20)))
    low, high = (np.full(source.channels, bound) for bound in (source.element.lo, source.element.hi))
    return Threshold(_threshold(random, source, low, high), int(random.integers(1, source.channels + 1)))


def random_argmax(random: np.random.Generator) -> Argmax:
    """Any input type; small ones make ties."""
    channels = int(random.integers(1, 20))
    source = TensorType(_pick(random, ELEMENTS), 1, channels)
    index = TensorType(IntType(0, channels - 1), 1, 1)
    return Argmax(IntArgMax("argmax", "x", "index", source, index, ()), int(random.integers(1, channels + 1)))


def random_width_converter(random: np.random.Generator) -> WidthConverter:
    """Any two widths: whole ratios and others, full and padded vectors."""
    channels = int(random.integers(2, 40))
    lanes, output_lanes = (
        int(value) for value in random.choice(np.arange(1, channels + 1), 2, replace=False)
    )
    layout = StreamLayout(_pick(random, ELEMENTS), channels, int(random.integers(1, 3)), lanes)
    return WidthConverter(layout, output_lanes)


RANDOM_KERNELS: Mapping[type[Kernel], Callable[[np.random.Generator], Kernel]] = {
    Mvu: random_mvu,
    Threshold: random_threshold,
    Argmax: random_argmax,
    WidthConverter: random_width_converter,
}


def _pick(random: np.random.Generator, types: tuple[IntType, ...]) -> IntType:
    return types[int(random.integers(len(types)))]


def _values(random: np.random.Generator, element: IntType, shape: tuple[int, ...]) -> Ints:
    if element.bipolar:
        return random.integers(0, 2, shape) * 2 - 1
    return random.integers(element.lo, element.hi + 1, shape)


def _threshold(random: np.random.Generator, source: TensorType, low: Ints, high: Ints) -> IntThreshold:
    """A staircase within what can be reached, some channels never or always past a threshold."""
    element = _pick(random, LEVELS)
    levels = 1 if element.bipolar else element.hi - element.lo
    shape = (source.channels, levels)
    thresholds = np.sort(random.integers(low[:, None], high[:, None] + 2, shape), axis=1)
    if random.random() < 0.2:
        thresholds[:] = thresholds[:1]
    descending = random.random(source.channels) < (0.5 if random.random() < 0.4 else 0.0)
    target = TensorType(element, source.vectors, source.channels)
    return IntThreshold("threshold", "sum", "level", source, target, (), thresholds, descending)
