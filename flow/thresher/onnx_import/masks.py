"""`y[mask] = value` as the dynamo exporter writes it: places that are found and written one by one."""

from __future__ import annotations

import numpy as np

from thresher.ir.graph import Array
from thresher.onnx_import.scope import Scope
from thresher.onnx_import.source import SourceNode
from thresher.onnx_import.steps import Step

_MOVES = frozenset({"Expand", "Identity", "Reshape", "Transpose"})


def masked_step(scope: Scope, node: SourceNode) -> Step | None:
    """The step that `ScatterND(y, Transpose(NonZero(mask)), value)` makes of the steps y and mask."""
    if (
        node.op != "ScatterND"
        or len(node.inputs) != 3
        or node.attributes.get("reduction", b"none") != b"none"
    ):
        return None
    y = scope.steps.get(scope.resolve(node.inputs[0]))
    mask = _mask(scope, node.inputs[1])
    value = _single(scope, node.inputs[2])
    if y is None or mask is None or value is None or not y.alike(mask) or value.dtype != y.below.dtype:
        return None
    below, at, above = (
        np.where(told, value, kept)
        for told, kept in ((mask.below, y.below), (mask.at, y.at), (mask.above, y.above))
    )
    return Step(y.source, y.threshold, below, at, above, _behind(scope, y.source, node))


def _behind(scope: Scope, source: str, node: SourceNode) -> tuple[str, ...]:
    """The nodes that `node` depends on, from the tensor `source` on; itself is the last."""
    reached, behind = {source}, []
    for each in scope.source.nodes:
        if any(scope.resolve(name) in reached for name in each.inputs):
            reached.update(each.outputs)
            behind.append(each)
    needed, names = set(node.outputs), []
    for each in reversed(behind):
        if needed.intersection(each.outputs):
            needed.update(scope.resolve(name) for name in each.inputs)
            names.append(each.name)
    return tuple(reversed(names))


def _mask(scope: Scope, places: str) -> Step | None:
    """The mask of which `places` are those where it holds, one in each row."""
    transposed = scope.source.writers.get(scope.resolve(places))
    if transposed is None or transposed.op != "Transpose":
        return None
    found = scope.source.writers.get(scope.resolve(transposed.inputs[0]))
    if found is None or found.op != "NonZero":
        return None
    step = scope.steps.get(scope.resolve(found.inputs[0]))
    return step if step is not None and step.below.dtype == np.bool_ else None


def _single(scope: Scope, tensor: str) -> Array | None:
    """The one constant that `tensor` repeats, whatever shape it is computed to have."""
    while True:
        value = scope.value(tensor)
        if value is not None:
            return value.reshape(()) if value.size == 1 else None
        node = scope.source.writers.get(scope.resolve(tensor))
        if node is None or node.op not in _MOVES:
            return None
        tensor = node.inputs[0]
