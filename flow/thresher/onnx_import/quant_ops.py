"""Reading `Quant` and `BipolarQuant` nodes, on activations and on constants."""

from __future__ import annotations

import numpy as np

from thresher.graph import Array
from thresher.onnx_import.nodes import Floats
from thresher.onnx_import.problems import RETRAIN, NodeError
from thresher.onnx_import.quantisers import ROUNDINGS, QuantisedConstant, Quantiser, quantised_range
from thresher.onnx_import.scope import Scope
from thresher.onnx_import.source import SourceNode
from thresher_sim.streams import BIPOLAR, IntType

_MAX_BITS = 32


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
        scale=_scale(scope, node),
        zero=np.zeros((), np.float32) if bipolar else _zero(scope, node),
        element=BIPOLAR if bipolar else _element(scope, node),
        rounding="ROUND" if bipolar else _rounding(node),
    )


def quantise_constant(scope: Scope, node: SourceNode, value: Array) -> QuantisedConstant:
    """Apply a quantiser node to a constant, keeping integers and scale apart."""
    quantiser = read_quantiser(scope, node)
    x = np.asarray(value, np.float32)
    if not np.isfinite(x).all():
        reason = "the constant that it quantises holds NaN or infinity"
        raise NodeError("import", node.name, reason, RETRAIN)
    levels = quantiser.levels(x)
    if levels.shape != x.shape:
        reason = f"its scale or zero point does not fit the shape {list(x.shape)} of what it quantises"
        raise NodeError("import", node.name, reason, "export the model again")
    scale = np.broadcast_to(quantiser.scale, x.shape)
    zero = np.broadcast_to(quantiser.zero, x.shape)
    return QuantisedConstant(levels, scale, zero, (node.name,))


def _scale(scope: Scope, node: SourceNode) -> Floats:
    scale = np.asarray(scope.argument(node, 1, "scale"), np.float32)
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
    return zero


def _element(scope: Scope, node: SourceNode) -> IntType:
    width = scope.floats(node, 3, "bit width")
    bits = float(width.reshape(-1)[0]) if width.size == 1 else 0.0
    if bits != int(bits) or not 1 <= bits <= _MAX_BITS:
        reason = f"its bit width is {width.tolist()}, where one integer from 1 to {_MAX_BITS} is needed"
        raise NodeError("import", node.name, reason, "train with a fixed bit width")
    signed, narrow = bool(node.attributes.get("signed", 1)), bool(node.attributes.get("narrow", 1))
    return quantised_range(int(bits), signed, narrow)


def _rounding(node: SourceNode) -> str:
    mode = node.attributes.get("rounding_mode", b"ROUND")
    name = (mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)).upper()
    if name not in ROUNDINGS:
        reason = f"its rounding mode '{name}' is not known"
        raise NodeError("import", node.name, reason, f"use one of {', '.join(ROUNDINGS)}")
    return name
