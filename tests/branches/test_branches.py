"""A network that forks and joins, as a whole project: every stream, rate, latency and FIFO."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.branches.networks import branching_network, sums_of_copies
from tests.emit.test_hls_top import check_vitis_top
from tests.small_models import save_small_model
from thresher.building import BuildOptions, make_design
from thresher.emit.project import write_project
from thresher.ir.hardware import HwGraph
from thresher.onnx_import.reader import read_model
from thresher_sim.csim import simulate_c
from thresher_sim.project import Project, load_project
from thresher_sim.rtl import RtlOptions, simulate_rtl


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project of the network."""
    return project_of(branching_network(), tmp_path_factory.mktemp("branches"))


def project_of(graph: HwGraph, folder: Path) -> Project:
    """`graph` in a project of another network, whose ends it does not have."""
    model = read_model(save_small_model(folder / "small.onnx"))
    write_project(replace(make_design(model, BuildOptions()), graph=graph), folder / "project")
    return load_project(folder / "project")


@pytest.mark.parametrize("types", ["bitint", "amd"])
def test_csim(project: Project, types: str, tmp_path: Path) -> None:
    result = simulate_c(project, project.vectors, tmp_path, types=types)
    assert result.comparison.mismatches == 0


def test_the_top_for_vitis(tmp_path: Path) -> None:
    """In its C simulation a call is a frame, which units that take beats ahead are not bound to."""
    check_vitis_top(project_of(sums_of_copies(), tmp_path), tmp_path)


def test_rate_latency_and_every_fifo_are_as_stated(project: Project, tmp_path: Path) -> None:
    run = simulate_rtl(project, project.vectors, tmp_path)
    assert (run.comparison.mismatches, run.warnings) == (0, ())
    assert run.comparison.frames >= (project.estimate.settled_frames or 99)
    assert run.cycles_per_frame == project.estimate.cycles_per_frame
    assert run.latency_cycles == project.estimate.latency_cycles
    assert run.occupancy == {stream.name: stream.occupancy for stream in project.streams}


@pytest.mark.parametrize("seed", range(4))
def test_it_lives_and_is_right_under_any_stalls(project: Project, seed: int, tmp_path: Path) -> None:
    run = simulate_rtl(project, project.vectors, tmp_path, None, RtlOptions(stall=50, seed=seed))
    assert run.comparison.mismatches == 0
    assert [stream.beats for stream in run.comparison.streams] == [
        stream.layout.beats_per_frame * run.comparison.frames for stream in project.streams
    ]
