"""Reading Gemm and MatMul: weights as integers where they came through a quantiser, or lie on a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thresher.errors import NodeError
from thresher.ir.graph import Array
from thresher.ir.quant import Arithmetic, FloatLinear, Floats, HostOnly, Linear, QuantNode
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode
from thresher.onnx_import.weight_grids import weights_on_grid


def translate_matmul(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """`x @ weights`; anything else is the host's."""
    dynamic = dynamic_inputs(scope, node)
    if len(dynamic) != 1 or scope.is_constant(node.inputs[0]):
        return [_host_matmul(node, dynamic, "a product whose right-hand side is not a constant")]
    return [_linear(scope, node, transposed=False, output=node.outputs[0])]


def translate_gemm(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """`alpha * x @ weights + beta * bias` as a product, a scaling and an addition, each where needed."""
    dynamic = dynamic_inputs(scope, node)
    if len(dynamic) != 1 or scope.is_constant(node.inputs[0]) or node.attributes.get("transA", 0):
        return [_host_matmul(node, dynamic, "a product whose right-hand side is not a constant")]
    alpha, beta = (np.float32(node.attributes.get(key, 1.0)) for key in ("alpha", "beta"))
    steps: list[tuple[str, Floats]] = []
    if alpha != 1:
        steps.append(("Mul", np.asarray(alpha)))
    if len(node.inputs) > 2 and node.inputs[2]:
        steps.append(("Add", np.asarray(scope.floats(node, 2, "bias") * beta)))
    unused = scope.source.unused_name
    tensors = [unused(f"{node.outputs[0]}/{op}") for op, _ in steps] + [node.outputs[0]]
    linear = _linear(scope, node, bool(node.attributes.get("transB", 0)), tensors[0])
    extra = [
        Arithmetic(unused(f"{node.name}/{op}"), (read,), (write,), (node.name,), op, constant, False)  # type: ignore[arg-type]
        for (op, constant), read, write in zip(steps, tensors[:-1], tensors[1:], strict=True)
    ]
    return [linear, *extra]


def _host_matmul(node: SourceNode, dynamic: tuple[str, ...], reason: str) -> HostOnly:
    remedy = "multiply by constant weights from the right: x @ weights"
    return HostOnly(node.name, dynamic, node.outputs, (node.name,), f"{node.op} is {reason}", remedy)


def _linear(scope: Scope, node: SourceNode, transposed: bool, output: str) -> QuantNode:
    inputs, outputs = dynamic_inputs(scope, node), (output,)
    quantised = scope.quantised.get(node.inputs[1])
    if quantised is None:
        weights = scope.floats(node, 1, "weight")
        _check_matrix(node, weights)
        quantised = weights_on_grid(weights, axis=0 if transposed else 1)
    if quantised is None:
        rows = weights if transposed else weights.T
        return FloatLinear(node.name, inputs, outputs, (node.name,), rows)
    _check_matrix(node, quantised.levels)
    if not transposed:
        quantised = quantised.transposed()
    return Linear(
        name=node.name,
        inputs=inputs,
        outputs=outputs,
        onnx_nodes=(*quantised.onnx_nodes, node.name),
        weights=np.ascontiguousarray(quantised.levels),
        scale=one_per_row(node, quantised.scale, "scale"),
        zero=one_per_row(node, quantised.zero, "zero point").astype(np.int64),
        rounded=quantised.rounded,
    )


def _check_matrix(node: SourceNode, weights: Array) -> None:
    if weights.ndim != 2 or not weights.size:
        reason = f"its weights have the shape {list(weights.shape)}, where a matrix is needed"
        raise NodeError("import", node.name, reason, "multiply by one matrix per layer")


def one_per_row(node: SourceNode, values: Array, what: str) -> Floats:
    """One value for each output channel, given those of all weights `[rows, ...]`.

    Raises:
        NodeError: They differ within a row.
    """
    per_row = values.reshape(len(values), -1)
    if (per_row != per_row[:, :1]).any():
        reason = f"the {what} of its weights differs between input channels"
        raise NodeError("import", node.name, reason, f"use one {what} per tensor or per output channel")
    return np.ascontiguousarray(per_row[:, 0])
