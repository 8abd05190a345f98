"""Quantisers: QONNX's `Quant`, `BipolarQuant` and `Trunc`, and standard operators that act as such.

`levels` follows the float32 operations of the model one by one (for QONNX: divide, add the zero
point, clamp, round), because a threshold is where exactly that result changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array
from thresher.ir.quant import Floats, Ints, QuantNode, Shape, kept_shape
from thresher_sim.streams import BIPOLAR, IntType


def _up(x: Array) -> Array:
    result: Array = np.sign(x) * np.ceil(np.abs(x))
    return result


def _half_up(x: Array) -> Array:
    result: Array = np.sign(x) * np.floor(np.abs(x) + x.dtype.type(0.5))
    return result


def _half_down(x: Array) -> Array:
    result: Array = np.sign(x) * np.ceil(np.abs(x) - x.dtype.type(0.5))
    return result


# ROUND_TO_ZERO is what Brevitas writes for DOWN.
ROUNDINGS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "ROUND": np.round,
        "HALF_EVEN": np.round,
        "CEIL": np.ceil,
        "FLOOR": np.floor,
        "UP": _up,
        "DOWN": np.trunc,
        "ROUND_TO_ZERO": np.trunc,
        "HALF_UP": _half_up,
        "HALF_DOWN": _half_down,
    }
)


@dataclass(frozen=True, eq=False)
class Quantiser(QuantNode):
    """`y = scale * (levels(x) - zero)` with integers of `element`.

    `scale` and `zero` broadcast against the batch array. A bipolar quantiser gives +1 from zero
    upwards (after the zero point is added) and -1 below.
    """

    scale: Floats
    zero: Floats
    element: IntType
    rounding: str

    @property
    def operands(self) -> tuple[Array, ...]:
        """The constants that broadcast against its input."""
        return self.scale, self.zero

    def output_shape(self, shape: Shape) -> Shape:
        """That of its input."""
        return kept_shape(shape, self.operands)

    def levels(self, x: Array) -> Ints:
        """The integers of a batch; what overflows saturates."""
        with np.errstate(over="ignore"):
            scaled = x / self.scale + self.zero
        if self.element.bipolar:
            return np.where(scaled >= 0, np.int64(1), np.int64(-1))
        low, high = scaled.dtype.type(self.element.lo), scaled.dtype.type(self.element.hi)
        clamped = np.where(scaled > high, high, scaled)
        clamped = np.where(clamped < low, low, clamped)
        return ROUNDINGS[self.rounding](clamped).astype(np.int64)

    def real(self, levels: Ints, dtype: npt.DTypeLike) -> Array:
        """What the integers mean, computed in `dtype`; infinite beyond it."""
        with np.errstate(over="ignore", invalid="ignore"):
            result: Array = (levels.astype(dtype) - self.zero) * self.scale
        return result

    def apply(self, x: Array) -> Array:
        """Quantise a batch."""
        return self.real(self.levels(x), x.dtype)


@dataclass(frozen=True, eq=False)
class Truncation(Quantiser):
    """QONNX's `Trunc`: integers of `source_scale` lose their lowest bits, `2**bits == divisor`.

    `y = scale * (levels(x) - zero)`, where the levels of both versions are
    `round(round(x / source_scale + source_zero) / divisor)`; version 2 clamps them to `element` first.
    In version 1 the `element` is only a bound.
    """

    source_scale: Floats
    source_zero: Floats
    divisor: Floats
    clamps: bool

    @property
    def operands(self) -> tuple[Array, ...]:
        """The constants that broadcast against its input."""
        return self.scale, self.zero, self.source_scale, self.source_zero, self.divisor

    def levels(self, x: Array) -> Ints:
        """The integers of a batch, by QONNX's own operations in their order."""
        y = np.round(x / self.source_scale + self.source_zero) / self.divisor.astype(x.dtype)
        if self.clamps:
            y = np.clip(y, y.dtype.type(self.element.lo), y.dtype.type(self.element.hi))
        return ROUNDINGS[self.rounding](y).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Rounding(Quantiser):
    """ONNX's own `Round`, `Floor` or `Ceil`: a scale of 1, and no limits of its own.

    `element` holds what is known of its range, which may be no more than `UNBOUNDED`.
    """


UNBOUNDED = IntType(-(1 << 32), 1 << 32)
"""The integers of a quantiser whose range nothing in front of it limits."""


@dataclass(frozen=True, eq=False)
class Binariser(Quantiser):
    """Two levels, by comparison with a threshold: integers `below`, `at` or `above` for x around it.

    These three and `threshold` broadcast against the batch array. Where `undecided`, the model has a
    third value on the threshold itself, as `Sign` has for zero, and `at` stands for nothing: only x that
    never meet the threshold can be binarised.
    """

    threshold: Floats
    below: Ints
    at: Ints
    above: Ints
    undecided: bool = False

    @property
    def operands(self) -> tuple[Array, ...]:
        """The constants that broadcast against its input."""
        return self.scale, self.zero, self.threshold, self.below, self.at, self.above

    def levels(self, x: Array) -> Ints:
        """The integers of a batch."""
        upper = np.where(x > self.threshold, self.above, self.at)
        result: Ints = np.where(x < self.threshold, self.below, upper)
        return result


def quantised_range(bits: int, signed: bool, narrow: bool) -> IntType:
    """The integers of a `Quant` node; one signed bit is bipolar."""
    if bits == 1 and signed:
        return BIPOLAR
    if signed:
        return IntType(-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1)
    return IntType(0, (1 << bits) - 1 - narrow)


@dataclass(frozen=True, eq=False)
class QuantisedConstant:
    """A constant that came through a quantiser: `scale * (levels - zero)`, all of one shape.

    Where it is `rounded` it lies beside that by at most two units in the last place of its channel's largest.
    """

    levels: Ints
    scale: Floats
    zero: Floats
    onnx_nodes: tuple[str, ...]
    rounded: bool = False

    @property
    def real(self) -> Floats:
        """Its value as the model sees it; infinite beyond float32."""
        with np.errstate(over="ignore"):
            return ((self.levels.astype(np.float32) - self.zero) * self.scale).astype(np.float32)

    def transposed(self) -> QuantisedConstant:
        """The transposed matrix."""
        return QuantisedConstant(self.levels.T, self.scale.T, self.zero.T, self.onnx_nodes, self.rounded)
