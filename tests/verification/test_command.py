"""`thresher verify` and `build --no-verify`: what they print and record, their exit codes, and bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import thresher
from tests.models import ModelBuilder
from tests.small_models import save_small_model
from thresher.cli import main
from thresher.ir.quantisers import Quantiser
from thresher.lower import settle
from thresher.lower.forms import Pending
from thresher.lower.staircase import fitted
from thresher.report.synthesis import synthesis_lines
from thresher_sim.streams import IntType

FRAMES = np.random.default_rng(0).normal(size=(20, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    model = save_small_model(folder / "small.onnx")
    assert main(["build", str(model), "-o", str(folder / "project")]) == 0
    np.save(folder / "x.npy", FRAMES)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "work"))


def verified(folder: Path, inputs: str = "x.npy", model: str = "small.onnx") -> int:
    paths = ("--model", str(folder / model), "--inputs", str(folder / inputs))
    return main(["verify", str(folder / "project"), *paths])


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "project" / "reports" / "report.json").read_text())
    return content


def test_a_table_of_all_tensors_and_a_record_beside_the_builds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = record(folder)["verification"]

    assert verified(folder) == 0

    out = capsys.readouterr().out
    rows = [line.replace("│", " ").split() for line in out.splitlines() if line.startswith("│")]
    assert rows == [
        ["layer_quant", "q", "240", "0", "0"],
        ["layer_matmul0", "m0", "180", "0", "0"],
        ["layer_act", "a0", "180", "0", "0"],
        ["layer_matmul1", "m1", "100", "0", "0"],
        ["layer_bias", "y", "100", "0", "0"],
    ]
    assert "held to the ONNX model: 20 frames, 5 tensors, 0 mismatches" in out
    after = record(folder)
    assert after["verification"] == before and before["frames"] == 128
    since = after["verified_since"]
    assert (since["done"], since["frames"], since["tensors"], since["mismatches"]) == (True, 20, 5, 0)
    assert main(["report", str(folder / "project")]) == 0
    assert "by thresher verify since then: held to the ONNX model: 20 frames" in capsys.readouterr().out


def array(values: Any) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / "x.npy", values)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (array(FRAMES[:, :5]), "inputs: the array has shape [20, 5]; the model takes [N, 12]"),
        (array(FRAMES[:0]), "inputs: the array holds no frames; give at least one, in the shape [N, 12]"),
        (array(FRAMES * np.nan), "inputs: the array holds NaN or infinity; give finite numbers"),
        (
            array(FRAMES.astype(np.float64) * 1e300),
            "inputs: the array holds numbers beyond float32; give finite numbers",
        ),
    ],
)
def test_bad_arrays_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    before = record(folder)
    assert verified(folder) == 2
    assert capsys.readouterr().err == f"thresher: error: {message}\n"
    assert record(folder) == before


def test_another_model_and_missing_files_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(folder, inputs="none.npy") == 2
    assert "does not exist; give the path of a .npy file" in capsys.readouterr().err
    assert verified(folder, model="none.onnx") == 2
    assert "no such file" in capsys.readouterr().err
    save_small_model(folder / "small.onnx", seed=1)
    assert verified(folder) == 2
    message = capsys.readouterr().err
    assert "small.onnx' is not the model that project '" in message
    assert message.endswith("; give that one\n")


def two_levels(quantiser: Quantiser, form: Pending) -> Quantiser:
    """A fault: the limit of a rounding that is constant there goes with the level above it."""
    own = fitted(quantiser, form)
    return replace(own, element=IntType(own.element.lo, max(own.element.hi, own.element.lo + 1)))


def test_a_difference_is_exit_code_1_and_no_verify_builds_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = ModelBuilder((1, 4))
    product = build.node("MatMul", build.quant("x", name="first"), build.weights(np.eye(4)))
    far = build.node("Add", build.node("Mul", product, np.float32(0.001)), np.float32(50))
    limited = build.node("Clip", build.node("Round", far), np.float32(0), np.float32(3), name="clip")
    onnx.save(
        build.proto(build.node("MatMul", limited, build.weights(np.ones((4, 2))))), tmp_path / "small.onnx"
    )
    np.save(tmp_path / "x.npy", FRAMES[:, :4])
    monkeypatch.setattr(settle, "fitted", two_levels)
    arguments = ["build", str(tmp_path / "small.onnx"), "-o", str(tmp_path / "project")]
    assert main(arguments) == 1
    assert not (tmp_path / "project").exists()
    assert capsys.readouterr().err.startswith(
        "thresher: error: verification: node 'clip': the hardware would"
    )

    assert main([*arguments, "--no-verify"]) == 0

    assert "not held to the ONNX model: build without --no-verify" in capsys.readouterr().out
    assert record(tmp_path)["verification"]["done"] is False
    assert verified(tmp_path) == 1
    assert "clip_y" in capsys.readouterr().out


def test_synth_says_whether_the_units_were_simulated_as_they_are(folder: Path) -> None:
    accelerator = thresher.load(folder / "project")
    assert not accelerator._simulated(accelerator.report())
    accelerator.csim()
    assert accelerator._simulated(accelerator.report())
    header = folder / "project" / "hls" / "layers" / "mvu0.hpp"
    header.write_text(header.read_text() + "\n")
    assert not accelerator._simulated(accelerator.report())
    entry = {"notes": [], "files": [], "simulated": False}
    assert list(synthesis_lines(entry)) == [
        "not simulated: no simulation has passed on these units as they are; run thresher sim first"
    ]
    assert list(synthesis_lines(entry | {"simulated": True})) == []
