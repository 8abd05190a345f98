"""The integer network: exact operators on integers, no scale and no float left.

Every tensor is `[frames, vectors, channels]` in stream order (channels innermost). A feature map has a
vector for each pixel, in row-major order; a fully connected network has one vector per frame. Each
node carries the types it was lowered with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from thresher.errors import UsageError
from thresher.ir.graph import Array, Graph, OneToOne
from thresher.ir.window import Window
from thresher_sim.streams import BIPOLAR, IntType

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Operator(Protocol):
    """What a custom operator is to the integer network: a name, and what it makes of integers."""

    domain: ClassVar[str]
    op_type: ClassVar[str]

    def evaluate(self, x: Ints) -> Ints:
        """Map frames `[n, *shape]`, each of them alone."""


@dataclass(frozen=True)
class TensorType:
    """Element type and shape of one frame of a tensor."""

    element: IntType
    vectors: int
    channels: int


@dataclass(frozen=True)
class IntNode(OneToOne, ABC):
    """One integer operator with the types of what it reads and writes.

    Its input type and the type that its producer writes may cut a frame into vectors differently: they
    are the same elements in the same order.
    """

    input_type: TensorType
    output_type: TensorType

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """The types of the tensors it reads."""
        return (self.input_type,)

    @abstractmethod
    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Compute the output of a batch."""


@dataclass(frozen=True, eq=False)
class EdgeCorrections:
    """What the sum of a window lacks because of where it lies: padding is sent as some other value.

    The window in row `oy` and column `ox` lacks `values[row_classes[oy], column_classes[ox]]`, one value for
    each output channel.
    """

    row_classes: Ints
    column_classes: Ints
    values: Ints

    def per_vector(self) -> Ints:
        """What every window lacks, `[windows, channels]`."""
        places: Ints = self.values[self.row_classes[:, None], self.column_classes[None, :]]
        return places.reshape(-1, self.values.shape[2])


