"""What a graph is written with: tensors with what is known of their values, and the writer of ONNX nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
DOMAIN = "qonnx.custom_op.general"
State = Literal["float", "levels", "sum", "pending", "index"]
"""Ahead of all quantisers; integers; sums of them; what waits for a quantiser; the index of the largest."""


class InvalidError(Exception):
    """The description is no network: a shape, a group or an operator does not fit."""


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor whose frames have `shape`.

    `spread` is the typical magnitude of its values, of each channel (axis 0 of a frame) or of all.
    Integers are at most `most` from their zero point; their scale is `step` where all channels have one.
    `pooled` values wait for a quantiser behind a pool.
    """

    name: str
    shape: Shape
    state: State
    spread: Array
    most: float = 1.0
    step: float | None = None
    uniform: bool = True
    pooled: bool = False

    @property
    def typical(self) -> float:
        """The spread of all channels together."""
        return float(np.sqrt(np.mean(self.spread**2)))

    @property
    def linear(self) -> bool:
        """Whether a layer takes it: integers of 8 bits and of one scale."""
        return self.state == "levels" and self.uniform and self.most <= 255


@dataclass(frozen=True)
class Style:
    """How a graph is written. All constants of a `dyadic` one are few bits times a power of two.

    With `any_batch` the batch axis is a name, and not 1.
    """

    opset: int = 13
    domain: str = DOMAIN
    dyadic: bool = True
    constant_nodes: bool = False
    any_batch: bool = False


@dataclass
class Emitter:
    """Writes nodes and constants, and counts what it is told of them in `labels`."""

    style: Style
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    made: int = 0

    def needs(self, opset: int) -> None:
        """Raises `InvalidError` where the graph's opset is older."""
        if self.style.opset < opset:
            raise InvalidError(f"opset {opset} is needed")

    def constant(self, value: Any, dtype: npt.DTypeLike = np.float32) -> str:
        """The name of a new constant: an initialiser, or the output of a Constant node."""
        self.made += 1
        name = f"c{self.made}"
        tensor = numpy_helper.from_array(np.asarray(value, dtype), name)
        if self.style.constant_nodes:
            self.nodes.append(helper.make_node("Constant", [], [name], f"Constant_{self.made}", value=tensor))
        else:
            self.constants.append(tensor)
        return name

    def node(self, op: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Write a node; the name of its first output."""
        return self.several(op, *inputs, outputs=outputs, domain=domain, **attributes)[0]

    def several(
        self, op: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> Sequence[str]:
        """Write a node; the names of its outputs."""
        self.made += 1
        names = [f"t{self.made}" if not place else f"t{self.made}_{place}" for place in range(outputs)]
        given = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(
            helper.make_node(op, list(inputs), names, f"{op}_{self.made}", domain=domain, **given)
        )
        self.labels[f"operator {op}"] += 1
        return names

    def qonnx(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Write a node of QONNX."""
        return self.node(op, *inputs, domain=self.style.domain, **attributes)

    def both(self, op: str, x: str, constant: str, constant_first: bool) -> str:
        """Write a node with its operands either way round."""
        return self.node(op, *((constant, x) if constant_first else (x, constant)))

    def scale(self, random: np.random.Generator, near: Array | float) -> Array:
        """Positive numbers near `near`: powers of two where the graph is dyadic."""
        wanted = np.clip(np.asarray(near, np.float64), 2.0**-40, 2.0**40)
        if self.style.dyadic:
            return np.exp2(np.round(np.log2(wanted)))
        return np.asarray(wanted * random.uniform(0.7, 1.4, wanted.shape), np.float32).astype(np.float64)

    def numbers(self, random: np.random.Generator, shape: Shape, near: Array | float) -> Array:
        """Numbers of both signs, `near` in magnitude; zero at times."""
        if not self.style.dyadic:
            return random.normal(0, 1, shape) * near
        return random.integers(-15, 16, shape) / 8 * self.scale(random, near)

    def model(self, shape: Shape, output: Value) -> onnx.ModelProto:
        """The model from the input `x` with frames of `shape` to `output`."""
        kind = TensorProto.INT64 if output.state == "index" else TensorProto.FLOAT
        batch = "N" if self.style.any_batch else 1
        graph = helper.make_graph(
            self.nodes,
            "fuzz",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, *shape))],
            [helper.make_tensor_value_info(output.name, kind, (batch, *output.shape))],
            self.constants,
        )
        opsets = [helper.make_opsetid("", self.style.opset), helper.make_opsetid(self.style.domain, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


@dataclass(frozen=True)
class Step:
    """A part of a network that writes one value. Every field has its simplest value as its default.

    `sources` are the values that it reads, 0 being the model's input and each step adding one. Constants
    are drawn from `seed` when it is written, so that they fit whatever is before it.
    """

    sources: tuple[int, ...] = (0,)
    seed: int = 0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the nodes.

        Raises:
            InvalidError: What it reads does not fit.
        """
        raise NotImplementedError

    def random(self) -> np.random.Generator:
        """The generator of its constants."""
        return np.random.default_rng(self.seed)


def require(holds: bool, what: str) -> None:
    """Raises `InvalidError` where something does not hold."""
    if not holds:
        raise InvalidError(what)


def per_channel(values: Array, shape: Shape) -> Array:
    """Values of channels as a constant that broadcasts against a batch of frames of `shape`."""
    return values.reshape(1, -1, *[1] * (len(shape) - 1))
