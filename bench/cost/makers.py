"""Kernels of given parameters, with weights and thresholds of a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from thresher.hardware.fifos import fifo_resources
from thresher.ir.integer import (
    EdgeCorrections,
    IntArgMax,
    IntDepthwise,
    IntGlobalPool,
    IntMatMul,
    IntPool,
    Ints,
    IntThreshold,
    IntWindow,
    TensorType,
    corrected_reach,
    reachable,
)
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale, IntSelect, IntUpsample
from thresher.ir.window import Window
from thresher.kernels import Folding, Kernel, Resources
from thresher.kernels.add import Add
from thresher.kernels.argmax import Argmax
from thresher.kernels.concat import Concat
from thresher.kernels.fork import Fork
from thresher.kernels.global_pool import GlobalPool
from thresher.kernels.mvu import Mvu
from thresher.kernels.pool import Pool
from thresher.kernels.rescale import Rescale
from thresher.kernels.select import Select
from thresher.kernels.swg import Swg
from thresher.kernels.threshold import Threshold
from thresher.kernels.upsample import Upsample
from thresher.kernels.vvu import Vvu
from thresher.kernels.width_converter import WidthConverter
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

SEED = 6


@dataclass(frozen=True)
class Fifo:
    """A FIFO between two units, which is no kernel."""

    width: int
    depth: int

    def resources(self) -> Resources:
        """Estimated cost."""
        return fifo_resources(self.width, self.depth)


@dataclass(frozen=True)
class Parameters:
    """Values by name, as text."""

    values: Mapping[str, str]

    def number(self, name: str, default: int | None = None) -> int:
        """A number; without a default there must be one."""
        return int(self.values[name]) if default is None else int(self.values.get(name, default))

    def pair(self, name: str, default: int) -> tuple[int, int]:
        """`2x3`, or one number for both."""
        first, _, second = self.values.get(name, str(default)).partition("x")
        return int(first), int(second or first)

    def element(self, name: str) -> IntType:
        """`b` bipolar, `t` ternary, else `u` or `s` and bits."""
        return element_type(self.values[name])


def element_type(text: str) -> IntType:
    """`b` bipolar, `t` ternary, else `u` or `s` and bits."""
    if text in ("b", "t"):
        return BIPOLAR if text == "b" else IntType(-1, 1)
    bits = int(text[1:])
    return IntType(0, 2**bits - 1) if text[0] == "u" else IntType(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def make(kernel: str, values: Mapping[str, str]) -> Kernel | Fifo:
    """The kernel of that name; raises `KeyError` for a parameter that is missing."""
    return MAKERS[kernel](Parameters(values))


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _values(element: IntType, shape: tuple[int, ...]) -> Ints:
    if element.bipolar:
        return _random().integers(0, 2, shape) * 2 - 1
    return _random().integers(element.lo, element.hi + 1, shape)


def _staircase(source: TensorType, low: Ints, high: Ints, levels: int) -> IntThreshold | None:
    """Thresholds in the middle half of what each channel can reach; one of a level is a sign."""
    if levels == 0:
        return None
    quarter = (high - low) // 4
    shape = (source.channels, levels)
    within = _random().integers((low + quarter)[:, None], (high - quarter)[:, None] + 1, shape)
    element = BIPOLAR if levels == 1 else IntType(0, levels)
    target = TensorType(element, source.vectors, source.channels)
    rising = np.zeros(source.channels, np.bool_)
    return IntThreshold("threshold", "sum", "y", (), source, target, np.sort(within, axis=1), rising)


def _corrections(parameters: Parameters, rows: int) -> tuple[EdgeCorrections | None, int]:
    """Of a map whose edges lack something where `edges=1`, and how many windows there are."""
    if "map" not in parameters.values:
        return None, parameters.number("vectors", 1)
    height, width = parameters.pair("map", 1)
    if not parameters.number("edges", 0):
        return None, height * width
    classes = [np.array([0, *[1] * (size - 2), 2]) for size in (height, width)]
    values = 2 * _random().integers(-9, 10, (3, 3, rows))
    values[1, 1] = 0
    return EdgeCorrections(classes[0], classes[1], values), height * width


def _mvu(parameters: Parameters) -> Mvu:
    number, groups, taps = parameters.number, parameters.number("groups", 1), parameters.number("taps", 1)
    rows, columns = number("rows"), number("columns")
    source, kind = parameters.element("input"), parameters.element("weights")
    weights = _values(kind, (groups * rows, columns))
    lacks, vectors = _corrections(parameters, groups * rows)
    low, high = corrected_reach(*reachable(weights, source), lacks)
    sums = TensorType(IntType(int(low.min()), int(high.max())), vectors, groups * rows)
    inputs = TensorType(source, vectors, groups * columns)
    matmul = IntMatMul("matmul", "x", "sum", (), inputs, sums, weights, kind, groups, taps, lacks)
    return Mvu(matmul, _staircase(sums, low, high, number("levels")), number("pe"), number("simd"))


def _vvu(parameters: Parameters) -> Vvu:
    number = parameters.number
    channels, taps = number("channels"), number("taps")
    source = parameters.element("input")
    kind = IntType(1, 1) if parameters.values["weights"] == "one" else parameters.element("weights")
    weights = np.ones((channels, taps), np.int64) if kind.lo == kind.hi else _values(kind, (channels, taps))
    lacks, vectors = _corrections(parameters, channels)
    low, high = corrected_reach(*reachable(weights, source), lacks)
    sums = TensorType(IntType(int(low.min()), int(high.max())), vectors, channels)
    inputs = TensorType(source, vectors, taps * channels)
    filters = IntDepthwise("filters", "x", "sum", (), inputs, sums, weights, kind, lacks)
    threshold = _staircase(sums, low, high, number("levels"))
    return Vvu(filters, threshold).fold(Folding(number("pe"), number("simd", 1)))


def _swg(parameters: Parameters) -> Swg:
    number, channels, element = parameters.number, parameters.number("channels"), parameters.element("input")
    (height, width), kernel = parameters.pair("map", 1), parameters.pair("kernel", 1)
    stride, padding, dilation = (
        parameters.pair(name, default) for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    output = tuple(
        (size + 2 * pad - (taps - 1) * gap - 1) // step + 1
        for size, pad, taps, gap, step in zip((height, width), padding, kernel, dilation, stride, strict=True)
    )
    window = Window(height, width, kernel, stride, dilation, padding, (output[0], output[1]))
    source = TensorType(element, window.pixels, channels)
    target = TensorType(element, window.count, window.taps * channels)
    windows = IntWindow("window", "x", "y", (), source, target, window, 1 if element.bipolar else 0)
    depthwise = bool(number("depthwise", 0))
    return Swg(windows, depthwise=depthwise, simd=number("simd"), overlap=bool(number("overlap", 1)))


def _pool(parameters: Parameters) -> Pool:
    number, element = parameters.number, parameters.element("input")
    channels, taps, vectors = number("channels"), number("taps"), number("vectors", 16)
    source = TensorType(element, vectors, taps * channels)
    target = TensorType(element, vectors, channels)
    mirrored = np.arange(channels) < number("mirrored", 0)
    pool = IntPool("pool", "x", "y", (), source, target, taps, mirrored)
    return Pool(pool).fold(Folding(number("pe"), number("simd", 1)))


def _global_pool(parameters: Parameters) -> GlobalPool:
    number, element = parameters.number, parameters.element("input")
    channels, vectors, pe = number("channels"), number("vectors"), number("pe")
    source, none = TensorType(element, vectors, channels), np.zeros(channels, np.bool_)
    if number("largest", 0):
        largest = TensorType(element, 1, channels)
        return GlobalPool(IntGlobalPool("pool", "x", "y", (), source, largest, True, none), None, pe)
    ends = vectors * element.lo, vectors * element.hi
    sums = TensorType(IntType(*ends), 1, channels)
    pool = IntGlobalPool("pool", "x", "sum", (), source, sums, False, none)
    low, high = (np.full(channels, end) for end in ends)
    return GlobalPool(pool, _staircase(sums, low, high, number("levels")), pe)


def _threshold(parameters: Parameters) -> Threshold:
    element, channels = parameters.element("input"), parameters.number("channels")
    source = TensorType(element, parameters.number("vectors", 1), channels)
    low, high = (np.full(channels, end) for end in (element.lo, element.hi))
    threshold = _staircase(source, low, high, parameters.number("levels"))
    assert threshold is not None
    if parameters.number("alike", 0):
        threshold = replace(
            threshold,
            thresholds=np.broadcast_to(threshold.thresholds[:1], (channels, threshold.thresholds.shape[1])),
        )
    return Threshold(threshold, parameters.number("pe"))


def _fork(parameters: Parameters) -> Fork:
    number = parameters.number
    tensor = TensorType(parameters.element("input"), number("vectors", 16), number("channels"))
    return Fork(tensor, number("copies"), number("pe"))


def _add(parameters: Parameters) -> Add:
    number = parameters.number
    first = TensorType(parameters.element("input"), number("vectors", 16), number("channels"))
    second = replace(first, element=parameters.element("other"))
    low, high = first.element.lo + second.element.lo, first.element.hi + second.element.hi
    sums = replace(first, element=IntType(low, high))
    join = IntAdd("add", "x", "sum", (), first, sums, ("y",), (second,))
    least, most = np.full(sums.channels, low), np.full(sums.channels, high)
    return Add(join, _staircase(sums, least, most, number("levels")), number("pe"))


def _concat(parameters: Parameters) -> Concat:
    number = parameters.number
    first = TensorType(parameters.element("input"), number("vectors", 16), number("first"))
    second, both = replace(first, channels=number("second")), number("first") + number("second")
    join = IntConcat("concat", "x", "xy", (), first, replace(first, channels=both), ("y",), (second,))
    return Concat(join, number("pe"))


def _select(parameters: Parameters) -> Select:
    """A shuffle of groups, or the first of all channels."""
    number, channels = parameters.number, parameters.number("channels")
    source = TensorType(parameters.element("input"), number("vectors", 16), channels)
    kept = np.arange(channels).reshape(number("groups", 1), -1).T.ravel()[: number("kept", channels)]
    target = replace(source, channels=len(kept))
    return Select(IntSelect("select", "x", "y", (), source, target, kept)).fold(Folding(number("pe"), 1))


def _upsample(parameters: Parameters) -> Upsample:
    (height, width), (down, across) = parameters.pair("map", 1), parameters.pair("scale", 2)
    source = TensorType(parameters.element("input"), height * width, parameters.number("channels"))
    target = replace(source, vectors=source.vectors * down * across)
    larger = IntUpsample("upsample", "x", "y", (), source, target, height, width, down, across)
    return Upsample(larger, parameters.number("pe"))


def _rescale(parameters: Parameters) -> Rescale:
    """Lines with multipliers of so many bits, shifted out again."""
    number, element = parameters.number, parameters.element("input")
    channels, segments, bits = number("channels"), number("segments", 1), number("bits")
    source, random = TensorType(element, number("vectors", 16), channels), _random()
    starts = np.sort(random.integers(element.lo, element.hi + 1, (channels, segments - 1)), axis=1)
    multipliers = random.integers(1 << (bits - 1), 1 << bits, (channels, segments))
    offsets = random.integers(-(1 << bits), 1 << bits, (channels, segments)) * number("offsets", 1)
    lines = [multipliers * end + offsets >> bits for end in (element.lo, element.hi)]
    target = replace(source, element=IntType(int(np.min(lines)), int(np.max(lines))))
    rescale = IntRescale("rescale", "x", "y", (), source, target, starts, multipliers, offsets, bits)
    return Rescale(rescale, number("pe"))


def _argmax(parameters: Parameters) -> Argmax:
    classes = parameters.number("channels")
    source = TensorType(parameters.element("input"), 1, classes)
    index = TensorType(IntType(0, classes - 1), 1, 1)
    return Argmax(IntArgMax("argmax", "x", "index", (), source, index), parameters.number("pe"))


def _width_converter(parameters: Parameters) -> WidthConverter:
    number, element = parameters.number, parameters.element("input")
    channels, vectors = number("channels"), number("vectors", 16)
    source, target = (StreamLayout(element, channels, vectors, number(name)) for name in ("lanes", "to"))
    return WidthConverter(source, target)


def _fifo(parameters: Parameters) -> Fifo:
    return Fifo(parameters.number("width"), parameters.number("depth"))


MAKERS: Mapping[str, Callable[[Parameters], Kernel | Fifo]] = {
    "add": _add,
    "argmax": _argmax,
    "concat": _concat,
    "fifo": _fifo,
    "fork": _fork,
    "global_pool": _global_pool,
    "mvu": _mvu,
    "pool": _pool,
    "rescale": _rescale,
    "select": _select,
    "swg": _swg,
    "threshold": _threshold,
    "upsample": _upsample,
    "vvu": _vvu,
    "width_converter": _width_converter,
}
"""By the name of the kernel."""
