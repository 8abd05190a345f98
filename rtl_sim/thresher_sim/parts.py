"""A run of frames dealt to processes, each in a folder of its own: how to run, and the run itself."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError
from .outcome import BenchSettings
from .progress import Progress, watch
from .project import Stream
from .resets import check_disturbances, resets_path
from .runner import finish, start_model, stop
from .testbench import Lane
from .vectors import beats_path, read_frames, write_frames

PATIENCE = 10_000


@dataclass(frozen=True)
class RtlOptions:
    """How to run: the same options give the same run.

    Attributes:
        stall: percent of cycles, 0 to 99, in which a source rests between beats and a sink is not ready.
        seed: of the random stalls and resets.
        jobs: processes to split the frames over; each starts from reset.
        waves: an FST file to write, or None.
        patience: cycles without progress after which a run counts as hung.
        progress: called now and then with frames done and frames in all, or with resets where there are any.
        resets: resets at random moments before the frames are played as without, see `resets`.
    """

    stall: int = 0
    seed: int = 0
    jobs: int = 1
    waves: Path | None = None
    patience: int = PATIENCE
    progress: Progress | None = None
    resets: int = 0

    def __post_init__(self) -> None:
        check_disturbances(self.resets, self.stall, self.seed)
        if self.jobs < 1:
            raise UsageError(f"sim: {self.jobs} jobs cannot be; choose 1 or more")
        if self.waves and self.jobs > 1:
            raise UsageError("sim: waves are of one run; choose --jobs 1 with --waves")


@dataclass(frozen=True)
class Part:
    """A span of frames that one process plays in a folder of its own; its resets follow `first_reset`."""

    folder: Path
    first: int
    frames: int
    first_reset: int
    settings: BenchSettings

    @property
    def results(self) -> Path:
        """Where its beats are left."""
        return self.folder / "results"


def split_frames(
    work: Path, lanes: Sequence[Lane], vectors: Path, frames: int, options: RtlOptions
) -> list[Part]:
    """Deal the frames and resets to parts, one for each job, and write each part's stimulus and settings."""
    fifos = tuple(stream.name for lane in lanes for stream in lane.fifos)
    jobs = min(options.jobs, frames)
    dealt, resets = ([number * job // jobs for job in range(jobs + 1)] for number in (frames, options.resets))
    parts = []
    for job, (first, end) in enumerate(itertools.pairwise(dealt)):
        settings = BenchSettings(
            expected_beats={
                stream.name: stream.layout.beats_per_frame * (end - first)
                for lane in lanes
                for stream in lane.streams
            },
            patience=options.patience,
            fifos=fifos,
            resets=resets[job + 1] - resets[job],
            seed=options.seed + job,
            frames=end - first,
            share=end - first,
            endless=True,
        )
        part = Part(work / str(job), first, end - first, resets[job], settings)
        part.results.mkdir(parents=True)
        for stream in (stream for lane in lanes for stream in lane.inputs):
            stimulus = read_frames(vectors, stream, end)[first:]
            write_frames(part.folder / "inputs", stream, stimulus)
        part.settings.save(part.folder)
        parts.append(part)
    return parts


def play(model: Path, parts: Sequence[Part], output: Stream, options: RtlOptions) -> None:
    """Let a model play all parts at once; `output` is the stream by which the progress is told.

    Raises:
        ToolFailedError: a run failed.
    """
    with contextlib.ExitStack() as started:
        processes = []
        for index, part in enumerate(parts):
            process = start_model(model, part.folder, options.stall, options.seed + index, options.waves)
            started.callback(stop, process)
            processes.append(process)
        watch(processes, *_watched(parts, output, options), options.progress)
        for process, part in zip(processes, parts, strict=True):
            finish(process, "run", part.folder)


def _watched(parts: Sequence[Part], output: Stream, options: RtlOptions) -> tuple[list[Path], int, int]:
    """What shows how far a run is: files, their bytes for a frame or a reset, and how many of these."""
    if options.resets:
        return [resets_path(part.results, output.name) for part in parts], 8, options.resets
    files = [beats_path(part.results, output) for part in parts]
    return files, word_bytes(output) * output.layout.beats_per_frame, sum(part.frames for part in parts)


def word_bytes(stream: Stream) -> int:
    """Bytes of one beat in a monitor's file, which has whole 32-bit words."""
    return 4 * math.ceil(stream.layout.bytes_per_beat / 4)
