"""The integer network: exact operators on integers, no scale and no float left.

Every tensor is `[frames, vectors, channels]` in stream order (channels innermost); a fully
connected network has one vector per frame. Each node carries the types it was lowered with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from thresher.errors import UsageError
from thresher.graph import Array, Graph, OneToOne
from thresher.onnx_import.custom import CustomOperator
from thresher_sim.streams import BIPOLAR, IntType

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TensorType:
    """Element type and shape of one frame of a tensor."""

    element: IntType
    vectors: int
    channels: int


@dataclass(frozen=True)
class IntNode(OneToOne, ABC):
    """One integer operator with the types of what it reads and writes."""

    input_type: TensorType
    output_type: TensorType

    @abstractmethod
    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Compute the output of a batch."""


@dataclass(frozen=True, eq=False)
class IntMatMul(IntNode):
    """`y[n, v, row] = sum over column of weights[row, column] * x[n, v, column]`, exactly.

    `weights` is `[rows, columns]`; `weight_type` holds all of them and is bipolar where every
    weight is -1 or +1. The output type holds every value that the real weights can reach.
    """

    weights: Ints
    weight_type: IntType

    @cached_property
    def reach(self) -> tuple[Ints, Ints]:
        """The lowest and the highest sum of each row over all inputs of the input type."""
        return reachable(self.weights, self.input_type.element)

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Multiply a batch `[n, v, columns]`."""
        return (exact_matmul(inputs[0], self.weights, self.input_type.element),)


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
        counts = count_reached(inputs[0], self.thresholds)
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

    operator: CustomOperator
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


def exact_matmul(x: Array, weights: Ints, element: IntType) -> Ints:
    """Return `x @ weights.T` as exact integers, through floating point where that is exact.

    Floats hold integers exactly up to 2**24 (float32) or 2**53 (float64), and no partial sum
    exceeds columns * max|w| * max|x|; so BLAS does in float what integer matmul does slowly.
    """
    largest = max(abs(element.lo), abs(element.hi)) * int(np.abs(weights).max(initial=0))
    bound = largest * weights.shape[1]
    dtype = np.dtype(np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64)
    rows = x.reshape(-1, weights.shape[1]).astype(dtype)
    product: Ints = (rows @ weights.T.astype(dtype)).astype(np.int64)
    return product.reshape(*x.shape[:-1], weights.shape[0])


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
