"""The imported network: ONNX operators as typed nodes, evaluated as onnxruntime does in float32.

Arrays are batches: axis 0 is the frame, the rest is the tensor's shape in the model without its
batch axis of 1. Nodes keep the precision of their input: fed float64 they evaluate in float64,
which shows where a result hangs on the rounding of float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array, Graph

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class QuantNode:
    """One operator of the imported network; `onnx_nodes` are the ONNX nodes that it stands for."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    onnx_nodes: tuple[str, ...]

    @property
    def input(self) -> str:
        """The first tensor it reads."""
        return self.inputs[0]

    @property
    def output(self) -> str:
        """The first tensor it writes."""
        return self.outputs[0]

    def apply(self, x: Array) -> Array:
        """Compute the output of a batch; every operator that can be evaluated overrides it."""
        raise NotImplementedError(f"node '{self.name}' runs on the host only")

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output for an input of `shape`, both with a batch axis of 1.

        Raises:
            ValueError: Its constants do not fit such an input.
        """
        raise NotImplementedError(f"node '{self.name}' runs on the host only")

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Compute the outputs of a batch."""
        return (self.apply(inputs[0]),)


@dataclass(frozen=True, eq=False)
class Elementwise(QuantNode):
    """An operator that works on every element by itself, with constants per channel at most."""

    @property
    def monotone(self) -> bool:
        """Whether each element's function is known to rise everywhere or to fall everywhere."""
        return True

    @property
    def operands(self) -> tuple[Array, ...]:
        """The constants that broadcast against its input."""
        return ()

    def output_shape(self, shape: Shape) -> Shape:
        """That of its input."""
        return kept_shape(shape, self.operands)


def kept_shape(shape: Shape, operands: tuple[Array, ...]) -> Shape:
    """`shape`, which `operands` do not enlarge; raises `ValueError` where they do, or do not fit."""
    for operand in operands:
        if np.broadcast_shapes(operand.shape, shape) != shape:
            raise ValueError(f"{list(operand.shape)} enlarges {list(shape)}")
    return shape


@dataclass(frozen=True, eq=False)
class Arithmetic(Elementwise):
    """`x op constant`, or `constant op x` where `constant_first`."""

    op: Literal["Add", "Sub", "Mul", "Div", "Min", "Max"]
    constant: Floats
    constant_first: bool

    @property
    def monotone(self) -> bool:
        """A constant divided by x falls on either side of zero, but not across it."""
        return not (self.op == "Div" and self.constant_first)

    @property
    def rescale(self) -> float | None:
        """The factor, where all this does is to multiply every element by the same one."""
        if self.op not in {"Mul", "Div"} or self.constant.size != 1 or not self.monotone:
            return None
        factor = float(self.constant.reshape(()))
        return factor if self.op == "Mul" else 1.0 / factor

    @property
    def operands(self) -> tuple[Array, ...]:
        """Its constant."""
        return (self.constant,)

    def apply(self, x: Array) -> Array:
        """Compute a batch in the precision of `x`."""
        function = _FUNCTIONS[self.op]
        result: Array = function(self.constant, x) if self.constant_first else function(x, self.constant)
        return result


_FUNCTIONS: dict[str, Any] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Min": np.minimum,
    "Max": np.maximum,
}


@dataclass(frozen=True, eq=False)
class BatchNorm(Elementwise):
    """Batch normalisation with fixed statistics, one value of each per channel (axis 1)."""

    gamma: Floats
    beta: Floats
    mean: Floats
    variance: Floats
    epsilon: float

    def output_shape(self, shape: Shape) -> Shape:
        """That of its input, whose channels have one value of each statistic."""
        if any(each.shape != shape[1:2] for each in (self.gamma, self.beta, self.mean, self.variance)):
            raise ValueError(f"its statistics are not those of {list(shape)}")
        return shape

    def apply(self, x: Array) -> Array:
        """Compute a batch; the order of operations is onnxruntime's, which has no fused multiply-add."""
        gamma, beta, mean, variance = (
            a.astype(x.dtype, copy=False) for a in (self.gamma, self.beta, self.mean, self.variance)
        )
        scale = gamma * (1 / np.sqrt(variance + x.dtype.type(self.epsilon)))
        offset = beta - mean * scale
        per_channel = (-1,) + (1,) * (x.ndim - 2)
        result: Array = x * scale.reshape(per_channel) + offset.reshape(per_channel)
        return result


@dataclass(frozen=True, eq=False)
class Clip(Elementwise):
    """Limits every element to `low..high`; a Relu is 0..inf."""

    low: float
    high: float

    def apply(self, x: Array) -> Array:
        """Compute a batch."""
        result: Array = np.minimum(np.maximum(x, x.dtype.type(self.low)), x.dtype.type(self.high))
        return result


@dataclass(frozen=True, eq=False)
class Leaky(Elementwise):
    """`x` where it is not negative, else `slope * x`: LeakyRelu and PRelu."""

    slope: Floats

    @property
    def operands(self) -> tuple[Array, ...]:
        """Its slopes."""
        return (self.slope,)

    @property
    def monotone(self) -> bool:
        """A negative slope turns round at zero."""
        return bool((self.slope >= 0).all())

    def apply(self, x: Array) -> Array:
        """Compute a batch."""
        return np.where(x >= 0, x, x * self.slope)


