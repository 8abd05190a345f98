"""Reading `Quant` and `BipolarQuant` nodes, on activations and on constants."""

from __future__ import annotations

import numpy as np

from thresher.errors import RETRAIN, NodeError
from thresher.ir.graph import Array
from thresher.ir.quant import Floats, kept_shape
from thresher.ir.quantisers import (
    ROUNDINGS,
    QuantisedConstant,
    Quantiser,
    Truncation,
    quantised_range,
)
from thresher.onnx_import.constants import shrunk_operand
from thresher.onnx_import.scope import Scope
from thresher.onnx_import.source import SourceNode
from thresher_sim.streams import BIPOLAR, IntType

_MAX_BITS = 32
_MOST_ZERO = 1 << 31
# Version 2 has the output's scale as well.
_INPUTS_OF_FIRST_TRUNC = 5


def read_quantiser(scope: Scope, node: SourceNode) -> Quantiser:
    """Translate a quantiser node.

    Raises:
        NodeError: Its scale, zero point, width or rounding mode is not one that has a meaning.
    """
    bipolar = node.op == "BipolarQuant"
    return Quantiser(
        name=node.name,
        inputs=(scope.resolve(node.inputs[0]),),
        outputs=node.outputs,
        onnx_nodes=(node.name,),
        scale=_operand(scope, node, _scale(scope, node)),
        zero=np.zeros((), np.float32) if bipolar else _operand(scope, node, _zero(scope, node)),
        element=BIPOLAR if bipolar else _element(scope, node),
        rounding="ROUND" if bipolar else _rounding(node),
    )


def read_truncation(scope: Scope, node: SourceNode) -> Truncation:
    """Translate a Trunc node of either version.

    Raises:
        NodeError: One of its inputs is not one that has a meaning.
    """
    second = len(node.inputs) > _INPUTS_OF_FIRST_TRUNC
    scale, zero = _scale(scope, node), _zero(scope, node)
    if second:
        output_scale = _positive(scope, node, 4)
        with np.errstate(all="ignore"):
            divisor = np.exp2(np.round(np.log2(output_scale / scale)))
        signed, narrow = bool(node.attributes.get("signed", 1)), bool(node.attributes.get("narrow", 0))
        element = quantised_range(_bits(scope, node, 5), signed, narrow)
    else:
        output_scale = scale
        divisor = np.exp2(np.float32(_bits(scope, node, 3) - _bits(scope, node, 4)))
        # Nothing clamps: what is really reached is known once the input's range is.
        element = IntType(-(1 << _MAX_BITS), 1 << _MAX_BITS)
    output_zero = zero / divisor if second else zero
    if not np.array_equal(output_zero, np.round(output_zero)):
        reason = "its zero point is no integer after the truncation"
        raise NodeError("import", node.name, reason, "truncate what has the zero point 0")
    return Truncation(
        name=node.name,
        inputs=(scope.resolve(node.inputs[0]),),
        outputs=node.outputs,
        onnx_nodes=(node.name,),
        scale=output_scale,
        zero=np.asarray(output_zero, np.float32),
        element=element,
        rounding=_rounding(node, b"FLOOR"),
        source_scale=scale,
        source_zero=zero,
        divisor=np.asarray(divisor, np.float32),
        clamps=second,
    )


def quantise_constant(scope: Scope, node: SourceNode, value: Array) -> QuantisedConstant:
    """Apply a quantiser node to a constant, keeping integers and scale apart."""
    if node.op == "Trunc":
        reason = "it truncates a constant, which only activations are"
        raise NodeError("import", node.name, reason, "quantise weights by Quant or BipolarQuant")
    quantiser = read_quantiser(scope, node)
    x = np.asarray(value, np.float32)
    if not np.isfinite(x).all():
        reason = "the constant that it quantises holds NaN or infinity"
        raise NodeError("import", node.name, reason, RETRAIN)
    try:
        kept_shape(x.shape, quantiser.operands)
    except ValueError:
        reason = f"its scale or zero point does not fit the shape {list(x.shape)} of what it quantises"
        raise NodeError("import", node.name, reason, "export the model again") from None
    levels = quantiser.levels(x)
    scale = np.broadcast_to(quantiser.scale, x.shape)
    zero = np.broadcast_to(quantiser.zero, x.shape)
    return QuantisedConstant(levels, scale, zero, (node.name,))


def _operand(scope: Scope, node: SourceNode, values: Floats) -> Floats:
    """`values` in the smallest shape that means the same to what `node` quantises."""
    shape = scope.shapes.get(scope.resolve(node.inputs[0]))
    return values if shape is None else shrunk_operand(values, shape)


def _scale(scope: Scope, node: SourceNode) -> Floats:
    return _positive(scope, node, 1)


def _positive(scope: Scope, node: SourceNode, index: int) -> Floats:
    scale = np.asarray(scope.argument(node, index, "scale"), np.float32)
    for holds, what in (
        (np.isfinite(scale).all(), "NaN or infinity"),
        ((scale != 0).all(), "zero"),
        ((scale > 0).all(), "a negative number"),
    ):
        if not holds:
            reason = f"its scale holds {what}, where positive numbers are needed"
            raise NodeError("import", node.name, reason, RETRAIN)
    return scale


def _zero(scope: Scope, node: SourceNode) -> Floats:
    zero = scope.floats(node, 2, "zero point")
    if not np.array_equal(zero, np.round(zero)):
        raise NodeError("import", node.name, "its zero point is not an integer", "export the model again")
    if np.abs(zero).max(initial=0) > _MOST_ZERO:
        reason = f"its zero point is {np.abs(zero).max():g}, where at most {_MOST_ZERO} is supported"
        raise NodeError("import", node.name, reason, RETRAIN)
    return zero


def _element(scope: Scope, node: SourceNode) -> IntType:
    signed, narrow = bool(node.attributes.get("signed", 1)), bool(node.attributes.get("narrow", 0))
    return quantised_range(_bits(scope, node, 3), signed, narrow)


def _bits(scope: Scope, node: SourceNode, index: int) -> int:
    width = scope.floats(node, index, "bit width")
    bits = float(width.reshape(-1)[0]) if width.size == 1 else 0.0
    if bits != int(bits) or not 1 <= bits <= _MAX_BITS:
        reason = f"its bit width is {width.tolist()}, where one integer from 1 to {_MAX_BITS} is needed"
        raise NodeError("import", node.name, reason, "train with a fixed bit width")
    return int(bits)


def _rounding(node: SourceNode, default: bytes = b"ROUND") -> str:
    mode = node.attributes.get("rounding_mode", default)
    name = (mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)).upper()
    if name not in ROUNDINGS:
        reason = f"its rounding mode '{name}' is not known"
        raise NodeError("import", node.name, reason, f"use one of {', '.join(ROUNDINGS)}")
    return name
