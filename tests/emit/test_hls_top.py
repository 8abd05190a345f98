"""The top for Vitis HLS, run as a C simulation with AMD's own types."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

import thresher
from tests.models import ModelBuilder
from tests.small_models import save_small_model
from thresher_sim.compile import compile_program
from thresher_sim.project import Project
from thresher_sim.vectors import read_frames

BENCH = Path(__file__).with_name("top_bench.cpp")
FRAMES = 5


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> thresher.Accelerator:
    folder = tmp_path_factory.mktemp("top")
    model = save_small_model(folder / "small.onnx")
    return thresher.build(model, folder / "project", folding={"mvu0": {"pe": 4, "simd": 5}})


def test_the_vitis_top_gives_the_golden_beats(accelerator: thresher.Accelerator, tmp_path: Path) -> None:
    check_vitis_top(accelerator.project, tmp_path)


def test_windows_and_branches_in_the_vitis_top(tmp_path: Path) -> None:
    build = ModelBuilder((1, 4, 4, 6))
    x = build.quant("x", 0.25)
    weights = np.random.default_rng(0).integers(-3, 4, (4, 4, 3, 3)).astype(np.float32)
    y = build.node("Conv", x, build.quant(build.constant(weights), 1.0, 0.0, 4), pads=[1, 1, 1, 1])
    y = build.quant(build.node("Add", build.quant(y, 0.25), x), 0.5, 0.0, 3)
    model = tmp_path / "residual.onnx"
    onnx.save(build.proto(build.node("Conv", y, build.quant(build.constant(weights), 1.0, 0.0, 4))), model)

    check_vitis_top(thresher.build(model, tmp_path / "project").project, tmp_path)


def check_vitis_top(project: Project, tmp_path: Path) -> None:
    """Hold what a project's top gives on its own vectors against them."""
    source = tmp_path / "both.cpp"
    source.write_text(f'#include "top.cpp"\n#include "{BENCH}"\n')
    program = compile_program(source, [project.root / "hls"], tmp_path / "csim", "amd")
    stimulus = read_frames(project.vectors, project.input, FRAMES)
    lines = [f"0x{_number(beat):x}" for frame in stimulus for beat in frame]
    beats = str(project.input.layout.beats_per_frame)
    done = subprocess.run(
        [program, str(FRAMES), beats], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    got = [(int(data, 16), int(last)) for data, last in map(str.split, done.stdout.splitlines())]
    expected = [
        (_number(beat), int(index == len(frame) - 1))
        for frame in read_frames(project.vectors, project.output, FRAMES)
        for index, beat in enumerate(frame)
    ]
    assert got == expected


def _number(beat: np.ndarray) -> int:
    return int.from_bytes(beat.tobytes(), "little")
