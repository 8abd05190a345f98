"""The result of lowering: the integer network and what its ends mean in the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array
from thresher.ir.integer import Doubles, Flags, IntGraph, Ints, IntThreshold, TensorType
from thresher.ir.quant import Floats, Shape
from thresher.lower.one_product import OneProduct


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
class Checkpoint:
    """An integer tensor, and the tensor of the model that its integers mean.

    Attributes:
        tensor: The integer tensor, `vectors` times `channels` a frame, in stream order.
        onnx_tensor: The tensor of the model, of shape `shape` without its batch axis.
        order: The place in the stream of each element of the model's tensor; None where it is the same.
        lo, hi: The least and the greatest integer of each channel.
        scale, zero, offset: Of each channel; the model's value is `scale * (q - zero) + offset`.
        slack: How far the order of float32 additions can take the model's value from that, by channel.
        levels: Whether a quantiser writes it, so that any integers within the limits may stand there.
        own_error: How far fixed point is from the exact value for exact inputs; 0 where it is exact.
        reader: The node that alone reads these integers in place of the model's values; None: all do.
        product: What is known of sums of a single product.
    """

    tensor: str
    onnx_tensor: str
    shape: tuple[int, ...]
    vectors: int
    channels: int
    order: npt.NDArray[np.int32] | None
    lo: Ints
    hi: Ints
    scale: Doubles
    zero: Ints
    offset: Doubles
    slack: Doubles
    levels: bool
    own_error: float = 0.0
    reader: str | None = None
    product: OneProduct | None = None

    def steps(self, real: Array) -> Doubles:
        """How many steps of the scale values `[N, *shape]` of the model are, `[N, vectors, channels]`.

        They are whole where the values are exactly what integers mean. Of a scale of zero a step is 1.
        """
        values = self.in_stream_order(real).astype(np.float64)
        result: Doubles = (values - self.offset) / np.where(self.scale, self.scale, 1.0) + self.zero
        return result

    @property
    def step(self) -> Doubles:
        """What a step of each channel is worth, see `steps`."""
        result: Doubles = np.where(self.scale, np.abs(self.scale), 1.0)
        return result

    def in_stream_order(self, values: Array) -> Array:
        """An array `[N, *shape]` of the model's tensor as `[N, vectors, channels]` of the stream."""
        flat = values.reshape(len(values), -1)
        if self.order is not None:
            streamed = np.empty_like(flat)
            streamed[:, self.order] = flat
            flat = streamed
        return flat.reshape(-1, self.vectors, self.channels)

    def real(self, integers: Array) -> Array:
        """What integers `[N, vectors, channels]` mean, `[N, *shape]` in float32.

        It is rounded once, as the model's own quantisers round, or as a single product is, and as thresholds
        are found.
        """
        q = integers.reshape(-1, self.vectors, self.channels)
        rounded = self._exact(q).astype(np.float32)
        return self._as_tensor(rounded if self.product is None else self.product.values(q, rounded))

    def exact(self, integers: Array) -> Doubles:
        """The same before it is rounded."""
        result: Doubles = self._as_tensor(self._exact(integers.reshape(-1, self.vectors, self.channels)))
        return result

    def _exact(self, q: Array) -> Doubles:
        value: Doubles = (q - self.zero) * self.scale + self.offset
        return value

    def _as_tensor(self, value: Array) -> Array:
        flat = value.reshape(len(value), self.vectors * self.channels)
        if self.order is not None:
            flat = flat[:, self.order]
        return flat.reshape(len(flat), *self.shape)

    def negated(self, channels: Flags) -> Checkpoint:
        """The checkpoint once the integers of some `channels` are negated."""
        sign = np.where(channels, -1, 1)
        return replace(
            self,
            lo=np.where(channels, -self.hi, self.lo),
            hi=np.where(channels, -self.lo, self.hi),
            scale=self.scale * sign,
            zero=self.zero * sign,
            product=None if self.product is None else self.product.turned(sign),
        )


@dataclass(frozen=True, eq=False)
class Lowered:
    """An integer network, its ends, and the tensors of the model at which it was cut out.

    `prologue` names the tensor that ends the host's float prologue (the output of the first
    quantiser); None where the hardware takes the model's own input. `epilogue` names the tensor that
    begins the host's float epilogue; None where the hardware gives the class index. `approximations` are
    the nodes that fixed point computes; without any, all is exact. `checkpoints` are where the integers can
    be held to the model's values.
    """

    graph: IntGraph
    input: Endpoint
    output: Endpoint
    prologue: str | None
    epilogue: str | None
    approximations: tuple[Approximation, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()

    @property
    def ties(self) -> dict[str, int]:
        """For every threshold node the number of thresholds that hang on the rounding of float32."""
        return {node.name: node.ties for node in self.graph.nodes if isinstance(node, IntThreshold)}
