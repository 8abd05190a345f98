"""Evaluating constant expressions with onnxruntime, so that they are what the model's user gets."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import helper, numpy_helper

from thresher.graph import Array
from thresher.onnx_import.problems import NodeError
from thresher.onnx_import.quant_ops import quantise_constant
from thresher.onnx_import.quantisers import QuantisedConstant
from thresher.onnx_import.scope import Scope
from thresher.onnx_import.session import RuntimeRefusalError, Session
from thresher.onnx_import.source import STANDARD, Source, SourceNode

# They move elements and change none, so a quantised constant passes them as integers.
_LAYOUT = frozenset({"Identity", "Dropout", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"})


def fold_node(scope: Scope, node: SourceNode) -> None:
    """Evaluate a node whose inputs are all constants, and note its outputs in `scope`.

    Raises:
        NodeError: It is not an operator of ONNX or a quantiser, or onnxruntime refuses it.
    """
    values = [scope.value(name) for name in node.inputs]
    constant = scope.quantised.get(node.inputs[0]) if node.inputs else None
    if node.is_quantiser:
        scope.quantised[node.outputs[0]] = quantise_constant(scope, node, scope.argument(node, 0, "input"))
    elif not node.is_standard:
        reason = f"operator {node.op} of a constant is not supported"
        raise NodeError("import", node.name, reason, "fold it before the export")
    elif constant is not None and node.op in _LAYOUT:
        levels, scale, zero = (
            evaluate_node(scope.source, node, [part, *values[1:]])[0]
            for part in (constant.levels, constant.scale, constant.zero)
        )
        names = (*constant.onnx_nodes, node.name)
        scope.quantised[node.outputs[0]] = QuantisedConstant(levels, scale, zero, names)
    else:
        outputs = [name for name in node.outputs if name]
        scope.constants.update(zip(outputs, evaluate_node(scope.source, node, values), strict=True))


def evaluate_node(source: Source, node: SourceNode, values: Sequence[Array | None]) -> list[Array]:
    """Run one node of the standard operators on values; None stands for an input that is left out.

    Raises:
        NodeError: onnxruntime refuses it.
    """
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.outputs if name]
    named = {name: value for name, value in zip(node.inputs, values, strict=True) if value is not None}
    tensors = [numpy_helper.from_array(value, name) for name, value in named.items()]
    graph = helper.make_graph([node.proto], "constant", [], outputs, tensors)
    proto = source.model.proto
    opsets = [opset for opset in proto.opset_import if opset.domain in STANDARD]
    model = onnx.ModelProto(ir_version=proto.ir_version, graph=graph, opset_import=opsets)
    try:
        return Session(model.SerializeToString()).run({})
    except RuntimeRefusalError as error:
        reason = f"the constant expression {node.op} cannot be evaluated ({error.detail})"
        raise NodeError("import", node.name, reason, "fold it before the export") from None
