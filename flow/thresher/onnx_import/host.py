"""What stays on the host: the float ends of the model, cut out as ONNX models of their own.

They hold standard operators only, so that plain onnxruntime runs them.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from thresher.graph import Array
from thresher.onnx_import.importer import Imported
from thresher.onnx_import.nodes import Elementwise, Floats, Ints, Layout, QuantNode, Shape
from thresher.onnx_import.quantisers import Quantiser
from thresher.onnx_import.session import Session
from thresher.onnx_import.writer import Writer

# Frames that one call of a batched session takes: enough to hide the call, few enough for the cache.
_CHUNK = 256


def make_prologue(imported: Imported, quantised: str) -> bytes:
    """Cut out the model from its input to the int32 integers of the quantiser that writes `quantised`."""
    graph = imported.graph
    *before, last = _path(imported, graph.inputs[0], quantised)
    if not isinstance(last, Quantiser):
        raise ValueError(f"'{quantised}' is not the output of a quantiser")
    writer = Writer(imported, batched=_frames_alike(before))
    for node in before:
        writer.add(node)
    integers = writer.add_quantiser(last)
    return writer.model(
        writer.value(graph.inputs[0], TensorProto.FLOAT, graph.shapes[graph.inputs[0]]),
        writer.value(integers, TensorProto.INT32, graph.shapes[quantised]),
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
        self._session = Session(data)
        entry = self._session.session.get_inputs()[0]
        self._name: str = entry.name
        self._dtype = np.dtype(np.int32 if entry.type == "tensor(int32)" else np.float32)
        self._batched = isinstance(entry.shape[0], str)
        self.input_shape: Shape = (1, *(int(size) for size in entry.shape[1:]))

    def run(self, frames: Array) -> Array:
        """Compute frames `[N, ...]`, whole chunks at once where that is sure to change no bit."""
        typed = frames.astype(self._dtype, copy=False)
        chunk = _CHUNK if self._batched else 1
        results = [self._run(typed[first : first + chunk]) for first in range(0, len(typed), chunk)]
        return np.concatenate(results)

    def _run(self, frames: Array) -> Array:
        result: Array = self._session.run({self._name: frames})[0]
        return result if result.ndim else result[None]


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
