"""The performance page, from figures that are made up."""

from __future__ import annotations

import json
from pathlib import Path

from bench.figures import Figure, Peer, Section
from bench.page import page
from bench.page_content import SECTIONS
from bench.peers import PEERS
from bench.whole import BOUNDS

FIGURES = (
    Figure(
        "speed",
        (Peer("7", "A, 2017"), Peer("8", "B, 2018")),
        "> 8",
        "a.json",
        "run a",
        lambda all: f"{all['x']}",
    ),
    Figure("size", (Peer("3 | 4", "A, 2017"),), "", "b.json", "run b", lambda all: f"{all['y']}"),
    Figure("rest", (), "", "a.json", "run a", lambda all: f"{all['none']}"),
)
FOOT = ["", "1. A, 2017", "2. B, 2018"]


def test_the_page_has_a_row_for_each_figure_and_a_note_for_each_source(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"x": 9}')
    (tmp_path / "b.json").write_text('{"y": 2}')

    lines = page(
        [Section("Units", "As they are.", FIGURES)], tmp_path, {"machine": "a small one"}
    ).splitlines()

    assert "| machine | a small one |" in lines
    assert lines[lines.index("## Units") :] == [
        "## Units",
        "",
        "As they are.",
        "",
        "|  | peers, quoted | target | measured |",
        "| --- | --- | --- | --- |",
        "| speed | 7 [1]; 8 [2] | > 8 | 9 |",
        r"| size | 3 \| 4 [1] |  | 2 |",
        "| rest |  |  | not measured here (`run a`) |",
        *FOOT,
    ]


def test_what_was_not_measured_is_said_so_and_has_no_figure(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{")

    text = page([Section("Units", "", FIGURES)], tmp_path, {})

    assert text.count("not measured here (`run a`)") == 2
    assert text.count("not measured here (`run b`)") == 1


def test_every_section_reads_the_files_that_the_commands_write(tmp_path: Path) -> None:
    size = {"logic_cells": 1024, "lut": 1100, "ff": 12, "bram36": 1.5}
    contents = {
        "peers.json": {"units": [{"unit": name, "ours": size} for name in PEERS]},
        "networks.json": {
            "networks": [{"name": name, **size, "dsp": 0} for name in BOUNDS],
            "latencies": [
                {"cycles": 49, "clock_mhz": 200.0, "macs_per_cycle": 20896},
                {"cycles": 39, "clock_mhz": 150.0, "macs_per_cycle": 25152},
            ],
            "routed": {"fmax_mhz": 150.04, "mismatches": 0, "frames": 3},
        },
        "bench.json": {
            "frames_per_second": dict.fromkeys(
                ("golden model", "C simulation", "RTL simulation", "qonnx executor"), 1234.5
            )
        },
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content))

    text = page(SECTIONS, tmp_path, {})

    assert "not measured here (" not in text
    assert "1.00 logic cells for each XNOR-MAC, 1.5 BRAM36; 1,024 logic cells (1,100 LUT, 12 FF)" in text
    assert "1,024 logic cells (1,100 LUT, 12 FF), 1.5 BRAM36, 0 DSP" in text
    assert "39 cycles, pipelined for 150 MHz, 25,152 multiply-accumulates a cycle; 49 cycles" in text
    assert "150.0 MHz, 0 mismatches in 3 frames" in text
