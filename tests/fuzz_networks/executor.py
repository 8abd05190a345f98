"""The oracle: a model evaluated node by node, and apart from Thresher.

QONNX's operators are computed by QONNX's own functions, all others by onnxruntime with its optimisations
off, each frame by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.quant import quant
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

from tests.fuzz_networks.values import Array

STANDARD = ("", "ai.onnx")
_INPUTS_OF_FIRST_TRUNC = 5


@dataclass(frozen=True, eq=False)
class Executed:
    """Every tensor: `constants` as they are, `tensors` with an axis of frames before the batch axis of 1."""

    constants: dict[str, Array]
    tensors: dict[str, Array]
    output: str

    @property
    def outputs(self) -> Array:
        """The model's outputs, one after the other."""
        result = self.tensors[self.output]
        return result.reshape(len(result), *result.shape[2:]) if result.ndim > 1 else result


def execute(proto: onnx.ModelProto, frames: Array) -> Executed:
    """Every tensor of `proto` for `frames` `[N, ...]`."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    run: list[onnx.NodeProto] = []
    tensors = {proto.graph.input[0].name: frames[:, None].astype(np.float32)}
    for node in proto.graph.node:
        if all(name in constants or not name for name in node.input):
            _fold(proto, node, constants)
        elif node.domain in STANDARD:
            run.append(node)
        else:
            _flush(proto, run, constants, tensors)
            tensors[node.output[0]] = quantise(node, [*_read(node, constants, tensors)])
    _flush(proto, run, constants, tensors)
    return Executed(constants, tensors, proto.graph.output[0].name)


def _read(node: onnx.NodeProto, constants: dict[str, Array], tensors: dict[str, Array]) -> Sequence[Array]:
    return [constants[name] if name in constants else tensors[name] for name in node.input]


def quantise(node: onnx.NodeProto, inputs: Sequence[Array]) -> Array:
    """What QONNX specifies for `node`."""
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    if node.op_type == "BipolarQuant":
        result = binary_quant(*inputs)
    elif node.op_type == "Trunc":
        mode = attributes["rounding_mode"].decode()
        if len(inputs) == _INPUTS_OF_FIRST_TRUNC:
            result = trunc_v1(*inputs, mode)
        else:
            x, scale, zero, bits, after, width = inputs
            result = trunc_v2(
                x, scale, zero, bits, attributes["narrow"], attributes["signed"], after, width, mode
            )
    else:
        mode = attributes["rounding_mode"].decode()
        result = quant(*inputs, attributes["signed"], attributes["narrow"], mode)
    return np.asarray(result, np.float32)


def _fold(proto: onnx.ModelProto, node: onnx.NodeProto, constants: dict[str, Array]) -> None:
    """Compute a node that reads constants only."""
    if node.op_type == "Constant":
        constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    elif node.domain in STANDARD:
        session = make_session(proto, [node], constants, {})
        constants.update(zip(node.output, session.run(None, {}), strict=True))
    else:
        constants[node.output[0]] = quantise(node, [constants[name] for name in node.input])


def _flush(
    proto: onnx.ModelProto, run: list[onnx.NodeProto], constants: dict[str, Array], tensors: dict[str, Array]
) -> None:
    """Compute the standard nodes that were passed, in one session."""
    if not run:
        return
    written = {name for node in run for name in node.output}
    read = {name for node in run for name in node.input if name in tensors and name not in written}
    session = make_session(proto, run, constants, {name: tensors[name][0] for name in read})
    names = [each.name for each in session.get_outputs()]
    count = len(next(iter(tensors.values())))
    columns: list[Any] = [session.run(None, {name: tensors[name][i] for name in read}) for i in range(count)]
    for place, name in enumerate(names):
        tensors[name] = np.stack([column[place] for column in columns])
    run.clear()


def make_session(
    proto: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, Array],
    samples: dict[str, Array],
) -> Any:
    """A session of `nodes` with all of their outputs, which computes operator by operator."""
    needed = {name for node in nodes for name in node.input if name in constants}
    graph = helper.make_graph(
        list(nodes),
        "part",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in samples.items()
        ],
        [helper.make_empty_tensor_value_info(name) for node in nodes for name in node.output if name],
        [numpy_helper.from_array(constants[name], name) for name in needed],
    )
    opsets = [opset for opset in proto.opset_import if opset.domain in STANDARD]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=proto.ir_version)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
