"""The driver on a board whose DMA leads to the golden model or the C simulation, against QONNX's executor."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest

import thresher
from tests.driver.fake_pynq import Board
from tests.models import Array, ModelBuilder, run_qonnx
from tests.small_models import small_model
from thresher.hardware.golden import golden_outputs
from thresher.tools.simulation import run_csim, run_folder, write_run_vectors
from thresher_sim.rtl import simulate_rtl
from thresher_sim.streams import Bytes
from thresher_sim.vectors import read_frames

FRAMES = 23


@dataclass(frozen=True)
class Case:
    """A network, its project, frames, and what QONNX makes of them."""

    accelerator: thresher.Accelerator
    frames: Array
    expected: Array


def residual() -> onnx.ModelProto:
    """Feature maps, whose streams are in another order than the model's tensors."""
    build = ModelBuilder((1, 4, 4, 6))
    x = build.quant("x", 0.25)
    weights = np.random.default_rng(0).integers(-3, 4, (4, 4, 3, 3)).astype(np.float32)
    y = build.node("Conv", x, build.quant(build.constant(weights), 1.0, 0.0, 4), pads=[1, 1, 1, 1])
    return build.proto(
        build.node("Conv", build.quant(y, 0.25), build.quant(build.constant(weights), 1.0, 0.0, 4))
    )


MODELS: dict[str, tuple[Callable[[], onnx.ModelProto], tuple[int, ...]]] = {
    "small": (small_model, (12,)),
    "maps": (residual, (4, 4, 6)),
}


@pytest.fixture(scope="module", params=list(MODELS))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    make, shape = MODELS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    model = make()
    onnx.save(model, folder / "model.onnx")
    accelerator = thresher.build(folder / "model.onnx", folder / "project", board="PYNQ-Z2")
    frames = np.random.default_rng(3).normal(size=(FRAMES, *shape)).astype(np.float32) * 2
    expected = np.concatenate([run_qonnx(model, frame[None])[model.graph.output[0].name] for frame in frames])
    return Case(accelerator, frames, expected)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, as it lies in every project."""
    return importlib.import_module("driver")


def golden(accelerator: thresher.Accelerator) -> Callable[[np.ndarray], np.ndarray]:
    """The accelerator as a function on bytes, by the layouts that the bench goes by."""
    project = accelerator.project

    def run(data: np.ndarray) -> np.ndarray:
        source, target = project.input.layout, project.output.layout
        beats = data.reshape(-1, source.beats_per_frame, source.bytes_per_beat)
        received: Bytes = target.pack(golden_outputs(accelerator.graph, source.unpack(beats)))
        return received.reshape(-1)

    return run


def c_simulation(accelerator: thresher.Accelerator) -> Callable[[np.ndarray], np.ndarray]:
    """The accelerator's C++ as a function on bytes: what goes in is what the DMA sends, byte for byte."""
    project = accelerator.project

    def run(data: np.ndarray) -> np.ndarray:
        source, target = project.input.layout, project.output.layout
        beats = data.reshape(-1, source.beats_per_frame, source.bytes_per_beat)
        with run_folder(project) as folder:
            tensors = accelerator_streams(accelerator, source.unpack(beats))
            vectors = write_run_vectors(project, [tensors], folder)
            (vectors / "s_axis.bin").write_bytes(data.tobytes())
            result = run_csim(project, vectors, folder, None, "bitint")
        received: Bytes = target.pack(result.outputs)
        return received.reshape(-1)

    return run


def accelerator_streams(accelerator: thresher.Accelerator, integers: Any) -> Any:
    from thresher.ir.graph import interpret

    return interpret(accelerator.graph, {"s_axis": integers})


@pytest.fixture
def board(case: Case, monkeypatch: pytest.MonkeyPatch) -> Board:
    made = Board(golden(case.accelerator))
    monkeypatch.setitem(sys.modules, "pynq", made.module())
    return made


@pytest.fixture
def bitfile(tmp_path: Path) -> Path:
    (tmp_path / "accelerator.hwh").touch()
    path = tmp_path / "accelerator.bit"
    path.touch()
    return path


@pytest.mark.parametrize("batch", [1, 10, 1000])
def test_predictions_are_those_of_the_model(
    batch: int, case: Case, board: Board, bitfile: Path, driver: ModuleType
) -> None:
    with driver.Accelerator(bitfile, case.accelerator.directory, batch) as accelerator:
        outputs = accelerator.predict(case.frames)
    np.testing.assert_allclose(outputs, case.expected, rtol=0, atol=1e-5)
    sizes = [min(batch, FRAMES - first) for first in range(0, FRAMES, batch)]
    frame = case.accelerator.project.input.layout
    assert board.dma.batches == [n * frame.beats_per_frame * frame.bytes_per_beat for n in sizes]
    assert board.allocated == 0


