"""The example in RTL simulation: comparison, stalls, jobs, cycles, waves."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.thresher_sim.example import FRAMES, OUTPUT, TWICE
from thresher_sim import parts, runner
from thresher_sim.errors import SimulationMismatchError, ToolFailedError, UsageError
from thresher_sim.project import Project
from thresher_sim.rtl import RtlOptions, simulate_lanes, simulate_rtl, sv_files
from thresher_sim.testbench import Lane, accelerator_lane
from thresher_sim.vectors import beats_path, read_frames


def test_all_streams_agree_and_the_cycles_are_those_of_the_schedule(example: Project, tmp_path: Path) -> None:
    result = simulate_rtl(example, example.vectors, tmp_path)
    assert result.comparison.frames == FRAMES
    assert [(stream.name, stream.beats, stream.wrong) for stream in result.comparison.streams] == [
        ("s_axis", 120, 0),
        ("twice_out", 120, 0),
        ("m_axis", 40, 0),
    ]
    assert result.cycles_per_frame == 3
    # Three beats in, one register, and the total's register: beat 3 enters in cycle 3 and leaves in 5.
    assert result.latency_cycles == 5
    seen = np.asarray(read_frames(tmp_path, OUTPUT))
    assert np.array_equal(seen, np.asarray(read_frames(example.vectors, OUTPUT)))


def test_a_model_of_several_files_builds(
    example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verilator splits large models into files, which share a precompiled header."""
    monkeypatch.setattr(runner, "VERILATOR_FLAGS", (*runner.VERILATOR_FLAGS, "--output-split", "300"))
    result = simulate_rtl(example, example.vectors, tmp_path)
    assert (result.comparison.frames, result.comparison.mismatches) == (FRAMES, 0)


