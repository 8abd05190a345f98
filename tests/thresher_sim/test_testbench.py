"""The test bench's text, and what strict tools say of it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pyslang
import pytest

from tests.thresher_sim.example import HERE, STREAMS
from thresher_sim.project import Stream
from thresher_sim.rtl import sv_files
from thresher_sim.runner import SV_FOLDER
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.testbench import Lane, accelerator_lane, render_testbench, render_unit_testbench
from thresher_sim.toolchain import verilator_environment
from thresher_sim.unit import UnitStream

LAYOUT = StreamLayout(IntType(0, 7), 4, 1, 3)


def stream(name: str, role: str = "input") -> Stream:
    return Stream(name, LAYOUT, role)


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """The example's whole bench, and beside it one of its units, whose edges are no whole bytes."""
    edges = (replace(STREAMS[1], name="unit_in"), replace(STREAMS[2], name="unit_out"))
    lanes = [accelerator_lane("accelerator", STREAMS), Lane("total", "unit", edges[:1], edges[1:])]
    testbench = tmp_path / "tb.sv"
    testbench.write_text(render_testbench(lanes), encoding="utf-8")
    return [*sv_files(SV_FOLDER), *sv_files(HERE / "accelerator" / "rtl"), testbench]


def test_verilator_has_no_warning(sources: list[Path]) -> None:
    done = subprocess.run(
        ["verilator", "--lint-only", "-Wall", "--no-timing", "--top-module", "tb", *map(str, sources)],
        env=verilator_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_slang_has_no_complaint(sources: list[Path]) -> None:
    assert complaints(sources) == ""


def test_slang_has_no_complaint_of_the_bench_of_a_unit(tmp_path: Path) -> None:
    unit = HERE / "accelerator" / "rtl" / "total.sv"
    text = render_unit_testbench("total", [UnitStream("s_axis", 18)], [UnitStream("m_axis", 13)])
    testbench = tmp_path / "tb.sv"
    testbench.write_text(text, encoding="utf-8")
    assert complaints([*sv_files(SV_FOLDER), unit, testbench]) == ""


def complaints(sources: list[Path]) -> str:
    compilation = pyslang.ast.Compilation()
    manager = pyslang.SourceManager()
    for source in sources:
        compilation.addSyntaxTree(pyslang.syntax.SyntaxTree.fromFile(str(source), manager))
    problems = compilation.getAllDiagnostics()
    return str(pyslang.DiagnosticEngine.reportAll(manager, problems))


def test_units_side_by_side_are_as_wide_as_their_streams() -> None:
    text = render_testbench(
        [Lane("fc0", "u0", (stream("a"),), (stream("b"),)), Lane("fc1", "u1", (stream("c"),), (stream("d"),))]
    )
    assert 'stream_source #(.Width(9), .BeatsPerFrame(2), .Name("a"), .Seed(1)) source_a (' in text
    assert 'stream_source #(.Width(9), .BeatsPerFrame(2), .Name("c"), .Seed(3)) source_c (' in text
    assert "fc0 u0 (" in text
    assert ".s_axis_tdata(c_tdata)," in text
    assert "m_axis_tlast" not in text


def test_an_accelerator_is_padded_to_whole_bytes() -> None:
    streams = (stream("a"), stream("b"), stream("c"))
    text = render_testbench([accelerator_lane("accelerator", streams)])
    assert 'stream_source #(.Width(16), .BeatsPerFrame(2), .Name("a"), .Seed(1)) source_a (' in text
    assert (
        'stream_monitor #(.Width(9), .BeatsPerFrame(2), .Name("b"), .ValidRests(1\'b1)) monitor_b (' in text
    )
    parameters = ".Width(16), .BeatsPerFrame(2), .Name(\"c\"), .HasLast(1'b1), .ValidRests(1'b1)"
    assert f"stream_monitor #({parameters}) monitor_c (" in text
    assert ".tdata(dut.b_tdata)," in text
    assert ".m_axis_tlast(c_tlast)" in text


@pytest.mark.parametrize(
    ("lane", "reason"),
    [
        (Lane("fc0", "u0", (stream("a"),), (stream("a"),)), "two streams of a test bench have the same name"),
        (
            Lane("fc0; $finish", "u0", (stream("a"),), (stream("b"),)),
            "'fc0; $finish' is not a name of letters, digits and underscores",
        ),
        (
            Lane("fc0", "u0", (stream('a"'),), (stream("b"),)),
            "'a\"' is not a name of letters, digits and underscores",
        ),
    ],
)
def test_names_that_cannot_be(lane: Lane, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        render_testbench([lane])
    assert str(caught.value) == reason


def test_names_that_a_unit_cannot_have() -> None:
    for module, name in (("a; b", "x"), ("a", 'x"')):
        with pytest.raises(ValueError):
            render_unit_testbench(module, [UnitStream(name, 1)], [])
