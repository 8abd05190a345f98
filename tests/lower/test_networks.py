"""Whole networks: every integer equals what QONNX's executor computes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.lower.helpers import Compiled, compile_proto
from tests.models import BNN_NETWORKS, Array, export_bnn, mnist, run_qonnx
from thresher.ir.integer import IntMatMul, IntThreshold
from thresher.ir.quant import Linear
from thresher.ir.quantisers import Quantiser
from thresher_sim.streams import IntType

UINT8 = IntType(0, 255)
ZOO = ("TFC_1W1A", "TFC_2W2A")


@pytest.mark.parametrize("on_host", [False, True], ids=["uint8", "prologue"])
@pytest.mark.parametrize("name", ZOO)
def test_zoo_network_on_all_of_mnist(
    name: str, on_host: bool, shared_models: Path, shared_data: Path
) -> None:
    expected = np.load(shared_models / f"{name}.expected.npy")
    images, _ = mnist(shared_data)
    options = {} if on_host else {"input_type": UINT8, "input_scale": 1 / 255}
    compiled = compile_proto(onnx.load(shared_models / f"{name}.onnx"), **options)

    outputs = compiled.predict(images / np.float32(255) if on_host else images)

    np.testing.assert_array_equal(outputs.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ZOO)
def test_zoo_network_with_argmax(name: str, shared_models: Path, shared_data: Path) -> None:
    expected = np.load(shared_models / f"{name}.expected.npy")
    images, _ = mnist(shared_data)
    compiled = compile_proto(
        onnx.load(shared_models / f"{name}.onnx"), input_type=UINT8, input_scale=1 / 255, argmax=True
    )

    np.testing.assert_array_equal(compiled.predict(images), expected.argmax(axis=1))


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.parametrize("name", BNN_NETWORKS)
def test_brevitas_network_with_random_statistics(name: str, dynamo: bool, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        proto = export_bnn(name, dynamo, seed=len(name), path=tmp_path / "m.onnx")
    frames = np.random.default_rng(1).random((100, 1, 28, 28), np.float32)
    expected = run_qonnx(proto, frames)

    compiled = compile_proto(proto)

    assert_every_integer_equal(compiled, frames, expected)
    np.testing.assert_allclose(
        compiled.predict(frames), expected[proto.graph.output[0].name], rtol=0, atol=1e-5
    )


def assert_every_integer_equal(compiled: Compiled, frames: Array, expected: Mapping[str, Array]) -> None:
    """All scales of these networks are 1, so QONNX's floats are the integers.

    A row whose weights are negated has the negated sum: no other change is allowed.
    """
    integers = compiled.trace(frames)
    graph, nodes = compiled.imported.graph, compiled.lowered.graph.nodes
    np.testing.assert_array_equal(integers["input"][:, 0], expected[compiled.lowered.input.onnx_tensor])
    quantisers = [node.output for node in graph.nodes if isinstance(node, Quantiser)][1:]
    linears = [node for node in graph.nodes if isinstance(node, Linear)]
    thresholds = [node for node in nodes if isinstance(node, IntThreshold)]
    products = [node for node in nodes if isinstance(node, IntMatMul)]
    for tensor, threshold in zip(quantisers, thresholds, strict=True):
        np.testing.assert_array_equal(integers[threshold.output][:, 0], expected[tensor])
    for linear, product in zip(linears, products, strict=True):
        sign = np.where((linear.weights == product.weights).all(axis=1), 1, -1)
        np.testing.assert_array_equal(product.weights * sign[:, None], linear.weights)
        np.testing.assert_array_equal(integers[product.output][:, 0] * sign, expected[linear.output])


def test_the_output_types_hold_what_the_weights_can_reach(shared_models: Path) -> None:
    compiled = compile_proto(onnx.load(shared_models / "TFC_2W2A.onnx"))
    for node in compiled.lowered.graph.nodes:
        if isinstance(node, IntMatMul):
            most = int(np.abs(node.weights).sum(axis=1).max())
            assert node.output_type.element == IntType(-most, most)