@dataclass(frozen=True, eq=False)
class Negate(Elementwise):
    """`-x`."""

    def apply(self, x: Array) -> Array:
        """Compute a batch."""
        result: Array = -x
        return result


@dataclass(frozen=True, eq=False)
class Layout(QuantNode):
    """An operator that moves elements and changes none."""


@dataclass(frozen=True, eq=False)
class Reshape(Layout):
    """Gives every frame the shape `shape`."""

    shape: Shape

    def apply(self, x: Array) -> Array:
        """Reshape a batch."""
        return x.reshape(x.shape[0], *self.shape)

    def output_shape(self, shape: Shape) -> Shape:
        """The shape that it gives."""
        if math.prod(self.shape) != math.prod(shape[1:]):
            raise ValueError(f"{list(shape)} does not reshape to {list(self.shape)}")
        return (1, *self.shape)


@dataclass(frozen=True, eq=False)
class Transpose(Layout):
    """Permutes axes; `axes[0]` is 0, the batch."""

    axes: tuple[int, ...]

    def apply(self, x: Array) -> Array:
        """Transpose a batch."""
        return x.transpose(self.axes)

    def output_shape(self, shape: Shape) -> Shape:
        """The sizes of its input in their new order."""
        if len(self.axes) != len(shape):
            raise ValueError(f"{list(shape)} does not have {len(self.axes)} axes")
        return tuple(shape[axis] for axis in self.axes)


@dataclass(frozen=True, eq=False)
class Linear(QuantNode):
    """`y = x @ (scale * (weights - zero)).T` over the last axis.

    `weights` is `[rows, columns]`, `scale` and `zero` one value per row. Where they are `rounded`, the
    model's own weights are that to within two units in the last place of the largest of each row.
    """

    weights: Ints
    scale: Floats
    zero: Ints
    rounded: bool = False

    def apply(self, x: Array) -> Array:
        """Multiply a batch."""
        centred = (self.weights - self.zero[:, None]).astype(x.dtype)
        real = centred * self.scale[:, None].astype(x.dtype)
        result: Array = x @ real.T
        return result

    def output_shape(self, shape: Shape) -> Shape:
        """That of its input, with its rows for the last axis."""
        return _product_shape(shape, self.weights)


@dataclass(frozen=True, eq=False)
class FloatLinear(QuantNode):
    """A linear operator whose weights have met no quantiser: `x @ weights.T`, on the host only."""

    weights: Floats

    def apply(self, x: Array) -> Array:
        """Multiply a batch."""
        result: Array = x @ self.weights.T
        return result

    def output_shape(self, shape: Shape) -> Shape:
        """That of its input, with its rows for the last axis."""
        return _product_shape(shape, self.weights)


def _product_shape(shape: Shape, weights: Array) -> Shape:
    rows, columns = weights.shape
    if len(shape) < 2 or shape[-1] != columns:
        raise ValueError(f"{columns} columns do not take {list(shape)}")
    return (*shape[:-1], rows)


@dataclass(frozen=True, eq=False)
class ArgMax(QuantNode):
    """The index of the first largest element along `axis` (of the batch array), kept as 1 or dropped."""

    axis: int
    keep: bool

    def apply(self, x: Array) -> Array:
        """Reduce a batch."""
        index: Array = np.argmax(x, axis=self.axis, keepdims=self.keep).astype(np.int64)
        return index

    def output_shape(self, shape: Shape) -> Shape:
        """That of its input, with 1 or nothing for the axis."""
        return (*shape[: self.axis], *((1,) if self.keep else ()), *shape[self.axis + 1 :])


@dataclass(frozen=True, eq=False)
class HostOnly(QuantNode):
    """An operator that no hardware takes: harmless before the first quantised layer or after the last."""

    reason: str
    remedy: str


@dataclass(frozen=True, eq=False)
class HostQuantiser(HostOnly):
    """A quantiser behind an operator that is not supported: the model goes on in integers, as no host can."""


@dataclass(frozen=True, eq=False)
class InputScaled(HostOnly):
    """An operator of a layer that is multiplied by a scale of its own input, as XNOR-Net's are by K.

    `operator` is what it would be without that.
    """

    operator: QuantNode


@dataclass(frozen=True, eq=False)
class Refused(QuantNode):
    """An operator that is supported, with parameters that are not: an error wherever it stands."""

    reason: str
    remedy: str


Role = Literal["computed", "folded", "unused", "dropped"]


@dataclass(frozen=True)
class OnnxNode:
    """A node of the ONNX file.

    It is computed at run time, or it is part of a constant or does nothing (`folded`), or the
    output does not depend on it (`unused`), or it is left out because that was asked for (`dropped`).
    """

    name: str
    op: str
    role: Role


@dataclass(frozen=True)
class QuantGraph(Graph[QuantNode]):
    """The imported network: what is computed at run time, from the one input to the one output.

    `shapes` are those of the ONNX tensors, with their batch axis of 1; tensors that only the host
    computes may have none. `onnx` lists every node of the file in its order.
    """

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    onnx: tuple[OnnxNode, ...] = ()
