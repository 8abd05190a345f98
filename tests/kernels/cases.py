"""Kernels of random shapes, types, thresholds and foldings, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from tests.kernels.branches import adds, concats, forks, rescales, selects, upsamples
from tests.kernels.values import (
    MOST_CHANNELS,
    MOST_VECTORS,
    Draw,
    arrays,
    elements,
    thresholds,
)
from tests.kernels.windows import swgs, whole_swgs
from thresher.ir.integer import (
    EdgeCorrections,
    IntArgMax,
    IntDepthwise,
    IntGlobalPool,
    IntMatMul,
    IntPool,
    Ints,
    TensorType,
    corrected_reach,
    reachable,
)
from thresher.ir.kernel import same_beats
from thresher.kernels import Folding, Kernel
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


def factors() -> st.SearchStrategy[IntType]:
    """As `elements`, more of the types that have arithmetic of their own."""
    small = [BIPOLAR, IntType(0, 1), IntType(-1, 1), IntType(-1, 0), IntType(0, 3), IntType(-2, 1)]
    return st.sampled_from(small) | elements()


@st.composite
def corrections(draw: Draw, vertical: int, horizontal: int, channels: int) -> EdgeCorrections | None:
    """None, or up to three classes for rows and for columns of `vertical` x `horizontal` windows."""
    if draw(st.booleans()):
        return None
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    rows, columns = draw(st.integers(1, min(3, vertical))), draw(st.integers(1, min(3, horizontal)))
    largest = draw(st.integers(1, 12))
    values = random.integers(-largest, largest + 1, (rows, columns, channels)) * draw(st.sampled_from([1, 2]))
    if draw(st.booleans()):
        values[:] = values[:, :, :1]
    return EdgeCorrections(_classes(random, vertical, rows), _classes(random, horizontal, columns), values)


def _classes(random: np.random.Generator, places: int, classes: int) -> Ints:
    """A class for each place; every class occurs."""
    return random.permutation(np.append(np.arange(classes), random.integers(0, classes, places - classes)))


@st.composite
def mvus(draw: Draw) -> Mvu:
    """Any pair of types, with or without groups, corrections and thresholds; any folding."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    part, taps = draw(st.integers(1, MOST_CHANNELS // groups)), draw(st.sampled_from([1, 2, 4]))
    rows, columns = draw(st.integers(1, MOST_CHANNELS // groups)), part * taps
    vertical, horizontal = draw(st.integers(1, MOST_VECTORS)), draw(st.integers(1, MOST_VECTORS))
    source, weight_type = draw(factors()), draw(factors())
    weights = draw(arrays(weight_type, (groups * rows, columns)))
    lacks = draw(corrections(vertical, horizontal, groups * rows))
    low, high = corrected_reach(*reachable(weights, source), lacks)
    sums = TensorType(IntType(int(low.min()), int(high.max())), vertical * horizontal, groups * rows)
    inputs = TensorType(source, vertical * horizontal, groups * columns)
    matmul = IntMatMul(
        "matmul", "x", "sum", (), inputs, sums, weights, weight_type, groups, taps, lacks
    )  # fmt: skip
    threshold = draw(st.none() | thresholds(sums, low, high))
    return Mvu(matmul, threshold, draw(st.integers(1, rows)), draw(st.integers(1, columns)))


@st.composite
def vvus(draw: Draw) -> Vvu:
    """Any pair of types, or weights of one, with or without corrections and thresholds; any folding."""
    channels, taps = draw(st.integers(1, MOST_CHANNELS)), draw(st.integers(1, 9))
    vertical, horizontal = draw(st.integers(1, MOST_VECTORS)), draw(st.integers(1, MOST_VECTORS))
    source, weight_type = draw(factors()), draw(st.just(IntType(1, 1)) | factors())
    weights = draw(arrays(weight_type, (channels, taps)))
    lacks = draw(corrections(vertical, horizontal, channels))
    low, high = corrected_reach(*reachable(weights, source), lacks)
    inputs = TensorType(source, vertical * horizontal, taps * channels)
    sums = TensorType(IntType(int(low.min()), int(high.max())), vertical * horizontal, channels)
    filters = IntDepthwise("filters", "x", "sum", (), inputs, sums, weights, weight_type, lacks)
    threshold = draw(st.none() | thresholds(sums, low, high))
    return Vvu(filters, threshold).fold(draw(tap_foldings(channels, taps)))


@st.composite
def pools(draw: Draw) -> Pool:
    """Any type, some channels mirrored, any folding."""
    channels, taps = draw(st.integers(1, MOST_CHANNELS)), draw(st.integers(1, 9))
    windows, element = draw(st.integers(1, MOST_VECTORS)), draw(elements())
    inputs = TensorType(element, windows, taps * channels)
    outputs = TensorType(element, windows, channels)
    pool = IntPool("pool", "x", "y", (), inputs, outputs, taps, draw(mirrors(channels)))
    return Pool(pool).fold(draw(tap_foldings(channels, taps)))


@st.composite
def mirrors(draw: Draw, channels: int) -> npt.NDArray[np.bool_]:
    """No, all or some of the channels."""
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    return random.random(channels) < draw(st.sampled_from([0.0, 0.5, 1.0]))


def tap_foldings(channels: int, taps: int) -> st.SearchStrategy[Folding]:
    """Any channels, or some taps of all."""
    some_channels = st.integers(1, channels).map(lambda pe: Folding(pe, 1))
    return some_channels | st.integers(1, taps).map(lambda simd: Folding(channels, simd))


@st.composite
def global_pools(draw: Draw) -> GlobalPool:
    """Sums with or without thresholds, or the largest, some channels mirrored; any folding."""
    channels, vectors = draw(st.integers(1, MOST_CHANNELS)), draw(st.integers(1, 9))
    source, pe = TensorType(draw(elements()), vectors, channels), draw(st.integers(1, channels))
    if draw(st.booleans()):
        largest = TensorType(source.element, 1, channels)
        return GlobalPool(
            IntGlobalPool("pool", "x", "y", (), source, largest, True, draw(mirrors(channels))), None, pe
        )
    low, high = vectors * source.element.lo, vectors * source.element.hi
    sums = TensorType(IntType(low, high), 1, channels)
    pool = IntGlobalPool("pool", "x", "sum", (), source, sums, False, np.zeros(channels, np.bool_))
    ends = np.full(channels, low), np.full(channels, high)
    return GlobalPool(pool, draw(st.none() | thresholds(sums, *ends)), pe)


@st.composite
def threshold_kernels(draw: Draw) -> Threshold:
    """Any input type and staircase."""
    channels = draw(st.integers(1, MOST_CHANNELS))
    source = TensorType(draw(elements()), draw(st.integers(1, MOST_VECTORS)), channels)
    low, high = (np.full(channels, bound) for bound in (source.element.lo, source.element.hi))
    return Threshold(draw(thresholds(source, low, high)), draw(st.integers(1, channels)))


@st.composite
def argmaxes(draw: Draw) -> Argmax:
    """Any input type; small ones make ties."""
    channels = draw(st.integers(1, MOST_CHANNELS))
    source = TensorType(draw(elements()), 1, channels)
    index = TensorType(IntType(0, channels - 1), 1, 1)
    return Argmax(IntArgMax("argmax", "x", "index", (), source, index), draw(st.integers(1, channels)))


@st.composite
def width_converters(draw: Draw) -> WidthConverter:
    """Any two widths, and the same vectors or others: whole ratios and others, full and padded vectors."""
    element, vectors = draw(elements()), draw(st.integers(1, MOST_VECTORS))
    channels, lanes = draw(width_and_lanes())
    source = StreamLayout(element, channels, vectors, lanes)
    sizes = [size for size in range(2, vectors * channels + 1) if vectors * channels % size == 0]
    others = draw(st.just(channels) | st.sampled_from(sizes))
    targets = (
        StreamLayout(element, others, vectors * channels // others, lanes) for lanes in range(1, others + 1)
    )
    differing = [target for target in targets if not same_beats(source, target)]
    return WidthConverter(source, draw(st.sampled_from(differing)))


@st.composite
def width_and_lanes(draw: Draw) -> tuple[int, int]:
    """The elements of a vector, and of a beat: any that divide them, or any."""
    channels = draw(st.integers(2, 2 * MOST_CHANNELS))
    dividing = [lanes for lanes in range(1, channels + 1) if channels % lanes == 0]
    return channels, draw(st.sampled_from(dividing) | st.integers(1, channels))


KERNELS: Mapping[type[Kernel], Callable[[], st.SearchStrategy[Kernel]]] = {
    Mvu: mvus,
    Vvu: vvus,
    Pool: pools,
    GlobalPool: global_pools,
    Threshold: threshold_kernels,
    Argmax: argmaxes,
    Swg: lambda: swgs(elements(), most_channels=9) | whole_swgs(elements(), most_channels=4),
    WidthConverter: width_converters,
    Fork: forks,
    Add: adds,
    Concat: concats,
    Select: selects,
    Upsample: upsamples,
    Rescale: rescales,
}

# Kernels in one program and one Verilator model.
BATCH = 42


def batches() -> st.SearchStrategy[list[Kernel]]:
    """As many of each kernel."""
    each = BATCH // len(KERNELS)
    lists = [st.lists(make(), min_size=each, max_size=each) for make in KERNELS.values()]
    return st.tuples(*lists).map(lambda parts: [kernel for part in parts for kernel in part])
