"""The example in C simulation, with both type sets, and what it says when a unit goes wrong."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.thresher_sim.example import FRAMES, HERE, INPUT, OUTPUT, TWICE, write_golden
from thresher_sim import csim
from thresher_sim.compile import TYPE_SETS, compile_program
from thresher_sim.csim import run_program, simulate_c
from thresher_sim.errors import SimulationMismatchError, ToolFailedError, UsageError
from thresher_sim.project import Project
from thresher_sim.vectors import beats_path, read_frames


@pytest.mark.parametrize("types", TYPE_SETS)
def test_all_streams_agree(types: str, example: Project, tmp_path: Path) -> None:
    result = simulate_c(example, example.vectors, tmp_path, types=types)
    assert (result.frames, result.types) == (FRAMES, types)
    assert [(stream.name, stream.beats, stream.wrong) for stream in result.comparison.streams] == [
        ("twice_out", 120, 0),
        ("m_axis", 40, 0),
    ]


def test_the_ziglang_wheel_is_enough(
    example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    hls = example.root / "hls"
    program = compile_program(hls / "csim.cpp", [hls], tmp_path / "cache")
    run_program(program, example.streams, example.vectors, tmp_path / "results", FRAMES)
    assert np.array_equal(
        np.asarray(read_frames(tmp_path / "results", OUTPUT)),
        np.asarray(read_frames(example.vectors, OUTPUT)),
    )


@pytest.mark.parametrize("types", TYPE_SETS)
def test_many_chunks_of_frames_and_a_rest(types: str, example: Project, tmp_path: Path) -> None:
    write_golden(tmp_path / "vectors", frames=1000)
    result = simulate_c(example, tmp_path / "vectors", tmp_path / "results", 777, types)
    assert (result.frames, result.comparison.mismatches) == (777, 0)
    seen = np.asarray(read_frames(tmp_path / "results", TWICE))
    assert seen.shape == (777, 3, 3)


@pytest.mark.parametrize("types", TYPE_SETS)
def test_a_project_may_lie_where_compilers_cannot_work(
    types: str, example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path from the working folder that begins with a dash, and what zig's linker takes for its own."""
    monkeypatch.chdir(tmp_path)
    root = Path("-a b%;d'é")
    shutil.copytree(example.root / "hls", root / "hls")
    source = root / "hls" / "csim.cpp"
    program = compile_program(source, [root / "hls"], root / "cache", types)
    run_program(program.absolute(), example.streams, example.vectors, tmp_path / "results", FRAMES)


def test_an_interrupted_run_leaves_no_process(
    example: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupt(processes: Sequence[subprocess.Popen[bytes]], *_: Any) -> None:
        started.extend(processes)
        raise KeyboardInterrupt

    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 1000\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(csim, "watch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_program(sleeper, example.streams, example.vectors, tmp_path / "results", FRAMES)
    assert [process.poll() for process in started] == [-signal.SIGKILL]


def test_a_mismatch_names_layer_stream_frame_beat_and_element(example: Project, tmp_path: Path) -> None:
    vectors = tmp_path / "vectors"
    shutil.copytree(example.vectors, vectors)
    beats = np.fromfile(beats_path(vectors, OUTPUT), "<u2")
    right = int(beats[33])
    beats[[33, 35]] = 0x1FFF
    beats.tofile(beats_path(vectors, OUTPUT))
    result = simulate_c(example, vectors, tmp_path / "results")
    assert result.comparison.mismatches == 2
    with pytest.raises(SimulationMismatchError) as caught:
        result.comparison.check("csim")
    got = right - 0x2000 if right & 0x1000 else right
    assert str(caught.value) == (
        "csim: layer 'total', stream 'm_axis': frame 33, beat 0, element 0: "
        f"expected -1, got {got} (2 of 40 beats differ); all other streams agree"
    )


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            4,
            "csim: stream 's_axis' is read while it is empty: the unit behind it needs more beats than it "
            "gets; check its step",
        ),
        (
            2,
            "csim: stream 's_axis': the unit behind it left beats unread after 2 steps per frame; "
            "check its step",
        ),
    ],
)
def test_a_unit_with_a_wrong_number_of_steps_is_named(
    steps: int, message: str, example: Project, tmp_path: Path
) -> None:
    program = _program(tmp_path, "twice_out, 3);", f"twice_out, {steps});")
    with pytest.raises(ToolFailedError) as caught:
        run_program(program, (INPUT, TWICE, OUTPUT), example.vectors, tmp_path / "results", FRAMES)
    assert str(caught.value) == message


def test_a_stimulus_that_is_too_short_is_named(example: Project, tmp_path: Path) -> None:
    hls = example.root / "hls"
    program = compile_program(hls / "csim.cpp", [hls], example.build / "csim")
    with pytest.raises(ToolFailedError) as caught:
        run_program(program, example.streams, example.vectors, tmp_path, FRAMES + 1)
    assert str(caught.value) == ("csim: stream 's_axis': its file ends before the last frame; write it again")


@pytest.mark.parametrize("types", TYPE_SETS)
def test_source_that_does_not_compile_is_a_failed_tool(types: str, tmp_path: Path) -> None:
    source = tmp_path / "csim.cpp"
    source.write_text("int main() { return nonsense; }\n", encoding="utf-8")
    with pytest.raises(ToolFailedError) as caught:
        compile_program(source, [tmp_path], tmp_path / "cache", types)
    assert re.fullmatch(
        r"csim: '\S*/csim\.cpp' does not compile with .*: \S*csim\.cpp:1:21: error: .*nonsense.*",
        str(caught.value),
    )


def test_a_changed_header_is_compiled_again(tmp_path: Path) -> None:
    header = tmp_path / "number.hpp"
    source = tmp_path / "main.cpp"
    source.write_text('#include "number.hpp"\nint main() { return number; }\n', encoding="utf-8")
    header.write_text("constexpr int number = 1;\n", encoding="utf-8")
    first = compile_program(source, [tmp_path], tmp_path / "cache")
    assert compile_program(source, [tmp_path], tmp_path / "cache") == first
    header.write_text("constexpr int number = 2;\n", encoding="utf-8")
    assert compile_program(source, [tmp_path], tmp_path / "cache") != first


def test_types_that_there_are_not(example: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        simulate_c(example, example.vectors, tmp_path, types="float")
    assert str(caught.value) == "csim: there are no types 'float'; choose one of bitint, amd"


def _program(folder: Path, old: str, new: str) -> Path:
    """The example's C simulation with `old` replaced by `new` in its main."""
    hls = folder / "hls"
    shutil.copytree(HERE / "accelerator" / "hls", hls)
    shutil.copytree(HERE.parents[1] / "hls" / "thresher", hls / "thresher")
    text = (hls / "csim.cpp").read_text(encoding="utf-8")
    assert old in text
    (hls / "csim.cpp").write_text(text.replace(old, new), encoding="utf-8")
    return compile_program(hls / "csim.cpp", [hls], folder / "cache")
