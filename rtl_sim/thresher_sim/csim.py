"""C simulation: compile a project's `hls/csim.cpp`, run it, compare every stream."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .compare import Comparison, compare_streams
from .compile import compile_program, last_lines
from .errors import ToolFailedError
from .project import Project, Stream
from .vectors import read_frames


@dataclass(frozen=True)
class CsimResult:
    """What a C simulation did; `seconds` is the run alone, without compiling and comparing."""

    comparison: Comparison
    seconds: float
    types: str

    @property
    def frames(self) -> int:
        """Frames that ran."""
        return self.comparison.frames

    @property
    def frames_per_second(self) -> float:
        """Speed of the run."""
        return self.frames / max(self.seconds, 1e-9)


def simulate_c(
    project: Project,
    vectors: Path,
    results: Path,
    frames: int | None = None,
    types: str = "bitint",
) -> CsimResult:
    """Run the first `frames` frames of `vectors` (None for all) and compare all streams behind the input.

    The beats that the simulation made are left in `results`.

    Raises:
        UsageError: vectors are missing or damaged, or there are no such types.
        MissingToolError: no compiler, or no AMD headers.
        ToolFailedError: the C++ does not compile, or the run failed.
    """
    hls = project.root / "hls"
    count = len(read_frames(vectors, project.input, frames))
    program = compile_program(hls / "csim.cpp", [hls], project.build / "csim", types)
    started = time.perf_counter()
    run_program(program, project.streams, vectors, results, count)
    seconds = time.perf_counter() - started
    return CsimResult(compare_streams(project.streams[1:], vectors, results, count), seconds, types)


def run_program(
    program: Path, streams: Sequence[Stream], inputs: Path, results: Path, frames: int
) -> None:
    """Run a compiled C simulation on `frames` frames of `inputs`, and leave every stream in `results`.

    Raises:
        ToolFailedError: it stopped with an error.
    """
    results.mkdir(parents=True, exist_ok=True)
    for stream in streams:
        (results / f"{stream.name}.bin").unlink(missing_ok=True)
    done = subprocess.run(
        [program, inputs, results, str(frames)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = last_lines(done.stderr) or f"csim: '{program}' ended with status {done.returncode}"
        raise ToolFailedError(f"{reason}; check the step of the unit that reads this stream")