def test_predictions_through_the_cpp(
    case: Case, bitfile: Path, driver: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynq", Board(c_simulation(case.accelerator)).module())
    with driver.Accelerator(bitfile, case.accelerator.directory) as accelerator:
        np.testing.assert_allclose(accelerator.predict(case.frames), case.expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", ["maps"], indirect=True)
def test_packed_bytes_are_the_beats_of_the_simulation(case: Case, tmp_path: Path) -> None:
    network = importlib.import_module("network").Network(case.accelerator.directory)
    project = case.accelerator.project
    streams = case.accelerator.trace(case.frames)
    vectors = write_run_vectors(project, [streams], tmp_path)

    assert simulate_rtl(project, vectors, tmp_path / "results").comparison.mismatches == 0

    sent, received = (
        np.asarray(read_frames(tmp_path / "results", end)).reshape(FRAMES, -1)
        for end in (project.input, project.output)
    )
    np.testing.assert_array_equal(network.encode(case.frames), sent)
    np.testing.assert_array_equal(network.output.unpack(received), streams["m_axis"])
    np.testing.assert_allclose(network.decode(received), case.expected, rtol=0, atol=1e-5)


def test_the_command_line(
    case: Case, board: Board, bitfile: Path, driver: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs, outputs = bitfile.with_name("x.npy"), bitfile.with_name("y.npy")
    np.save(inputs, case.frames)
    files = ["--bitfile", str(bitfile), "--inputs", str(inputs), "--outputs", str(outputs)]
    driver_folder(driver, case.accelerator.directory)
    assert driver.main([*files, "--benchmark", "--batches", "1,30"]) == 0
    np.testing.assert_allclose(np.load(outputs), case.expected, rtol=0, atol=1e-5)
    first, *rates = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"23 frames, [\d,]+ frames/s with packing and the host's part", first)
    assert len(rates) == 2
    for line, batch in zip(rates, (1, 30), strict=True):
        found = re.fullmatch(
            rf"batch +{batch}: +([\d,]+) frames/s, +([\d,.]+) MB/s in, +([\d,.]+) MB/s out", line
        )
        assert found
    assert board.allocated == 0


def driver_folder(driver: ModuleType, folder: Path) -> None:
    """Have the driver look for its project in `folder`, as if it lay there."""
    sys.modules["network"].HERE = folder / "driver"  # type: ignore[attr-defined]


def test_what_is_wrong_is_said(
    case: Case, board: Board, bitfile: Path, driver: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    driver_folder(driver, case.accelerator.directory)
    shape = ", ".join(["N", *map(str, case.frames.shape[1:])])
    inputs = bitfile.with_name("x.npy")
    np.save(inputs, np.zeros((3, 5)))
    cases = {
        ("--inputs", str(inputs)): f"driver: the inputs have shape [3, 5], and the model takes [{shape}]",
        ("--benchmark", "--batches", "0"): None,
        ("--batch", "0", "--benchmark"): "driver: batches of 0 frames cannot be; give 1 or more",
        (): "driver: there is nothing to do; give --inputs or --benchmark",
    }
    for words, message in cases.items():
        assert driver.main(["--bitfile", str(bitfile), *words]) == 2
        printed = capsys.readouterr().err
        if message is not None:
            assert printed == f"{message}\n"
        assert printed.startswith("driver: ")
        assert board.allocated == 0


def test_integers_need_no_onnxruntime_behind_the_accelerator(
    case: Case, bitfile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = importlib.import_module("network").Network(case.accelerator.directory)
    sent = network.encode(case.frames)
    received = golden(case.accelerator)(sent.reshape(-1)).reshape(FRAMES, -1)
    integers = golden_outputs(case.accelerator.graph, case.accelerator.host.encode(case.frames))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    np.testing.assert_array_equal(
        network.decode(received, raw=True), case.accelerator.host.lowered.output.from_stream(integers)
    )
    path = case.accelerator.directory / "model" / "epilogue.onnx"
    with pytest.raises(sys.modules["network"].DriverError) as raised:
        network.decode(received)
    assert str(raised.value) == (
        f"driver: '{path}' needs onnxruntime, which is not installed; install it, or build with an input "
        "type and --argmax, which leave nothing to the host"
    )


def test_a_network_that_leaves_nothing_to_the_host(
    tmp_path: Path, bitfile: Path, driver: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Integers in, the index of the largest out, with no onnxruntime; floats on the grid of the input too."""
    build = ModelBuilder((1, 12))
    weights = np.random.default_rng(1).integers(-7, 8, (12, 5)).astype(np.float32)
    quantised = build.quant("x", 0.25, signed=False)
    model = build.proto(build.node("MatMul", quantised, build.quant(build.constant(weights), 1.0, 0.0, 4)))
    onnx.save(model, tmp_path / "model.onnx")
    accelerator = thresher.build(
        tmp_path / "model.onnx", tmp_path / "project", input_type="uint4", input_scale=0.25, argmax=True
    )
    frames = np.random.default_rng(3).integers(0, 16, (FRAMES, 12))
    reals = (frames * 0.25).astype(np.float32)
    outputs = [run_qonnx(model, frame[None])[model.graph.output[0].name] for frame in reals]
    expected = np.concatenate(outputs).argmax(axis=1)
    monkeypatch.setitem(sys.modules, "pynq", Board(golden(accelerator)).module())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with driver.Accelerator(bitfile, accelerator.directory) as board:
        np.testing.assert_array_equal(board.predict(frames).reshape(-1), expected)
        np.testing.assert_array_equal(board.predict(reals).reshape(-1), expected)
        wrong = {
            "driver: the inputs are not multiples of the input's scale; give integers, or such "
            "multiples": np.full((1, 12), 0.1),
            "driver: the inputs go from 0 to 31, and the hardware takes 0 to 15": np.array([[0] * 11 + [31]]),
        }
        for message, values in wrong.items():
            with pytest.raises(sys.modules["network"].DriverError) as raised:
                board.predict(values)
            assert str(raised.value) == message


def test_no_pynq(case: Case) -> None:
    folder = case.accelerator.directory
    done = subprocess.run(
        [sys.executable, str(folder / "driver" / "driver.py"), "--benchmark"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": ""},
    )
    assert done.returncode == 2
    assert done.stderr == "driver: pynq is not installed; run this on a board with a PYNQ image\n"
