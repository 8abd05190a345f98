"""Whether a node is one: what its operator's specification says of its inputs, outputs and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import onnx

from thresher.onnx_import.problems import NodeError
from thresher.onnx_import.source import SourceNode

_AGAIN = "export the model again"
_INT, _TEXT = onnx.AttributeProto.INT, onnx.AttributeProto.STRING
# Inputs that QONNX's operators may have, by https://github.com/fastmachinelearning/qonnx/tree/main/docs.
_QONNX_INPUTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"Quant": (4,), "IntQuant": (4,), "BipolarQuant": (2,), "Trunc": (5, 6)}
)
_QONNX_ATTRIBUTES = MappingProxyType({"signed": _INT, "narrow": _INT, "rounding_mode": _TEXT})


def check_node(node: SourceNode, opset: int) -> None:
    """Do nothing for a node that its specification allows, and for operators that have none here.

    Raises:
        NodeError: A number of inputs or outputs is wrong, or an attribute is unknown or of another type.
    """
    if node.is_quantiser:
        _check_quantiser(node)
    elif node.is_standard and _is_current(node.op, opset):
        try:
            onnx.checker.check_node(node.proto, _context(opset))
        except onnx.checker.ValidationError as error:
            said = " ".join(str(error).split())
            raise NodeError("import", node.name, f"it is no valid {node.op} ({said})", _AGAIN) from None


def _check_quantiser(node: SourceNode) -> None:
    inputs, allowed = sum(map(bool, node.inputs)), _QONNX_INPUTS[node.op]
    if inputs != len(node.inputs) or inputs not in allowed or len(node.outputs) != 1 or not node.outputs[0]:
        counts = " or ".join(map(str, allowed))
        reason = (
            f"it is no valid {node.op}: it has {inputs} inputs and {sum(map(bool, node.outputs))} outputs, "
            f"where {counts} and 1 are needed"
        )
        raise NodeError("import", node.name, reason, _AGAIN)
    for attribute in node.proto.attribute:
        wanted = _QONNX_ATTRIBUTES.get(attribute.name)
        if wanted is not None and attribute.type != wanted:
            kind = "a whole number" if wanted == _INT else "a text"
            reason = f"it is no valid {node.op}: its attribute {attribute.name} is not {kind}"
            raise NodeError("import", node.name, reason, _AGAIN)


@lru_cache
def _is_current(op: str, opset: int) -> bool:
    """Whether ONNX specifies the operator in that version, where it may have been withdrawn."""
    try:
        return not onnx.defs.get_schema(op, opset).deprecated
    except onnx.defs.SchemaError:
        return False


@lru_cache
def _context(opset: int) -> onnx.checker.C.CheckerContext:
    context = onnx.checker.C.CheckerContext()
    context.ir_version, context.opset_imports = onnx.IR_VERSION, {"": opset}
    return context
