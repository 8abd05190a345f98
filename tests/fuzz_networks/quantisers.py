"""Quantisers in QONNX's operators and in every form of standard operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.fuzz_networks.values import Array, Emitter, Step, Value, per_channel, require

ROUNDINGS = ("ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")
BINARY_VARIANTS = 10
ROUND_VARIANTS = 8


@dataclass(frozen=True)
class Quantise(Step):
    """A quantiser to `bits`, whose scale is `gain` times what spreads the input over its levels."""

    form: str = "Quant"
    bits: int = 4
    signed: bool = True
    narrow: bool = False
    rounding: str = "ROUND"
    zero: int = 0
    channels: bool = False
    gain: float = 1.0
    variant: int = 0

    def emit(self, emitter: Emitter, inputs: Sequence[Value]) -> Value:
        """Write the quantiser in its form."""
        (x,) = inputs
        require(x.state != "index", "an index is not quantised")
        write = {"Quant": self._quant, "IntQuant": self._quant, "BipolarQuant": self._bipolar}
        write |= {"Trunc": self._trunc, "binary": self._binary, "round": self._round}
        return replace(write[self.form](emitter, x), pooled=False)

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest integer."""
        if self.bits == 1 and self.signed:
            return -1, 1
        if self.signed:
            return -(2 ** (self.bits - 1)) + self.narrow, 2 ** (self.bits - 1) - 1
        return 0, max(1, 2**self.bits - 1 - self.narrow)

    def _scales(self, emitter: Emitter, x: Value, levels: float) -> Array:
        """One scale, or one for each channel."""
        several = self.channels and x.shape[0] > 1
        near = np.broadcast_to(x.spread, x.shape[:1]) if several else np.asarray(x.typical)
        return emitter.scale(self.random(), near * self.gain * 2 / levels)

    def _result(self, name: str, x: Value, scales: Array, most: float) -> Value:
        uniform = scales.size == 1 or bool((scales == scales.flat[0]).all())
        spread = np.atleast_1d(scales.reshape(-1) * max(1.0, most / 2))
        step = float(scales.flat[0]) if uniform else None
        return Value(name, x.shape, "levels", spread, most, step, uniform)

    def _quant(self, emitter: Emitter, x: Value) -> Value:
        low, high = self.limits
        scales = self._scales(emitter, x, max(1, high))
        zero = 0 if self.bits == 1 and self.signed else self.zero
        shaped = per_channel(scales, x.shape) if scales.ndim else scales
        name = emitter.qonnx(
            self.form,
            x.name,
            emitter.constant(shaped),
            emitter.constant(zero),
            emitter.constant(self.bits),
            signed=int(self.signed),
            narrow=int(self.narrow),
            rounding_mode=self.rounding,
        )
        emitter.labels[f"quantiser {self.form} {self.rounding}"] += 1
        emitter.labels[
            f"activation {'int' if self.signed else 'uint'}{self.bits}{' narrow' * self.narrow}"
        ] += 1
        emitter.labels["quantiser with a zero point"] += bool(zero)
        emitter.labels["quantiser per channel"] += scales.ndim > 0
        return self._result(name, x, scales, max(abs(low - zero), abs(high - zero)))

    def _bipolar(self, emitter: Emitter, x: Value) -> Value:
        scales = self._scales(emitter, x, 2)
        shaped = per_channel(scales, x.shape) if scales.ndim else scales
        emitter.labels["quantiser BipolarQuant"] += 1
        return self._result(emitter.qonnx("BipolarQuant", x.name, emitter.constant(shaped)), x, scales, 1)

    def _trunc(self, emitter: Emitter, x: Value) -> Value:
        """Integers of a known scale lose as many bits as leave 6 of them."""
        require(x.state in ("levels", "sum") and x.step is not None and x.uniform, "Trunc needs one scale")
        assert x.step is not None
        drop = max(0, int(np.ceil(np.log2(x.most + 1))) - 6)
        scale, zero = emitter.constant(x.step), emitter.constant(0)
        version = 1 + self.variant % 2
        emitter.labels[f"quantiser Trunc v{version} {self.rounding}"] += 1
        mode = {"rounding_mode": self.rounding}
        if version == 1:
            widths = emitter.constant(drop + 8), emitter.constant(8)
            name = emitter.qonnx("Trunc", x.name, scale, zero, *widths, **mode)
            return self._result(name, x, np.asarray(x.step), x.most / 2**drop + 1)
        after = x.step * 2**drop
        ends = emitter.constant(drop + 8), emitter.constant(after), emitter.constant(self.bits)
        signs = {"signed": int(self.signed), "narrow": int(self.narrow)}
        name = emitter.qonnx("Trunc", x.name, scale, zero, *ends, **mode, **signs)
        return self._result(name, x, np.asarray(after), max(abs(limit) for limit in self.limits))

    def _binary(self, emitter: Emitter, x: Value) -> Value:
        """Two levels by comparisons: -s and s, or 0 and s."""
        random = self.random()
        constant = emitter.constant
        t = constant(emitter.numbers(random, (), x.typical / 4))
        s = float(emitter.scale(random, x.typical))
        low = -s if self.signed else 0.0
        variant = self.variant % BINARY_VARIANTS
        emitter.labels[f"quantiser binary form {variant}"] += 1
        if variant == 0:
            emitter.needs(11)
            zero = emitter.both("Equal", x.name, constant(0), self.narrow)
            name, s, low = emitter.node("Where", zero, constant(1), emitter.node("Sign", x.name)), 1.0, -1.0
        elif variant in (1, 2, 3, 4):
            op = ("GreaterOrEqual", "Greater", "Less", "LessOrEqual")[variant - 1]
            emitter.needs(12 if op.endswith("OrEqual") else 9)
            mask = emitter.both(op, x.name, t, self.narrow)
            values = (s, low) if (variant in (1, 2)) != self.narrow else (low, s)
            name = emitter.node("Where", mask, *(constant(value) for value in values))
        elif variant == 5:
            mask = emitter.node("Cast", emitter.both("Greater", x.name, t, False), to=1)
            twice = emitter.both("Mul", mask, constant(2), self.narrow)
            name, s, low = emitter.both("Sub", twice, constant(1), False), 1.0, -1.0
        elif variant == 6:
            sign = emitter.both("Add", emitter.node("Sign", x.name), constant(0.1), self.narrow)
            name, s, low = emitter.node("Sign", sign), 1.0, -1.0
        elif variant == 7:
            require(x.step is not None and x.state in ("levels", "sum"), "a Sign needs what is never zero")
            assert x.step is not None
            name = emitter.node("Sign", emitter.both("Add", x.name, constant(x.step / 2), self.narrow))
            s, low = 1.0, -1.0
        elif variant == 8:
            flipped = emitter.node("Not", emitter.both("Less", x.name, t, self.narrow))
            name, low = emitter.node("Cast", flipped, to=1), 0.0
            name = emitter.both("Mul", name, constant(s), self.narrow)
        else:
            over = emitter.node("Where", emitter.node("Greater", x.name, t), constant(1), constant(-1))
            name, low = emitter.both("Mul", over, constant(s), self.narrow), -s
        return self._result(name, x, np.asarray(s), 1)

    def _round(self, emitter: Emitter, x: Value) -> Value:
        """Scaled, rounded and limited, in either order."""
        op = {"CEIL": "Ceil", "FLOOR": "Floor"}.get(self.rounding, "Round")
        emitter.needs(11 if op == "Round" else 9)
        low, high = self.limits
        scale = float(emitter.scale(self.random(), x.typical * self.gain * 2 / max(1, high)))
        before, divides = self.variant & 1, self.variant & 2
        emitter.labels[f"quantiser {op} of {'limited' if before else 'scaled'}"] += 1
        name = limit(emitter, x.name, low * scale, high * scale, self.narrow) if before else x.name
        if divides:
            name = emitter.node("Div", name, emitter.constant(scale))
        else:
            name = emitter.both("Mul", name, emitter.constant(1 / scale), self.narrow)
        name = emitter.node(op, name)
        if not before:
            name = limit(emitter, name, low, high, self.narrow)
        if self.variant & 4:
            name = emitter.both("Mul", name, emitter.constant(scale), not self.narrow)
        else:
            scale = 1.0
        return self._result(name, x, np.asarray(scale), max(abs(low), abs(high)))


def limit(emitter: Emitter, x: str, low: float, high: float, other: bool) -> str:
    """A Clip by attributes or inputs, or Min and Max."""
    if other and low != high:
        larger = emitter.both("Max", x, emitter.constant(low), bool(low))
        return emitter.both("Min", larger, emitter.constant(high), not low)
    if emitter.style.opset < 11:
        return emitter.node("Clip", x, min=float(low), max=float(high))
    return emitter.node("Clip", x, emitter.constant(low), emitter.constant(high))