@pytest.mark.parametrize(
    ("stall", "jobs", "resets"), [(30, 1, 0), (90, 1, 0), (0, 2, 0), (50, 2, 0), (0, 1, 30), (30, 2, 31)]
)
def test_stalls_jobs_and_resets_change_nothing_that_is_compared(
    stall: int, jobs: int, resets: int, example: Project, tmp_path: Path
) -> None:
    options = RtlOptions(stall=stall, jobs=jobs, resets=resets)
    result = simulate_rtl(example, example.vectors, tmp_path, None, options)
    assert (result.comparison.frames, result.comparison.mismatches) == (FRAMES, 0)
    assert result.comparison.resets == resets
    assert all((stream.cut.frames > resets // 2) == (resets > 0) for stream in result.comparison.streams)
    assert np.array_equal(
        np.asarray(read_frames(tmp_path, TWICE)), np.asarray(read_frames(example.vectors, TWICE))
    )
    assert (result.cycles_per_frame, result.latency_cycles) == ((None, None) if stall or resets else (3, 5))


def test_edges_before_reset_play_and_record_nothing(example: Project, tmp_path: Path) -> None:
    """Clock and reset start random, by the seed: some of these eight begin with a rising edge."""
    result = simulate_rtl(example, example.vectors, tmp_path, None, RtlOptions(jobs=8))
    assert (result.comparison.frames, result.comparison.mismatches) == (FRAMES, 0)


def test_one_frame_has_a_latency_and_no_rate(example: Project, tmp_path: Path) -> None:
    result = simulate_rtl(example, example.vectors, tmp_path, 1)
    assert (result.comparison.frames, result.cycles_per_frame, result.latency_cycles) == (1, None, 5)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_mismatch_names_layer_stream_frame_beat_and_element(
    jobs: int, example: Project, tmp_path: Path
) -> None:
    vectors = tmp_path / "vectors"
    shutil.copytree(example.vectors, vectors)
    beats = np.fromfile(beats_path(vectors, TWICE), np.uint8)
    beat = (20 * 3 + 1) * 3
    expected, got = 0, int.from_bytes(beats[beat : beat + 3].tobytes(), "little") >> 9
    beats[beat + 1] &= 1
    beats[beat + 2] = 0
    beats.tofile(beats_path(vectors, TWICE))
    result = simulate_rtl(example, vectors, tmp_path / "results", None, RtlOptions(jobs=jobs))
    assert result.comparison.mismatches == 1
    with pytest.raises(SimulationMismatchError) as caught:
        result.comparison.check("sim")
    assert str(caught.value) == (
        "sim: layer 'twice', stream 'twice_out': frame 20, beat 1, element 3: "
        f"expected {expected}, got {got} (1 of 120 beats differ); all other streams agree"
    )
    assert caught.value.exit_code == 1


def test_waves_are_an_fst_file_with_every_stream(example: Project, tmp_path: Path) -> None:
    waves = tmp_path / "run.fst"
    simulate_rtl(example, example.vectors, tmp_path / "results", 2, RtlOptions(waves=waves))
    names = hierarchy_of_fst(waves.read_bytes())
    for wire in (b"twice_out_tdata", b"twice_out_tvalid", b"twice_out_tready", b"m_axis_tlast", b"ap_clk"):
        assert wire in names


def hierarchy_of_fst(data: bytes) -> bytes:
    """The names in an FST file: its one hierarchy block (type 6) is compressed by LZ4."""
    at = 0
    while data[at] != 6:
        at += 1 + int.from_bytes(data[at + 1 : at + 9], "big")
    length = int.from_bytes(data[at + 1 : at + 9], "big")
    size = int.from_bytes(data[at + 9 : at + 17], "big")
    names = decode_lz4(data[at + 17 : at + 1 + length])
    assert len(names) == size
    return names


def decode_lz4(block: bytes) -> bytes:
    source = iter(block)
    out = bytearray()
    for token in source:
        out += bytes(next(source) for _ in range(length_of(token >> 4, source)))
        low = next(source, None)
        if low is None:
            break
        offset = low | next(source) << 8
        for _ in range(length_of(token & 15, source) + 4):
            out.append(out[-offset])
    return bytes(out)


def length_of(nibble: int, source: Iterator[int]) -> int:
    length = nibble
    while nibble == 15:
        more = next(source)
        length += more
        if more < 255:
            break
    return length


def test_a_project_may_lie_where_make_and_verilator_cannot_work(example: Project, tmp_path: Path) -> None:
    root = tmp_path / "-a b;$(c)\"d'é"
    shutil.copytree(example.root / "rtl", root / "rtl")
    lane = accelerator_lane("accelerator", example.streams)
    sources = sv_files(root / "rtl")
    result = simulate_lanes([lane], sources, example.vectors, root / "results", root / "models", 2)
    assert result.comparison.mismatches == 0


def test_an_interrupted_run_leaves_no_process_and_no_files(
    example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any) -> subprocess.Popen[bytes]:
        started.append(runner.start_model(*arguments))
        return started[-1]

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "start_model", start)
    before = sorted((example.build / "rtl").iterdir())
    with pytest.raises(KeyboardInterrupt):
        simulate_rtl(example, example.vectors, tmp_path, None, RtlOptions(jobs=2, progress=interrupt))
    assert [process.poll() for process in started] == [-signal.SIGKILL] * 2
    assert sorted((example.build / "rtl").iterdir()) == before


def test_systemverilog_that_does_not_compile_is_a_failed_tool(tmp_path: Path, example: Project) -> None:
    device = tmp_path / "device.sv"
    device.write_text("module device; nonsense endmodule\n", encoding="utf-8")
    lane = Lane("device", "dut", (example.input,), (example.output,))
    with pytest.raises(ToolFailedError) as caught:
        simulate_lanes([lane], [device], example.vectors, tmp_path / "results", tmp_path / "models")
    log = tmp_path / "models" / "build.log"
    pattern = rf"sim: build failed, see '{log}': %Error: {device}:1:\d+: syntax error.*"
    assert re.fullmatch(pattern, str(caught.value))
    assert f"{device}:1:" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stall": 100}, "sim: a stall of 100 percent cannot be; choose 0 to 99"),
        ({"stall": -1}, "sim: a stall of -1 percent cannot be; choose 0 to 99"),
        ({"seed": -1}, "sim: a seed of -1 cannot be; choose 0 to 1000000000"),
        ({"jobs": 0}, "sim: 0 jobs cannot be; choose 1 or more"),
        ({"jobs": 2, "waves": Path("w.fst")}, "sim: waves are of one run; choose --jobs 1 with --waves"),
    ],
)
def test_options_that_cannot_be(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        RtlOptions(**arguments)
    assert str(caught.value) == message


def test_a_build_needs_no_python_on_the_path(
    example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment that is not activated: Verilator's makefiles call `python` all the same."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    lane = accelerator_lane("accelerator", example.streams)
    sources = sv_files(example.root / "rtl")
    result = simulate_lanes([lane], sources, example.vectors, tmp_path / "results", tmp_path / "models", 2)
    assert result.comparison.mismatches == 0
