"""One function per supported ONNX operator: a node with at least one run-time input to typed nodes.

To support an operator is to add a function here, under its name in `TRANSLATORS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from thresher.errors import RETRAIN, NodeError
from thresher.ir.custom import Custom, RefusalError
from thresher.ir.domains import QONNX
from thresher.ir.quant import (
    ArgMax,
    Arithmetic,
    BatchNorm,
    Clip,
    HostOnly,
    Leaky,
    Negate,
    QuantNode,
    Reshape,
    Shape,
    Transpose,
)
from thresher.onnx_import.constants import shrunk_operand
from thresher.onnx_import.join_ops import translate_concat, translate_picks, translate_resize, translate_sum
from thresher.onnx_import.linear_ops import translate_gemm, translate_matmul
from thresher.onnx_import.map_ops import (
    translate_average_pool,
    translate_conv,
    translate_global_pool,
    translate_max_pool,
    translate_reduce,
)
from thresher.onnx_import.pads import move_pads, note_pad
from thresher.onnx_import.quant_ops import read_quantiser, read_truncation
from thresher.onnx_import.rounding import limit_rounding, read_rounding
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.shapes import fitting_shape
from thresher.onnx_import.source import SourceNode, read_attribute

Translator = Callable[[Scope, SourceNode], Sequence[QuantNode]]


def _quantiser(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    return [read_quantiser(scope, node)]


def _truncation(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    return [read_truncation(scope, node)]


def _arithmetic(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    dynamic = dynamic_inputs(scope, node)
    if node.op in ("Add", "Sub") and len(dynamic) == 2:
        return translate_sum(scope, node)
    if len(node.inputs) != 2 or len(dynamic) != 1:
        return [host_only(scope, node, f"{node.op} of two tensors that are computed at run time")]
    constant_first = scope.is_constant(node.inputs[0])
    constant = scope.floats(node, 0 if constant_first else 1, "constant operand")
    constant = shrunk_operand(constant, scope.shape(node))
    if node.op == "Div" and not constant_first and not constant.all():
        raise NodeError("import", node.name, "it divides by zero", RETRAIN)
    return [
        Arithmetic(node.name, dynamic, node.outputs, (node.name,), node.op, constant, constant_first)  # type: ignore[arg-type]
    ]


def _batch_norm(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    if node.attributes.get("training_mode", 0):
        raise NodeError("import", node.name, "it is in training mode", "call model.eval() before the export")
    names = ("gamma", "beta", "mean", "variance")
    gamma, beta, mean, variance = (scope.floats(node, i, what) for i, what in enumerate(names, start=1))
    result = BatchNorm(
        name=node.name,
        inputs=dynamic_inputs(scope, node),
        outputs=node.outputs[:1],
        onnx_nodes=(node.name,),
        gamma=gamma,
        beta=beta,
        mean=mean,
        variance=variance,
        epsilon=float(node.attributes.get("epsilon", 1e-5)),
    )
    fitting_shape(result, scope.shape(node))
    with np.errstate(all="ignore"):
        probe = result.apply(np.zeros((1, gamma.size), np.float32))
    if not np.isfinite(probe).all():
        reason = "its variance plus epsilon is not positive, or its statistics overflow float32"
        raise NodeError("import", node.name, reason, RETRAIN)
    return [result]


def _relu(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    return _limited(scope, node, 0.0, math.inf)


def _clip(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """Before opset 11 the limits are attributes."""
    limits = [float(node.attributes.get("min", -math.inf)), float(node.attributes.get("max", math.inf))]
    given = (scope.scalar(node, index, "limit") for index in (1, 2))
    limits = [limit if each is None else each for limit, each in zip(limits, given, strict=True)]
    if any(math.isnan(limit) for limit in limits):
        raise NodeError("import", node.name, "its limit is NaN", "mend the export")
    return _limited(scope, node, *limits)


def _limited(scope: Scope, node: SourceNode, low: float, high: float) -> Sequence[QuantNode]:
    inputs = dynamic_inputs(scope, node)
    limited = limit_rounding(scope, node, low, high)
    return [limited or Clip(node.name, inputs, node.outputs, (node.name,), low, high)]


def _rounding(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    return [read_rounding(scope, node)]


def _leaky(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    if node.op == "PRelu":
        slope = shrunk_operand(scope.floats(node, 1, "slope"), scope.shape(node))
    else:
        slope = np.asarray(node.attributes.get("alpha", 0.01), np.float32)
    return [Leaky(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), slope)]


def _negate(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    return [Negate(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,))]


def _reshape(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    target = scope.argument(node, 1, "target shape").astype(np.int64).reshape(-1)
    shape = scope.shape(node)
    keep_zero = bool(node.attributes.get("allowzero", 0))
    sizes = [
        shape[axis] if size == 0 and not keep_zero and axis < len(shape) else int(size)
        for axis, size in enumerate(target)
    ]
    return _reshaped(scope, node, sizes)


def _flatten(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    shape = scope.shape(node)
    axis = int(node.attributes.get("axis", 1))
    axis += len(shape) if axis < 0 else 0
    return _reshaped(scope, node, [math.prod(shape[:axis]), math.prod(shape[axis:])])


def _squeeze(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    shape = scope.shape(node)
    axes = _axes(scope, node)
    if axes is None:
        axes = [axis for axis, size in enumerate(shape) if size == 1]
    dropped = {axis % len(shape) for axis in axes}
    return _reshaped(scope, node, [size for axis, size in enumerate(shape) if axis not in dropped])


def _unsqueeze(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    shape = scope.shape(node)
    axes = _axes(scope, node) or []
    rank = len(shape) + len(axes)
    added = {axis % rank for axis in axes}
    sizes = iter(shape)
    return _reshaped(scope, node, [1 if axis in added else next(sizes) for axis in range(rank)])


def _axes(scope: Scope, node: SourceNode) -> list[int] | None:
    """From opset 13 the axes are an input."""
    axes = scope.optional(node, 1)
    if axes is not None:
        return [int(axis) for axis in axes.reshape(-1)]
    listed = node.attributes.get("axes")
    return None if listed is None else [int(axis) for axis in listed]


def _reshaped(scope: Scope, node: SourceNode, sizes: Sequence[int]) -> Sequence[QuantNode]:
    shape = scope.shape(node)
    known = math.prod(size for size in sizes if size != -1)
    free = list(sizes).count(-1)
    if free > 1 or known == 0 or (math.prod(shape) % known if free else math.prod(shape) != known):
        reason = f"{list(shape)} does not reshape to {list(sizes)}"
        raise NodeError("import", node.name, reason, "mend the export")
    result: Shape = tuple(math.prod(shape) // known if size == -1 else size for size in sizes)
    if not result or result[0] != 1:
        reason = f"it reshapes {list(shape)} to {list(result)}, which has no batch axis of 1 in front"
        raise NodeError("import", node.name, reason, "keep the batch axis first")
    return [Reshape(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), result[1:])]


def _transpose(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    rank = len(scope.shape(node))
    axes = tuple(int(axis) for axis in node.attributes.get("perm", range(rank - 1, -1, -1)))
    if sorted(axes) != list(range(rank)) or axes[0] != 0:
        reason = f"it permutes the axes as {list(axes)}, which moves the batch axis"
        raise NodeError("import", node.name, reason, "keep the batch axis first")
    whole = Transpose(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), axes)
    return [*move_pads(scope, node, axes), whole]


def _pad(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """The windows behind it take it; by itself it is the host's."""
    note_pad(scope, node)
    reason = "Pad whose pixels no convolution or pool behind it takes as its own padding"
    remedy = "pad by a constant, and straight in front of a convolution or pool"
    outputs = node.outputs
    return [HostOnly(node.name, dynamic_inputs(scope, node), outputs, (node.name,), reason, remedy)]


