"""What float32 can make of a tensor, whatever the order of its additions: bounds, element by element.

ONNX does not say in which order a product adds up its terms, and float32 rounds each partial sum. So a value
behind a product is only known to lie between bounds. They are computed from given values of earlier tensors:

* A value that is given as a real number, such as an integer times a scale, is either float32 next to it.
* A sum of n terms is exact where all terms are multiples of one power of two and the sum of their
  magnitudes is less than 2**24 of it. Else each order of additions is off by at most `n * u / (1 - n * u)` of
  the sum of magnitudes, u = 2**-24 (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
  section 4.2). A bias within the operator is one of the terms. Two more units are for the factors, which are
  integers times scales that float32 has rounded.
* Below 2**-126 float32 has steps of 2**-149, the smallest of its numbers; each product is off by one at most.
* A sum with a single product of a quantiser's integers has no order: it is the product of the float32 of its
  input and weight, rounded. The exact one lies within its bounds too.
* An elementwise operator is one correctly rounded operation after the other, in an order that ONNX gives;
  rounding keeps the order of values. So its bounds are what float32 makes of the bounds of its input.
* How a mean divides is not said: by the count, or times its reciprocal. Its bounds are two roundings wider.

Bounds of width zero say that float32 has no choice: a difference there is no tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array
from thresher.ir.quant import (
    Arithmetic,
    Elementwise,
    FloatLinear,
    Floats,
    Layout,
    Leaky,
    Linear,
    QuantGraph,
    QuantNode,
)
from thresher.ir.quant_joins import Concat, Pick, Sum
from thresher.ir.quant_maps import AveragePool, Conv, FloatConv, GlobalPool, MaxPool
from thresher.ir.quantisers import Binariser, Quantiser

Doubles = npt.NDArray[np.float64]
_UNIT = 2.0**-24
_LEAST = 2.0**-149
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


def enclosing(*values: Array) -> Bounds:
    """The nearest float32 on the outside of real values `[N, *shape]` of a tensor, one array or several."""
    exact = [np.asarray(each, np.float64) for each in values]
    return _outwards(np.minimum.reduce(exact), np.maximum.reduce(exact))


def bounds_of(graph: QuantGraph, tensor: str, given: Mapping[str, Bounds]) -> Bounds | None:
    """The bounds of `tensor`, from those of earlier tensors.

    None where an operator on the way has no rule here, as those that only the host computes.
    """
    writers = {name: node for node in graph.nodes for name in node.outputs}
    return _bounds(writers, tensor, dict(given))


def _bounds(writers: Mapping[str, QuantNode], tensor: str, known: dict[str, Bounds]) -> Bounds | None:
    if tensor not in known:
        node = writers.get(tensor)
        if node is None:
            return None
        product = _fused(writers, node)
        reads = node.inputs if product is None else product.node.inputs
        inputs = [_bounds(writers, name, known) for name in reads]
        present = [each for each in inputs if each is not None]
        with np.errstate(all="ignore"):
            if len(present) < len(inputs):
                result = None
            else:
                result = (
                    _after(node, present)
                    if product is None
                    else product.bounds(present[0], _of_a_quantiser(writers, product.node.inputs[0]))
                )
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


def _of_a_quantiser(writers: Mapping[str, QuantNode], tensor: str) -> bool:
    """Whether a quantiser writes `tensor`, and nothing but its layout has changed since."""
    node = writers.get(tensor)
    while isinstance(node, Layout):
        node = writers.get(node.input)
    return isinstance(node, Quantiser)


def _fused(writers: Mapping[str, QuantNode], node: QuantNode | None) -> _Fused | None:
    """The product that `node` is, or ends: factor and bias of one ONNX operator are nodes by themselves."""
    if isinstance(node, Linear | FloatLinear | Conv | FloatConv):
        return _Fused(node)
    if not isinstance(node, Arithmetic) or node.constant_first:
        return None
    before = _fused(writers, writers.get(node.input))
    if before is None or before.node.onnx_nodes[-1] != node.onnx_nodes[-1]:
        return None
    constant = node.constant.astype(np.float64)
    if node.op == "Mul":
        return replace(before, factor=before.factor * constant)
    return replace(before, bias=constant) if node.op == "Add" else None


@dataclass(frozen=True, eq=False)
class _Fused:
    """`factor * product + bias`, as one ONNX operator computes it."""

    node: _Product
    factor: Doubles = field(default_factory=lambda: np.ones(()))
    bias: Doubles = field(default_factory=lambda: np.zeros(()))

    def bounds(self, x: Bounds, of_a_quantiser: bool) -> Bounds:
        """The centre of the sum, and how far from it the input's width and rounding can take it.

        What a quantiser writes is rounded once, so that a single product of it has but one value.
        """
        low, high = x.low.astype(np.float64), x.high.astype(np.float64)
        middle, width = (low + high) / 2, (high - low) / 2
        centre = self._real.apply(middle) * self.factor + self.bias
        products = self._positive.apply(np.abs(middle) + width) * np.abs(self.factor)
        magnitudes = products + np.abs(self.bias)
        # The bias is a term, and the factor rounds once more.
        terms = int(np.prod(self._real.weights.shape[1:])) + 2
        units = (terms + 2) * _UNIT
        rounding = units / (1 - units) * magnitudes
        rounding += np.where(products > 0, terms * _LEAST * (1 + np.abs(self.factor)), 0.0)
        if not width.any():
            rounding = np.where(self._exact(middle, magnitudes), 0.0, rounding)
        of_inputs = self._positive.apply(width) + self._of_rounded_weights(np.abs(middle) + width)
        radius = of_inputs * np.abs(self.factor) + rounding
        bounds = _outwards(centre - radius, centre + radius)
        return self._where_alone(x, centre, bounds) if of_a_quantiser else bounds

    def _where_alone(self, x: Bounds, centre: Doubles, bounds: Bounds) -> Bounds:
        """Bounds of rows with at most one product: that exactly, and rounded ahead of the bias or with it."""
        real = self._real
        rows = np.count_nonzero(real.weights.reshape(len(real.weights), -1), axis=1) <= 1
        apart = isinstance(real, FloatConv) and real.pad_value
        if not rows.any() or (self.factor != 1).any() or apart or self._rounded:
            return bounds
        single = replace(real, weights=real.weights.astype(np.float32))
        rounded = replace(real, weights=single.weights.astype(np.float64))
        exact = np.stack(
            [node.apply(each.astype(np.float64)) for node in (real, rounded) for each in (x.low, x.high)]
        )
        product = _outwards(exact.min(axis=0), exact.max(axis=0))
        product = _hull([product.low, product.high, *(single.apply(each) for each in (x.low, x.high))])
        with_bias = _outwards(exact.min(axis=0) + self.bias, exact.max(axis=0) + self.bias)
        bias = self.bias.astype(np.float32)
        alone = _hull([with_bias.low, with_bias.high, product.low + bias, product.high + bias])
        where = self._per_row(rows, centre.ndim)
        return Bounds(np.where(where, alone.low, bounds.low), np.where(where, alone.high, bounds.high))

    @property
    def _rounded(self) -> bool:
        """Whether the model's own weights lie beside a grid (`Linear.rounded`)."""
        return isinstance(self.node, Linear | Conv) and self.node.rounded

    def _per_row(self, rows: Array, rank: int) -> Array:
        """One value for each row of the weights, as results of `rank` axes have them."""
        return rows.reshape(-1, *[1] * (rank - 2)) if isinstance(self.node, Conv | FloatConv) else rows

    @cached_property
    def _real(self) -> FloatLinear | FloatConv:
        """The product with weights as the real numbers that they stand for."""
        node = self.node
        ends = (node.name, node.inputs, node.outputs, node.onnx_nodes)
        if isinstance(node, FloatLinear | FloatConv):
            return replace(node, weights=node.weights.astype(np.float64))
        per_row = (-1, *[1] * (node.weights.ndim - 1))
        weights: Any = (node.weights - node.zero.reshape(per_row)) * node.scale.astype(np.float64).reshape(
            per_row
        )
        if isinstance(node, Linear):
            return FloatLinear(*ends, weights)
        return FloatConv(*ends, node.window, weights, node.groups, node.pad_value)

    @cached_property
    def _positive(self) -> FloatLinear | FloatConv:
        real = self._real
        if isinstance(real, FloatConv):
            return replace(real, weights=np.abs(real.weights), pad_value=abs(real.pad_value))
        return replace(real, weights=np.abs(real.weights))

    def _exact(self, x: Doubles, magnitudes: Doubles) -> npt.NDArray[np.bool_]:
        """Which sums no order of additions rounds: their terms are multiples of one power of two."""
        real = self._real
        if (self.factor != 1).any() or (isinstance(real, FloatConv) and real.pad_value):
            return np.zeros(magnitudes.shape, np.bool_)
        rows = real.weights.reshape(len(real.weights), -1)
        steps = np.minimum(np.array([_grid(row) for row in rows]) * _grid(x), _grid(self.bias))
        steps = self._per_row(steps, magnitudes.ndim)
        exact: npt.NDArray[np.bool_] = (magnitudes < _MANTISSA * steps) & (steps >= _LEAST)
        return exact

    def _of_rounded_weights(self, x: Doubles) -> Doubles | float:
        """What weights add that lie beside a grid (`Linear.rounded`): 2**-22 of the largest of each row."""
        if not self._rounded:
            return 0.0
        weights = self._positive.weights
        largest = weights.max(axis=tuple(range(1, weights.ndim)), keepdims=True)
        rows = replace(self._positive, weights=np.broadcast_to(largest, weights.shape))
        result: Doubles = 2.0**-22 * rows.apply(x)
        return result


