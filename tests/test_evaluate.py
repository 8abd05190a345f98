"""`evaluate`: what it measures against plain arithmetic and QONNX, what it writes, and what it refuses."""

from __future__ import annotations

import builtins
import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import thresher
from tests.models import Array, run_qonnx
from tests.small_models import save_small_model, small_model
from thresher.cli import main
from thresher.errors import UsageError
from thresher.evaluation import Evaluation, Level
from thresher.evaluation.timing import Processor
from thresher.onnx_import import parse_model
from thresher.onnx_import.plain import PlainModel, parameter_bytes
from thresher.report.units import show_bytes, show_ratio, show_seconds

COUNT = 24


@dataclass(frozen=True)
class Files:
    """A built project, its model, a float twin, and frames with labels."""

    project: Path
    model: Path
    twin: Path
    inputs: Path
    labels: Path
    frames: Array
    classes: Array


def plain(weights: list[Array], batch: int | str = 1) -> onnx.ModelProto:
    """Matrices with Relu between them, on 12 numbers."""
    made, tensor = [], "x"
    for index in range(len(weights)):
        made.append(helper.make_node("MatMul", [tensor, f"w{index}"], [f"m{index}"], f"fc{index}"))
        made.append(helper.make_node("Relu", [f"m{index}"], [f"r{index}"]))
        tensor = f"r{index}"
    graph = helper.make_graph(
        made[:-1],
        "twin",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, weights[0].shape[0]])],
        [helper.make_tensor_value_info(made[-2].output[0], TensorProto.FLOAT, [batch, weights[-1].shape[1]])],
        [numpy_helper.from_array(matrix, f"w{index}") for index, matrix in enumerate(weights)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def twin_weights() -> list[Array]:
    random = np.random.default_rng(3)
    return [random.normal(size=shape).astype(np.float32) for shape in ((12, 7), (7, 5))]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("evaluate")
    model = save_small_model(folder / "small.onnx")
    twin = folder / "twin.onnx"
    onnx.save(plain(twin_weights()), twin)
    random = np.random.default_rng(4)
    frames = random.uniform(-1, 5, (COUNT, 12)).astype(np.float32)
    classes = random.integers(0, 5, COUNT)
    np.save(folder / "x.npy", frames)
    np.save(folder / "y.npy", classes)
    thresher.build(model, folder / "project", clock_mhz=200)
    return Files(folder / "project", model, twin, folder / "x.npy", folder / "y.npy", frames, classes)


def run(files: Files, *options: str) -> int:
    return main(["evaluate", str(files.project), "--inputs", str(files.inputs), *options])


def right(scores: Array, classes: Array) -> float:
    return float((scores.argmax(axis=1) == classes).mean())


def test_all_levels(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    models = ["--model", str(files.model), "--float", str(files.twin), "--labels", str(files.labels)]

    code = run(files, *models, "--csim", "6", "--rtl", "3", "-o", str(tmp_path))

    assert code == 0
    content = json.loads((tmp_path / "evaluation.json").read_text())
    levels = {level["name"]: level for level in content["levels"]}
    report = json.loads((files.project / "reports" / "report.json").read_text())
    first, second = twin_weights()
    twin_right = right(np.maximum(files.frames @ first, 0) @ second, files.classes)
    onnx_scores = run_qonnx(small_model(), files.frames)["y"]
    onnx_right = right(onnx_scores, files.classes)
    assert list(levels) == ["float", "onnx", "golden", "csim", "rtl", "accelerator"]
    assert [levels[name]["accuracy"] for name in ("float", "onnx", "golden", "accelerator")] == [
        twin_right,
        onnx_right,
        onnx_right,
        onnx_right,
    ]
    for name, count in (("csim", 6), ("rtl", 3)):
        assert (levels[name]["images"], levels[name]["mismatches"]) == (count, 0)
        assert levels[name]["accuracy"] == right(onnx_scores[:count], files.classes[:count])
    assert levels["float"]["bytes"] == 4 * (12 * 7 + 7 * 5)
    # One bit for each weight, and what the host's two parts hold in floats.
    host = sum(
        initialiser_bytes(files.project / "model" / f"{part}.onnx") for part in ("prologue", "epilogue")
    )
    assert levels["accelerator"]["bytes"] == report["model"]["packed_bytes"] + host
    estimate = report["estimate"]
    assert levels["accelerator"]["seconds_per_image"] == pytest.approx(estimate["cycles_per_frame"] / 200e6)
    assert levels["accelerator"]["latency_seconds"] == pytest.approx(estimate["latency_cycles"] / 200e6)
    assert content["reference"] == "float"
    ratios = content["ratios"]["accelerator"]
    times = [levels[name]["seconds_per_image"] for name in ("float", "accelerator")]
    assert ratios["faster"] == pytest.approx(times[0] / times[1])
    assert ratios["smaller"] == pytest.approx(levels["float"]["bytes"] / levels["accelerator"]["bytes"])
    assert content["host_parts"] == ["prologue", "epilogue"]
    assert (content["model"], content["dataset"]) == ("small", "x.npy")
    shown = capsys.readouterr().out
    for word in (
        "float twin",
        "quantised model",
        "golden model",
        "C simulation",
        "RTL simulation",
        "200 MHz",
    ):
        assert word in shown
    assert png_size(tmp_path / "evaluation.png")[0] > 1000


def initialiser_bytes(path: Path) -> int:
    tensors = (numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer)
    return sum(tensor.nbytes for tensor in tensors if tensor.dtype == np.float32)


def png_size(path: Path) -> tuple[int, int]:
    """Width and height, from the header of a PNG file (RFC 2083)."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_what_is_not_given_is_left_out(files: Files, tmp_path: Path) -> None:
    assert run(files, "--frames", "4", "--no-plot", "-o", str(tmp_path)) == 0

    content = json.loads((tmp_path / "evaluation.json").read_text())
    assert [level["name"] for level in content["levels"]] == ["golden", "accelerator"]
    assert all("accuracy" not in level for level in content["levels"])
    assert [level["images"] for level in content["levels"]] == [4, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.json"]


def test_integers_of_the_hardware_are_scaled_for_the_models(tmp_path: Path) -> None:
    model, twin = save_small_model(tmp_path / "small.onnx"), tmp_path / "twin.onnx"
    onnx.save(plain(twin_weights()), twin)
    accelerator = thresher.build(model, tmp_path / "out", input_type="uint4", input_scale=0.25)
    random = np.random.default_rng(5)
    pixels, classes = random.integers(0, 16, (COUNT, 12)), random.integers(0, 5, COUNT)

    result = thresher.evaluate(accelerator, pixels, classes, model=model, float_model=twin)

    first, second = twin_weights()
    real = pixels.astype(np.float32) / 4
    levels = {level.name: level for level in result.levels}
    assert levels["float"].accuracy == right(np.maximum(real @ first, 0) @ second, classes)
    assert levels["onnx"].accuracy == levels["golden"].accuracy
    assert levels["golden"].accuracy == right(run_qonnx(small_model(), real)["y"], classes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--frames", "0"], "frames: 0 frames cannot be simulated; give 1 or more"),
        (["--frames", "25"], "evaluate: frames: 25 of 24 images cannot be taken; give 1 to 24"),
        (["--csim", "25"], "evaluate: csim: 25 of 24 images cannot be taken; give 1 to 24"),
        (
            ["--frames", "5", "--rtl", "6"],
            "evaluate: rtl: 6 of 5 images cannot be taken; give 1 to 5",
        ),
        (
            ["--model", "other.onnx"],
            "evaluate: model 'other.onnx' is not the one that the project was built from; give that one, or "
            "build the project again",
        ),
        (
            ["--float", "other.onnx"],
            "evaluate: model 'other.onnx': node 'layer_quant' is a Quant, which is not ONNX's own; give a "
            "model of standard operators, as torch.onnx.export writes it",
        ),
        (
            ["--float", "wide.onnx"],
            "evaluate: model 'wide.onnx' takes [N, 13], and the inputs are [N, 12]; give a model for inputs "
            "of that shape",
        ),
        (
            ["--float", "three.onnx"],
            "evaluate: model 'three.onnx': its batch is 3; export it with a batch of 1, or of any size",
        ),
        (
            ["--float", "none.onnx"],
            "import: model 'none.onnx': no such file ('none.onnx'); give the path of an ONNX model",
        ),
        (
            ["--labels", "short.npy"],
            "labels: the array has shape [3] and dtype int64; give one whole number per frame, [24]",
        ),
    ],
)
def test_bad_requests_are_refused(
    files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    save_small_model(Path("other.onnx"), seed=1)
    onnx.save(plain([np.ones((13, 5), np.float32)]), "wide.onnx")
    onnx.save(plain([np.ones((12, 5), np.float32)], batch=3), "three.onnx")
    np.save("short.npy", np.zeros(3, np.int64))

    code = run(files, *options, "--no-plot", "-o", "out")

    assert (code, capsys.readouterr().err) == (2, f"thresher: error: {message}\n")
    assert not Path("out").exists()


def test_a_model_that_onnxruntime_refuses() -> None:
    proto = plain([np.ones((12, 5), np.float32)])
    proto.graph.node[0].op_type = "NoSuchOperator"

    with pytest.raises(
        UsageError, match=r"^evaluate: model 'm': onnxruntime refuses it \(.*\); export it again$"
    ):
        PlainModel(parse_model(proto.SerializeToString(), "m"))


def test_a_model_without_a_shape() -> None:
    proto = plain([np.ones((12, 5), np.float32)])
    proto.graph.input[0].type.tensor_type.ClearField("shape")

    with pytest.raises(UsageError) as caught:
        PlainModel(parse_model(proto.SerializeToString(), "m"))

    assert str(caught.value) == (
        "evaluate: model 'm': its input has no shape; export it with a fixed input shape"
    )


def test_the_chart_needs_matplotlib(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)

    assert run(files) == 4
    assert capsys.readouterr().err == (
        "thresher: error: evaluate: the chart needs matplotlib; pip install 'thresher[evaluate]', or leave "
        "the chart out with --no-plot\n"
    )


@pytest.mark.parametrize(("batch", "together"), [(1, 256), ("n", 256)])
def test_frames_are_computed_together_where_that_is_the_same(batch: int | str, together: int) -> None:
    weights = [np.random.default_rng(6).normal(size=(12, 5)).astype(np.float32)]
    frames = np.random.default_rng(7).normal(size=(5, 12)).astype(np.float32)

    model = PlainModel(parse_model(plain(weights, batch).SerializeToString(), "m"))

    assert model.batch == together
    np.testing.assert_allclose(model.run(frames), frames @ weights[0], rtol=1e-4)


def test_frames_that_would_mix_are_computed_one_by_one() -> None:
    graph = helper.make_graph(
        [helper.make_node("Softmax", ["x"], ["y"], "mix", axis=0)],
        "mixing",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    model = PlainModel(parse_model(proto.SerializeToString(), "m"))

    assert model.batch == 1
    assert (model.run(np.ones((3, 4), np.float32)) == 1).all()


def test_bytes_of_constants_wherever_they_are() -> None:
    proto = plain([np.ones((12, 5), np.float32)])
    value = numpy_helper.from_array(np.ones(7, np.float32), "c")
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["c"], value=value))
    shape = numpy_helper.from_array(np.ones(9, np.int64), "s")
    proto.graph.initializer.append(shape)

    assert parameter_bytes(parse_model(proto.SerializeToString(), "m")) == 4 * (12 * 5 + 7)


def test_a_mismatch_is_counted() -> None:
    levels = (Level("golden", "golden model", 2), Level("rtl", "RTL simulation", 2, mismatches=3))

    result = Evaluation("m", "d", 100.0, levels, 400, processor=Processor("x", 1))

    assert result.mismatches == 3
    assert result.ratios == {}


def test_without_a_twin_sizes_are_compared_with_float32() -> None:
    levels = (
        Level("golden", "golden model", 2, seconds_per_image=2e-3),
        Level("accelerator", "accelerator", 2, seconds_per_image=1e-3, bytes=100),
    )

    result = Evaluation("m", "d", 100.0, levels, 3200)

    assert result.ratios == {"accelerator": {"faster": 2.0, "smaller": 32.0}}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (show_seconds(5.12e-6), "5.12 µs"),
        (show_seconds(0.0123), "12.3 ms"),
        (show_seconds(3e-10), "0.3 ns"),
        (show_seconds(250.0), "250 s"),
        (show_bytes(1_720_000), "1.72 MB"),
        (show_bytes(999), "999 B"),
        (show_bytes(0), "0 B"),
        (show_ratio(31.42), "31.4 x"),
        (show_ratio(12345.6), "12,346 x"),
        (show_ratio(0.0804), "0.0804 x"),
    ],
)
def test_numbers_have_units_that_suit_them(shown: str, expected: str) -> None:
    assert shown == expected
