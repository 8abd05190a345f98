"""Whether the rounding of float32 can decide an integer of a frame, by bounds of each operator's error.

The model's own tensors are taken as they are; `error` bounds how far another order of float32's operations,
or the exact value, can be from each. A sum of n products is off by at most (n + 4) 2**-24 times the sum of
their magnitudes (N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 4.2), and by nothing
where all products are multiples of a power of two that a float32 holds in full. A quantiser is undecided
where it gives other integers at either end of the bounds; behind it the error is that of its own scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper

from tests.fuzz_networks.executor import STANDARD, Executed, make_session, quantise
from tests.fuzz_networks.values import Array

_UNIT = 2.0**-24
_FEW_BITS = 12
# Plain constants are taken for a grid that they are within two units in the last place of.
_OFF_GRID = 2.0**-21
_LINEAR = frozenset({"Conv", "MatMul", "Gemm", "AveragePool", "GlobalAveragePool", "ReduceMean"})
_ADDING = frozenset({"Add", "Sub", "Sum"})
_LIMITING = frozenset({"Relu", "Clip", "Min", "Max", "Identity", "Dropout", "Neg"})
_DISCRETE = frozenset(
    {
        *("Sign", "Round", "Floor", "Ceil", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"),
    }
)
_EXACT = frozenset({"Cast", "Not"})


@dataclass
class Bounds:
    """Bounds of one frame: `errors` by tensor, and the quantisers that they leave `undecided`."""

    model: onnx.ModelProto
    executed: Executed
    frame: int
    allowed: Mapping[str, float] = field(default_factory=dict)
    errors: dict[str, Array] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)

    def run(self) -> Bounds:
        """Follow the whole model."""
        for node in self.model.graph.node:
            if node.output[0] in self.executed.constants:
                continue
            error = self._error(node)
            if len(node.output) == 1:
                shape = self.value(node.output[0]).shape
                self.errors[node.output[0]] = np.broadcast_to(error, shape) + self.allowed.get(node.name, 0.0)
        return self

    def value(self, name: str) -> Array:
        """The model's value of a tensor."""
        if name in self.executed.constants:
            return self.executed.constants[name]
        value: Array = self.executed.tensors[name][self.frame]
        return value

    def error(self, name: str) -> Array:
        """Its error, in the shape of the tensor."""
        found = self.errors.get(name)
        return np.zeros(self.value(name).shape) if found is None else found

    def _error(self, node: onnx.NodeProto) -> Array:
        op = node.op_type
        rules = {
            "BatchNormalization": self._norm,
            "Mul": self._scaled,
            "Div": self._scaled,
            "PRelu": self._leaky,
            "LeakyRelu": self._leaky,
            "Where": self._chosen,
            "ArgMax": self._largest,
            "TopK": self._largest,
            **dict.fromkeys(_LINEAR, self._linear),
            **dict.fromkeys(_ADDING, self._added),
            **dict.fromkeys(_LIMITING, self._limited),
            **dict.fromkeys(_DISCRETE, self._discrete),
            **dict.fromkeys(_EXACT, self._none),
        }
        rule = rules.get(op, self._moved) if node.domain in STANDARD else self._discrete
        return rule(node)

    def _none(self, node: onnx.NodeProto) -> Array:
        return np.zeros(self.value(node.output[0]).shape)

    def _added(self, node: onnx.NodeProto) -> Array:
        inputs = [self.error(name) for name in node.input]
        return np.asarray(sum(inputs[1:], inputs[0])) + self._own(node)

    def _leaky(self, node: onnx.NodeProto) -> Array:
        steepest = np.maximum(1, np.abs(self.value(node.input[1]))) if len(node.input) > 1 else 1.0
        return self.error(node.input[0]) * steepest + self._own(node)

    def _chosen(self, node: onnx.NodeProto) -> Array:
        mask, first, second = node.input
        return np.where(self.value(mask), self.error(first), self.error(second))

    def _limited(self, node: onnx.NodeProto) -> Array:
        """No limit makes an error larger."""
        (dynamic,) = (name for name in node.input if name and name not in self.executed.constants)
        return self.error(dynamic)

    def _moved(self, node: onnx.NodeProto) -> Array:
        """Pools of the largest, and what moves elements, do to errors what they do to values."""
        inputs = [None if not name else self._fixed_or_error(name) for name in node.input]
        if node.op_type == "Pad" and len(inputs) > 2:
            inputs[2] = np.zeros((), np.float32)
        results = self._evaluate(node, inputs)
        for name, result in zip(node.output, results, strict=True):
            self.errors[name] = np.asarray(result, np.float64)
        return np.asarray(results[0], np.float64)

    def _fixed_or_error(self, name: str) -> Array:
        return self.value(name) if name in self.executed.constants else self.error(name)

    def _evaluate(self, node: onnx.NodeProto, inputs: Sequence[Array | None]) -> list[Array]:
        """What the operator makes of other inputs; float32 is enough for bounds."""
        names = [f"i{place}" if value is not None else "" for place, value in enumerate(inputs)]
        single = helper.make_node(node.op_type, names, list(node.output), domain=node.domain)
        single.attribute.extend(node.attribute)
        feeds = {
            name: np.asarray(value, np.float32) if value.dtype == np.float64 else value
            for name, value in zip(names, inputs, strict=True)
            if value is not None
        }
        session = make_session(self.model, [single], feeds, {})
        results: list[Array] = session.run(None, {})
        return results

    def _linear(self, node: onnx.NodeProto) -> Array:
        """Sums of products, or means."""
        plain = _absolute(node)
        values = [self.value(name).astype(np.float64) for name in node.input]
        axes = values[1:] if node.op_type == "ReduceMean" else []
        weights = [] if axes else values[1:]
        magnitude = self._evaluate(
            plain, [np.abs(values[0]), *(np.abs(w) for w in weights), *self._axes(node)]
        )[0]
        carried = self._evaluate(
            plain,
            [
                self.error(node.input[0]),
                *(np.abs(w) for w in weights[:1]),
                *(np.zeros_like(bias) for bias in weights[1:]),
                *self._axes(node),
            ],
        )[0]
        count = _products(node, values[0], weights)
        if _is_exact(values[0], weights, magnitude, count, bool(weights)):
            return carried
        return carried + magnitude * ((count + 4) * _UNIT + (_OFF_GRID * count if weights else 0.0))

    def _axes(self, node: onnx.NodeProto) -> list[Array]:
        if node.op_type != "ReduceMean" or len(node.input) == 1:
            return []
        return [self.value(node.input[1])]

    def _norm(self, node: onnx.NodeProto) -> Array:
        x, gamma, beta, mean, variance = (self.value(name).astype(np.float64) for name in node.input)
        epsilon = next((each.f for each in node.attribute if each.name == "epsilon"), 1e-5)
        per_channel = (-1,) + (1,) * (x.ndim - 2)
        scale = (np.abs(gamma) / np.sqrt(variance + epsilon)).reshape(per_channel)
        exact = (x - mean.reshape(per_channel)) * (gamma / np.sqrt(variance + epsilon)).reshape(
            per_channel
        ) + beta.reshape(per_channel)
        size = (
            np.abs(x) * scale + np.abs(mean.reshape(per_channel)) * scale + np.abs(beta.reshape(per_channel))
        )
        off = exact != self.value(node.output[0])
        error: Array = self.error(node.input[0]) * scale + np.where(off, 6 * _UNIT * size, 0)
        return error

    def _scaled(self, node: onnx.NodeProto) -> Array:
        first, second = (self.value(name).astype(np.float64) for name in node.input)
        if node.op_type == "Div":
            quotient: Array = self.error(node.input[0]) / np.abs(second) + self._own(node)
            return quotient
        errors = [self.error(name) for name in node.input]
        total: Array = errors[0] * np.abs(second) + errors[1] * np.abs(first) + self._own(node)
        return total

    def _own(self, node: onnx.NodeProto) -> Array:
        """The rounding of the result, where it is rounded."""
        values = [self.value(name).astype(np.float64) for name in node.input]
        exact = _in_full(node, values)
        size = np.abs(exact) + sum(np.abs(value) for value in values if node.op_type in _ADDING)
        return np.where(exact != self.value(node.output[0]), 2 * _UNIT * size, 0)

    def _discrete(self, node: onnx.NodeProto) -> Array:
        """What it gives is decided if it is the same at both ends of its input's bounds."""
        result = self._real(node)
        dynamic = [name for name in node.input if name not in self.executed.constants]
        error = self.error(dynamic[0]) * 2
        if not error.any():
            return result
        ends = [
            self._at(node, dynamic[0], np.asarray(self.value(dynamic[0]) + sign * error, np.float32))
            for sign in (-1, 1)
        ]
        centre = self._at(node, dynamic[0], self.value(dynamic[0]))
        if any((end != centre).any() for end in ends):
            self.undecided.append(node.name)
        return result

    def _largest(self, node: onnx.NodeProto) -> Array:
        """Which is the largest is decided if no other can be as large."""
        values, error = self.value(node.input[0]).reshape(-1), self.error(node.input[0]).reshape(-1) * 2
        least = (values - error).max()
        if error.any() and np.count_nonzero(values + error >= least) > 1:
            self.undecided.append(node.name)
        return np.zeros(self.value(node.output[-1]).shape)

    def _real(self, node: onnx.NodeProto) -> Array:
        """How far the float32 that a quantiser of QONNX gives is from its integer times its scale."""
        value = self.value(node.output[0])
        if node.domain in STANDARD:
            return np.zeros(value.shape)
        second = node.op_type == "Trunc" and len(node.input) > 5
        scale = self.value(node.input[4 if second else 1]).astype(np.float64)
        return np.abs(np.rint(value / scale) * scale - value)

    def _at(self, node: onnx.NodeProto, dynamic: str, x: Array) -> Array:
        inputs = [x if name == dynamic else self.value(name) for name in node.input]
        if node.domain not in STANDARD:
            return quantise(node, inputs)
        return np.asarray(self._evaluate(node, inputs)[0])


