"""Kernels of networks that branch, of random shapes, types and foldings, as hypothesis strategies.

And what they mean, in Python's own integers.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from tests.kernels.values import MOST_CHANNELS, MOST_VECTORS, Draw, elements, thresholds
from thresher.ir.integer import Ints, IntThreshold, TensorType
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale, IntSelect, IntUpsample
from thresher.kernels import Folding, Kernel
from thresher.kernels.add import Add
from thresher.kernels.concat import Concat
from thresher.kernels.fork import Fork
from thresher.kernels.rescale import Rescale
from thresher.kernels.select import Select
from thresher.kernels.upsample import Upsample
from thresher.kernels.width_converter import WidthConverter
from thresher_sim.streams import IntType


@st.composite
def tensors(draw: Draw, most_vectors: int = MOST_VECTORS) -> TensorType:
    """Any type and shape."""
    vectors, channels = draw(st.integers(1, most_vectors)), draw(st.integers(1, MOST_CHANNELS))
    return TensorType(draw(elements()), vectors, channels)


@st.composite
def forks(draw: Draw) -> Fork:
    """Any type, two to four copies."""
    tensor = draw(tensors())
    return Fork(tensor, draw(st.integers(2, Fork.MOST_COPIES)), draw(st.integers(1, tensor.channels)))


@st.composite
def adds(draw: Draw) -> Add:
    """Any two types, with or without thresholds; any folding."""
    first = draw(tensors())
    second = replace(first, element=draw(elements()))
    low, high = first.element.lo + second.element.lo, first.element.hi + second.element.hi
    sums = TensorType(IntType(low, high), first.vectors, first.channels)
    join = IntAdd("add", "x", "sum", (), first, sums, ("y",), (second,))
    ends = (np.full(sums.channels, end) for end in (low, high))
    return Add(join, draw(st.none() | thresholds(sums, *ends)), draw(st.integers(1, sums.channels)))


@st.composite
def concats(draw: Draw) -> Concat:
    """Any type, and channels of which both inputs have a multiple of `pe`, or all at once."""
    element, vectors, pe = draw(elements()), draw(st.integers(1, MOST_VECTORS)), draw(st.integers(1, 5))
    first, second = (TensorType(element, vectors, pe * draw(st.integers(1, 4))) for _ in range(2))
    both = TensorType(element, vectors, first.channels + second.channels)
    lanes = draw(st.sampled_from([pe, pe, both.channels]))
    return Concat(IntConcat("concat", "x", "xy", (), first, both, ("y",), (second,)), lanes)


@st.composite
def selects(draw: Draw) -> Select:
    """A slice, beats in any order, some channels in any order, or any of them, some twice; any folding."""
    source, pe = draw(tensors()), draw(st.integers(1, 3) | st.integers(1, MOST_CHANNELS))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    first, last = np.sort(random.integers(0, source.channels, 2))
    some = random.permutation(source.channels)[: last + 1]
    any_of_them = random.integers(0, source.channels, draw(st.integers(1, MOST_CHANNELS)))
    beats = np.concatenate([np.arange(beat * pe, (beat + 1) * pe) for beat in any_of_them // pe])
    whole = beats[beats < source.channels][: draw(st.integers(1, MOST_CHANNELS))]
    orders = [np.arange(first, last + 1), np.sort(some), some, any_of_them, whole]
    channels = draw(st.sampled_from(orders))
    target = replace(source, channels=len(channels))
    select = IntSelect("select", "x", "y", (), source, target, channels)
    return Select(select).fold(Folding(min(pe, max(source.channels, target.channels)), 1))


@st.composite
def upsamples(draw: Draw) -> Upsample:
    """Maps of one and of two dimensions, repeated in both, in one or in none; any folding."""
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    vertical, horizontal = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    source = replace(draw(tensors()), vectors=height * width)
    target = replace(source, vectors=source.vectors * vertical * horizontal)
    larger = IntUpsample("upsample", "x", "y", (), source, target, height, width, vertical, horizontal)
    return Upsample(larger, draw(st.integers(1, source.channels)))


@st.composite
def rescales(draw: Draw) -> Rescale:
    """Up to three segments; multipliers of a sign, of both, or powers of two; any folding."""
    source, segments, shift = draw(tensors()), draw(st.integers(1, 3)), draw(st.integers(0, 24))
    element, shape = source.element, (source.channels, segments)
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    starts = np.sort(random.integers(element.lo - 1, element.hi + 3, (source.channels, segments - 1)), axis=1)
    least, most = draw(st.sampled_from([(-300, 300), (1, 20), (0, 1), (-(2**25), 2**25)]))
    multipliers = random.integers(least, most + 1, shape) << draw(st.integers(0, 4))
    offsets = random.integers(-3000, 3000, shape) * draw(st.sampled_from([0, 1]))
    if draw(st.booleans()):
        starts[:], multipliers[:], offsets[:] = starts[:1], multipliers[0, 0], offsets[0, 0]
    inputs = np.array([element.lo, element.hi] if element.bipolar else range(element.lo, element.hi + 1))
    segment = (inputs[:, None, None] >= starts).sum(axis=2)
    places = np.arange(source.channels), segment
    outputs = (multipliers[places] * inputs[:, None] + offsets[places]) >> shift
    target = replace(source, element=IntType(int(outputs.min()), int(outputs.max())))
    rescale = IntRescale("rescale", "x", "y", (), source, target, starts, multipliers, offsets, shift)
    return Rescale(rescale, draw(st.integers(1, source.channels)))


def joined_by_hand(kernel: Kernel, frames: Ints, *others: Ints) -> tuple[Ints, IntThreshold | None]:
    """What a kernel's operator makes of frames, element by element, and the staircase behind it."""
    match kernel:
        case Add():
            pairs = zip(frames.ravel().tolist(), others[0].ravel().tolist(), strict=True)
            return np.array([x + y for x, y in pairs]).reshape(frames.shape), kernel.threshold
        case Concat():
            first, second = (part.reshape(-1, part.shape[2]).tolist() for part in (frames, *others))
            return np.array([x + y for x, y in zip(first, second, strict=True)]), None
        case Select():
            vectors = frames.reshape(-1, frames.shape[2]).tolist()
            return np.array([[vector[place] for place in kernel.select.channels] for vector in vectors]), None
        case Upsample():
            return _larger_by_hand(kernel.larger, frames), None
        case Rescale():
            return _rescaled_by_hand(kernel.rescale, frames), None
    # Forks and converters leave all elements as they are.
    assert isinstance(kernel, Fork | WidthConverter)
    return frames, None


def _larger_by_hand(larger: IntUpsample, frames: Ints) -> Ints:
    """Each pixel of the larger map is the one of the map that it lies over."""
    places = [
        row // larger.vertical * larger.width + column // larger.horizontal
        for row in range(larger.height * larger.vertical)
        for column in range(larger.width * larger.horizontal)
    ]
    return np.array([[frame[place] for place in places] for frame in frames.tolist()])


def _rescaled_by_hand(rescale: IntRescale, frames: Ints) -> Ints:
    """Fractions, rounded down."""
    result = np.zeros_like(frames)
    for place in np.ndindex(frames.shape):
        x, channel = int(frames[place]), place[-1]
        segment = sum(1 for start in rescale.starts[channel].tolist() if start <= x)
        line = int(rescale.multipliers[channel, segment]) * x + int(rescale.offsets[channel, segment])
        result[place] = math.floor(Fraction(line, 2**rescale.shift))
    return result
