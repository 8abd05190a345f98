"""Random types, values and staircases, as hypothesis strategies."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from thresher.ir.integer import Ints, IntThreshold, TensorType
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

MOST_CHANNELS = 20
MOST_VECTORS = 3

Draw = st.DrawFn


@st.composite
def elements(draw: Draw, most_bits: int = 8) -> IntType:
    """Bipolar, or any range of integers of up to `most_bits` bits that is not just one number."""
    if draw(st.booleans()):
        return BIPOLAR
    bits = draw(st.integers(1, most_bits))
    signed = draw(st.booleans())
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    lo, hi = sorted(draw(st.lists(st.integers(least, most), min_size=2, max_size=2)))
    return IntType(lo, hi) if lo < hi else IntType(least, most)


@st.composite
def arrays(draw: Draw, element: IntType, shape: tuple[int, ...]) -> Ints:
    """Random values of a type; only the seed is drawn, so that shrinking works on shapes and types."""
    return random_values(np.random.default_rng(draw(st.integers(0, 2**16))), element, shape)


@st.composite
def thresholds(draw: Draw, source: TensorType, low: Ints, high: Ints) -> IntThreshold:
    """Staircases within what can be reached, some never or always past a threshold, some descending."""
    element = draw(elements(most_bits=4))
    levels = 1 if element.bipolar else element.hi - element.lo
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    steps = np.sort(random.integers(low[:, None], high[:, None] + 2, (source.channels, levels)), axis=1)
    if draw(st.booleans()):
        steps[:] = steps[:1]
    descending = random.random(source.channels) < draw(st.sampled_from([0.0, 0.5]))
    target = TensorType(element, source.vectors, source.channels)
    return IntThreshold("threshold", "sum", "level", (), source, target, steps, descending)


def random_frames(random: np.random.Generator, layout: StreamLayout, frames: int) -> Ints:
    """Random frames `[frames, vectors, channels]` of a stream."""
    return random_values(random, layout.element, (frames, layout.vectors, layout.channels))


def random_values(random: np.random.Generator, element: IntType, shape: tuple[int, ...]) -> Ints:
    """Random values of a type."""
    if element.bipolar:
        return random.integers(0, 2, shape) * 2 - 1
    return random.integers(element.lo, element.hi + 1, shape)
