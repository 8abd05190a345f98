"""Whole convolutional networks: every integer equals what QONNX's executor computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.lower.helpers import Compiled, compile_proto
from tests.models import CNV_NETWORKS, Array, export_cnv, export_network, padded_cnv, run_qonnx
from thresher.ir.integer import IntDepthwise, IntMatMul, IntPool, IntThreshold
from thresher.ir.quant import Linear
from thresher.ir.quant_maps import Conv, MaxPool
from thresher.ir.quantisers import Quantiser

IMAGES = 20


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.parametrize("name", CNV_NETWORKS)
def test_cnv_with_random_statistics(name: str, dynamo: bool, tmp_path: Path) -> None:
    proto = export_cnv(name, dynamo, seed=len(name), path=tmp_path / "m.onnx")
    frames = np.random.default_rng(1).random((IMAGES, 3, 32, 32), np.float32)
    expected = run_qonnx(proto, frames)

    compiled = compile_proto(proto)

    assert_every_integer_equal(compiled, frames, expected)
    np.testing.assert_allclose(
        compiled.predict(frames), expected[proto.graph.output[0].name], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("weight_bits", "dynamo"), [(1, True), (2, False)])
def test_padded_cnv_with_signs_throughout(weight_bits: int, dynamo: bool, tmp_path: Path) -> None:
    """The zeros of the padding lie between the two values of a sign: torch, ONNX and golden agree."""
    import torch

    torch.manual_seed(weight_bits)
    network = padded_cnv(weight_bits)
    proto = export_network(network, (1, 3, 32, 32), dynamo, tmp_path / "m.onnx")
    frames = np.random.default_rng(2).normal(0, 1, (4, 3, 32, 32)).astype(np.float32)
    expected = run_qonnx(proto, frames)

    compiled = compile_proto(proto)

    assert_every_integer_equal(compiled, frames, expected)
    outputs = compiled.predict(frames)
    np.testing.assert_array_equal(outputs, expected[proto.graph.output[0].name])
    with torch.no_grad():
        np.testing.assert_array_equal(outputs, network(torch.from_numpy(frames)).numpy())
    bare = without_corrections(compiled)
    assert (bare.predict(frames) != outputs).any(axis=1).all()


def without_corrections(compiled: Compiled) -> Compiled:
    """The network whose padding counts as what it is sent as, which is -1."""
    lowered = compiled.lowered
    nodes = [
        replace(node, corrections=None) if isinstance(node, IntMatMul) else node
        for node in lowered.graph.nodes
    ]
    graph = replace(lowered.graph, nodes=tuple(nodes))
    return replace(compiled, lowered=replace(lowered, graph=graph))


def assert_every_integer_equal(compiled: Compiled, frames: Array, expected: Mapping[str, Array]) -> None:
    """Every quantiser, pool, convolution and product, in its place on the map.

    A row whose weights are negated has the negated sum: no other change is allowed.
    """
    integers = compiled.trace(frames)
    graph, nodes = compiled.imported.graph, compiled.lowered.graph.nodes
    quantisers = [node for node in graph.nodes if isinstance(node, Quantiser)]
    scale = float(quantisers[0].scale.reshape(()))
    np.testing.assert_array_equal(integers["input"], in_stream(expected[quantisers[0].output]) / scale)
    thresholds = [node for node in nodes if isinstance(node, IntThreshold)]
    for quantiser, threshold in zip(quantisers[1:], thresholds, strict=True):
        real = in_stream(expected[quantiser.output]) / float(quantiser.scale.reshape(()))
        np.testing.assert_array_equal(integers[threshold.output], real)
    pools = [node for node in graph.nodes if isinstance(node, MaxPool)]
    for pool, made in zip(pools, (node for node in nodes if isinstance(node, IntPool)), strict=True):
        np.testing.assert_array_equal(integers[made.output], in_stream(expected[pool.output]))
    linears = [node for node in graph.nodes if isinstance(node, Conv | Linear)]
    products = [node for node in nodes if isinstance(node, IntMatMul)]
    for linear, product in zip(linears, products, strict=True):
        real = in_stream(expected[linear.output]) / (scale if linear is linears[0] else 1)
        sign = np.where((integers[product.output] == real).all(axis=(0, 1)), 1, -1)
        np.testing.assert_array_equal(integers[product.output] * sign, real)


def in_stream(tensor: Array) -> Array:
    """A tensor of the model `[N, channels, ...]` as the hardware sends it: `[N, pixels, channels]`."""
    return np.moveaxis(tensor.reshape(*tensor.shape[:2], -1), 1, 2)


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_brevitas_layers_of_one_and_two_dimensions(dimensions: int, dynamo: bool, tmp_path: Path) -> None:
    """Grouped and depthwise convolutions of four bits, and in two dimensions Brevitas' truncated average."""
    import brevitas.nn as qnn
    import torch
    from brevitas.quant import TruncTo8bit
    from torch import nn

    torch.manual_seed(7)
    conv = qnn.QuantConv1d if dimensions == 1 else qnn.QuantConv2d
    norm = nn.BatchNorm1d if dimensions == 1 else nn.BatchNorm2d
    layers: list[Any] = [qnn.QuantIdentity(bit_width=4, return_quant_tensor=True)]
    for last, (channels, rows, groups) in enumerate(((4, 6, 2), (6, 6, 6))):
        layers += [
            conv(channels, rows, 3, padding=1, groups=groups, bias=False, weight_bit_width=4),
            norm(rows),
            qnn.QuantReLU(bit_width=4, return_quant_tensor=dimensions == 2 or not last),
        ]
    if dimensions == 2:
        layers.append(qnn.TruncAvgPool2d(2, trunc_quant=TruncTo8bit, bit_width=4, return_quant_tensor=False))
    network = nn.Sequential(*layers)
    shape = (4, *[8] * dimensions)
    network(torch.randn(16, *shape))  # finds the scales of its activations
    proto = export_network(network, (1, *shape), dynamo, tmp_path / "m.onnx", statistics=False)
    frames = np.random.default_rng(8).normal(0, 1, (IMAGES, *shape)).astype(np.float32)

    compiled = compile_proto(proto)
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compiled.predict(frames), expected)
    kinds = [type(node) for node in compiled.lowered.graph.nodes]
    assert kinds.count(IntDepthwise) == dimensions
    assert not any(compiled.lowered.ties.values())
