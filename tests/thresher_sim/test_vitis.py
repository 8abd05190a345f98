"""The Verilog of Vitis HLS in the bench; what stands in for it is the example's own under Vitis' names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.thresher_sim.example import FRAMES, HERE
from thresher_sim.__main__ import main
from thresher_sim.errors import UsageError
from thresher_sim.project import Project, load_project
from thresher_sim.vitis import find_verilog, simulate_vitis


@pytest.fixture
def project(example: Project, tmp_path: Path) -> Project:
    """The example with Verilog where Vitis HLS leaves it, and a model's builds shared with other tests."""
    root = tmp_path / "project"
    shutil.copytree(example.root, root, ignore=shutil.ignore_patterns("build"))
    cache = example.build / "vitis"
    cache.mkdir(parents=True, exist_ok=True)
    (root / "build").mkdir()
    (root / "build" / "vitis").symlink_to(cache)
    verilog = root / "build" / "synth" / "vitis-hls" / "accelerator" / "solution" / "impl" / "verilog"
    verilog.mkdir(parents=True)
    shutil.copy(HERE / "vitis_accelerator.v", verilog / "accelerator.v")
    for path in (root / "rtl").glob("*.sv"):
        text = path.read_text().replace("module accelerator ", "module accelerator_own ")
        (verilog / f"own_{path.stem}.v").write_text(text)
    (verilog / "accelerator_rom.dat").write_text("0000\n")
    return load_project(root)


def test_every_output_beat_is_compared(project: Project, tmp_path: Path) -> None:
    result = simulate_vitis(project, project.vectors, tmp_path / "results")
    assert [(stream.name, stream.beats, stream.wrong) for stream in result.comparison.streams] == [
        ("s_axis", 120, 0),
        ("m_axis", 40, 0),
    ]
    assert (result.cycles_per_frame, result.latency_cycles) == (3, 5)


def test_the_words_of_its_memories_are_read(project: Project, tmp_path: Path) -> None:
    (find_verilog(project) / "accelerator_rom.dat").write_text("0001\n")
    result = simulate_vitis(project, project.vectors, tmp_path / "results")
    assert result.comparison.mismatches == FRAMES


def test_words_that_are_missing_are_an_error(project: Project, tmp_path: Path) -> None:
    words = find_verilog(project) / "accelerator_rom.dat"
    words.unlink()
    with pytest.raises(UsageError) as raised:
        simulate_vitis(project, project.vectors, tmp_path / "results")
    assert str(raised.value) == (
        f"sim: project 'example': the words of a memory, '{words}', are missing; "
        "run `make synth-vitis` in the project again"
    )


def test_what_was_only_synthesised_is_taken_too(project: Project) -> None:
    exported = find_verilog(project)
    synthesised = exported.parents[1] / "syn" / "verilog"
    synthesised.parent.mkdir()
    exported.rename(synthesised)
    assert find_verilog(project) == synthesised


def test_the_command_line_of_a_project_alone(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", str(project.root), "--rtl", "vitis", "--stall", "50"]) == 0
    assert capsys.readouterr().out.startswith(
        "stream  layer       beats  mismatches\n"
        "s_axis  (stimulus)    120           0\n"
        "m_axis  total          40           0\n"
    )


def test_no_verilog_of_vitis(project: Project) -> None:
    folder = find_verilog(project)
    shutil.rmtree(folder)
    solution = folder.parents[1]
    with pytest.raises(UsageError) as raised:
        find_verilog(project)
    assert str(raised.value) == (
        f"sim: project 'example': there is no Verilog of Vitis HLS in '{solution}'; run "
        "`make synth-vitis` in the project, or `thresher synth` with --tool vitis-hls"
    )
