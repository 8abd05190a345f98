"""RTL simulation: build the bench, play frames, compare every stream, measure cycles."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from .compare import Comparison, compare_segments, compare_streams
from .errors import UsageError
from .outcome import Outcome
from .parts import PATIENCE, Part, RtlOptions, play, split_frames, word_bytes
from .project import Project, Stream
from .resets import Segment, split_segments
from .runner import build_model
from .sources import check_fresh
from .testbench import Lane, accelerator_lane, render_testbench
from .timing import cycles_per_frame, find_shortfalls, latency_cycles, read_frame_cycles
from .vectors import beats_path, read_frames, write_frames

__all__ = [
    "PATIENCE",
    "PATIENCE_FRAMES",
    "LaneTiming",
    "RtlOptions",
    "RtlResult",
    "simulate_lanes",
    "simulate_rtl",
    "sv_files",
    "with_patience",
]

PATIENCE_FRAMES = 20


@dataclass(frozen=True)
class LaneTiming:
    """Measured cycles of one lane, of the first job.

    Attributes:
        cycles_per_frame: see `timing.cycles_per_frame`, the most of any output; None for one frame, and
            under stalls or with resets.
        latency_cycles: see `timing.latency_cycles`, from the first beat at any input to the last at any
            output; None under stalls or with resets.
    """

    cycles_per_frame: float | None = None
    latency_cycles: int | None = None


@dataclass(frozen=True)
class RtlResult:
    """What an RTL simulation did.

    Attributes:
        comparison: every stream, the input included.
        timings: one for each lane.
        occupancy: the most beats that each FIFO held at the end of a cycle, by its stream: those that it
            accepted, less those taken from it. Empty under stalls and with resets.
        cycles: clock cycles that were simulated, over all jobs.
        seconds: of the run alone, without building and comparing.
        warnings: what is worse than the project states, see `timing.find_shortfalls`.
    """

    comparison: Comparison
    timings: tuple[LaneTiming, ...]
    occupancy: Mapping[str, int]
    cycles: int
    seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def cycles_per_frame(self) -> float | None:
        """Of the first lane, which for a project is the accelerator."""
        return self.timings[0].cycles_per_frame

    @property
    def latency_cycles(self) -> int | None:
        """Of the first lane."""
        return self.timings[0].latency_cycles


def simulate_rtl(
    project: Project,
    vectors: Path,
    results: Path,
    frames: int | None = None,
    options: RtlOptions | None = None,
) -> RtlResult:
    """Run the first `frames` frames of `vectors` (None for all) through a project's SystemVerilog.

    The bench is made from `project.json`, the devices are `rtl/*.sv`. The beats that were seen are left
    in `results`.

    Raises:
        UsageError: vectors are missing or damaged, or `hls/` has changed since `rtl/` was compiled.
        MissingToolError: Verilator or what it needs is not installed.
        SimulationMismatchError: a stream broke the AXI4-Stream protocol. A difference in beats does
            not raise: it is in the result, whose `comparison.check` does.
        ToolFailedError: the SystemVerilog does not compile, or the run hung or failed.
    """
    check_fresh(project)
    options = options or RtlOptions()
    result = simulate_lanes(
        [accelerator_lane(project.top, project.streams)],
        sv_files(project.root / "rtl"),
        vectors,
        results,
        project.build / "rtl",
        frames,
        with_patience(project, options),
    )
    # Each job starts anew, and the first, which is timed, has no more frames than another.
    timed = result.comparison.frames // options.jobs
    return replace(
        result, warnings=find_shortfalls(project, timed, result.cycles_per_frame, result.occupancy)
    )


def with_patience(project: Project, options: RtlOptions) -> RtlOptions:
    """The options with as much patience as the project's frames need."""
    patience = max(options.patience, PATIENCE_FRAMES * (project.estimate.cycles_per_frame or 0))
    return replace(options, patience=patience)


def simulate_lanes(  # noqa: PLR0913  (what a run is made of)
    lanes: Sequence[Lane],
    sources: Sequence[Path],
    vectors: Path,
    results: Path,
    cache: Path,
    frames: int | None = None,
    options: RtlOptions | None = None,
    *,
    library: Path | None = None,
    data: Sequence[Path] = (),
) -> RtlResult:
    """Run devices side by side in one model: each plays its inputs and has all its streams compared.

    Args:
        lanes: the devices; streams have names of their own across lanes.
        sources: SystemVerilog of the devices, packages first.
        vectors: beats of every stream, as many frames for each lane.
        results: gets the beats that were seen.
        cache: where models are kept between calls.
        frames: how many, None for all.
        options: how to run.
        data: files that the devices read, by their names alone, as memories do that are kept in files.
        library: see `runner.build_model`.

    Raises:
        The same as `simulate_rtl`.
    """
    options = options or RtlOptions()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        testbench = Path(scratch) / "tb.sv"
        testbench.write_text(render_testbench(lanes), encoding="utf-8")
        model = build_model([*sources, testbench], cache, options.waves is not None, library)
    return _run(model, lanes, vectors, results, frames, options, data)


