"""QONNX's operators on arrays, as its specification computes them in float32, operation by operator.

They are written apart from `quantisers`, which lowering reads: the reference that a build is held to must not
share an error with it. Source: the QONNX operator documentation, versions 1 and 2 of `Trunc` included
(https://github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from thresher.errors import NodeError
from thresher.ir.graph import Array
from thresher.onnx_import.source import SourceNode

Operator = Callable[[SourceNode, Sequence[Array]], Array]

_HALF = np.float32(0.5)
_INPUTS_OF_SECOND_TRUNC = 6


def apply_qonnx(node: SourceNode, inputs: Sequence[Array]) -> Array:
    """The output of a QONNX quantiser for `inputs` in the order of its ONNX inputs.

    Raises:
        NodeError: It has fewer inputs than its specification asks for, or an unknown rounding mode.
    """
    least, operator = _OPERATORS[node.op]
    if len(inputs) < least:
        reason = f"it has {len(inputs)} inputs, where {least} are needed"
        raise NodeError("verification", node.name, reason, "export the model again")
    with np.errstate(all="ignore"):
        return np.asarray(operator(node, [np.asarray(each, np.float32) for each in inputs]), np.float32)


def _quant(node: SourceNode, inputs: Sequence[Array]) -> Array:
    x, scale, zero, bits = inputs[:4]
    signed, narrow = _flag(node, "signed", 1), _flag(node, "narrow", 0)
    shifted = x / scale + zero
    if signed and float(bits.reshape(-1)[0]) == 1:
        levels = np.where(shifted >= 0, np.float32(1), np.float32(-1))
    else:
        levels = _rounded(node, _clamped(shifted, bits, signed, narrow), "ROUND")
    result: Array = (levels - zero) * scale
    return result


def _bipolar(_: SourceNode, inputs: Sequence[Array]) -> Array:
    x, scale = inputs[:2]
    result: Array = np.where(x >= 0, np.float32(1), np.float32(-1)) * scale
    return result


def _trunc(node: SourceNode, inputs: Sequence[Array]) -> Array:
    if len(inputs) >= _INPUTS_OF_SECOND_TRUNC:
        return _second_trunc(node, inputs)
    x, scale, zero, bits_in, bits_out = inputs[:5]
    kept = np.round(x / scale + zero) / np.exp2(bits_in - bits_out)
    result: Array = (_rounded(node, kept, "FLOOR") - zero) * scale
    return result


def _second_trunc(node: SourceNode, inputs: Sequence[Array]) -> Array:
    x, scale, zero, _, scale_out, bits_out = inputs[:6]
    divisor = np.exp2(np.round(np.log2(scale_out / scale)))
    kept = np.round(x / scale + zero) / divisor
    clamped = _clamped(kept, bits_out, _flag(node, "signed", 1), _flag(node, "narrow", 0))
    result: Array = (_rounded(node, clamped, "FLOOR") - zero / divisor) * scale_out
    return result


def _clamped(x: Array, bits: Array, signed: bool, narrow: bool) -> Array:
    """`x` limited to the integers of so many bits; NaN stays NaN."""
    width = int(bits.reshape(-1)[0])
    high = (1 << (width - 1)) - 1 if signed else (1 << width) - 1 - narrow
    low = -(1 << (width - 1)) + narrow if signed else 0
    limited = np.where(x > np.float32(high), np.float32(high), x)
    return np.where(limited < np.float32(low), np.float32(low), limited)


def _rounded(node: SourceNode, x: Array, default: str) -> Array:
    mode: Any = node.attributes.get("rounding_mode", default)
    name = (mode.decode(errors="replace") if isinstance(mode, bytes) else str(mode)).upper()
    if name not in _ROUNDINGS:
        reason = f"its rounding mode '{name}' is not known"
        raise NodeError("verification", node.name, reason, f"use one of {', '.join(_ROUNDINGS)}")
    return _ROUNDINGS[name](x)


def _flag(node: SourceNode, name: str, default: int) -> bool:
    return bool(node.attributes.get(name, default))


def _outwards(x: Array) -> Array:
    result: Array = np.copysign(np.ceil(np.abs(x)), x)
    return result


def _half_outwards(x: Array) -> Array:
    result: Array = np.copysign(np.floor(np.abs(x) + _HALF), x)
    return result


def _half_inwards(x: Array) -> Array:
    result: Array = np.copysign(np.ceil(np.abs(x) - _HALF), x)
    return result


_ROUNDINGS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "ROUND": np.round,
        "HALF_EVEN": np.round,
        "CEIL": np.ceil,
        "FLOOR": np.floor,
        "UP": _outwards,
        "DOWN": np.trunc,
        # Brevitas' name for it.
        "ROUND_TO_ZERO": np.trunc,
        "HALF_UP": _half_outwards,
        "HALF_DOWN": _half_inwards,
    }
)
# Each with the least number of its inputs.
_OPERATORS: Mapping[str, tuple[int, Operator]] = MappingProxyType(
    {
        "Quant": (4, _quant),
        "IntQuant": (4, _quant),
        "BipolarQuant": (2, _bipolar),
        "Trunc": (5, _trunc),
    }
)
