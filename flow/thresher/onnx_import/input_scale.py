"""XNOR-Net's K: a scale that a layer computes from its own input at run time.

A layer's sums of signs are multiplied by the mean magnitude of what was binarised, averaged over each
window: `conv(sign(x), w) * K` with `K = box(mean(abs(x)))` (M. Rastegari et al., XNOR-Net, ECCV 2016,
section 3.2). It is recognised by what it reads: one factor comes from the magnitude of the very tensor
that the other factor comes from the sign of. On request it is left out; else the host computes such a
layer, which it can ahead of the hardware and behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from thresher.ir.quant import InputScaled, QuantNode
from thresher.ir.quantisers import Quantiser
from thresher.onnx_import.scope import InputScale, Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode

_MAGNITUDES = frozenset({"Abs", "ReduceL1"})
# What averages magnitudes, or moves and scales them.
_AVERAGES = frozenset(
    {
        *("AveragePool", "Cast", "Conv", "Div", "Expand", "Flatten", "GlobalAveragePool", "Identity", "Mul"),
        *("Pad", "ReduceMean", "ReduceSum", "Reshape", "Squeeze", "Transpose", "Unsqueeze"),
    }
)
# What a layer does to signs before it is scaled.
_LAYER = frozenset(
    {
        *("Add", "BatchNormalization", "Conv", "Div", "Flatten", "Gemm", "Identity", "MatMul", "Mul", "Pad"),
        *("Reshape", "Squeeze", "Sub", "Transpose", "Unsqueeze"),
    }
)

_REMEDY = "build with --drop-input-scale and measure the accuracy without it, or train without K"


def is_dropped_scale(scope: Scope, node: SourceNode) -> bool:
    """Whether `node` multiplies by such a scale, and is to be left out: it is another name of its layer.

    Where it is not to be left out, what it multiplies is noted in `scope`.
    """
    dynamic = dynamic_inputs(scope, node)
    if not node.is_standard or node.op != "Mul" or len(dynamic) != 2:
        return False
    for layer, scale in (dynamic, dynamic[::-1]):
        magnitude = _magnitude(scope, scale)
        if magnitude is None or not _binarises(scope, layer, dynamic_inputs(scope, magnitude)[0]):
            continue
        if not scope.drops_input_scale:
            scope.input_scales.append(InputScale(node.name, magnitude.name, layer, scale, node.outputs[0]))
            return False
        scope.aliases[node.outputs[0]] = layer
        scope.dropped.append(node.name)
        return True
    return False


def keep_on_host(scope: Scope, translated: Sequence[Sequence[QuantNode]]) -> list[list[QuantNode]]:
    """`translated` with every layer that is multiplied by such a scale left to the host, from its sign on."""
    writers = {tensor: node for nodes in translated for node in nodes for tensor in node.outputs}
    scaled: dict[str, InputScaled] = {}
    for scale in scope.input_scales:
        reason = (
            "it multiplies a layer by a scale that is computed from the layer's own input at run time "
            f"(XNOR-Net's K, from node '{scale.magnitude}' on), which no integers have"
        )
        wanted = [scale.product]
        while wanted:
            node = writers[wanted.pop()]
            scaled[node.name] = InputScaled(
                node.name, node.inputs, node.outputs, node.onnx_nodes, reason, _REMEDY, node
            )
            if not isinstance(node, Quantiser) and scale.magnitude not in node.onnx_nodes:
                wanted += node.inputs
    return [[scaled.get(node.name, node) for node in nodes] for nodes in translated]


def _magnitude(scope: Scope, tensor: str) -> SourceNode | None:
    """The node that takes the magnitudes of which `tensor` is an average."""
    node = scope.source.writers.get(tensor)
    while node is not None:
        dynamic = dynamic_inputs(scope, node)
        if len(dynamic) != 1:
            return None
        if node.op in _MAGNITUDES:
            return node
        if node.op not in _AVERAGES or (node.op == "Conv" and not _equal_weights(scope, node)):
            return None
        node = scope.source.writers.get(dynamic[0])
    return None


def _equal_weights(scope: Scope, node: SourceNode) -> bool:
    weights = scope.optional(node, 1)
    return weights is not None and weights.size > 0 and bool((weights == weights.flat[0]).all())


def _binarises(scope: Scope, tensor: str, source: str) -> bool:
    """Whether `tensor` is what a layer makes of the signs of `source`."""
    while True:
        step = scope.steps.get(tensor)
        if step is not None:
            return step.source == source
        node = scope.source.writers.get(tensor)
        if node is None:
            return False
        dynamic = dynamic_inputs(scope, node)
        if node.is_quantiser:
            return bool(dynamic) and dynamic[0] == source
        if node.op not in _LAYER or len(dynamic) != 1:
            return False
        tensor = dynamic[0]
