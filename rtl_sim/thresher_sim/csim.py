"""C simulation: compile a project's `hls/csim.cpp`, run it, compare every stream."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .compare import Comparison, compare_streams
from .compile import compile_program, summarise_log
from .errors import ToolFailedError
from .progress import Progress, watch
from .project import Project, Stream
from .vectors import beats_path, read_frames


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
    progress: Progress | None = None,
) -> CsimResult:
    """Run the first `frames` frames of `vectors` (None for all) and compare all streams behind the input.

    The beats that the simulation made are left in `results`. `progress` is called now and then with
    frames done and frames in all.

    Raises:
        UsageError: vectors are missing or damaged, or there are no such types.
        MissingToolError: no compiler, or no AMD headers.
        ToolFailedError: the C++ does not compile, or the run failed.
    """
    hls = project.root / "hls"
    count = len(read_frames(vectors, project.input, frames))
    program = compile_program(hls / "csim.cpp", [hls], project.build / "csim", types)
    started = time.perf_counter()
    run_program(program, project.streams, vectors, results, count, progress)
    seconds = time.perf_counter() - started
    return CsimResult(compare_streams(project.streams[1:], vectors, results, count), seconds, types)


def run_program(
    program: Path,
    streams: Sequence[Stream],
    inputs: Path,
    results: Path,
    frames: int,
    progress: Progress | None = None,
) -> None:
    """Run a compiled C simulation on `frames` frames of `inputs`, and leave every stream in `results`.

    Raises:
        ToolFailedError: it stopped with an error.
    """
    results.mkdir(parents=True, exist_ok=True)
    for stream in streams:
        beats_path(results, stream).unlink(missing_ok=True)
    output = streams[-1]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, inputs, results, str(frames)], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
        )
        frame_bytes = output.layout.beats_per_frame * output.layout.bytes_per_beat
        try:
            watch([process], [beats_path(results, output)], frame_bytes, frames, progress)
        finally:
            if process.poll() is None:  # the watch was interrupted
                process.kill()
                process.wait()
        if process.returncode:
            errors.seek(0)
            message = summarise_log(errors.read().decode(errors="replace"))
            reason = message or f"csim: '{program}' ended with status {process.returncode}"
            raise ToolFailedError(reason)