def _arg_max(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    rank = len(scope.shape(node))
    axis = int(node.attributes.get("axis", 0)) % rank
    if axis == 0 or node.attributes.get("select_last_index", 0):
        return [host_only(scope, node, "an ArgMax over the batch axis, or of the last of equal elements")]
    keep = bool(node.attributes.get("keepdims", 1))
    return [ArgMax(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), axis, keep)]


def _top_k(scope: Scope, node: SourceNode) -> Sequence[QuantNode]:
    """The indices of TopK with k = 1 are an ArgMax; anything else is the host's."""
    rank = len(scope.shape(node))
    count = scope.scalar(node, 1, "k")
    k = int(node.attributes.get("k", 0)) if count is None else count
    axis = int(node.attributes.get("axis", -1)) % rank
    indices_only = len(node.outputs) == 2 and not _is_read(scope, node.outputs[0])
    if k != 1 or axis == 0 or not node.attributes.get("largest", 1) or not indices_only:
        return [host_only(scope, node, "a TopK of more than the index of the largest element")]
    return [ArgMax(node.name, dynamic_inputs(scope, node), node.outputs[1:], (node.name,), axis, True)]


def translate_custom(scope: Scope, node: SourceNode) -> Custom:
    """A node that the operator of its domain and name takes.

    Raises:
        NodeError: There is no such operator, or it refuses the node.
    """
    domain = node.proto.domain
    operator = scope.operators.get((domain, node.op))
    if operator is None:
        unknown = (
            f"operator {node.op} is not supported (of domain '{domain}', which the host does not know either)"
        )
        remedy = SUPPORTED_OPERATORS if domain in QONNX else _INSTALL
        raise NodeError("import", node.name, unknown, remedy)
    if len(node.inputs) != 1 or len(node.outputs) != 1:
        count = f"{len(node.inputs)} inputs and {len(node.outputs)} outputs"
        reason = f"it has {count}, where a custom operator has one of each"
        raise NodeError("import", node.name, reason, "pass constants as attributes")
    try:
        attributes = {each.name: read_attribute(each) for each in node.proto.attribute}
        taken_by = operator.from_attributes(attributes)
    except RefusalError as refusal:
        raise NodeError("import", node.name, refusal.reason, refusal.remedy) from None
    except ValueError as error:
        raise NodeError("import", node.name, str(error), "mend the export") from None
    return Custom(node.name, dynamic_inputs(scope, node), node.outputs, (node.name,), taken_by)


