"""The forms that a tensor of the ONNX model can have on its way into hardware."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from thresher.graph import Array
from thresher.lower.integer import Ints, TensorType
from thresher.onnx_import.nodes import Arithmetic, Layout, QuantNode
from thresher.onnx_import.problems import NodeError
from thresher_sim.streams import IntType

Doubles = npt.NDArray[np.float64]
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)


@dataclass(frozen=True, eq=False)
class Pending:
    """Integers of the hardware, and what the model has done with their real values since.

    The integer tensor `tensor` has `n` elements of type `element` per frame, in stream order, and
    means `scale * (q - zero)` element by element, which in the model is `onnx_tensor`. `index` has
    the shape of a frame of that ONNX tensor and holds the stream position of every element. `steps`
    are the operators applied since, none of which is a quantiser; with no steps this is what the
    design calls an Integer. `slack` bounds, element by element, how far the order of float32 additions
    can take the model's own value from the exact one; None where every order is exact.
    """

    tensor: str
    onnx_tensor: str
    element: IntType
    lo: Ints
    hi: Ints
    scale: Doubles
    zero: Ints
    index: Ints
    steps: tuple[QuantNode, ...] = ()
    slack: Doubles | None = None

    @property
    def size(self) -> int:
        """Elements of a frame."""
        return self.index.size

    @property
    def type(self) -> TensorType:
        """The type of the integer tensor."""
        return TensorType(self.element, vectors=1, channels=self.size)

    @property
    def onnx_nodes(self) -> tuple[str, ...]:
        """The ONNX nodes that wait for a quantiser."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.onnx_nodes))

    def then(self, node: QuantNode) -> Pending:
        """This, with one more operator applied."""
        return replace(self, steps=(*self.steps, node))

    def values(self, q: Ints, dtype: np.dtype[np.floating] = FLOAT32, slacks: float = 0.0) -> Array:
        """The real values `[m, *frame]` that the model has for the integers `q`, `[m, n]`.

        The product with the scale is exact before it is rounded to `dtype`; each step then rounds
        as it does in the model. `slacks` times `slack` is added first.
        """
        exact = (q - self.zero) * self.scale
        if slacks and self.slack is not None:
            exact = exact + slacks * self.slack
        real = exact.astype(dtype)
        value: Array = real[:, self.index]
        for step in self.steps:
            value = step.apply(value)
        return value

    def final_index(self) -> Ints:
        """`index` for the tensor after all steps."""
        index = self.index[None]
        for step in self.steps:
            if isinstance(step, Layout):
                index = step.apply(index)
        frame: Ints = index[0]
        return frame

    def rescaled(self) -> float | None:
        """The factor by which the steps multiply every element, None where they do more than that."""
        factor = 1.0
        for step in self.steps:
            if isinstance(step, Arithmetic) and step.rescale is not None:
                factor *= step.rescale
            elif not isinstance(step, Layout):
                return None
        return factor


@dataclass(frozen=True, eq=False)
class OnHost:
    """Floats that only the host has: ahead of the hardware, or after it, because of `cause`."""

    after_hardware: bool
    cause: QuantNode | None = None


@dataclass(frozen=True, eq=False)
class Chosen:
    """The class index that an IntArgMax found: an integer tensor of type `element`."""

    tensor: str
    element: IntType


Form = Pending | OnHost | Chosen


def to_stream(values: Array, index: Ints) -> Array:
    """Put one value per ONNX element (broadcast to the frame's shape) into stream order."""
    result = np.empty(index.size, values.dtype)
    result[index.reshape(-1)] = np.broadcast_to(values, (1, *index.shape)).reshape(-1)
    return result


def identity(shape: tuple[int, ...]) -> Ints:
    """The stream order of a frame that is sent as ONNX stores it; `shape` has a batch axis of 1."""
    frame = shape[1:]
    return np.arange(int(np.prod(frame)), dtype=np.int64).reshape(frame)


def integer(
    tensor: str, onnx_tensor: str, element: IntType, scale: Doubles, zero: Ints, index: Ints
) -> Pending:
    """Integers that may take every value of their type; `scale` and `zero` are in stream order."""
    lo, hi = (np.full(index.size, bound, np.int64) for bound in (element.lo, element.hi))
    return Pending(tensor, onnx_tensor, element, lo, hi, scale.reshape(-1), zero.reshape(-1), index)


def rescaling(form: Pending, reader: QuantNode) -> float:
    """The factor by which the model multiplies the integers before `reader`, which takes integers.

    Raises:
        NodeError: The model does more to them than that.
    """
    factor = form.rescaled()
    if factor is None:
        reason = f"it needs a quantiser between node '{form.steps[-1].name}' and itself"
        raise NodeError("lower", reader.name, reason, "quantise its input, as Brevitas' QuantIdentity does")
    return factor
