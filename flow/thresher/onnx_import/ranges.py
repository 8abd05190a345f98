"""What limits the values of tensors that are computed at run time, as far as rounding needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from thresher.ir.quant import Elementwise, Floats, HostOnly, Layout, QuantNode, Shape
from thresher.ir.quant_maps import MaxPool
from thresher.ir.quantisers import UNBOUNDED, Quantiser
from thresher.onnx_import.scope import Scope
from thresher.onnx_import.source import SourceNode

# Functions that only the host computes, and their ranges by definition.
_LIMITED: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "Cos": (-1.0, 1.0),
        "Erf": (-1.0, 1.0),
        "HardSigmoid": (0.0, 1.0),
        "Sigmoid": (0.0, 1.0),
        "Sin": (-1.0, 1.0),
        "Softmax": (0.0, 1.0),
        "Softsign": (-1.0, 1.0),
        "Tanh": (-1.0, 1.0),
    }
)


def note_ranges(scope: Scope, node: SourceNode, translated: Sequence[QuantNode]) -> None:
    """Note the limits of what `node` writes, as which it was `translated`."""
    for typed in translated:
        limits = _limits(scope, node, typed)
        if limits is not None and not np.isnan(limits).any():
            scope.ranges[typed.output] = limits


def _limits(scope: Scope, node: SourceNode, typed: QuantNode) -> tuple[float, float] | None:
    """A function that rises or falls everywhere has its extremes at the ends of its input's range."""
    if isinstance(typed, HostOnly):
        return _LIMITED.get(node.op) if node.is_standard else None
    if isinstance(typed, Layout | MaxPool):
        return scope.range_of(typed.input)
    frame = scope.shapes[typed.input][1:]
    with np.errstate(all="ignore"):
        if isinstance(typed, Elementwise) and typed.monotone:
            values = typed.apply(_frames(scope.range_of(typed.input), frame))
        elif isinstance(typed, Quantiser) and typed.element != UNBOUNDED:
            values = typed.real(
                _frames((typed.element.lo, typed.element.hi), frame).astype(np.int64), np.float32
            )
        else:
            return None
    return float(values.min()), float(values.max())


def _frames(ends: tuple[float, float], shape: Shape) -> Floats:
    """One frame of `shape` for either end."""
    column = np.asarray(ends, np.float32).reshape(2, *[1] * len(shape))
    return np.broadcast_to(column, (2, *shape))
