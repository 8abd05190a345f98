"""Shapes of tensors that are computed at run time, each from its node's inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, shape_inference

from thresher.onnx_import.custom import Custom
from thresher.onnx_import.join_nodes import Join, Pick
from thresher.onnx_import.map_nodes import GlobalPool, Windowed
from thresher.onnx_import.nodes import Elementwise, HostOnly, QuantNode, Shape
from thresher.onnx_import.problems import NodeError
from thresher.onnx_import.quantisers import Quantiser
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode


def note_shapes(scope: Scope, node: SourceNode, translated: Sequence[QuantNode]) -> None:
    """Note the shapes of what `translated` writes; unknown ones are left out.

    Raises:
        NodeError: The node's constants do not fit its input.
    """
    for typed in translated:
        if isinstance(typed, HostOnly):
            _infer_standard(scope, node)
        elif isinstance(typed, Custom | Windowed | GlobalPool):
            scope.shapes[typed.output] = typed.output_shape(scope.shapes[typed.input])
        elif isinstance(typed, Join):
            parts = (np.zeros(scope.shapes[name], np.float32) for name in typed.inputs)
            scope.shapes[typed.output] = typed.combine(*parts).shape
        elif isinstance(typed, Pick):
            scope.shapes[typed.output] = typed.shape
        else:
            scope.shapes[typed.output] = _evaluated_shape(typed, scope.shapes[typed.input])


def note_likely_shape(scope: Scope, node: SourceNode) -> None:
    """Note the shape that the output of a node would have that could not be translated."""
    if node.is_quantiser:
        scope.shapes[node.outputs[0]] = scope.shapes[scope.resolve(node.inputs[0])]
    else:
        _infer_standard(scope, node)


def _evaluated_shape(node: QuantNode, shape: Shape) -> Shape:
    try:
        with np.errstate(all="ignore"):
            result = node.apply(np.zeros(shape, np.float32)).shape
    except ValueError:
        result = ()
    fits = result == shape if isinstance(node, Elementwise | Quantiser) else result[:1] == (1,)
    if not fits:
        reason = f"its constants do not fit an input of shape {list(shape)}"
        raise NodeError("import", node.onnx_nodes[-1], reason, "mend the export")
    return result


def _infer_standard(scope: Scope, node: SourceNode) -> None:
    """Ask ONNX; operators that it does not know have outputs of unknown shape."""
    if not node.is_standard or not onnx.defs.has(node.op):
        return
    opset = scope.source.model.opset
    try:
        schema = onnx.defs.get_schema(node.op, opset)
        types = {
            name: helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, scope.shapes[scope.resolve(name)])
            for name in node.inputs
            if scope.resolve(name) in dynamic_inputs(scope, node)
        }
        data = {name: _tensor(scope, name) for name in node.inputs if name and scope.is_constant(name)}
        for name, tensor in data.items():
            types[name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
        opsets = [helper.make_opsetid("", opset)]
        found = shape_inference.infer_node_outputs(schema, node.proto, types, data, opset_imports=opsets)
    except (onnx.defs.SchemaError, onnx.checker.ValidationError, shape_inference.InferenceError):
        return
    for name, proto in found.items():
        dims = [dim.dim_value for dim in proto.tensor_type.shape.dim]
        if dims and dims[0] == 1 and all(dims):
            scope.shapes[name] = tuple(dims)


def _tensor(scope: Scope, name: str) -> onnx.TensorProto:
    value = scope.value(name)
    return onnx.numpy_helper.from_array(np.asarray(value), name)
