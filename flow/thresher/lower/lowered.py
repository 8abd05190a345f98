"""The result of lowering: the integer network and what its ends mean in the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from thresher.graph import Array
from thresher.lower.integer import IntGraph, Ints, IntThreshold, TensorType
from thresher.onnx_import.nodes import Floats, Shape


@dataclass(frozen=True)
class Approximation:
    """What fixed point does to the values of the ONNX node `onnx_node`.

    Its integers of `bits` bits count steps of `step`, and are at most `own_error` from the exact value for
    exact inputs, `error` with what their own approximations bring; both in the model's units.
    """

    onnx_node: str
    step: float
    bits: int
    own_error: float
    error: float

    def to_json(self) -> dict[str, object]:
        """The fields as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Endpoint:
    """Where integers enter or leave the hardware.

    `tensor` is the integer tensor, `onnx_tensor` the tensor of the model that it stands for, of
    shape `onnx_shape` (with a batch axis of 1), whose real value is `scale * (q - zero) + offset`; `scale`,
    `zero` and `offset` broadcast against that shape. `order[i]` is the place in the stream of the i-th
    element of the ONNX tensor; None where the two orders are the same.
    """

    tensor: str
    type: TensorType
    onnx_tensor: str
    onnx_shape: Shape
    scale: Floats
    zero: Ints
    offset: Floats
    order: Ints | None = None

    def to_stream(self, frames: Array) -> Array:
        """Put integers `[N, *frame]` into stream order, `[N, vectors, channels]`."""
        flat = frames.reshape(frames.shape[0], -1)
        if self.order is not None:
            streamed = np.empty_like(flat)
            streamed[:, self.order] = flat
            flat = streamed
        return flat.reshape(-1, self.type.vectors, self.type.channels)

    def from_stream(self, stream: Array) -> Array:
        """Put integers `[N, vectors, channels]` into the order and shape of the model, `[N, *frame]`."""
        flat = stream.reshape(stream.shape[0], -1)
        if self.order is not None:
            flat = flat[:, self.order]
        return flat.reshape(-1, *self.onnx_shape[1:])

    def to_json(self) -> dict[str, object]:
        """What a script needs to know of this end, as plain JSON values."""
        element = self.type.element
        return {
            "tensor": self.tensor,
            "lo": element.lo,
            "hi": element.hi,
            "bipolar": element.bipolar,
            "vectors": self.type.vectors,
            "channels": self.type.channels,
            "onnx_tensor": self.onnx_tensor,
            "onnx_shape": list(self.onnx_shape),
            "scale": self.scale.tolist(),
            "zero": self.zero.tolist(),
            "offset": self.offset.tolist(),
            "order": None if self.order is None else self.order.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Lowered:
    """An integer network, its ends, and the tensors of the model at which it was cut out.

    `prologue` names the tensor that ends the host's float prologue (the output of the first
    quantiser); None where the hardware takes the model's own input. `epilogue` names the tensor that
    begins the host's float epilogue; None where the hardware gives the class index. `approximations` are
    the nodes that fixed point computes; without any, all is exact.
    """

    graph: IntGraph
    input: Endpoint
    output: Endpoint
    prologue: str | None
    epilogue: str | None
    approximations: tuple[Approximation, ...] = ()

    @property
    def ties(self) -> dict[str, int]:
        """For every threshold node the number of thresholds that hang on the rounding of float32."""
        return {node.name: node.ties for node in self.graph.nodes if isinstance(node, IntThreshold)}
