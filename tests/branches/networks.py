"""A small network that forks into three branches, which meet again in two joins."""

from __future__ import annotations

import numpy as np

from tests.branches.duplicate import Duplicate
from tests.branches.plus import Plus
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, HwNode, stream_layouts
from thresher.ir.integer import IntMatMul, IntPool, IntWindow, TensorType, reachable
from thresher.ir.window import Window
from thresher.kernels import Folding
from thresher.kernels.mvu import Mvu
from thresher.kernels.pool import Pool
from thresher.kernels.swg import Swg
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

CHANNELS = 4
SHORT = "copy1"
"""The stream of the branch with nothing on it; a convolution beside it takes rows before it gives any."""


def branching_network(side: int = 8, seed: int = 0) -> HwGraph:
    """A map of `side` x `side` plus its 3 x 3 convolution, plus the largest of each 2 x 2 of it.

    The sums with the largest ones are in the order of the stream: each is for four pixels.
    """
    pixels = side * side
    source = StreamLayout(IntType(0, 3), CHANNELS, pixels, CHANNELS)
    around, product = _convolution(side, source.element, seed)
    within, largest = _pool(side, source.element)
    inner = Plus(product.output_layout, source)
    outer = Plus(largest.output_layout, inner.output_layout)
    nodes = (
        HwNode("split", (INPUT_STREAM,), ("copy0", SHORT, "copy2"), (), Duplicate(source)),
        HwNode("swg0", ("copy0",), ("windows",), (), around),
        HwNode("mvu0", ("windows",), ("sums",), (), product),
        HwNode("swg1", ("copy2",), ("squares",), (), within),
        HwNode("pool1", ("squares",), ("pooled",), (), largest),
        HwNode("plus0", ("sums", SHORT), ("added",), (), inner),
        HwNode("plus1", ("pooled", "added"), (OUTPUT_STREAM,), (), outer),
    )
    graph = HwGraph(nodes, (INPUT_STREAM,), (OUTPUT_STREAM,))
    stream_layouts(graph)
    return graph


def sums_of_copies() -> HwGraph:
    """Three copies of a stream, added up: no unit takes beats ahead of its steps."""
    source = StreamLayout(IntType(-2, 3), CHANNELS, 8, CHANNELS)
    inner = Plus(source, source)
    nodes = (
        HwNode("split", (INPUT_STREAM,), ("copy0", "copy1", "copy2"), (), Duplicate(source)),
        HwNode("plus0", ("copy0", "copy1"), ("added",), (), inner),
        HwNode("plus1", ("copy2", "added"), (OUTPUT_STREAM,), (), Plus(source, inner.output_layout)),
    )
    return HwGraph(nodes, (INPUT_STREAM,), (OUTPUT_STREAM,))


def _convolution(side: int, element: IntType, seed: int) -> tuple[Swg, Mvu]:
    taps, pixels = 9, side * side
    window = Window(side, side, (3, 3), (1, 1), (1, 1), (1, 1), (side, side))
    taken = TensorType(element, pixels, taps * CHANNELS)
    weights = np.random.default_rng(seed).integers(0, 2, (CHANNELS, taps * CHANNELS)) * 2 - 1
    low, high = reachable(weights, element)
    sums = TensorType(IntType(int(low.min()), int(high.max())), pixels, CHANNELS)
    windows = IntWindow("windows", "x", "w", (), TensorType(element, pixels, CHANNELS), taken, window, 0)
    matmul = IntMatMul("matmul", "w", "s", (), taken, sums, weights, BIPOLAR)
    return Swg(windows, simd=CHANNELS), Mvu(matmul, None, CHANNELS, CHANNELS)


def _pool(side: int, element: IntType) -> tuple[Swg, Pool]:
    taps, squares = 4, side * side // 4
    window = Window(side, side, (2, 2), (2, 2), (1, 1), (0, 0), (side // 2, side // 2))
    source, target = TensorType(element, side * side, CHANNELS), TensorType(element, squares, CHANNELS)
    taken = TensorType(element, squares, taps * CHANNELS)
    windows = IntWindow("windows", "x", "w", (), source, taken, window, 0)
    pool = IntPool("pool", "w", "y", (), taken, target, taps, np.zeros(CHANNELS, np.bool_))
    swg = Swg(windows, depthwise=True, simd=CHANNELS)
    return swg, Pool(pool).fold(Folding(CHANNELS, 1))