def reads_more(scope: Scope, node: SourceNode) -> bool:
    """Whether an output is read that has no meaning here, such as the mask of a Dropout."""
    return node.op not in ("TopK", "Split") and any(
        _is_read(scope, name) for name in node.outputs[1:] if name
    )


def _is_read(scope: Scope, tensor: str) -> bool:
    return scope.source.readers[tensor] > 0


def host_only(scope: Scope, node: SourceNode, reason: str) -> HostOnly:
    """An operator that is left to the host."""
    outputs = tuple(name for name in node.outputs if name)
    return HostOnly(
        node.name, dynamic_inputs(scope, node), outputs, (node.name,), reason, SUPPORTED_OPERATORS
    )


TRANSLATORS: Mapping[str, Translator] = MappingProxyType(
    {
        "Quant": _quantiser,
        "IntQuant": _quantiser,
        "BipolarQuant": _quantiser,
        "Trunc": _truncation,
        "Add": _arithmetic,
        "ArgMax": _arg_max,
        "AveragePool": translate_average_pool,
        "BatchNormalization": _batch_norm,
        "Ceil": _rounding,
        "Clip": _clip,
        "Concat": translate_concat,
        "Conv": translate_conv,
        "Div": _arithmetic,
        "DepthToSpace": translate_picks,
        "Flatten": _flatten,
        "Floor": _rounding,
        "Gather": translate_picks,
        "Gemm": translate_gemm,
        "GlobalAveragePool": translate_global_pool,
        "GlobalMaxPool": translate_global_pool,
        "LeakyRelu": _leaky,
        "MatMul": translate_matmul,
        "Max": _arithmetic,
        "MaxPool": translate_max_pool,
        "Min": _arithmetic,
        "Mul": _arithmetic,
        "Neg": _negate,
        "PRelu": _leaky,
        "Pad": _pad,
        "ReduceMax": translate_reduce,
        "ReduceMean": translate_reduce,
        "Relu": _relu,
        "Reshape": _reshape,
        "Resize": translate_resize,
        "Round": _rounding,
        "Slice": translate_picks,
        "SpaceToDepth": translate_picks,
        "Split": translate_picks,
        "Squeeze": _squeeze,
        "Sub": _arithmetic,
        "Sum": translate_sum,
        "TopK": _top_k,
        "Transpose": _transpose,
        "Unsqueeze": _unsqueeze,
        "Upsample": translate_resize,
    }
)
"""Operators by name; the first four are of QONNX's domains."""

# What the walk takes care of without a translator; the latter where they compare with constants.
PASSED_THROUGH = frozenset({"Identity", "Dropout"})
COMPARING = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Sign", "Where"})

_INSTALL = (
    "install the package whose kernel takes it (an entry point of the group 'thresher.kernels'), or export "
    "the model without it"
)
_NAMES = sorted({*TRANSLATORS, *PASSED_THROUGH, *COMPARING, "Constant"} - {"IntQuant"})
SUPPORTED_OPERATORS = f"supported are {', '.join(_NAMES)}"
"""The remedy for an operator that is not."""
