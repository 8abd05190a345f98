"""The Python interface, against onnxruntime, torch and the QONNX executor."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model

import thresher
from tests.small_models import save_small_model, small_model
from thresher.accuracy import accuracy
from thresher.errors import MissingToolError, UnsupportedModelError, UsageError
from thresher.lower.storage import load_lowered


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("api") / "small.onnx")


@pytest.fixture(scope="module")
def accelerator(model: Path) -> thresher.Accelerator:
    return thresher.build(model, model.parent / "prologue_on_host", target_fps=2_000_000)


@pytest.fixture(scope="module")
def hardware_input(model: Path) -> thresher.Accelerator:
    """All in hardware: its input is integers of an eighth."""
    target = model.parent / "all_in_hardware"
    return thresher.build(model, target, target_fps=2_000_000, input_type="uint6", input_scale=0.125)


def test_predict_equals_the_model(accelerator: thresher.Accelerator, model: Path) -> None:
    frames = np.random.default_rng(2).uniform(-1, 5, (20, 12)).astype(np.float32)
    expected = _qonnx(model, frames)
    for sim in ("golden", "csim", "rtl"):
        outputs = accelerator.predict(frames, sim=sim)
        assert np.array_equal(outputs, expected), sim


def test_predict_takes_integers_where_it_was_built_for_them(
    hardware_input: thresher.Accelerator, model: Path
) -> None:
    frames = np.random.default_rng(3).integers(0, 64, (20, 12)).astype(np.uint8)
    expected = _qonnx(model, frames.astype(np.float32) / 8)
    assert np.array_equal(hardware_input.predict(frames), expected)
    assert np.array_equal(hardware_input.predict(frames / 8, sim="rtl"), expected)


def test_tensors_and_lists_are_arrays(accelerator: thresher.Accelerator) -> None:
    frames = torch.rand((3, 12), generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = accelerator.predict(frames.detach().numpy())
    assert np.array_equal(accelerator.predict(frames), expected)
    assert np.array_equal(accelerator.predict(frames.tolist()), expected)


def test_lists_that_are_no_array_are_refused(accelerator: thresher.Accelerator) -> None:
    with pytest.raises(UsageError) as caught:
        accelerator.predict([[1.0, 2.0], [3.0]])
    assert str(caught.value).startswith("inputs: no array can be made of it (setting an array element")
    assert str(caught.value).endswith("); give an array of numbers")


@pytest.mark.parametrize("option", ["clock_mhz", "add_bits"])
def test_nothing_in_place_of_a_number_is_refused(option: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        thresher.build(model, tmp_path / "built", **{option: None})
    assert str(caught.value) == f"build: {option} is None; give a number"


@pytest.mark.parametrize("option", ["target_fps", "clock_mhz", "input_scale", "add_bits"])
def test_text_in_place_of_a_number_is_refused(option: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        thresher.build(model, tmp_path / "built", **{option: "1/255"})
    assert str(caught.value) == f"build: {option} is '1/255'; give a number"
    assert list(tmp_path.iterdir()) == []


def test_floats_off_the_grid_are_refused(hardware_input: thresher.Accelerator) -> None:
    with pytest.raises(UsageError) as caught:
        hardware_input.predict(np.full((1, 12), 0.3))
    assert str(caught.value) == (
        "inputs: the values are not multiples of the input scale 0.125, which the hardware takes (off by up "
        "to 0.4 of it); give integers, or floats on that grid"
    )


def test_integers_out_of_range_are_refused(hardware_input: thresher.Accelerator) -> None:
    with pytest.raises(UsageError) as caught:
        hardware_input.predict(np.full((1, 12), 64))
    assert str(caught.value) == (
        "inputs: the values go from 64 to 64, and the hardware takes uint6[0..63]; give integers of that "
        "type, or floats that are its multiples of the input scale"
    )


def test_the_report_holds_the_stated_keys(accelerator: thresher.Accelerator) -> None:
    frames = np.random.default_rng(4).uniform(0, 4, (12, 12)).astype(np.float32)
    labels = accelerator.predict(frames).argmax(axis=1)
    labels[:3] = (labels[:3] + 1) % 5
    accelerator.csim(frames, labels, dataset="random")
    accelerator.sim(frames, labels, dataset="random")
    report = accelerator.report()
    assert {"name", "sha256", "parameters", "weight_bits", "float32_bytes", "packed_bytes"} <= set(
        report["model"]
    )
    assert (report["model"]["parameters"], report["model"]["weight_bits"]) == (12 * 9 + 9 * 5, 12 * 9 + 9 * 5)
    for layer in report["layers"]:
        assert {
            "name", "kernel", "onnx_nodes", "pe", "simd", "cycles_per_frame", "macs_per_frame",
            "weight_bits", "input_bits", "output_bits", "resources",
        } <= set(layer)  # fmt: skip
        assert set(layer["resources"]) == {"lut", "ff", "bram36", "dsp"}
    estimate, measured = report["estimate"], report["simulation"]["rtl"]
    assert {"cycles_per_frame", "bottleneck", "latency_cycles", "frames_per_second"} <= set(estimate)
    for fifo in report["fifos"]:
        assert set(fifo) == {"stream", "depth", "bits", "occupancy", "rtl_occupancy", "resources"}
        assert fifo["rtl_occupancy"] == fifo["occupancy"]
    assert measured["cycles_per_frame"] == estimate["cycles_per_frame"]
    assert measured["latency_cycles"] == estimate["latency_cycles"]
    assert (measured["frames"], measured["mismatches"]) == (12, 0)
    assert report["simulation"]["csim"]["mismatches"] == 0
    right = {"golden": 0.75, "csim": 0.75, "rtl": 0.75}
    assert report["accuracy"] == {"dataset": "random", "images": 12} | right


def test_a_loaded_project_is_the_built_one(accelerator: thresher.Accelerator) -> None:
    frames = np.random.default_rng(5).uniform(0, 4, (4, 12)).astype(np.float32)
    loaded = thresher.load(accelerator.directory)
    assert np.array_equal(loaded.predict(frames), accelerator.predict(frames))


@pytest.mark.parametrize("name", ["network.npz", "epilogue.onnx"])
def test_a_damaged_project_is_refused(model: Path, tmp_path: Path, name: str) -> None:
    built = thresher.build(model, tmp_path / "project")
    (built.directory / "model" / name).write_bytes(b"PK nonsense")
    with pytest.raises(UsageError) as caught:
        thresher.load(built.directory)
    assert str(caught.value) == (
        f"load: project '{built.directory}' is damaged (its folder 'model' has changed); build it again"
    )


def test_a_description_without_a_key_is_refused(model: Path, tmp_path: Path) -> None:
    built = thresher.build(model, tmp_path / "project")
    path = built.directory / "project.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["network_sha256"]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"damaged \(project\.json lacks 'network_sha256'\); build it again$"
    ):
        thresher.load(built.directory)


def test_a_damaged_network_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"^load: the project's integer network is damaged \(.*\); build it again$"
    ):
        load_lowered(b"PK nonsense")


def test_a_folding_that_is_no_number_is_refused(model: Path, tmp_path: Path) -> None:
    built = thresher.build(model, tmp_path / "project")
    path = built.directory / "project.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["layers"][0]["pe"] = "x"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UsageError, match=r"^folding: layer 'mvu0': pe is 'x'; it must be a whole number$"):
        thresher.load(built.directory)


def test_accuracy_counts_matches() -> None:
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert accuracy(scores, np.array([1, 0, 0, 0])) == 0.75
    assert accuracy(np.array([1, 0, 1, 0]), np.array([1, 0, 0, 1])) == 0.5
    assert accuracy(np.array([[1], [0], [1], [0]]), np.array([1, 0, 0, 1])) == 0.5


@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_class_index_has_the_shape_that_the_model_gives_it(keepdims: int, tmp_path: Path) -> None:
    proto = small_model()
    del proto.graph.node[-2:]  # the scale and the bias: what is left is in the order of the integers
    proto.graph.node.append(helper.make_node("ArgMax", ["m1"], ["y"], "best", axis=1, keepdims=keepdims))
    shape = [1, 1] if keepdims else [1]
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.INT64, shape))
    onnx.save(proto, tmp_path / "model.onnx")
    accelerator = thresher.build(tmp_path / "model.onnx", tmp_path / "project")
    assert [node.name for node in accelerator.graph.nodes][-1] == "argmax0"
    frames = np.random.default_rng(6).uniform(0, 4, (20, 12)).astype(np.float32)
    expected = _qonnx(tmp_path / "model.onnx", frames)
    for sim in ("golden", "csim"):
        outputs = accelerator.predict(frames, sim=sim)
        assert outputs.dtype == np.int64
        assert np.array_equal(outputs, expected), sim


def test_a_module_is_exported_and_built(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    brevitas = pytest.importorskip("brevitas.nn")
    from brevitas.quant.binary import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst

    torch.manual_seed(0)
    binary_act = brevitas.QuantIdentity(act_quant=SignedBinaryActPerTensorConst, return_quant_tensor=False)
    layers = [
        binary_act,
        brevitas.QuantLinear(15, 8, bias=False, weight_quant=SignedBinaryWeightPerTensorConst),
        torch.nn.BatchNorm1d(8),
        brevitas.QuantIdentity(act_quant=SignedBinaryActPerTensorConst, return_quant_tensor=False),
        brevitas.QuantLinear(8, 3, bias=True, weight_quant=SignedBinaryWeightPerTensorConst),
    ]
    module = torch.nn.Sequential(*layers).eval()
    # 15 columns: a sum of them is never zero, where the order of torch's float additions would decide.
    frames = torch.randn(30, 15)
    accelerator = thresher.build(module, tmp_path / "project", example_input=frames[:1])
    with torch.no_grad():
        expected = module(frames)
    expected = expected.value if hasattr(expected, "value") else expected
    np.testing.assert_allclose(accelerator.predict(frames.numpy()), expected.numpy(), rtol=1e-5, atol=1e-5)


def test_a_module_needs_an_example_input() -> None:
    with pytest.raises(UsageError) as caught:
        thresher.build(object())
    assert str(caught.value) == (
        "build: a PyTorch module needs an example input to be exported; give example_input, a tensor of one "
        "frame with its batch axis"
    )


def test_a_module_needs_brevitas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brevitas.export", None)
    with pytest.raises(MissingToolError) as caught:
        thresher.build(object(), example_input=0)
    assert str(caught.value) == (
        "build: exporting a PyTorch module needs Brevitas; pip install 'thresher[train]'"
    )


def _qonnx(model: Path, frames: np.ndarray) -> np.ndarray:
    network = cleanup_model(ModelWrapper(str(model)))
    entry, output = network.graph.input[0].name, network.graph.output[0].name
    outputs = [execute_onnx(network, {entry: frame[None]})[output] for frame in frames]
    return np.concatenate(outputs)


class BranchesOnValues(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum().item() > 0 else -x


def test_a_module_that_torch_cannot_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        thresher.build(BranchesOnValues(), tmp_path / "built", example_input=torch.ones(1, 4))
    assert str(caught.value).startswith("build: module 'BranchesOnValues': torch cannot export it (")
    assert str(caught.value).endswith(
        "); let it be traceable, without branches on values, or export it to ONNX yourself and build the file"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_module_whose_export_is_another_network_is_refused(tmp_path: Path) -> None:
    """Brevitas writes a QuantReLU of one bit, whose levels are 0 and 1, as signs."""
    torch, qnn = pytest.importorskip("torch"), pytest.importorskip("brevitas.nn")
    torch.manual_seed(0)
    layers = (
        qnn.QuantIdentity(bit_width=4, return_quant_tensor=True),
        qnn.QuantLinear(9, 7, bias=False, weight_bit_width=3),
        qnn.QuantReLU(bit_width=1, return_quant_tensor=True),
        qnn.QuantLinear(7, 3, bias=False, weight_bit_width=3),
    )
    module = torch.nn.Sequential(*layers)
    module(torch.randn(8, 9))
    with pytest.raises(UnsupportedModelError) as refused:
        thresher.build(module, tmp_path / "project", example_input=torch.ones(1, 9))
    assert re.fullmatch(
        r"build: module 'Sequential': the ONNX model that Brevitas exports of it gives other values than the "
        r"module itself \(by up to \S+ for the example input\), and so would the hardware; a QuantReLU of 1 "
        r"bit, for one, is exported as a sign: use a sign, or 2 bits",
        str(refused.value),
    )
    assert not (tmp_path / "project").exists()