@dataclass(frozen=True, eq=False)
class IntWindow(IntNode):
    """The windows of a feature map: `[n, pixels, channels]` to `[n, windows, taps * channels]`.

    Pixels and windows are in row-major order, and so are the taps of a window, each with its channels.
    Taps outside of the map hold `padding`, which is of the element type.
    """

    window: Window
    padding: int

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Gather a batch."""
        window, channels = self.window, self.input_type.channels
        maps = inputs[0].reshape(-1, window.height, window.width, channels)
        return (window.gather(maps, self.padding).reshape(len(maps), window.count, window.taps * channels),)


@dataclass(frozen=True, eq=False)
class IntMatMul(IntNode):
    """`y[n, v, row] = sum over column of weights[row, column] * x[n, v, column]`, exactly.

    `weights` is `[rows, columns]`; `weight_type` holds all of them and is bipolar where every
    weight is -1 or +1. The output type holds every value that the real weights can reach.

    With `groups`, a vector is `taps` runs of channels, each run falls into as many parts, and so do the
    rows; the rows of a group see its part of every run, `weights` being `[rows, taps * part]`. `corrections`
    are added to the sums.
    """

    weights: Ints
    weight_type: IntType
    groups: int = 1
    taps: int = 1
    corrections: EdgeCorrections | None = None

    @cached_property
    def reach(self) -> tuple[Ints, Ints]:
        """The lowest and the highest sum of each row over all inputs of the input type.

        Sums of windows with padding are taken to reach as far as those without, plus what they lack.
        """
        return corrected_reach(*reachable(self.weights, self.input_type.element), self.corrections)

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Multiply a batch of frames of the input type to `[n, vectors, rows]`."""
        vectors, columns = self.output_type.vectors, self.weights.shape[1]
        if self.groups == 1:
            sums = exact_matmul(inputs[0].reshape(-1, vectors, columns), self._factors[0])
        else:
            x = inputs[0].reshape(-1, vectors, self.taps, self.groups, columns // self.taps)
            parts = (x[:, :, :, group].reshape(len(x), vectors, columns) for group in range(self.groups))
            sums = np.concatenate(
                [exact_matmul(part, factor) for part, factor in zip(parts, self._factors, strict=True)],
                axis=2,
            )
        return (corrected(sums, self.corrections),)

    @cached_property
    def _factors(self) -> tuple[Array, ...]:
        """The weights of each group, ready for BLAS."""
        element = self.input_type.element
        return tuple(exact_factor(weights, element) for weights in np.split(self.weights, self.groups))


@dataclass(frozen=True, eq=False)
class IntDepthwise(IntNode):
    """A filter of its own for each channel: `[n, windows, taps * channels]` to `[n, windows, channels]`.

    `y[n, v, c] = sum over tap of weights[c, tap] * x[n, v, tap * channels + c]`; `weights` is
    `[channels, taps]`. `corrections` are added to the sums.
    """

    weights: Ints
    weight_type: IntType
    corrections: EdgeCorrections | None = None

    @cached_property
    def reach(self) -> tuple[Ints, Ints]:
        """As `IntMatMul.reach`."""
        return corrected_reach(*reachable(self.weights, self.input_type.element), self.corrections)

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Filter a batch."""
        channels, taps = self.weights.shape
        x = inputs[0].reshape(-1, self.output_type.vectors, taps, channels)
        sums = np.zeros((len(x), x.shape[1], channels), np.int64)
        for tap in range(taps):
            sums += x[:, :, tap] * self.weights[:, tap]
        return (corrected(sums, self.corrections),)


@dataclass(frozen=True, eq=False)
class IntPool(IntNode):
    """The largest of the taps of a window: `[n, windows, taps * channels]` to `[n, windows, channels]`.

    A channel that is `reversed` gives `lo + hi - largest`, with the ends of the element type.
    """

    taps: int
    reversed: npt.NDArray[np.bool_]

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Reduce a batch."""
        target = self.output_type
        x = inputs[0].reshape(-1, target.vectors, self.taps, target.channels)
        return (turned(x.max(axis=2), self.reversed, target.element),)


@dataclass(frozen=True, eq=False)
class IntGlobalPool(IntNode):
    """Over all vectors of a frame, each channel's sum, or its largest: `[n, v, c]` to `[n, 1, c]`.

    `reversed` is as in `IntPool`, and all False for sums.
    """

    largest: bool
    reversed: npt.NDArray[np.bool_]

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Reduce a batch."""
        source = self.input_type
        x = inputs[0].reshape(-1, source.vectors, source.channels)
        if self.largest:
            return (turned(x.max(axis=1, keepdims=True), self.reversed, self.output_type.element),)
        return (x.sum(axis=1, keepdims=True, dtype=np.int64),)


@dataclass(frozen=True, eq=False)
class IntThreshold(IntNode):
    """A staircase per channel: counts the thresholds that a value has reached.

    `thresholds` is `[channels, levels]`, ascending along levels. With `n` the number of
    `thresholds[channel]` that are <= x, and `levels - n` instead where `descending[channel]`, the
    output is `base + step * n`, where `step` is 2 for a bipolar output and 1 otherwise and `base`
    is the lowest output. `ties` counts the thresholds whose place depends on float32 rounding.
    """

    thresholds: Ints
    descending: npt.NDArray[np.bool_]
    ties: int = 0

    @property
    def base(self) -> int:
        """The output where no threshold is reached."""
        return self.output_type.element.lo

    @property
    def step(self) -> int:
        """The distance between two neighbouring outputs."""
        return 2 if self.output_type.element.bipolar else 1

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Threshold a batch `[n, v, channels]`; the result has the narrowest dtype, which is fastest."""
        element, levels = self.output_type.element, self.thresholds.shape[1]
        x = inputs[0].reshape(-1, self.input_type.vectors, self.input_type.channels)
        counts = count_reached(x, self.thresholds)
        if self.descending.any():
            counts = np.where(self.descending, levels - counts, counts)
        narrow = _signed_dtype(max(abs(element.lo), abs(element.hi), levels))
        return (counts.astype(narrow, copy=False) * self.step + self.base,)


@dataclass(frozen=True)
class IntArgMax(IntNode):
    """The index of the largest of all elements of a frame; of equal ones the first."""

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Reduce a batch `[n, v, channels]` to indices `[n, 1, 1]`."""
        flat = inputs[0].reshape(inputs[0].shape[0], -1)
        return (np.argmax(flat, axis=1).astype(np.int64).reshape(-1, 1, 1),)


@dataclass(frozen=True)
class IntCustom(IntNode):
    """An operator of a custom domain on frames of `shape`, which it sees in the order of the model.

    That is the order of the stream as well: the elements of a frame are one vector.
    """

    operator: Operator
    shape: tuple[int, ...]

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Map a batch `[n, 1, elements]`; raises `UsageError` where the result lies outside its type."""
        frames = inputs[0].reshape(-1, *self.shape).astype(np.int64, copy=False)
        result = self.operator.evaluate(frames).reshape(-1, 1, self.output_type.channels)
        element = self.output_type.element
        low, high = int(result.min()), int(result.max())
        if low < element.lo or high > element.hi:
            name = f"{self.operator.domain}.{self.operator.op_type}"
            raise UsageError(
                f"golden: operator '{name}' gave {low}..{high}, outside of the {element} that its `output` "
                "promises; mend its Python"
            )
        return (result,)


IntGraph = Graph[IntNode]


def corrected(sums: Array, corrections: EdgeCorrections | None) -> Array:
    """`sums` `[n, vectors, channels]` with what they lack."""
    return sums if corrections is None else sums + corrections.per_vector()


def corrected_reach(low: Ints, high: Ints, corrections: EdgeCorrections | None) -> tuple[Ints, Ints]:
    """The range of each channel's sums, `low..high` before `corrections`, with them."""
    if corrections is None:
        return low, high
    values = corrections.values.reshape(-1, len(low))
    return low + np.minimum(values.min(axis=0), 0), high + np.maximum(values.max(axis=0), 0)


def turned(values: Array, channels: npt.NDArray[np.bool_], element: IntType) -> Array:
    """`values` `[..., channel]` of type `element`, those of `channels` mirrored in its range."""
    return np.where(channels, element.lo + element.hi - values, values) if channels.any() else values


def exact_factor(weights: Ints, element: IntType) -> Array:
    """`weights.T` in the floating point in which products with integers of `element` are exact.

    Floats hold integers exactly up to 2**24 (float32) or 2**53 (float64), and no partial sum
    exceeds columns * max|w| * max|x|; so BLAS does in float what integer matmul does slowly.
    """
    largest = max(abs(element.lo), abs(element.hi)) * int(np.abs(weights).max(initial=0))
    bound = largest * weights.shape[1]
    dtype = np.dtype(np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64)
    return np.ascontiguousarray(weights.T, dtype)


def exact_matmul(x: Array, factor: Array) -> Array:
    """`x @ factor` as integers, where `factor` is an `exact_factor` for the elements of `x`."""
    product = x.reshape(-1, len(factor)).astype(factor.dtype) @ factor
    whole = product.astype(np.int32 if factor.dtype == np.float32 else np.int64)
    return whole.reshape(*x.shape[:-1], factor.shape[1])


def count_reached(x: Array, thresholds: Ints) -> Array:
    """Count, for `x[..., channel]`, the `thresholds[channel, :]` that are <= x.

    Frames are many and narrow: they are compared in the narrowest dtype that holds both sides.
    """
    ends = [np.min_scalar_type(end) for end in (thresholds.min(initial=0), thresholds.max(initial=0))]
    levels = np.ascontiguousarray(thresholds.T.astype(np.result_type(x.dtype, *ends)))
    counts = np.zeros(x.shape, _signed_dtype(len(levels)))
    for level in levels:
        counts += x >= level
    return counts


def _signed_dtype(bound: int) -> np.dtype[np.signedinteger]:
    """The narrowest dtype that holds `-bound..bound`."""
    return np.dtype(np.min_scalar_type(-bound - 1))


def reachable(weights: Ints, element: IntType) -> tuple[Ints, Ints]:
    """Lowest and highest sum of each row of `weights` over inputs of type `element`."""
    low = np.minimum(weights * element.lo, weights * element.hi).sum(axis=1)
    high = np.maximum(weights * element.lo, weights * element.hi).sum(axis=1)
    return low, high


def narrowest(values: Ints) -> IntType:
    """The narrowest type that holds `values`; bipolar where all are -1 or +1."""
    if np.all(np.abs(values) == 1):
        return BIPOLAR
    return IntType(int(values.min()), int(values.max()))
