"""Models of standard operators only, such as float networks, run by onnxruntime as it runs any."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from thresher.errors import UsageError, printable
from thresher.ir.domains import STANDARD
from thresher.ir.graph import Array
from thresher.ir.quant import Shape
from thresher.onnx_import.reader import OnnxModel
from thresher.onnx_import.session import RuntimeRefusalError, Session
from thresher.onnx_import.writer import BATCH

# Frames that one call takes where the model takes any number.
_CHUNK = 256
_FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE})


def is_plain(model: OnnxModel) -> bool:
    """Whether all operators are those of ONNX itself."""
    return all(node.domain in STANDARD for node in model.proto.graph.node)


def parameter_bytes(model: OnnxModel) -> int:
    """Bytes of all constants of floating-point numbers in `model`, as it stores them."""
    graph = model.proto.graph
    attributes = (each for node in graph.node if node.op_type == "Constant" for each in node.attribute)
    tensors = [*graph.initializer, *(each.t for each in attributes if each.name == "value")]
    return sum(numpy_helper.to_array(tensor).nbytes for tensor in tensors if tensor.data_type in _FLOATS)


class PlainModel:
    """A model with one input and one output, computed with all of onnxruntime's optimisations and threads.

    Raises:
        UsageError: It has other operators, other inputs or outputs, or onnxruntime refuses it.
    """

    def __init__(self, model: OnnxModel) -> None:
        graph = model.proto.graph
        self._name = printable(model.name)
        other = next((node for node in graph.node if node.domain not in STANDARD), None)
        if other is not None:
            what = f"node '{printable(other.name)}' is a {printable(other.op_type)}, which is not ONNX's own"
            raise self._problem(what, "give a model of standard operators, as torch.onnx.export writes it")
        constants = {tensor.name for tensor in graph.initializer}
        inputs = [value for value in graph.input if value.name not in constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            what = f"it has {len(inputs)} inputs and {len(graph.output)} outputs"
            raise self._problem(what, "give a model with one of each")
        sizes = inputs[0].type.tensor_type.shape.dim
        if not sizes:
            raise self._problem("its input has no shape", "export it with a fixed input shape")
        batch, *frame = sizes
        if batch.HasField("dim_value") and batch.dim_value != 1:
            raise self._problem(
                f"its batch is {batch.dim_value}", "export it with a batch of 1, or of any size"
            )
        self.input_shape: Shape = (1, *(int(size.dim_value) for size in frame))
        self._input = inputs[0].name
        try:
            self._session = Session(model.proto.SerializeToString(), fast=True)
        except RuntimeRefusalError as error:
            raise self._refused(error) from None
        self.batch = 1 if batch.HasField("dim_value") else _CHUNK
        together = self._any_number(model.proto) if self.batch == 1 else None
        if together is not None:
            self._session, self.batch = together, _CHUNK

    def run(self, frames: Array) -> Array:
        """Compute frames `[N, ...]`, `batch` at once."""
        typed = frames.astype(np.float32, copy=False)
        chunks = (typed[first : first + self.batch] for first in range(0, len(typed), self.batch))
        try:
            return np.concatenate([self._session.run({self._input: chunk})[0] for chunk in chunks])
        except RuntimeRefusalError as error:
            raise self._refused(error) from None

    def _any_number(self, proto: onnx.ModelProto) -> Session | None:
        """The model for any number of frames, where it gives for two at once what it gives for each."""
        copy = onnx.ModelProto()
        copy.CopyFrom(proto)
        del copy.graph.value_info[:]
        for value in (*copy.graph.input, *copy.graph.output):
            sizes = value.type.tensor_type.shape.dim
            if sizes and (value.name == self._input or value.name == copy.graph.output[0].name):
                sizes[0].dim_param = BATCH
        frames = np.random.default_rng(0).normal(size=(2, *self.input_shape[1:])).astype(np.float32)
        try:
            session = Session(copy.SerializeToString(), fast=True)
            both = session.run({self._input: frames})[0]
            each = [self._session.run({self._input: frames[i : i + 1]})[0] for i in range(2)]
        except RuntimeRefusalError:
            return None
        apart = np.concatenate(each)
        same = both.shape == apart.shape and np.allclose(both, apart, rtol=1e-3, atol=1e-5)
        return session if same else None

    def _refused(self, error: RuntimeRefusalError) -> UsageError:
        return self._problem(f"onnxruntime refuses it ({error.detail})", "export it again")

    def _problem(self, what: str, remedy: str) -> UsageError:
        return UsageError(f"evaluate: model '{self._name}': {what}; {remedy}")