def sv_files(folder: Path) -> list[Path]:
    """The SystemVerilog below a folder, packages first."""
    return sorted(folder.rglob("*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path))


def _run(
    model: Path,
    lanes: Sequence[Lane],
    vectors: Path,
    results: Path,
    frames: int | None,
    options: RtlOptions,
    data: Sequence[Path],
) -> RtlResult:
    count = min(len(read_frames(vectors, stream, frames)) for lane in lanes for stream in lane.inputs)
    if count == 0:
        raise UsageError(f"sim: there are no frames in '{vectors}'; give at least one")
    work = Path(tempfile.mkdtemp(prefix="run-", dir=model.parent))
    parts = split_frames(work, lanes, vectors, count, options)
    for part, file in itertools.product(parts, data):
        shutil.copyfile(file, part.folder / file.name)
    started = time.perf_counter()
    try:
        play(model, parts, lanes[0].outputs[0], options)  # where this fails, its log stays
    except KeyboardInterrupt:
        shutil.rmtree(work)
        raise
    seconds = time.perf_counter() - started
    try:
        return _evaluate(lanes, parts, vectors, results, options, seconds)
    finally:
        shutil.rmtree(work)


def _evaluate(
    lanes: Sequence[Lane],
    parts: Sequence[Part],
    vectors: Path,
    results: Path,
    options: RtlOptions,
    seconds: float,
) -> RtlResult:
    outcomes = [Outcome.load(part.folder) for part in parts]
    for part, outcome in zip(parts, outcomes, strict=True):
        outcome.check(part.settings)
    streams = [stream for lane in lanes for stream in lane.streams]
    compared = [
        _collect_and_compare(streams, part, vectors, outcome.segments)
        for part, outcome in zip(parts, outcomes, strict=True)
    ]
    timed = not options.stall and not options.resets
    timings = tuple(_timing(lane, parts[0].results) if timed else LaneTiming() for lane in lanes)
    _join_results(streams, parts, results)
    occupancy = _occupancy(outcomes) if timed else {}
    cycles = sum(outcome.cycles_before + outcome.cycles for outcome in outcomes)
    return RtlResult(reduce(add, compared), timings, occupancy, cycles, seconds)


def _occupancy(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The most of any job."""
    return {name: max(outcome.occupancy[name] for outcome in outcomes) for name in outcomes[0].occupancy}


def _collect_and_compare(
    streams: Sequence[Stream], part: Part, vectors: Path, segments: Sequence[Segment]
) -> Comparison:
    """Cut a monitor's words to beats and to segments, and compare them; the last one's are left in place."""
    cut = []
    for stream in streams:
        path = beats_path(part.results, stream)
        words = np.fromfile(path, np.uint8).reshape(-1, word_bytes(stream))
        *before, last = split_segments(words[:, : stream.layout.bytes_per_beat], part.results, stream.name)
        write_frames(part.results, stream, last)
        pairs = list(zip(segments, before, strict=True))
        cut.append(compare_segments(stream, vectors, pairs, part.frames, part.first, part.first_reset))
    whole = compare_streams(streams, vectors, part.results, part.frames, part.first)
    results = zip(whole.streams, cut, strict=True)
    return replace(
        whole,
        streams=tuple(replace(result, cut=before) for result, before in results),
        resets=len(segments),
    )


def _timing(lane: Lane, results: Path) -> LaneTiming:
    sources, outputs = (
        [read_frame_cycles(results, stream) for stream in streams] for streams in (lane.inputs, lane.outputs)
    )
    return LaneTiming(
        max((cycles for output in outputs if (cycles := cycles_per_frame(output)) is not None), default=None),
        max(latency_cycles(source, output) for source, output in itertools.product(sources, outputs)),
    )


def _join_results(streams: Sequence[Stream], parts: Sequence[Part], results: Path) -> None:
    results.mkdir(parents=True, exist_ok=True)
    for stream in streams:
        beats = [np.fromfile(beats_path(part.results, stream), np.uint8) for part in parts]
        write_frames(results, stream, np.concatenate(beats))