def _in_full(node: onnx.NodeProto, values: Sequence[Array]) -> Array:
    """An operator of one rounding, without it."""
    first, *others = values
    if node.op_type == "LeakyRelu":
        return np.where(first >= 0, first, first * np.float64(node.attribute[0].f))
    if node.op_type == "PRelu":
        return np.where(first >= 0, first, first * others[0])
    if node.op_type == "Sum":
        return np.asarray(sum(others, first))
    function = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}[node.op_type]
    result: Array = function(first, others[0])
    return result


def _absolute(node: onnx.NodeProto) -> onnx.NodeProto:
    """The same operator, of factors without their signs."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    for attribute in copy.attribute:
        if attribute.name in ("alpha", "beta"):
            attribute.f = abs(attribute.f)
    return copy


def _products(node: onnx.NodeProto, x: Array, weights: Sequence[Array]) -> int:
    """How many numbers are added up in each sum."""
    if node.op_type == "Conv":
        return int(np.prod(weights[0].shape[1:]))
    if weights:
        return int(x.shape[-1])
    kernel = next((each.ints for each in node.attribute if each.name == "kernel_shape"), x.shape[2:])
    return int(np.prod(kernel))


def _is_exact(x: Array, weights: Sequence[Array], magnitude: Array, count: int, multiplies: bool) -> bool:
    """Whether all products and sums are whole multiples of what a float32 holds in full."""
    # Weights are integers times a scale, which float32 may have rounded.
    if multiplies and not has_few_bits(weights[0]):
        return False
    step = _lowest_bit(x) * (_lowest_bit(weights[0]) if multiplies else 1.0)
    if len(weights) > 1:
        step = min(step, _lowest_bit(weights[1]))
    if not multiplies and count & (count - 1):
        return False
    largest = float(np.max(magnitude, initial=0)) * (1 if multiplies else count)
    return step > 0 and largest / step < 2**24


def has_few_bits(values: Array) -> bool:
    """Whether each value is an integer of few bits times a power of two, so that nothing has rounded it."""
    return not bool((np.ldexp(np.frexp(values.astype(np.float64))[0], _FEW_BITS) % 1).any())


def _lowest_bit(values: Array) -> float:
    """The largest power of two of which all values are multiples."""
    mantissas, exponents = np.frexp(values[values != 0].astype(np.float64))
    if not mantissas.size:
        return 1.0
    whole = np.round(mantissas * 2.0**30).astype(np.int64)
    if (whole != mantissas * 2.0**30).any():
        return 0.0
    lowest = (whole & -whole).astype(np.float64)
    return float(np.min(np.ldexp(lowest, exponents - 30)))
