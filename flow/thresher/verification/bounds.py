"""What float32 can make of a tensor, whatever the order of its additions: bounds, element by element.

ONNX does not say in which order a product adds up its terms, and float32 rounds each partial sum. So a value
behind a product is only known to lie between bounds. They are computed from given values of earlier tensors:

* A sum of n products is exact where all terms are multiples of one power of two and the sum of their
  magnitudes is less than 2**24 of it. Else each order of additions is off by at most `n * u / (1 - n * u)` of
  the sum of magnitudes, u = 2**-24 (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
  section 4.2).
* An elementwise operator is one correctly rounded operation after the other, in an order that ONNX gives;
  rounding keeps the order of values. So its bounds are what float32 makes of the bounds of its input.
* How a mean divides is not said: by the count, or times its reciprocal. Its bounds are two roundings wider.

Bounds of width zero say that float32 has no choice: a difference there is no tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.graph import Array
from thresher.onnx_import.importer import QuantGraph
from thresher.onnx_import.join_nodes import Concat, Pick, Sum
from thresher.onnx_import.map_nodes import AveragePool, Conv, FloatConv, GlobalPool, MaxPool
from thresher.onnx_import.nodes import (
    Arithmetic,
    Elementwise,
    FloatLinear,
    Floats,
    Layout,
    Leaky,
    Linear,
    QuantNode,
)
from thresher.onnx_import.quantisers import Binariser, Quantiser

Doubles = npt.NDArray[np.float64]
_UNIT = 2.0**-24
_MANTISSA = 1 << 24
# Integers through which a double passes unchanged.
_DOUBLE_BITS = 53

_Product = Linear | FloatLinear | Conv | FloatConv


@dataclass(frozen=True, eq=False)
class Bounds:
    """The least and the greatest float32 `[N, *shape]` that each element can be."""

    low: Floats
    high: Floats

    def hold(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which of `values` lie between them."""
        inside: npt.NDArray[np.bool_] = (values >= self.low) & (values <= self.high)
        return inside


def bounds_of(graph: QuantGraph, tensor: str, given: Mapping[str, Array]) -> Bounds | None:
    """The bounds of `tensor`, from the values `[N, *shape]` that the model has for earlier tensors.

    None where an operator on the way has no rule here, as those that only the host computes.
    """
    writers = {name: node for node in graph.nodes for name in node.outputs}
    known = {name: Bounds(*[np.asarray(value, np.float32)] * 2) for name, value in given.items()}
    return _bounds(writers, tensor, known)


def _bounds(writers: Mapping[str, QuantNode], tensor: str, known: dict[str, Bounds]) -> Bounds | None:
    if tensor not in known:
        node = writers.get(tensor)
        if node is None:
            return None
        inputs = [_bounds(writers, name, known) for name in node.inputs]
        present = [each for each in inputs if each is not None]
        with np.errstate(all="ignore"):
            result = _after(node, present) if len(present) == len(inputs) else None
        if result is None or not (np.isfinite(result.low).all() and np.isfinite(result.high).all()):
            return None
        known[tensor] = result
    return known[tensor]


def levels_between(quantiser: Quantiser, bounds: Bounds) -> tuple[Array, Array]:
    """The lowest and the highest level that a quantiser can give for values between `bounds`.

    Quantisers divide, shift and round in an order that is given, so no bound is wider than its input's.
    """
    with np.errstate(all="ignore"):
        ends = [quantiser.levels(each) for each in (bounds.low, bounds.high)]
        if isinstance(quantiser, Binariser):
            # On the threshold itself there may be a third value.
            ends.append(quantiser.levels(np.clip(quantiser.threshold, bounds.low, bounds.high)))
    lowest: Array = np.minimum.reduce(ends)
    highest: Array = np.maximum.reduce(ends)
    return lowest, highest


def _after(node: QuantNode, inputs: list[Bounds]) -> Bounds | None:  # noqa: PLR0911  (a rule a line)
    first = inputs[0]
    match node:
        case Linear() | FloatLinear() | Conv() | FloatConv():
            return _product(node, first)
        case Arithmetic(op="Div", constant_first=True) if ((first.low <= 0) & (first.high >= 0)).any():
            return None
        case Leaky():
            return _hull([node.apply(each) for each in (first.low, first.high, _nearest_zero(first))])
        case Quantiser():
            low, high = levels_between(node, first)
            return _hull([node.real(each, np.float32) for each in (low, high)])
        case Elementwise() | Layout() | Pick() | MaxPool() | GlobalPool(largest=True):
            return _hull([node.apply(first.low), node.apply(first.high)])
        case AveragePool() | GlobalPool():
            return _mean(node, first)
        case Sum():
            return _total(node, inputs)
        case Concat():
            return Bounds(
                node.combine(*(each.low for each in inputs)), node.combine(*(each.high for each in inputs))
            )
    return None


def _hull(ends: list[Array]) -> Bounds:
    return Bounds(np.minimum.reduce(ends), np.maximum.reduce(ends))


def _nearest_zero(bounds: Bounds) -> Floats:
    return np.minimum(np.maximum(bounds.low, np.float32(0)), bounds.high)


