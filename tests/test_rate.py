"""What is stated of cycles per frame and latency is what RTL simulation measures, for any folding."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from rich.console import Console

import thresher
from tests.small_models import small_model
from thresher.report.tables import print_report

FRAMES = 24
# The stream between the two layers of the small model.
DEEP = "mvu0_out"


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


def test_two_layers_in_bursts_keep_the_rate_by_a_deeper_fifo_between_them(tmp_path: Path) -> None:
    """Each takes its 12 beats in 12 of 144 cycles, and gives one in 12 cycles."""
    onnx.save(small_model(0, (12, 12, 12)), tmp_path / "model.onnx")
    folding = {name: {"pe": 1, "simd": 1} for name in ("mvu0", "mvu1")}
    accelerator = thresher.build(
        tmp_path / "model.onnx", tmp_path / "project", folding=folding, input_type="uint8", input_scale=1 / 64
    )
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, 12)).astype(np.uint8)

    run = accelerator.sim(frames)
    assert (run.cycles_per_frame, run.warnings) == (144, ())
    report = accelerator.report()
    assert {fifo["stream"]: fifo["depth"] for fifo in report["fifos"] if fifo["depth"] > 2} == {DEEP: 12}
    assert [fifo["rtl_occupancy"] for fifo in report["fifos"]] == [
        fifo["occupancy"] for fifo in report["fifos"]
    ]

    top = accelerator.directory / "rtl" / "accelerator.sv"
    deep = top.read_text()
    shallow = deep.replace(".Depth(12)", ".Depth(2)")
    assert shallow != deep
    top.write_text(shallow)
    run = accelerator.sim(frames)
    assert run.mismatches == 0
    assert run.cycles_per_frame is not None
    assert run.cycles_per_frame > 144
    assert run.warnings == (
        f"a frame takes {run.cycles_per_frame:g} cycles, more than the 144 stated",
        f"the FIFO on '{DEEP}' has depth 12 and holds at most 2 beats",
    )
    printed = io.StringIO()
    print_report(Console(file=printed, width=150), accelerator.report())
    assert all(f"warning: {warning}" in printed.getvalue() for warning in run.warnings)
