"""Evaluating constant expressions with onnxruntime, so that they are what the model's user gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import onnx
from onnx import helper, numpy_helper

from thresher.errors import NodeError
from thresher.ir.domains import STANDARD
from thresher.ir.graph import Array
from thresher.ir.quantisers import QuantisedConstant
from thresher.onnx_import.inference import INVALID, infer_shapes
from thresher.onnx_import.quant_ops import quantise_constant
from thresher.onnx_import.scope import Scope
from thresher.onnx_import.session import RuntimeRefusalError, Session
from thresher.onnx_import.source import MOST_ELEMENTS, SourceNode, bodies_of

# They move elements and change none, so a quantised constant passes them as integers.
_LAYOUT = frozenset({"Identity", "Dropout", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"})
# How much they give hangs on values, and is no more than they are given.
_NO_LARGER = frozenset({"Compress", "NonZero", "Unique"})
# How often the weights of a file may be moved or scaled by constant expressions.
_TIMES = 8


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
            evaluate_node(scope, node, [part, *values[1:]])[0]
            for part in (constant.levels, constant.scale, constant.zero)
        )
        names = (*constant.onnx_nodes, node.name)
        scope.quantised[node.outputs[0]] = QuantisedConstant(levels, scale, zero, names)
    else:
        outputs = [name for name in node.outputs if name]
        scope.constants.update(zip(outputs, evaluate_node(scope, node, values), strict=True))


def evaluate_node(scope: Scope, node: SourceNode, values: Sequence[Array | None]) -> list[Array]:
    """Run one node of the standard operators on values; None stands for an input that is left out.

    Raises:
        NodeError: onnxruntime refuses it, how much it gives is not known before it is evaluated, or all
            constants that were computed so have more than `MOST_ELEMENTS` beyond those of the file.
    """
    named = {name: value for name, value in zip(node.inputs, values, strict=True) if value is not None}
    _take_room(scope, node, named)
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.outputs if name]
    tensors = [numpy_helper.from_array(value, name) for name, value in named.items()]
    graph = helper.make_graph([node.proto], "constant", [], outputs, tensors)
    proto = scope.source.model.proto
    opsets = [opset for opset in proto.opset_import if opset.domain in STANDARD]
    model = onnx.ModelProto(ir_version=proto.ir_version, graph=graph, opset_import=opsets)
    try:
        return Session(model.SerializeToString()).run({})
    except RuntimeRefusalError as error:
        raise _not_evaluated(node, error.detail) from None


def _take_room(scope: Scope, node: SourceNode, values: Mapping[str, Array]) -> None:
    """Count what the node gives towards `scope.computed`."""
    if next(bodies_of(node.proto), None) is not None:
        raise _not_evaluated(node, "how much its graphs compute is not known before")
    try:
        shapes = infer_shapes(node, scope.source.model.opset, {}, values)
    except INVALID as error:
        raise _not_evaluated(node, " ".join(str(error).split())) from None
    given = max((value.size for value in values.values()), default=0)
    if node.op in _NO_LARGER:
        # At most one place for each axis of each element.
        shapes = {name: (given, *(value.ndim for value in values.values())) for name in node.outputs}
    if any(name and (name not in shapes or min(shapes[name], default=0) < 0) for name in node.outputs):
        raise _not_evaluated(node, "what it gives has no size that is known before")
    scope.computed += sum(math.prod(shapes[name]) for name in node.outputs if name)
    room = MOST_ELEMENTS + _TIMES * scope.source.elements
    if scope.computed > room:
        reason = (
            f"with the constant that {node.op} gives, constants of the model have more than {room} elements"
        )
        raise NodeError("import", node.name, reason, "fold it before the export, or build a smaller model")


def _not_evaluated(node: SourceNode, why: str) -> NodeError:
    reason = f"the constant expression {node.op} cannot be evaluated ({why})"
    return NodeError("import", node.name, reason, "fold it before the export")
