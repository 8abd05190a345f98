"""What stays on the host: the float ends of the model, cut out as ONNX models of their own.

They hold standard operators only, so that plain onnxruntime runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import onnx
from onnx import TensorProto

from thresher.ir.graph import Array
from thresher.ir.quant import BatchNorm, Elementwise, Floats, Ints, Layout, QuantNode, Shape
from thresher.ir.quantisers import Quantiser
from thresher.onnx_import.importer import Imported
from thresher.onnx_import.positions import add_distances, add_positions
from thresher.onnx_import.session import Session
from thresher.onnx_import.writer import Writer

# Frames that one call of a batched session takes: enough to hide the call, few enough for the cache.
_CHUNK = 256
# The axis that these choose along where they do not say.
_AXIS: Mapping[str, int] = MappingProxyType({"ArgMax": 0, "TopK": -1})


def make_prologue(imported: Imported, quantised: str) -> bytes:
    """Cut out the model from its input to the int32 integers of the quantiser that writes `quantised`.

    Its second output is what they were made of, see `add_positions`, and its third, where a batch
    normalisation is ahead of them, what that met, see `add_distances`. Inputs are checked by these.
    """
    graph = imported.graph
    *before, last = _path(imported, graph.inputs[0], quantised)
    if not isinstance(last, Quantiser):
        raise ValueError(f"'{quantised}' is not the output of a quantiser")
    writer = Writer(imported, batched=_frames_alike(before))
    for node in before:
        writer.add(node)
    integers = writer.add_quantiser(last)
    positions = add_positions(writer, before, last)
    more = []
    norm = next((node for node in before if isinstance(node, BatchNorm)), None)
    if norm is not None:
        shape = graph.shapes[norm.input]
        more.append(writer.value(add_distances(writer, norm, len(shape)), TensorProto.FLOAT, shape))
    return writer.model(
        writer.value(graph.inputs[0], TensorProto.FLOAT, graph.shapes[graph.inputs[0]]),
        writer.value(integers, TensorProto.INT32, graph.shapes[quantised]),
        writer.value(positions, TensorProto.FLOAT, graph.shapes[quantised]),
        *more,
    )


def make_epilogue(imported: Imported, tensor: str, scale: Floats, zero: Ints, offset: Floats) -> bytes:
    """Cut out the model from the int32 integers of `tensor` to its output.

    The value of `tensor` is `scale * (q - zero) + offset`; all broadcast against its shape in the model.
    """
    graph = imported.graph
    output = graph.outputs[0]
    nodes = _path(imported, tensor, output)
    writer = Writer(imported, batched=_frames_alike(nodes))
    integers = writer.name("integers")
    centred = integers
    if zero.any():
        # Before they are rounded: float32 has no odd integers beyond 2**24.
        wide = writer.emit("Cast", [integers], to=TensorProto.INT64)
        centred = writer.emit("Sub", [wide, writer.constant(np.asarray(zero, np.int64))])
    real = writer.emit("Cast", [centred], to=TensorProto.FLOAT)
    factors = [real, writer.constant(np.asarray(scale, np.float32))]
    if offset.any():
        scaled = writer.emit("Mul", factors)
        writer.emit("Add", [scaled, writer.constant(np.asarray(offset, np.float32))], tensor)
    else:
        writer.emit("Mul", factors, tensor)
    for node in nodes:
        writer.add(node)
    return writer.model(
        writer.value(integers, TensorProto.INT32, graph.shapes[tensor]),
        writer.value(output, imported.output_type, graph.shapes.get(output)),
    )


def make_part(imported: Imported, tensor: str) -> bytes:
    """Cut out the model from its input to the float `tensor`, which no quantiser stands before."""
    graph = imported.graph
    nodes = _path(imported, graph.inputs[0], tensor)
    writer = Writer(imported, batched=_frames_alike(nodes))
    for node in nodes:
        writer.add(node)
    return writer.model(
        writer.value(graph.inputs[0], TensorProto.FLOAT, graph.shapes[graph.inputs[0]]),
        writer.value(tensor, TensorProto.FLOAT, graph.shapes.get(tensor)),
    )


class HostModel:
    """A piece of the model under onnxruntime.

    Raises:
        RuntimeRefusalError: onnxruntime refuses it.
    """

    def __init__(self, data: bytes) -> None:
        self._session, self._data = Session(data), data
        entry, *_ = self._session.session.get_inputs()
        self._outputs = [each.name for each in self._session.session.get_outputs()]
        self._name: str = entry.name
        self._dtype = np.dtype(np.int32 if entry.type == "tensor(int32)" else np.float32)
        self._batched = isinstance(entry.shape[0], str)
        self.input_shape: Shape = (1, *(int(size) for size in entry.shape[1:]))

    @property
    def classes(self) -> int | None:
        """How many classes the output tells apart: its scores, or what an ArgMax chooses from, if known."""
        output = self.run(np.zeros(self.input_shape, self._dtype))
        return choices(self._data) if output.dtype.kind in "iu" and output.size == 1 else output.size

    def run(self, frames: Array) -> Array:
        """Compute frames `[N, ...]`, whole chunks at once where that is sure to change no bit."""
        return self._run(frames, self._outputs[0])

    def positions(self, frames: Array) -> Array | None:
        """What reaches the quantiser that ends a prologue, see `add_positions`.

        None where the file does not have it, as one of an earlier version.
        """
        return self._run(frames, self._outputs[1]) if len(self._outputs) > 1 else None

    def distances(self, frames: Array) -> Array | None:
        """How far values of a prologue lie from those of the training, see `add_distances`; None: unknown."""
        return self._run(frames, self._outputs[2]) if len(self._outputs) > 2 else None

    def _run(self, frames: Array, output: str) -> Array:
        typed = frames.astype(self._dtype, copy=False)
        chunk = _CHUNK if self._batched else 1
        chunks = (typed[first : first + chunk] for first in range(0, len(typed), chunk))
        results = [self._session.run({self._name: each}, [output])[0] for each in chunks]
        return np.concatenate([each if each.ndim else each[None] for each in results])


def choices(data: bytes) -> int | None:
    """How many elements the last ArgMax of a model chooses from; None where none is found."""
    graph = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(data)).graph
    sizes = {each.name: each.type.tensor_type.shape.dim for each in (*graph.input, *graph.value_info)}
    for node in reversed(graph.node):
        if node.op_type in ("ArgMax", "TopK"):
            axis = next((each.i for each in node.attribute if each.name == "axis"), _AXIS[node.op_type])
            size = sizes.get(node.input[0])
            return size[axis].dim_value or None if size else None
    return None


def _path(imported: Imported, first: str, last: str) -> list[QuantNode]:
    """The nodes that compute `last` from `first`, in order."""
    wanted = {last} - {first}
    nodes: list[QuantNode] = []
    for node in reversed(imported.graph.nodes):
        if wanted.intersection(node.outputs):
            nodes.append(node)
            wanted = (wanted - set(node.outputs)) | (set(node.inputs) - {first})
    return nodes[::-1]


def _frames_alike(nodes: list[QuantNode]) -> bool:
    """Whether each element of the result hangs on one frame only, whatever the batch."""
    return all(isinstance(node, Elementwise | Layout) for node in nodes)
