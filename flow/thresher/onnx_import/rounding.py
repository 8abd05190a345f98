"""`Round`, `Floor` and `Ceil` as quantisers, and the limits that may follow them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from thresher.ir.quant import QuantNode
from thresher.ir.quantisers import ROUNDINGS, UNBOUNDED, Rounding
from thresher.onnx_import.scope import Scope, dynamic_inputs
from thresher.onnx_import.source import SourceNode
from thresher_sim.streams import IntType

_MODES: Mapping[str, str] = MappingProxyType({"Round": "ROUND", "Floor": "FLOOR", "Ceil": "CEIL"})


def read_rounding(scope: Scope, node: SourceNode) -> Rounding:
    """A rounding of a tensor, whose range is what limits the tensor."""
    inputs, mode = dynamic_inputs(scope, node), _MODES[node.op]
    low, high = (ROUNDINGS[mode](np.asarray(limit, np.float32)) for limit in scope.range_of(inputs[0]))
    result = Rounding(
        name=node.name,
        inputs=inputs,
        outputs=node.outputs,
        onnx_nodes=(node.name,),
        scale=np.ones((), np.float32),
        zero=np.zeros((), np.float32),
        element=_limited(UNBOUNDED, float(low), float(high)) or UNBOUNDED,
        rounding=mode,
    )
    scope.roundings[node.outputs[0]] = result
    return result


def limit_rounding(scope: Scope, node: SourceNode, low: float, high: float) -> QuantNode | None:
    """The limits `low..high` as part of the rounding in front of them, if whole numbers limit one."""
    rounding = scope.roundings.get(dynamic_inputs(scope, node)[0])
    if rounding is None or not all(math.isinf(limit) or limit == int(limit) for limit in (low, high)):
        return None
    element = _limited(rounding.element, low, high)
    if element is None:
        return None
    names = (*rounding.onnx_nodes, node.name)
    limited = replace(rounding, name=node.name, outputs=node.outputs, onnx_nodes=names, element=element)
    scope.roundings[node.outputs[0]] = limited
    return limited


def _limited(element: IntType, low: float, high: float) -> IntType | None:
    """The part of `element` that lies in `low..high`, which may be one integer; None where it holds none."""
    lo, hi = max(element.lo, low), min(element.hi, high)
    return IntType(int(lo), int(hi)) if lo <= hi else None
