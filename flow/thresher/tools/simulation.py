"""Run a project's simulations on given frames, and say what they gave."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thresher.ir.hardware import OUTPUT_STREAM
from thresher_sim.compare import Comparison
from thresher_sim.csim import simulate_c
from thresher_sim.project import Project
from thresher_sim.rtl import RtlOptions, RtlResult, simulate_rtl
from thresher_sim.vectors import read_frames, write_vectors
from thresher_sim.vitis import simulate_vitis

# Elements of all streams of a run that are kept in memory.
MOST_ELEMENTS = 1 << 28

Ints = npt.NDArray[np.signedinteger]


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """What a simulation did on `frames` frames.

    `mismatches` counts beats, over all streams, that differ from the golden model; `streams` holds
    the integers `[frames, vectors, channels]` of every stream as the simulation saw them; where they would
    be more than `MOST_ELEMENTS`, those of the output and of the last streams before it. Cycles are
    those of RTL simulation: None in a C simulation, and for what a run cannot tell. So is `occupancy`,
    the most beats in each FIFO, by its stream; empty where there is nothing to tell. `warnings` say
    what the RTL does worse than the project states.
    """

    comparison: Comparison
    seconds: float
    streams: Mapping[str, Ints]
    cycles_per_frame: float | None = None
    latency_cycles: int | None = None
    occupancy: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Frames that ran."""
        return self.comparison.frames

    @property
    def mismatches(self) -> int:
        """Beats that differ from the golden model."""
        return self.comparison.mismatches

    @property
    def outputs(self) -> Ints:
        """The integers of the output stream."""
        return self.streams[OUTPUT_STREAM]


@contextmanager
def run_folder(project: Project) -> Iterator[Path]:
    """A folder below the project's `build` for the files of one run, so that several may run at once."""
    project.build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=project.build) as folder:
        yield Path(folder)


def write_run_vectors(
    project: Project, chunks: Iterable[Mapping[str, npt.NDArray[np.integer]]], folder: Path
) -> Path:
    """Write golden streams as the stimulus and the expectation of one run; returns where they are."""
    vectors = folder / "vectors"
    write_vectors(vectors, project.streams, chunks)
    return vectors


def run_csim(
    project: Project, vectors: Path, folder: Path, frames: int | None, types: str
) -> SimulationResult:
    """Run the C simulation in `folder`; raises as `thresher_sim.csim.simulate_c`."""
    run = simulate_c(project, vectors, folder / "results", frames, types)
    return SimulationResult(
        run.comparison, run.seconds, _streams(project, folder / "results", run.comparison)
    )


def run_rtl(
    project: Project, vectors: Path, folder: Path, frames: int | None, options: RtlOptions, rtl: str = "own"
) -> SimulationResult:
    """Run the RTL simulation in `folder`, of the project's SystemVerilog or with "vitis" of Vitis HLS's.

    Raises as `thresher_sim.rtl.simulate_rtl` and `thresher_sim.vitis.simulate_vitis`.
    """
    simulate = simulate_vitis if rtl == "vitis" else simulate_rtl
    run = simulate(project, vectors, folder / "results", frames, options)
    return make_result(project, folder, run)


def make_result(project: Project, folder: Path, run: RtlResult) -> SimulationResult:
    """What a run in `folder` gave, with the streams that it left there."""
    streams = _streams(project, folder / "results", run.comparison)
    return SimulationResult(
        run.comparison,
        run.seconds,
        streams,
        run.cycles_per_frame,
        run.latency_cycles,
        run.occupancy,
        run.warnings,
    )


def _streams(project: Project, results: Path, comparison: Comparison) -> Mapping[str, Ints]:
    complete = {stream.name for stream in comparison.streams if not stream.missing and not stream.extra}
    streams: dict[str, Ints] = {}
    room = MOST_ELEMENTS
    for stream in reversed(project.streams):
        elements = comparison.frames * stream.layout.vectors * stream.layout.channels
        if stream.name in complete and (elements <= room or stream.name == OUTPUT_STREAM):
            room -= elements
            frames = np.asarray(read_frames(results, stream, comparison.frames))
            streams[stream.name] = stream.layout.unpack(frames)
    return dict(reversed(streams.items()))
