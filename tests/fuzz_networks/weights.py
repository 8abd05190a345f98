"""Constant weights in every form: quantised by a node, or on a grid that no node tells of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.fuzz_networks.values import Array, Emitter, Shape, Value


@dataclass(frozen=True)
class Weights:
    """Weights of `bits`. With `channels` each output channel has a scale, over `decades` powers of ten.

    With `negative` some of these scales are below zero, which only plain constants can have.
    """

    form: str = "Quant"
    bits: int = 4
    signed: bool = True
    narrow: bool = False
    rounding: str = "ROUND"
    zero: int = 0
    channels: bool = False
    decades: float = 0.0
    negative: bool = False
    extreme: bool = False
    transposed: bool = False


@dataclass(frozen=True, eq=False)
class Written:
    """The tensor of weights, the typical magnitude of each row's, their largest integer, and their scale."""

    name: str
    spread: Array
    most: float
    step: float | None


def write_weights(
    emitter: Emitter, weights: Weights, shape: Shape, axis: int, random: np.random.Generator
) -> Written:
    """Write weights of `shape`, whose output channels lie along `axis`."""
    rows = shape[axis]
    scales = _scales(emitter, weights, rows, random)
    across = tuple(rows if place == axis else 1 for place in range(len(shape)))
    scale = scales.reshape(across) if weights.channels else scales[0]
    levels, (low, high) = _levels(weights, shape, random)
    emitter.labels[f"weights {weights.form} {weights.bits} bits"] += 1
    for label in ("channels", "negative", "zero", "extreme", "transposed"):
        emitter.labels[f"weights {label}"] += bool(getattr(weights, label))
    whole, centre = levels, 0
    if weights.form == "Quant":
        centre = 0 if weights.bits == 1 and weights.signed else weights.zero
        # Off the grid, so that the node has something to round.
        real = (levels - centre + random.uniform(-0.4, 0.4, shape)) * scale
        name = _turned(
            emitter, weights, real, lambda constant: _quant(emitter, weights, constant, scale, centre, shape)
        )
    elif weights.form == "float":
        name = emitter.constant(random.normal(0, 1, shape) * scale)
    elif weights.form == "BipolarQuant":
        real = random.normal(0, 1, shape)
        name = _turned(
            emitter,
            weights,
            real,
            lambda constant: emitter.qonnx("BipolarQuant", constant, emitter.constant(_fit(scale, weights))),
        )
    elif weights.form == "sign":
        real = np.where(random.random(shape) < 0.5, -1, 1) * random.uniform(0.1, 2, shape)
        sign = emitter.node("Sign", emitter.constant(real))
        name = emitter.both("Mul", sign, emitter.constant(scale), weights.narrow)
    else:
        name = emitter.constant(np.asarray(whole * scale, np.float32))
    most = max(abs(low - centre), abs(high - centre))
    uniform = bool((scales == scales[0]).all())
    spread = np.abs(scales) * max(1.0, most / 2)
    return Written(name, spread, most, float(scales[0]) if uniform and scales[0] > 0 else None)


def has_evidence(shape: Shape, axis: int) -> bool:
    """Whether constants of `shape` are enough to tell a grid from floats."""
    rows = shape[axis]
    columns = int(np.prod(shape)) // rows
    return rows * (13 * (columns * 3 // 4 - 1) - 7) >= 40 and columns >= 4


def _scales(emitter: Emitter, weights: Weights, rows: int, random: np.random.Generator) -> Array:
    count = rows if weights.channels else 1
    near = 10.0 ** random.uniform(-weights.decades / 2, weights.decades / 2, count)
    scales = emitter.scale(random, near)
    if weights.negative and weights.form in ("plain", "sign"):
        scales = scales * np.where(random.random(count) < 0.5, -1, 1)
    return np.broadcast_to(scales, (rows,))


def _levels(weights: Weights, shape: Shape, random: np.random.Generator) -> tuple[Array, tuple[int, int]]:
    if weights.form in ("BipolarQuant", "sign") or (weights.bits == 1 and weights.signed):
        return np.where(random.random(shape) < 0.5, -1, 1), (-1, 1)
    if weights.signed:
        low, high = -(2 ** (weights.bits - 1)) + weights.narrow, 2 ** (weights.bits - 1) - 1
    else:
        low, high = 0, max(1, 2**weights.bits - 1 - weights.narrow)
    if weights.form == "plain":
        low = max(low, -127)
        high = min(high, 127)
    if weights.extreme:
        return np.where(random.random(shape) < 0.5, low, high), (low, high)
    return random.integers(low, high + 1, shape), (low, high)


def _quant(emitter: Emitter, weights: Weights, constant: str, scale: Array, zero: int, shape: Shape) -> str:
    return emitter.qonnx(
        "Quant",
        constant,
        emitter.constant(_fit(scale, weights)),
        emitter.constant(zero),
        emitter.constant(weights.bits),
        signed=int(weights.signed),
        narrow=int(weights.narrow),
        rounding_mode=weights.rounding,
    )


def _fit(scale: Array, weights: Weights) -> Array:
    """The scale as it broadcasts against weights that are transposed behind their quantiser."""
    return scale.T if weights.transposed and np.ndim(scale) == 2 else scale


def _turned(emitter: Emitter, weights: Weights, real: Array, quantise: object) -> str:
    """The quantised constant; with `transposed`, a matrix is kept the other way round and turned."""
    assert callable(quantise)
    if not (weights.transposed and real.ndim == 2):
        return str(quantise(emitter.constant(real)))
    return emitter.node("Transpose", str(quantise(emitter.constant(real.T))), perm=[1, 0])


def product(x: Value, written: Written, taps: int) -> tuple[Array, float, float | None]:
    """The spread, the largest integer and the scale of sums of `taps` products."""
    spread = np.atleast_1d(written.spread * x.typical * np.sqrt(taps))
    step = None if x.step is None or written.step is None else x.step * written.step
    return spread, x.most * written.most * taps, step
