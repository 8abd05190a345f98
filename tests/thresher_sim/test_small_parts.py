"""Cycle arithmetic, what a hang is called, tables, and the cache of objects."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from thresher_sim.compare import Comparison
from thresher_sim.errors import SimulationMismatchError, ToolFailedError
from thresher_sim.objcache import compile_once
from thresher_sim.outcome import BenchSettings, Outcome, StreamState
from thresher_sim.project import Estimate, Project, Stream
from thresher_sim.rtl import LaneTiming, RtlResult
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.tables import align, number, rtl_summary
from thresher_sim.timing import cycles_per_frame, find_shortfalls, latency_cycles


def frames(*ends: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return np.array([(end - 2, end) for end in ends], np.uint64)


@pytest.mark.parametrize(
    ("ends", "rate"),
    [
        ((90,), None),
        ((90, 154), 64),
        ((90, 150, 214, 278), 64),
        ((10, 30, 90, 100, 120, 130, 150), 50 / 3),
    ],
)
def test_the_rate_is_that_of_the_later_half(ends: tuple[int, ...], rate: float | None) -> None:
    assert cycles_per_frame(frames(*ends)) == rate


def test_latency_counts_both_ends() -> None:
    assert latency_cycles(frames(5, 8), frames(12, 20)) == 10


def project(settled: int | None) -> Project:
    """Three streams of 9 bits, with FIFOs of depth 2, 12 and 9."""
    layout = StreamLayout(IntType(0, 7), 6, 1, 3)
    streams = tuple(
        Stream(name, layout, role, depth=depth, occupancy=depth - 1)
        for name, role, depth in (("s_axis", "input", 2), ("a", "internal", 12), ("m_axis", "output", 9))
    )
    return Project(Path(), "example", "top", 100.0, streams, (), Estimate(64, 200, settled))


DEEP = "the FIFO on 'a' has depth 12 and holds at most 10 beats"
SLOW = "a frame takes 64.5 cycles, more than the 64 stated"


@pytest.mark.parametrize(
    ("settled", "frames", "cycles", "warnings"),
    [
        (5, 10, 64.5, (SLOW, DEEP)),
        (5, 10, 64.0, (DEEP,)),
        (5, 9, 64.5, (DEEP,)),
        (5, 4, 64.5, ()),
        (None, 100, 64.5, ()),
    ],
)
def test_what_is_worse_than_stated_is_said_of_a_steady_run(
    settled: int | None, frames: int, cycles: float, warnings: tuple[str, ...]
) -> None:
    occupancy = {"s_axis": 0, "a": 10, "m_axis": 8}
    assert find_shortfalls(project(settled), frames, cycles, occupancy) == warnings


def test_the_summary_of_a_run_has_its_fifos_and_warnings() -> None:
    result = RtlResult(
        Comparison(10, ()), (LaneTiming(64.5, 201),), {"s_axis": 2, "a": 10, "m_axis": 8}, 845, 0.5, (SLOW,)
    )
    assert rtl_summary(result, project(5)) == (
        "cycles     stated  measured\n"
        "per frame      64      64.5\n"
        "latency       200       201\n"
        "FIFO    depth  most stated  most measured  bits\n"
        "s_axis      2            1              2    18\n"
        "a          12           11             10   108\n"
        "m_axis      9            8              8    81\n"
        f"warning: {SLOW}\n"
        "sim: 10 frames, 845 cycles in 0.50 s, 0 mismatches"
    )


def test_a_hang_names_every_stream_that_is_not_complete() -> None:
    states = (
        StreamState("s_axis", 4, True, False, 0, 0, 0),
        StreamState("fc0_out", 2, True, True, 0, 0, 0),
        StreamState("fc1_out", 8, False, True, 0, 0, 0),
        StreamState("m_axis", 0, False, True, 0, 0, 0),
    )
    settings = BenchSettings({"s_axis": 8, "fc0_out": 8, "fc1_out": 8, "m_axis": 8}, 500)
    with pytest.raises(ToolFailedError) as caught:
        Outcome(False, 731, states).check(settings)
    assert str(caught.value) == (
        "sim: hangs: no expected beat moved for 500 cycles, up to cycle 731: "
        "'s_axis' is valid, but its reader is not ready after 4 of 8 beats, "
        "'fc0_out' is moving after 2 of 8 beats, "
        "'m_axis' is waiting for data after 0 of 8 beats; look at it with --waves"
    )


def test_a_breach_of_the_protocol_comes_before_the_hang_that_it_causes() -> None:
    state = StreamState("m_axis", 0, False, True, 1, 3, 99)
    with pytest.raises(SimulationMismatchError) as caught:
        Outcome(False, 731, (state,)).check(BenchSettings({"m_axis": 8}, 500))
    assert str(caught.value) == (
        "sim: stream 'm_axis': tvalid fell before the beat was taken, in cycle 99, after 3 beats; "
        "look at it with --waves"
    )


def test_settings_and_outcome_survive_their_files(tmp_path: Path) -> None:
    settings = BenchSettings({"s_axis": 8}, 500, ("s_axis",))
    settings.save(tmp_path)
    assert BenchSettings.load(tmp_path) == settings
    outcome = Outcome(True, 12, (StreamState("s_axis", 8, False, True, 0, 0, 0),), {"s_axis": 2})
    outcome.save(tmp_path)
    assert Outcome.load(tmp_path) == outcome


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (64, "64"), (64.0, "64"), (64.5, "64.5"), (12345.0, "12,345")]
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_columns() -> None:
    assert align([("name", "n"), ("a", "100"), ("bcdef", "-")]) == "name     n\na      100\nbcdef    -"


# A compiler that notes each call and copies its source to its object.
COMPILER = """#!{python}
import pathlib, shutil, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    print(words[-1], file=log)
shutil.copyfile(words[-1], words[words.index("-o") + 1])
"""


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """A compiler and the log of its calls, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program, log = tmp_path / "cxx", tmp_path / "log"
    program.write_text(COMPILER.format(python=sys.executable, log=str(log)), encoding="utf-8")
    program.chmod(0o755)
    return str(program), log


def test_the_run_time_is_compiled_once_and_again_when_a_header_changes(
    compiler: tuple[str, Path], tmp_path: Path
) -> None:
    program, log = compiler
    source, header = tmp_path / "verilated_x.cpp", tmp_path / "verilated.h"
    source.write_text("1", encoding="utf-8")
    header.write_text("1", encoding="utf-8")
    command = [program, "-c", "-o", str(tmp_path / "a.o"), str(source)]
    assert compile_once(command) == 0
    (tmp_path / "a.o").unlink()
    assert compile_once(command) == 0
    assert (tmp_path / "a.o").read_text(encoding="utf-8") == "1"
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1
    header.write_text("2", encoding="utf-8")
    assert compile_once(command) == 0
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2


def test_a_model_is_always_compiled(compiler: tuple[str, Path], tmp_path: Path) -> None:
    program, log = compiler
    source = tmp_path / "Vtop.cpp"
    source.touch()
    for _ in range(2):
        assert compile_once([program, "-c", "-o", str(tmp_path / "a.o"), str(source)]) == 0
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2
