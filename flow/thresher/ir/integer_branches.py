"""Operators of networks that are no chains: joins, and what moves or rescales elements around them."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, Ints, TensorType


@dataclass(frozen=True, eq=False)
class IntJoin(IntNode, ABC):
    """An operator on several tensors: `input` of `input_type`, and `others` of `other_types`."""

    others: tuple[str, ...]
    other_types: tuple[TensorType, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tensors it reads."""
        return (self.input, *self.others)

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """The types of the tensors it reads."""
        return (self.input_type, *self.other_types)

    def _framed(self, inputs: tuple[Array, ...]) -> list[Array]:
        """The inputs as `[n, vectors, channels]` of their types, in a dtype in which sums are exact."""
        return [
            each.reshape(-1, kind.vectors, kind.channels).astype(np.int64, copy=False)
            for each, kind in zip(inputs, self.input_types, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class IntAdd(IntJoin):
    """The sum, element by element, of tensors `[n, vectors, channels]` of one shape."""

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Add up a batch."""
        first, *others = self._framed(inputs)
        return (sum(others, first),)


@dataclass(frozen=True, eq=False)
class IntConcat(IntJoin):
    """The channels of each vector of the first tensor, then those of the others."""

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Join a batch."""
        return (np.concatenate(self._framed(inputs), axis=2),)


@dataclass(frozen=True, eq=False)
class IntSelect(IntNode):
    """Some channels of every vector, in any order: `y[n, v, i] = x[n, v, channels[i]]`."""

    channels: Ints

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Select from a batch."""
        source = self.input_type
        return (inputs[0].reshape(-1, source.vectors, source.channels)[:, :, self.channels],)


@dataclass(frozen=True, eq=False)
class IntUpsample(IntNode):
    """Every pixel of a map of `height` x `width`, `vertical` times down and `horizontal` times across."""

    height: int
    width: int
    vertical: int
    horizontal: int

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Repeat the pixels of a batch; vectors are in row-major order before and after."""
        channels = self.input_type.channels
        maps = inputs[0].reshape(-1, self.height, self.width, channels)
        larger = maps.repeat(self.vertical, axis=1).repeat(self.horizontal, axis=2)
        return (larger.reshape(len(maps), -1, channels),)


@dataclass(frozen=True, eq=False)
class IntRescale(IntNode):
    """A piecewise linear function per channel, in fixed point.

    `y = (multipliers[c, k] * x + offsets[c, k]) >> shift`, rounded down, where the segment `k` is the number
    of `starts[c]` that are <= x. `starts` is `[channels, segments - 1]`, ascending; `multipliers` and
    `offsets` are `[channels, segments]`. What rounds to the nearest has half a step in its offsets.
    """

    starts: Ints
    multipliers: Ints
    offsets: Ints
    shift: int

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Rescale a batch."""
        source = self.input_type
        x = inputs[0].reshape(-1, source.vectors, source.channels).astype(np.int64, copy=False)
        return (in_fixed_point(x, self.starts, self.multipliers, self.offsets, self.shift),)


def in_fixed_point(x: Ints, starts: Ints, multipliers: Ints, offsets: Ints, shift: int) -> Ints:
    """What an `IntRescale` of these fields makes of `x[..., channel]`."""
    channel = np.arange(x.shape[-1])
    segment = (x[..., None] >= starts).sum(axis=-1)
    result: Ints = (multipliers[channel, segment] * x + offsets[channel, segment]) >> shift
    return result