def _product(node: _Product, x: Bounds) -> Bounds:
    """The centre of the sum, and how far from it the inputs' width and rounding can take it."""
    low, high = x.low.astype(np.float64), x.high.astype(np.float64)
    middle, width = (low + high) / 2, (high - low) / 2
    real, positive = _as_floats(node), _magnitudes(node)
    centre, magnitudes = real.apply(middle), positive.apply(np.abs(middle) + width)
    terms = int(np.prod(positive.weights.shape[1:]))
    rounding = (terms + 2) * _UNIT / (1 - (terms + 2) * _UNIT) * magnitudes
    if not width.any():
        rounding = np.where(_exact(real, middle, magnitudes), 0.0, rounding)
    radius = positive.apply(width) + rounding + _of_rounded_weights(node, positive, np.abs(middle) + width)
    return _outwards(centre - radius, centre + radius)


def _as_floats(node: _Product) -> FloatLinear | FloatConv:
    """The operator with weights as the model has them in float32, in doubles."""
    ends = (node.name, node.inputs, node.outputs, node.onnx_nodes)
    if isinstance(node, FloatLinear | FloatConv):
        return replace(node, weights=node.weights.astype(np.float64))
    per_row = (-1, *[1] * (node.weights.ndim - 1))
    centred = (node.weights - node.zero.reshape(per_row)).astype(np.float32)
    weights: Any = (centred * node.scale.astype(np.float32).reshape(per_row)).astype(np.float64)
    if isinstance(node, Linear):
        return FloatLinear(*ends, weights)
    return FloatConv(*ends, node.window, weights, node.groups, node.pad_value)


def _magnitudes(node: _Product) -> FloatLinear | FloatConv:
    real = _as_floats(node)
    if isinstance(real, FloatConv):
        return replace(real, weights=np.abs(real.weights), pad_value=abs(real.pad_value))
    return replace(real, weights=np.abs(real.weights))


def _exact(node: FloatLinear | FloatConv, x: Doubles, magnitudes: Doubles) -> npt.NDArray[np.bool_]:
    """Which sums no order of additions rounds: their terms are multiples of one power of two."""
    rows = node.weights.reshape(len(node.weights), -1)
    steps = np.array([_grid(row) for row in rows]) * _grid(x)
    if isinstance(node, FloatConv) and node.pad_value:
        return np.zeros(magnitudes.shape, np.bool_)
    if isinstance(node, FloatConv):
        steps = steps.reshape(-1, *[1] * (magnitudes.ndim - 2))
    exact: npt.NDArray[np.bool_] = magnitudes < _MANTISSA * steps
    return exact


def _grid(values: Array) -> float:
    """The greatest power of two that all `values` are multiples of; 1 where all are zero."""
    parts, exponents = np.frexp(values[values != 0])
    if not parts.size:
        return 1.0
    whole = np.abs(np.ldexp(parts, _DOUBLE_BITS)).astype(np.int64)
    lowest = (whole & -whole).astype(np.float64)
    return float(np.ldexp(lowest, exponents - _DOUBLE_BITS).min())


def _of_rounded_weights(node: _Product, positive: FloatLinear | FloatConv, x: Doubles) -> Doubles | float:
    """What weights add that only lie beside a grid (`Linear.rounded`): 2**-22 of the largest of each row."""
    if not isinstance(node, Linear | Conv) or not node.rounded:
        return 0.0
    axes = tuple(range(1, positive.weights.ndim))
    largest = np.broadcast_to(positive.weights.max(axis=axes, keepdims=True), positive.weights.shape)
    result: Doubles = 2.0**-22 * replace(positive, weights=largest).apply(x)
    return result


def _mean(node: AveragePool | GlobalPool, x: Bounds) -> Bounds:
    low, high = (node.apply(each.astype(np.float64)) for each in (x.low, x.high))
    largest = np.maximum(np.abs(x.low), np.abs(x.high)).astype(np.float64)
    terms = node.window.taps if isinstance(node, AveragePool) else int(np.prod(x.low.shape[2:]))
    magnitudes = node.apply(largest)
    exact = not (x.low != x.high).any() and float(largest.max(initial=0)) * terms < _MANTISSA * _grid(x.low)
    rounding = (2 if exact else terms + 2) * _UNIT * magnitudes
    return _outwards(low - rounding, high + rounding)


def _total(node: Sum, inputs: list[Bounds]) -> Bounds:
    """Sums of tensors are from left to right, each rounded: what float32 makes of the bounds."""
    ends = [
        [
            each.low if (sign > 0) == lower else each.high
            for each, sign in zip(inputs, node.signs, strict=True)
        ]
        for lower in (True, False)
    ]
    return Bounds(node.combine(*ends[0]), node.combine(*ends[1]))


def _outwards(low: Doubles, high: Doubles) -> Bounds:
    """The nearest float32 on the outside of both."""
    below, above = low.astype(np.float32), high.astype(np.float32)
    below = np.where(below > low, np.nextafter(below, np.float32(-np.inf)), below)
    above = np.where(above < high, np.nextafter(above, np.float32(np.inf)), above)
    return Bounds(below, above)
