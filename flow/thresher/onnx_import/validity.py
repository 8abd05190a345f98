"""Whether a node is one: what its operator's specification says of its inputs, outputs and attributes.

And whether it always computes the same, as those do not that draw random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

import onnx

from thresher.errors import NodeError
from thresher.ir.domains import STANDARD
from thresher.onnx_import.source import SourceNode, bodies_of

_AGAIN = "export the model again"
_INT, _TEXT = onnx.AttributeProto.INT, onnx.AttributeProto.STRING
# Inputs that QONNX's operators may have, by https://github.com/fastmachinelearning/qonnx/tree/main/docs.
_QONNX_INPUTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"Quant": (4,), "IntQuant": (4,), "BipolarQuant": (2,), "Trunc": (5, 6)}
)
_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}
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
            onnx.checker.check_node(_without_bodies(node.proto), _context(opset))
        except onnx.checker.ValidationError as error:
            said = " ".join(str(error).split())
            raise NodeError("import", node.name, f"it is no valid {node.op} ({said})", _AGAIN) from None


def _without_bodies(node: onnx.NodeProto) -> onnx.NodeProto:
    """The node with empty graphs in place of its own: these may read what the checker is not given."""
    if next(bodies_of(node), None) is None:
        return node
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    for graph in bodies_of(copied):
        graph.CopyFrom(onnx.GraphProto(name="body"))
    return copied


def check_repeatable(node: SourceNode, trains: bool) -> None:
    """Do nothing for a node that computes the same each time; a Dropout does not that `trains`.

    Raises:
        NodeError: It draws random numbers, or a node within it does.
    """
    random = next(
        (each.op_type for each in _nested(node.proto) if each.domain in STANDARD and each.op_type in _RANDOM),
        "Dropout in training mode" if trains else None,
    )
    if random is not None:
        reason = f"{random} draws random numbers, so that the model has no one answer to be held to"
        raise NodeError("import", node.name, reason, "call model.eval() before the export, or leave it out")


def _nested(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """A node and those of its subgraphs."""
    yield node
    for graph in bodies_of(node):
        for inner in graph.node:
            yield from _nested(inner)


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
