"""Random convolutional networks through every level: ONNX, golden, C++, and RTL under stalls.

Kernels of 1 to 5, strides of 1 to 3, dilations of 1 and 2, paddings of any kind, 1 to 33 channels, maps that
are not square and lines, groups and filters per channel, foldings that divide nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.bench import make_bench_of
from tests.lower.helpers import compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from thresher.errors import UsageError
from thresher.hardware.connect import connect
from thresher.hardware.select import Layer, select_kernels
from thresher.hardware.told import fold_as_told
from thresher.ir.graph import interpret
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph
from thresher.kernels import Folding, Kernel

FRAMES = 3
NETWORKS = 5


def quantised(model: ModelBuilder, x: str, random: np.random.Generator) -> str:
    """Signs, or levels of two bits, with a zero point at times."""
    kind = random.integers(0, 4)
    if kind == 0:
        return model.bipolar(x)
    zero = float(random.integers(0, 3)) if kind == 1 else 0.0
    return model.quant(x, 1.0, zero, int(random.integers(2, 4)), signed=kind == 2)


def weights(model: ModelBuilder, shape: tuple[int, ...], random: np.random.Generator) -> str:
    if random.random() < 0.6:
        return model.bipolar(model.constant(random.choice([-1.0, 1.0], shape).astype(np.float32)))
    return model.weights(random.integers(-3, 4, shape), bits=3)


def convolution(
    model: ModelBuilder, x: str, shape: tuple[int, ...], random: np.random.Generator
) -> tuple[str, tuple[int, ...]]:
    """One on maps of `shape` (channels first), and the shape of what it gives."""
    channels, sizes = shape[0], shape[1:]
    groups = int(random.choice([each for each in (1, 1, 2, 3, channels) if channels % each == 0]))
    rows = groups * int(random.integers(1, 1 + max(1, min(33, 40 // groups) // 4)))
    kernel, strides, dilations, pads, result = [], [], [], [], []
    for size in sizes:
        k, d, s = int(random.integers(1, 6)), int(random.integers(1, 3)), int(random.integers(1, 4))
        before, after = (int(each) for each in random.integers(0, 4, 2))
        while (k - 1) * d + 1 > size + before + after:
            k, d = k - 1, 1
        result.append((size + before + after - (k - 1) * d - 1) // s + 1)
        kernel.append(k)
        strides.append(s)
        dilations.append(d)
        pads.append((before, after))
    output = model.node(
        "Conv",
        x,
        weights(model, (rows, channels // groups, *kernel), random),
        group=groups,
        kernel_shape=kernel,
        strides=strides,
        dilations=dilations,
        pads=[before for before, _ in pads] + [after for _, after in pads],
    )
    return output, (rows, *result)


def pool(
    model: ModelBuilder, x: str, shape: tuple[int, ...], random: np.random.Generator
) -> tuple[str, tuple[int, ...]]:
    """A pool of 2 on each axis that has room for it: the largest, or the mean, which is quantised again."""
    kernel = [min(2, size) for size in shape[1:]]
    result = (shape[0], *(size // k for size, k in zip(shape[1:], kernel, strict=True)))
    if random.random() < 0.5:
        return model.node("MaxPool", x, kernel_shape=kernel, strides=kernel), result
    mean = model.node("AveragePool", x, kernel_shape=kernel, strides=kernel)
    return model.quant(mean, 0.5, 0.0, 3), result


def random_model(random: np.random.Generator) -> tuple[ModelBuilder, str]:
    """One or two convolutions, the first of up to 33 channels, with a pool between them at times."""
    sizes = [int(each) for each in random.integers(3, 9, int(random.choice([1, 2, 2, 2])))]
    shape: tuple[int, ...] = (int(random.integers(1, 34)), *sizes)
    model = ModelBuilder((1, *shape))
    output, shape = convolution(model, quantised(model, "x", random), shape, random)
    for _ in range(int(random.integers(0, 2))):
        gamma, beta, mean = random.normal(0, 2, (3, shape[0]))
        output = model.batch_norm(output, gamma, beta, mean, random.random(shape[0]) * 9 + 0.1)
        output = quantised(model, output, random)
        if random.random() < 0.6:
            output, shape = pool(model, output, shape, random)
        output, shape = convolution(model, output, shape, random)
    return model, output


def random_folding(layers: tuple[Layer, ...], random: np.random.Generator) -> tuple[Layer, ...]:
    """Any folding for every layer that can have it, one after the other."""
    told: dict[str, Folding] = {}
    folded = fold_as_told(layers, told)
    for index in random.permutation(len(layers)):
        name, limit = layers[index].name, layers[index].kernel.folding_limit
        for _ in range(3):
            folding = Folding(int(random.integers(1, limit.pe + 1)), int(random.integers(1, limit.simd + 1)))
            if folding.pe * folding.simd > 200:
                continue
            try:
                folded = fold_as_told(layers, {**told, name: folding})
            except UsageError:
                continue
            told[name] = folding
            break
    return folded


def streams_of(graph: HwGraph, frames: Array) -> list[tuple[Kernel, tuple[Array, ...]]]:
    """Every unit with the frames that it reads."""
    tensors = interpret(graph, {INPUT_STREAM: frames})
    return [
        (
            node.kernel,
            tuple(
                tensors[name].reshape(len(frames), layout.vectors, layout.channels)
                for name, layout in zip(node.inputs, node.kernel.input_layouts, strict=True)
            ),
        )
        for node in graph.nodes
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_level_agrees(seed: int, tmp_path: Path) -> None:
    """The networks' units share one C++ program and one Verilator model."""
    random = np.random.default_rng(seed)
    fed: list[tuple[Kernel, tuple[Array, ...]]] = []
    for _ in range(NETWORKS):
        model, output = random_model(random)
        proto = model.proto(output)
        shape = (FRAMES, *(int(size) for size in model.input_shape[1:]))
        images = random.normal(0, 2, shape).astype(np.float32)
        compiled = compile_proto(proto)
        np.testing.assert_array_equal(compiled.predict(images), run_qonnx(proto, images)[output])
        integers, lowered = compiled.trace(images), compiled.lowered
        graph = connect(random_folding(select_kernels(lowered.graph), random))
        frames = integers[lowered.input.tensor]
        golden = interpret(graph, {INPUT_STREAM: frames})[OUTPUT_STREAM]
        assert np.array_equal(golden.reshape(FRAMES, -1), integers[lowered.output.tensor].reshape(FRAMES, -1))
        fed += streams_of(graph, frames)
    bench = make_bench_of(tmp_path, fed)
    assert bench.run_cpp("bitint").mismatches == 0
    bench.compile()
    assert bench.run_rtl(stall=40).comparison.mismatches == 0


def test_windows_of_nothing_but_padding_sum_to_zero(tmp_path: Path) -> None:
    """The taps lie on both sides of the only pixel, so that the sums have one bit."""
    model = ModelBuilder((1, 3, 1))
    kernel = model.bipolar(model.constant(np.ones((5, 3, 2), np.float32)))
    output = model.node("Conv", model.bipolar("x"), kernel, dilations=[2], pads=[1, 1])
    images = np.array([[[1], [-1], [1]]], np.float32)
    compiled = compile_proto(model.proto(output))
    np.testing.assert_array_equal(compiled.predict(images), np.zeros((1, 5, 1)))

    graph = connect(select_kernels(compiled.lowered.graph))
    frames = compiled.trace(images)[compiled.lowered.input.tensor]
    bench = make_bench_of(tmp_path, streams_of(graph, frames))
    assert bench.run_cpp("bitint").mismatches == 0
    bench.compile()
