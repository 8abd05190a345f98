"""What is stated of cycles per frame and latency is what RTL simulation measures, for any folding."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest

import thresher
from tests.small_models import small_model

FRAMES = 24


@pytest.mark.parametrize("seed", range(4))
def test_rate_and_latency_are_as_stated(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    sizes = tuple(int(size) for size in random.integers(6, 40, 3))
    onnx.save(small_model(seed, sizes), tmp_path / "model.onnx")
    folding = {
        f"mvu{index}": {"pe": int(random.integers(1, rows + 1)), "simd": int(random.integers(1, columns + 1))}
        for index, (columns, rows) in enumerate(pairwise(sizes))
    }
    accelerator = thresher.build(
        tmp_path / "model.onnx", tmp_path / "project", folding=folding, input_type="uint8", input_scale=1 / 64
    )
    frames = random.integers(0, 256, (FRAMES, sizes[0])).astype(np.uint8)
    run = accelerator.sim(frames)
    report = accelerator.report()
    estimate = report["estimate"]
    assert run.mismatches == 0
    assert run.cycles_per_frame == estimate["cycles_per_frame"], folding
    assert run.latency_cycles == estimate["latency_cycles"], folding
    assert estimate["settled_frames"] <= FRAMES
    stated = {fifo["stream"]: fifo["occupancy"] for fifo in report["fifos"]}
    assert run.occupancy == stated, folding
    assert all(fifo["depth"] <= max(2, fifo["rtl_occupancy"] + 1) for fifo in report["fifos"])
