"""Reading sums and concatenations of computed tensors, and operators that pick elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thresher.errors import NodeError
from thresher.ir.quant import HostOnly, QuantNode
from thresher.ir.quant_joins import Concat, Pick, Sum
from thresher.onnx_import.folding import evaluate_node
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode

# Places are numbered in float32, which every operator takes.
_MOST_ELEMENTS = 1 << 24


def translate_sum(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """Add, Sub or Sum of tensors of one shape; others are the host's."""
    dynamic = dynamic_inputs(scope, node)
    shapes = {scope.shapes[name] for name in dynamic}
    if len(dynamic) != len(node.inputs):
        return [_host(scope, node, f"{node.op} of computed tensors and constants", "add them one by one")]
    if len(shapes) != 1:
        listed = " and ".join(str(list(scope.shapes[name])) for name in dynamic)
        reason = f"{node.op} of computed tensors of different shapes, {listed}"
        return [_host(scope, node, reason, "add tensors of one shape")]
    signs = (1, *(-1 if node.op == "Sub" else 1 for _ in dynamic[1:]))
    return [Sum(node.name, dynamic, node.outputs, (node.name,), signs)]


def translate_concat(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """A concatenation of computed tensors along any axis but the batch."""
    dynamic = dynamic_inputs(scope, node)
    if len(dynamic) != len(node.inputs):
        return [
            _host(scope, node, "Concat of computed tensors and constants", "concatenate what is computed")
        ]
    shapes = [scope.shapes[name] for name in dynamic]
    axis = int(node.attributes.get("axis", 0))
    axis += len(shapes[0]) if axis < 0 else 0
    others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if not 0 < axis < len(shapes[0]) or len(others) != 1 or len({len(shape) for shape in shapes}) != 1:
        listed = " and ".join(str(list(shape)) for shape in shapes)
        reason = f"tensors of shapes {listed} do not concatenate along axis {axis}"
        raise NodeError("import", node.name, reason, "concatenate along another axis than the batch")
    return [Concat(node.name, dynamic, node.outputs, (node.name,), axis)]


def translate_picks(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """An operator that moves, repeats or leaves out elements: what ONNX makes of their places says where."""
    dynamic, shape = dynamic_inputs(scope, node), scope.shape(node)
    if len(dynamic) != 1 or scope.is_constant(node.inputs[0]):
        return [_host(scope, node, f"{node.op} by what is computed at run time", "use constants")]
    count = math.prod(shape)
    if count > _MOST_ELEMENTS or shape[0] != 1:
        return [_host(scope, node, f"{node.op} of {count} elements", "use smaller tensors")]
    places = np.arange(count, dtype=np.float32).reshape(shape)
    values = [places, *(scope.value(name) for name in node.inputs[1:])]
    outputs = [name for name in node.outputs if name]
    moved = evaluate_node(scope, node, values)
    if any(each.ndim < 2 or each.shape[0] != 1 or not each.size for each in moved):
        return [_host(scope, node, f"{node.op} across the batch axis", "keep the batch axis first")]
    several = len(outputs) > 1
    return [
        Pick(
            scope.source.unused_name(f"{node.name}/{place}") if several else node.name,
            dynamic,
            (output,),
            (node.name,),
            index[0].astype(np.int64),
        )
        for place, (output, index) in enumerate(zip(outputs, moved, strict=True))
    ]


def translate_resize(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """Resize and Upsample to the nearest element; other modes compute new values, and are the host's."""
    mode = node.attributes.get("mode", b"nearest")
    if mode not in (b"nearest", "nearest"):
        name = mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)
        return [_host(scope, node, f"{node.op} in mode '{name}'", "upsample to the nearest: mode='nearest'")]
    return translate_picks(scope, node)


def _host(scope: Scope, node: SourceNode, reason: str, remedy: str) -> HostOnly:
    outputs = tuple(name for name in node.outputs if name)
    return HostOnly(node.name, dynamic_inputs(scope, node), outputs, (node.name,), reason, remedy)
