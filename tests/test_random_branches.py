"""Random networks with branches through every level: QONNX's executor, golden, C and RTL simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import thresher
from tests.lower.random_branches import MAP, random_network
from tests.models import ModelBuilder, run_qonnx

FRAMES = 8


@pytest.mark.parametrize("seed", range(3))
def test_every_level_agrees(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    build = ModelBuilder(MAP)
    output = random_network(build, lambda options: options[int(random.integers(len(options)))])
    proto = build.proto(output)
    onnx.save(proto, tmp_path / "model.onnx")
    frames = random.normal(0, 2, (FRAMES, *MAP[1:])).astype(np.float32)

    accelerator = thresher.build(tmp_path / "model.onnx", tmp_path / "project", target_fps=1e6)
    assert np.array_equal(accelerator.predict(frames), run_qonnx(proto, frames)[output])
    assert accelerator.csim(frames).mismatches == 0
    estimate = accelerator.report()["estimate"]
    run = accelerator.sim(frames)
    assert (run.mismatches, run.latency_cycles) == (0, estimate["latency_cycles"])
    assert accelerator.sim(frames, stall=50, seed=seed).mismatches == 0
