"""A project written by hand: two layers, `twice` and `total`, in C++ and in SystemVerilog."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from thresher_sim.project import Project, Stream, load_project
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.testbench import accelerator_lane, render_testbench
from thresher_sim.vectors import write_vectors

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "hls" / "thresher"
FRAMES = 40

INPUT = Stream("s_axis", StreamLayout(IntType(0, 255), 6, 1, 2), "input", None, "twice")
TWICE = Stream("twice_out", StreamLayout(IntType(0, 510), 6, 1, 2), "internal", "twice", "total")
OUTPUT = Stream("m_axis", StreamLayout(IntType(-1000, 2060), 1, 1, 1), "output", "total", None)
STREAMS = (INPUT, TWICE, OUTPUT)


def description() -> dict[str, object]:
    """What its project.json holds."""
    return {
        "schema": 1,
        "name": "example",
        "top": "accelerator",
        "clock_mhz": 200.0,
        "streams": [
            {
                "name": stream.name,
                "role": stream.role,
                "producer": stream.producer,
                "consumer": stream.consumer,
                **stream.layout.to_json(),
            }
            for stream in STREAMS
        ],
        "layers": [
            {"name": "twice", "kernel": "twice", "cycles_per_frame": 3},
            {"name": "total", "kernel": "total", "cycles_per_frame": 3},
        ],
        "estimate": {"cycles_per_frame": 3, "latency_cycles": 5},
    }


def write_example(root: Path) -> Project:
    """Write the whole project, golden vectors included."""
    shutil.copytree(HERE / "accelerator", root, dirs_exist_ok=True)
    shutil.copytree(HEADERS, root / "hls" / "thresher")
    (root / "sim").mkdir()
    testbench = render_testbench([accelerator_lane("accelerator", STREAMS)])
    (root / "sim" / "tb.sv").write_text(testbench, encoding="utf-8")
    (root / "project.json").write_text(json.dumps(description()), encoding="utf-8")
    write_golden(root / "sim" / "vectors")
    return load_project(root)


def write_golden(folder: Path, frames: int = FRAMES) -> None:
    """Write what every stream carries, by arithmetic on whole arrays."""
    values = np.random.default_rng(7).integers(0, 256, (frames, 1, 6))
    total = 2 * values.sum(axis=2, keepdims=True) - 1000
    write_vectors(folder, STREAMS, [{"s_axis": values, "twice_out": values * 2, "m_axis": total}])
