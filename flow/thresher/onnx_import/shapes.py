"""Shapes of tensors that are computed at run time, each from its node's inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import onnx
from onnx import helper

from thresher.errors import NodeError
from thresher.ir.quant import HostOnly, QuantNode, Shape
from thresher.ir.quant_joins import Join, Pick
from thresher.ir.quant_maps import Windowed
from thresher.onnx_import.inference import INVALID, infer_shapes
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import MOST_ELEMENTS, SourceNode


def note_shapes(scope: Scope, node: SourceNode, translated: Sequence[QuantNode]) -> None:
    """Note the shapes of what `translated` writes; unknown ones are left out.

    Raises:
        NodeError: The node's constants do not fit its input, or its output is larger than `MOST_ELEMENTS`.
    """
    for typed in translated:
        if isinstance(typed, HostOnly):
            _infer_standard(scope, node)
        else:
            scope.shapes[typed.output] = _shape_of(scope, typed)
    for typed in translated:
        for name in typed.outputs:
            _check_size(node, scope.shapes.get(name, ()), "gives")
        if isinstance(typed, Windowed):
            _check_size(node, typed.padded_shape(scope.shapes[typed.input]), "pads its input to")


def _check_size(node: SourceNode, shape: Shape, what: str) -> None:
    if math.prod(shape) > MOST_ELEMENTS:
        reason = f"it {what} {list(shape)}, which are more than {MOST_ELEMENTS} elements a frame"
        raise NodeError("import", node.name, reason, "export the model for a smaller input")


def _shape_of(scope: Scope, typed: QuantNode) -> Shape:
    if isinstance(typed, Join):
        return typed.combined_shape([scope.shapes[name] for name in typed.inputs])
    if isinstance(typed, Pick):
        return typed.shape
    return fitting_shape(typed, scope.shapes[typed.input])


def fitting_shape(typed: QuantNode, shape: Shape) -> Shape:
    """The shape of its output for an input of `shape`.

    Raises:
        NodeError: Its constants do not fit such an input.
    """
    try:
        result = typed.output_shape(shape)
    except ValueError:
        result = ()
    if result[:1] != (1,):
        reason = f"its constants do not fit an input of shape {list(shape)}"
        raise NodeError("import", typed.onnx_nodes[-1], reason, "mend the export")
    return result


def note_likely_shape(scope: Scope, node: SourceNode) -> None:
    """Note the shape that the output of a node would have that could not be translated."""
    if node.is_quantiser:
        scope.shapes[node.outputs[0]] = scope.shapes[dynamic_inputs(scope, node)[0]]
    else:
        _infer_standard(scope, node)


def _infer_standard(scope: Scope, node: SourceNode) -> None:
    """Ask ONNX; operators that it does not know have outputs of unknown shape."""
    if not node.is_standard or not onnx.defs.has(node.op):
        return
    computed = {
        name: helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, scope.shapes[scope.resolve(name)])
        for name in node.inputs
        if scope.resolve(name) in dynamic_inputs(scope, node)
    }
    values = {name: scope.value(name) for name in node.inputs if name and scope.is_constant(name)}
    try:
        found = infer_shapes(node, scope.source.model.opset, computed, values)
    except INVALID:
        return
    scope.shapes.update(
        {name: shape for name, shape in found.items() if shape[:1] == (1,) and min(shape) > 0}
    )
