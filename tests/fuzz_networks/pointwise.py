"""Operators that work element by element, with constants of every shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.fuzz_networks.values import Array, Emitter, Step, Value, per_channel, require

CONSTANT_OPS = ("Add", "Sub", "Mul", "Div", "Min", "Max")
OTHER_OPS = ("Relu", "Clip", "LeakyRelu", "PRelu", "Neg", "BatchNormalization", "Identity", "Dropout")
FORMS = ("scalar", "one", "channels", "bare", "expanded", "full")
"""Shapes of constants: [], [1], [1, C, 1, 1], [C, 1, 1], and that of a frame, alike in all pixels or not."""


@dataclass(frozen=True)
class Pointwise(Step):
    """`op` with a constant of the shape `form`, which comes first where `first`.

    The constants are `size` times as large as what they meet; with `zeros` half of them are zero.
    """

    op: str = "Identity"
    form: str = "scalar"
    first: bool = False
    zeros: bool = False
    size: float = 1.0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the operator."""
        (x,) = inputs
        require(x.state != "index", "an index is no number")
        emitter.labels[f"pointwise {self.op}"] += 1
        if self.op in CONSTANT_OPS:
            emitter.labels[f"constant {self.form}{' first' * self.first}"] += 1
            return self._arithmetic(emitter, x)
        if self.op == "BatchNormalization":
            return self._norm(emitter, x)
        return self._other(emitter, x)

    def _constant(self, emitter: Emitter, x: Value, near: Array | float) -> Array:
        random = self.random()
        if self.form in ("scalar", "one"):
            return emitter.numbers(random, () if self.form == "scalar" else (1,), float(np.mean(near)))
        if self.form == "full":
            return emitter.numbers(random, (1, *x.shape), float(np.mean(near)))
        values = emitter.numbers(random, x.shape[:1], np.broadcast_to(near, x.shape[:1]))
        shaped = per_channel(values, x.shape)
        if self.form == "expanded":
            return np.broadcast_to(shaped, (1, *x.shape))
        return shaped if self.form == "channels" else shaped[0]

    def _without_zeros(self, factors: Array) -> Array:
        """No zeros, or zeros for half of the channels."""
        if self.zeros and factors.size > 1:
            return np.where(np.random.default_rng(self.seed + 1).random(factors.shape) < 0.5, 0, factors)
        return np.where(factors == 0, 1, factors)

    def _arithmetic(self, emitter: Emitter, x: Value) -> Value:
        state = x.state if x.state == "float" else "pending"
        if self.op not in ("Mul", "Div"):
            constant = emitter.constant(self._constant(emitter, x, x.spread * self.size))
            name = emitter.both(self.op, x.name, constant, self.first)
            return replace(x, name=name, state=state, step=None)
        factor = self._without_zeros(self._constant(emitter, x, self.size))
        if self.op == "Div":
            factor = np.sign(factor) * emitter.scale(self.random(), np.abs(factor))
            factor = np.where(factor == 0, 1, factor)
        # A constant divided by x has no meaning where x is zero.
        first = self.first and self.op == "Mul"
        name = emitter.both(self.op, x.name, emitter.constant(factor), first)
        if factor.size == 1:
            gain = abs(float(factor.reshape(()))) ** (1 if self.op == "Mul" else -1)
            scaled = bool(factor.reshape(()) > 0) and x.step is not None
            return replace(
                x,
                name=name,
                spread=np.maximum(x.spread * gain, 1e-12),
                step=float(np.float32(x.step * gain)) if scaled and x.step is not None else None,
                state=x.state if scaled else state,
            )
        return replace(x, name=name, state=state, step=None, uniform=False)

    def _norm(self, emitter: Emitter, x: Value) -> Value:
        random, count = self.random(), x.shape[0]
        near = np.broadcast_to(x.spread, (count,))
        gamma = self._without_zeros(emitter.numbers(random, (count,), 1.0))
        beta, mean = emitter.numbers(random, (count,), self.size), emitter.numbers(random, (count,), near)
        deviation = emitter.scale(random, near)
        parts = (emitter.constant(part) for part in (gamma, beta, mean, deviation**2))
        epsilon = 0.0 if emitter.style.dyadic else 1e-5
        name = emitter.node("BatchNormalization", x.name, *parts, epsilon=epsilon)
        state = x.state if x.state == "float" else "pending"
        return replace(x, name=name, state=state, spread=np.abs(gamma) + 0.5, step=None, uniform=False)

    def _other(self, emitter: Emitter, x: Value) -> Value:
        random, bent = self.random(), x.state if x.state == "float" else "pending"
        if self.op == "Clip":
            ends = np.sort(emitter.numbers(random, (2,), x.typical * self.size))
            low, high = (float(end) for end in ends)
            if emitter.style.opset < 11:
                name = emitter.node("Clip", x.name, min=low, max=high)
            else:
                name = emitter.node("Clip", x.name, emitter.constant(low), emitter.constant(high))
            return replace(x, name=name, state=bent, step=None)
        if self.op == "LeakyRelu":
            alpha = 0.125 if emitter.style.dyadic else float(random.uniform(0, 0.5))
            return replace(x, name=emitter.node("LeakyRelu", x.name, alpha=alpha), state=bent, step=None)
        if self.op == "PRelu":
            slopes = np.abs(emitter.numbers(random, x.shape[:1], 0.3))
            slope = emitter.constant(slopes[:1] if self.form == "one" else per_channel(slopes, x.shape)[0])
            return replace(x, name=emitter.node("PRelu", x.name, slope), state=bent, step=None)
        name = emitter.node(self.op, x.name)
        if self.op in ("Identity", "Dropout"):
            return replace(x, name=name)
        return replace(x, name=name, state=bent, step=None)
