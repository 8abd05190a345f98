"""Every width of weights with every width of activations: ONNX, golden, C++, and RTL under stalls, agree.

Every other layer has a quantiser behind it, and the others give their sums; some have a scale for each
channel, zero points of weights or of activations, an integer bias, padding, a folding that divides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.kernels.bench import make_bench_of
from tests.lower.helpers import Compiled, compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from tests.test_random_convolutions import streams_of
from thresher.hardware.connect import connect
from thresher.hardware.select import Layer, select_kernels
from thresher.hardware.told import fold_as_told
from thresher.ir.graph import interpret
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM
from thresher.kernels import Folding, Kernel
from thresher.kernels.mvu import Mvu
from thresher.kernels.vvu import Vvu

WEIGHTS = ("bipolar", "ternary", "2", "3", "4", "8")
ACTIVATIONS = ("bipolar", "1u", "2u", "2s", "4u", "8u", "8s")
FRAMES = {"dense": 16, "conv": 3, "depthwise": 3}
SCALE = 0.5


@dataclass(frozen=True)
class Case:
    """A layer: its kind, its weights, its activations, and a number of its own."""

    kind: str
    weights: str
    activations: str
    number: int

    @property
    def fused(self) -> bool:
        """Whether a quantiser is behind it."""
        return self.number % 2 == 1


@dataclass(frozen=True)
class Model:
    """An ONNX model of one layer, and the names of the tensors that the oracle is asked for."""

    builder: ModelBuilder
    sums: str
    output: str
    output_scale: float
    weight_scale: Array


def activations(model: ModelBuilder, case: Case) -> str:
    """The quantised input: unsigned ones have a zero point in one case of four."""
    if case.activations == "bipolar":
        return model.bipolar("x", SCALE)
    bits, signed = int(case.activations[0]), case.activations[1] == "s"
    zero = float(case.number % 4 == 2 and not signed)
    return model.quant("x", SCALE, zero, bits, signed)


def weights(
    model: ModelBuilder, case: Case, shape: tuple[int, ...], rows: int, random: np.random.Generator
) -> tuple[str, Array]:
    """Random weights `shape`, of which the axis `rows` is that of output channels, and their scales."""
    scale = np.ones([size if axis == rows else 1 for axis, size in enumerate(shape)], np.float32)
    if case.number % 3:
        scale = random.choice([0.25, 0.5, 1.0], scale.shape).astype(np.float32)
    if case.weights == "bipolar":
        return model.bipolar(model.constant(random.normal(size=shape).astype(np.float32)), scale), scale
    ternary = case.weights == "ternary"
    bits = 2 if ternary else int(case.weights)
    zero = float(case.number % 5 == 4 and not ternary)
    lowest, highest = -(2 ** (bits - 1)) + ternary, 2 ** (bits - 1) - 1
    levels = random.integers(lowest, highest + 1, shape)
    levels.flat[:2] = lowest, highest
    real = ((levels - zero) * scale).astype(np.float32)
    return model.quant(model.constant(real), scale, zero, bits, narrow=ternary), scale


def linear(
    model: ModelBuilder, case: Case, x: str, random: np.random.Generator
) -> tuple[str, Array, tuple[int, ...]]:
    """The products, the scales of the weights, and the shape of what comes out of it."""
    shape = model.input_shape
    if case.kind == "dense":
        rows = int(random.integers(4, 9))
        matrix, scale = weights(model, case, (int(shape[1]), rows), 1, random)
        return model.node("MatMul", x, matrix), scale, (1, rows)
    channels = int(shape[1])
    kernel = [(1, 2), (2, 1), (2, 2), (3, 1)][int(random.integers(0, 4))]
    pads = [int(size) for size in random.integers(0, 2, 4)]
    groups = channels if case.kind == "depthwise" else 1
    rows = channels if case.kind == "depthwise" else int(random.integers(2, 6))
    bank, scale = weights(model, case, (rows, channels // groups, *kernel), 0, random)
    attributes: dict[str, Any] = {"group": groups, "kernel_shape": list(kernel), "pads": pads}
    sizes = [int(shape[2 + axis]) + pads[axis] + pads[axis + 2] - kernel[axis] + 1 for axis in (0, 1)]
    return model.node("Conv", x, bank, **attributes), scale.reshape(1, -1, 1, 1), (1, rows, *sizes)


def make_model(case: Case, random: np.random.Generator) -> Model:
    """The layer, with an integer bias in some cases, and a batch norm and a quantiser in every other."""
    dense = case.kind == "dense"
    model = ModelBuilder((1, int(random.integers(6, 13))) if dense else (1, int(random.integers(2, 4)), 3, 3))
    sums, scale, shape = linear(model, case, activations(model, case), random)
    rows, output, output_scale = shape[1], sums, 1.0
    per_row = (1, rows) + (1,) * (len(shape) - 2)
    if case.number % 4 < 2:
        steps = np.broadcast_to(scale * np.float32(SCALE), per_row).astype(np.float32)
        real = (random.integers(-9, 10, per_row) * steps).astype(np.float32)
        output = model.node("Add", sums, model.quant(model.constant(real), steps, 0.0, 16))
    if case.fused:
        spread = 2.0 ** (int(case.activations[0]) - 1) if case.activations != "bipolar" else 1.0
        spread *= 2.0 ** (int(case.weights) - 1) if case.weights[0] in "2348" else 1.0
        gamma, beta, mean = random.normal(0, 1, (3, rows))
        output = model.batch_norm(output, gamma, beta, mean * spread, np.full(rows, spread**2))
        kind = case.number % 8 // 2
        output_scale = (1.0, 0.5, 0.25, 0.125)[kind]
        output = model.bipolar(output) if kind == 0 else model.quant(output, output_scale, 0.0, kind + 1)
    return Model(model, sums, output, output_scale, scale)


def frames_for(case: Case, shape: tuple[int | str, ...], random: np.random.Generator) -> Array:
    """Inputs that reach both ends of the activations."""
    spread = 1.0 if case.activations == "bipolar" else 2.0 ** (int(case.activations[0]) - 1)
    size = (FRAMES[case.kind], *(int(each) for each in shape[1:]))
    return (random.normal(0, spread * SCALE, size) + spread * SCALE / 2).astype(np.float32)


def check_integers(case: Case, model: Model, compiled: Compiled, images: Array) -> None:
    """The hardware's output in integers, beside the oracle's real numbers; all scales are powers of two."""
    tensors = run_qonnx(model.builder.proto(model.output), images)
    np.testing.assert_array_equal(compiled.predict(images), tensors[model.output])
    end = compiled.lowered.output
    golden = end.from_stream(compiled.trace(images)[end.tensor])
    if case.fused:
        expected = tensors[model.output] / model.output_scale
    else:
        expected = tensors[model.sums] / (SCALE * model.weight_scale) + end.zero
    assert golden.dtype.kind == "i"
    np.testing.assert_array_equal(golden, expected)


def folded(layers: tuple[Layer, ...], random: np.random.Generator) -> tuple[Layer, ...]:
    """Some folding of the layer that multiplies; windows come as fast as they are needed."""
    (layer,) = (layer for layer in layers if isinstance(layer.kernel, Mvu | Vvu))
    limit = layer.kernel.folding_limit
    pe, simd = int(random.integers(1, min(3, limit.pe) + 1)), int(random.integers(1, min(6, limit.simd) + 1))
    if isinstance(layer.kernel, Vvu):
        pe, simd = (limit.pe, simd) if random.random() < 0.5 else (pe, 1)
    return fold_as_told(layers, {layer.name: Folding(pe, simd)})


@pytest.mark.parametrize("kind", FRAMES)
def test_every_level_agrees(kind: str, tmp_path: Path) -> None:
    """The units of all layers of a kind share one C++ program and one Verilator model."""
    random = np.random.default_rng(5)
    fed: list[tuple[Kernel, tuple[Array, ...]]] = []
    for number, (weight, activation) in enumerate(product(WEIGHTS, ACTIVATIONS)):
        case = Case(kind, weight, activation, number)
        model = make_model(case, random)
        images = frames_for(case, model.builder.input_shape, random)
        compiled = compile_proto(model.builder.proto(model.output))
        check_integers(case, model, compiled, images)

        integers, lowered = compiled.trace(images), compiled.lowered
        graph = connect(folded(select_kernels(lowered.graph), random))
        frames = integers[lowered.input.tensor]
        golden = interpret(graph, {INPUT_STREAM: frames})[OUTPUT_STREAM]
        assert np.array_equal(golden.ravel(), integers[lowered.output.tensor].ravel())
        # What makes windows is the same whatever the weights are.
        whole = weight == WEIGHTS[0]
        fed += [pair for pair in streams_of(graph, frames) if whole or isinstance(pair[0], Mvu | Vvu)]
    assert sum(isinstance(kernel, Mvu | Vvu) for kernel, _ in fed) == len(WEIGHTS) * len(ACTIVATIONS)
    bench = make_bench_of(tmp_path, fed)
    assert bench.run_cpp("bitint").mismatches == 0
    bench.compile()
    assert bench.run_rtl(stall=40).comparison.mismatches == 0
