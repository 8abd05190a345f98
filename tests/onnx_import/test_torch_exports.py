"""Networks in plain PyTorch, from both exporters of `torch.onnx.export`, held to onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.models import Array
from tests.onnx_import.standard import assert_exact, export_torch
from tests.onnx_import.torch_layers import ScaledByInput, ScaledConv2d, binary_network, dorefa_network
from thresher.errors import UsageError
from thresher.ir.integer import IntMatMul
from thresher.ir.quant_maps import FloatConv
from thresher.ir.quantisers import Binariser
from thresher.onnx_import import import_model, parse_model, read_model
from thresher_sim.streams import BIPOLAR, IntType

EXPORTERS = pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
SHAPE = (1, 2, 8, 8)


def maps(seed: int, count: int = 50) -> Array:
    return np.random.default_rng(seed).normal(0, 2, (count, *SHAPE[1:])).astype(np.float32)


@EXPORTERS
def test_hand_written_binary_layers(dynamo: bool, tmp_path: Path) -> None:
    """Padded convolutions of signs, a pool, a bias, and the float first layer on the host.

    The dynamo exporter puts the weights into a file beside the model.
    """
    torch.manual_seed(1)
    network = binary_network()
    path = tmp_path / "m.onnx"
    proto = export_torch(network, SHAPE, dynamo, path)
    assert (tmp_path / "m.onnx.data").is_file() == dynamo
    read = [type(node) for node in import_model(read_model(path)).graph.nodes]
    frames = maps(1)

    compiled = assert_exact(proto, frames, scores=1e-6)

    assert read == [type(node) for node in compiled.imported.graph.nodes]
    assert read[0] is FloatConv
    layers = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul)]
    assert [layer.weight_type for layer in layers] == [BIPOLAR] * 4
    assert [layer.input_type.element for layer in layers] == [BIPOLAR] * 4
    with torch.no_grad():
        torch_scores = network(torch.from_numpy(frames)).numpy()
    np.testing.assert_allclose(compiled.predict(frames), torch_scores, rtol=0, atol=1e-4)


@EXPORTERS
def test_xnor_nets_filters(dynamo: bool, tmp_path: Path) -> None:
    """Each filter's alpha, and what an exporter folds into it, is its scale: the weights are signs."""
    torch.manual_seed(2)
    proto = export_torch(binary_network(ScaledConv2d), SHAPE, dynamo, tmp_path / "m.onnx")

    compiled = assert_exact(proto, maps(2), scores=1e-6)

    layers = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul)]
    assert [layer.weight_type for layer in layers] == [BIPOLAR] * 4


@pytest.mark.parametrize(
    ("weight_bits", "bits", "dynamo"), [(1, 1, True), (2, 2, False), (4, 4, False), (7, 8, False)]
)
def test_dorefa_net(weight_bits: int, bits: int, dynamo: bool, tmp_path: Path) -> None:
    """Weights of k bits are odd numbers of k + 1 bits; an activation of one bit is a step."""
    torch.manual_seed(3 + bits)
    proto = export_torch(dorefa_network(weight_bits, bits), SHAPE, dynamo, tmp_path / "m.onnx")

    compiled = assert_exact(proto, maps(3), scores=1e-5)

    layers = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul)]
    most = 2**weight_bits - 1
    widest = BIPOLAR if weight_bits == 1 else IntType(-most, most)
    assert all(layer.weight_type.bits == widest.bits for layer in layers)
    assert layers[0].input_type.element == IntType(0, 2**bits - 1)


def test_weights_outside_of_the_models_folder(tmp_path: Path) -> None:
    export_torch(torch.nn.Linear(64, 64), (1, 64), True, tmp_path / "m.onnx")
    bare = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    outside = [tensor for tensor in bare.graph.initializer if tensor.external_data]
    outside[0].external_data[0].value = "../m.onnx.data"
    (tmp_path / "inner").mkdir()
    onnx.save(bare, tmp_path / "inner" / "m.onnx")

    with pytest.raises(UsageError) as caught:
        read_model(tmp_path / "inner" / "m.onnx")
    assert str(caught.value) == (
        "import: model 'm.onnx': external data '../m.onnx.data' lies outside the model's folder; save the "
        "model with its weights inside"
    )


def test_the_scale_of_xnor_net_in_torch(tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), ScaledByInput(4, 6), ScaledByInput(6, 5))
    proto = export_torch(network, SHAPE, True, tmp_path / "m.onnx")

    imported = import_model(parse_model(proto.SerializeToString(), "m.onnx"), drop_input_scale=True)

    assert len(imported.dropped) == 2
    assert sum(isinstance(node, Binariser) for node in imported.graph.nodes) == 2
