"""Typed nodes that work on feature maps: convolutions and pools.

Maps are `[N, channels, height, width]` as in ONNX, or `[N, channels, width]` in one dimension.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.quant import Floats, Ints, QuantNode, Shape
from thresher.ir.window import Window


@dataclass(frozen=True, eq=False)
class Windowed(QuantNode):
    """An operator on windows of its input's maps; it keeps their number of dimensions."""

    window: Window

    @abstractmethod
    def output_channels(self, channels: int) -> int:
        """Channels of its output, given those of its input."""

    @abstractmethod
    def reduce(self, windows: Array) -> Array:
        """Map windows `[N, oy, ox, ky, kx, channels]` to maps `[N, oy, ox, output channels]`."""

    @property
    def padding(self) -> float:
        """What taps outside of the map hold."""
        return 0.0

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output for an input of `shape`."""
        return (shape[0], self.output_channels(shape[1]), *self.window.output[4 - len(shape) :])

    def padded_shape(self, shape: Shape) -> Shape:
        """The shape of its input with all padding."""
        window = self.window
        (top, left), (bottom, right) = window.before, window.after
        return (*shape[:2], top + window.height + bottom, left + window.width + right)

    def apply(self, x: Array) -> Array:
        """Compute a batch."""
        window = self.window
        maps = x.reshape(*x.shape[:2], window.height, window.width).transpose(0, 2, 3, 1)
        result = self.reduce(window.gather(maps, self.padding)).transpose(0, 3, 1, 2)
        return result.reshape(self.output_shape(x.shape))


@dataclass(frozen=True, eq=False)
class FloatConv(Windowed):
    """A convolution by floats `[rows, channels / groups, ky, kx]`, which met no quantiser: the host's."""

    weights: Floats
    groups: int
    pad_value: float = 0.0

    @property
    def padding(self) -> float:
        """What a Pad in front of it holds, else zero."""
        return self.pad_value

    def output_channels(self, channels: int) -> int:
        """Its rows."""
        return len(self.weights)

    def reduce(self, windows: Array) -> Array:
        """Multiply and add, group by group."""
        return _convolve(windows, self.weights, self.groups)


@dataclass(frozen=True, eq=False)
class Conv(Windowed):
    """A convolution with `scale * (weights - zero)`, where there is one scale and zero point per row.

    `weights` is `[rows, channels / groups, ky, kx]`; they may be `rounded` as those of a `Linear`.
    """

    weights: Ints
    scale: Floats
    zero: Ints
    groups: int
    pad_value: float = 0.0
    rounded: bool = False

    @property
    def padding(self) -> float:
        """What a Pad in front of it holds, else zero."""
        return self.pad_value

    @property
    def depthwise(self) -> bool:
        """Whether each channel has a filter of its own, and one only."""
        return self.weights.shape[1] == 1 and self.groups == len(self.weights) > 1

    def output_channels(self, channels: int) -> int:
        """Its rows."""
        return len(self.weights)

    def reduce(self, windows: Array) -> Array:
        """Multiply and add, group by group."""
        per_row = (-1, 1, 1, 1)
        real = (self.weights - self.zero.reshape(per_row)) * self.scale.reshape(per_row)
        return _convolve(windows, real, self.groups)


def _convolve(windows: Array, weights: Array, groups: int) -> Array:
    parts = np.split(windows, groups, axis=5)
    rows = np.split(weights.astype(windows.dtype), groups)
    sums = [np.einsum("nyxhwc,rchw->nyxr", part, row) for part, row in zip(parts, rows, strict=True)]
    return np.concatenate(sums, axis=3)


@dataclass(frozen=True, eq=False)
class MaxPool(Windowed):
    """The largest of every window, channel by channel; its own padding never is."""

    pad_value: float = -math.inf

    @property
    def padding(self) -> float:
        """What a Pad in front of it holds, else less than anything."""
        return self.pad_value

    def output_channels(self, channels: int) -> int:
        """As many."""
        return channels

    def reduce(self, windows: Array) -> Array:
        """Take the largest."""
        largest: Array = windows.max(axis=(3, 4))
        return largest


@dataclass(frozen=True, eq=False)
class AveragePool(Windowed):
    """The mean of every window, channel by channel, padding counted as zeros."""

    def output_channels(self, channels: int) -> int:
        """As many."""
        return channels

    def reduce(self, windows: Array) -> Array:
        """Add up and divide."""
        mean: Array = windows.sum(axis=(3, 4)) / windows.dtype.type(self.window.taps)
        return mean


@dataclass(frozen=True, eq=False)
class GlobalPool(QuantNode):
    """The mean of every channel of a map, or its largest element; the axes are kept as 1 or dropped."""

    largest: bool
    keep: bool

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output for an input of `shape`."""
        return (*shape[:2], *(1 for _ in shape[2:])) if self.keep else shape[:2]

    def apply(self, x: Array) -> Array:
        """Reduce a batch."""
        axes = tuple(range(2, x.ndim))
        result: Array = x.max(axis=axes) if self.largest else x.mean(axis=axes, dtype=x.dtype)
        return result.reshape(self.output_shape(x.shape))
