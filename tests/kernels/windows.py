"""Windows over random maps, and the sliding window kernels that make them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from thresher.ir.integer import Ints, IntWindow, TensorType
from thresher.ir.window import Window
from thresher.kernels.swg import Swg
from thresher_sim.streams import IntType

Draw = st.DrawFn
Axis = tuple[int, int, int, int, int, int]


@st.composite
def axes(draw: Draw, for_whole: bool) -> Axis:
    """Size, kernel, stride, dilation, padding before and windows of one axis.

    Padding may be of any size, but for whole windows it is what they allow.
    """
    kernel, stride, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    span = (kernel - 1) * dilation + 1
    before = draw(st.integers(0, min(5, span - 1) if for_whole else 5))
    after = draw(st.integers(0, min(5, span - 1 - before) if for_whole else 5))
    size = max(1, span - before - after) + draw(st.integers(0, 5))
    return size, kernel, stride, dilation, before, (before + size + after - span) // stride + 1


@st.composite
def geometries(draw: Draw, for_whole: bool) -> Window:
    """Maps of one and of two dimensions, with asymmetric everything."""
    one_row: Axis = (1, 1, 1, 1, 0, 1)
    rows, columns = draw(st.just(one_row) | axes(for_whole)), draw(axes(for_whole))
    (height, width), *pairs = zip(rows, columns, strict=True)
    kernel, stride, dilation, before, output = pairs
    return Window(height, width, kernel, stride, dilation, before, output)


@st.composite
def swgs(draw: Draw, elements: st.SearchStrategy[IntType], most_channels: int = 33) -> Swg:
    """Any geometry, type and padding; all orders, and foldings that need not divide; no whole windows."""
    window, element = draw(geometries(for_whole=False)), draw(elements)
    channels = draw(st.integers(1, most_channels))
    padding = draw(paddings(element))
    parts = [part for part in range(1, channels) if channels % part == 0]
    tile = draw(st.sampled_from([0, *parts]))
    lanes = [simd for simd in range(1, (tile or channels) + 1) if not tile or tile % simd == 0]
    return Swg(
        int_window(window, element, channels, padding),
        tile=tile,
        depthwise=not tile and draw(st.booleans()),
        simd=draw(st.sampled_from(lanes)),
        overlap=draw(st.booleans()),
    )


@st.composite
def whole_swgs(draw: Draw, elements: st.SearchStrategy[IntType], most_channels: int = 33) -> Swg:
    """Whole windows of more than one tap."""
    window, element = draw(geometries(for_whole=True).filter(lambda window: window.taps > 1)), draw(elements)
    channels = draw(st.integers(1, most_channels))
    padding = draw(paddings(element))
    return Swg(int_window(window, element, channels, padding), simd=window.taps * channels)


def paddings(element: IntType) -> st.SearchStrategy[int]:
    """The values of a type."""
    return st.sampled_from([-1, 1]) if element.bipolar else st.integers(element.lo, element.hi)


def int_window(window: Window, element: IntType, channels: int, padding: int) -> IntWindow:
    """The integer operator."""
    source = TensorType(element, window.pixels, channels)
    target = TensorType(element, window.count, window.taps * channels)
    return IntWindow("window", "x", "windows", (), source, target, window, padding)


def by_hand(kernel: Swg, frames: Ints) -> Ints:
    """The elements that the kernel sends, `[frame, element]`: loop by loop."""
    window, channels = kernel.windows.window, kernel.windows.input_type.channels
    filler = -1 if kernel.windows.input_type.element.bipolar else 0
    lanes = kernel.output_tile or channels
    sent: list[list[int]] = []
    for frame in frames.reshape(len(frames), window.height, window.width, channels).tolist():
        sent.append([])
        for oy, ox in np.ndindex(window.output):
            for tile in range(0, channels, lanes):
                for ky, kx in np.ndindex(window.kernel):
                    y = oy * window.stride[0] - window.before[0] + ky * window.dilation[0]
                    x = ox * window.stride[1] - window.before[1] + kx * window.dilation[1]
                    inside = 0 <= y < window.height and 0 <= x < window.width
                    pixel = frame[y][x] if inside else [kernel.windows.padding] * channels
                    part = pixel[tile : tile + lanes]
                    sent[-1] += part + [filler] * (lanes - len(part))
    return np.array(sent)