def _grid(values: Array) -> float:
    """The greatest power of two that all `values` are multiples of; infinite where all are zero."""
    parts, exponents = np.frexp(values[values != 0])
    if not parts.size:
        return float("inf")
    whole = np.abs(np.ldexp(parts, _DOUBLE_BITS)).astype(np.int64)
    lowest = (whole & -whole).astype(np.float64)
    return float(np.ldexp(lowest, exponents - _DOUBLE_BITS).min())


def _mean(node: AveragePool | GlobalPool, x: Bounds) -> Bounds:
    low, high = (node.apply(each.astype(np.float64)) for each in (x.low, x.high))
    largest = np.maximum(np.abs(x.low), np.abs(x.high)).astype(np.float64)
    terms = node.window.taps if isinstance(node, AveragePool) else int(np.prod(x.low.shape[2:]))
    magnitudes = node.apply(largest)
    exact = not (x.low != x.high).any() and float(largest.max(initial=0)) * terms < _MANTISSA * _grid(x.low)
    rounding = (2 if exact else terms + 2) * _UNIT * magnitudes + np.where(magnitudes > 0, _LEAST, 0.0)
    return _outwards(low - rounding, high + rounding)


def _total(node: Sum, inputs: list[Bounds]) -> Bounds:
    """Sums of tensors: what float32 makes of the bounds from left to right, and the exact sums."""
    ends = [
        [
            each.low if (sign > 0) == lower else each.high
            for each, sign in zip(inputs, node.signs, strict=True)
        ]
        for lower in (True, False)
    ]
    exact = _outwards(*(node.combine(*(each.astype(np.float64) for each in end)) for end in ends))
    return _hull([exact.low, exact.high, *(node.combine(*end) for end in ends)])


def _outwards(low: Doubles, high: Doubles) -> Bounds:
    """The nearest float32 on the outside of both; infinite beyond all of them."""
    with np.errstate(over="ignore"):
        below, above = low.astype(np.float32), high.astype(np.float32)
    below = np.where(below > low, np.nextafter(below, np.float32(-np.inf)), below)
    above = np.where(above < high, np.nextafter(above, np.float32(np.inf)), above)
    return Bounds(below, above)
