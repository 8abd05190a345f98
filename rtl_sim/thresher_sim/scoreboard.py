"""A unit's bench: what its C++ gives on the beats that its SystemVerilog gets, held against that."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from .amd import OtherTypes, compiling, with_amd_types
from .errors import SimulationMismatchError, ThresherError, UsageError
from .outcome import BenchSettings, Outcome
from .progress import Progress, watch
from .reference import Reference, read_beats, run_reference
from .replay import RecordedSteps, disagreement, is_whole, run_replay
from .resets import check_disturbances, resets_path
from .rtl import PATIENCE, sv_files
from .runner import build_model, finish, start_model, stop
from .scores import CutScore, StreamScore, read_segments, score_cut, score_stream, word_bytes
from .stimulus import Range, stimulus
from .testbench import render_unit_testbench
from .unit import UnitProject, UnitStream

# Of so many beats of an output, a part comes out between two resets.
_BETWEEN_RESETS = 1000


@dataclass(frozen=True)
class UnitOptions:
    """How to run a unit's bench: the same options give the same run.

    Attributes:
        beats: random beats for each input that the user gives none for.
        seed: of the beats, the stalls and the resets.
        stall: percent of cycles, 0 to 99, in which a source rests between beats and a sink is not ready.
        steps: the most steps of the C++, for units that go on without a beat.
        ranges: limits of random beats, by input.
        both_types: whether the C++ runs with AMD's types as well, where these are installed.
        waves: an FST file to write, or None.
        progress: called now and then with output beats done and in all, or with resets where there are any.
        resets: resets at random moments before all beats are played as without, see `resets`.
    """

    beats: int = 1000
    seed: int = 0
    stall: int = 30
    steps: int = 200_000
    ranges: Mapping[str, Range] = field(default_factory=dict)
    both_types: bool = True
    waves: Path | None = None
    progress: Progress | None = None
    resets: int = 0

    def __post_init__(self) -> None:
        check_disturbances(self.resets, self.stall, self.seed)
        if self.beats < 1 or self.steps < 1:
            raise UsageError(f"sim: {min(self.beats, self.steps)} beats or steps cannot be; choose 1 or more")


@dataclass(frozen=True)
class UnitResult:
    """What a unit's bench saw; `seconds` is the RTL's run alone.

    `other_types` says what came of the same C++ with AMD's types.
    `replayed` are the RTL's steps where the C++ found its beats in each as the RTL did, and `disagreement`
    says in words that one took other beats, where the comparison ends. Memories that are `kept` may be why
    beats after one of its `resets` are wrong.
    """

    module: str
    reference: Reference
    scores: tuple[StreamScore, ...]
    cycles: int
    seconds: float
    other_types: OtherTypes
    replayed: RecordedSteps | None = None
    disagreement: str = ""
    resets: int = 0
    kept: tuple[str, ...] = ()

    @property
    def mismatches(self) -> int:
        """Beats that differed, were missing or too many, over all outputs."""
        return sum(score.wrong for score in self.scores)

    def check(self) -> None:
        """Do nothing if every output is good, and the C++ means the same with AMD's types.

        Raises:
            SimulationMismatchError: naming the first stream that is not, or what differs with these types.
        """
        wrong = [score for score in self.scores if score.wrong]
        if not wrong and self.disagreement:
            raise SimulationMismatchError(
                f"sim: unit '{self.module}': {self.disagreement}; look at it with --waves{self._why()}"
            )
        if not wrong and self.other_types.difference:
            raise SimulationMismatchError(f"sim: unit '{self.module}': {self.other_types.difference}")
        if not wrong:
            return
        others = ", ".join(f"'{score.stream.name}'" for score in wrong[1:])
        raise SimulationMismatchError(
            f"sim: unit '{self.module}': stream '{wrong[0].stream.name}': {wrong[0].describe()}"
            + (f"; these streams differ too: {others}" if others else "")
            + self._why()
        )

    def _why(self) -> str:
        if not self.resets or not self.kept:
            return ""
        names = ", ".join(f"'{name}'" for name in self.kept)
        return (
            f"; no reset brings back the first words of {names}: let the unit write them itself after a reset"
        )


def simulate_unit(unit: UnitProject, options: UnitOptions | None = None) -> UnitResult:
    """Run a unit's C++ and its SystemVerilog on the same beats, and compare every output.

    In the C++ all beats are there from the first step and no output is full; a unit that asks whether that is
    so is run again, where each step finds what the RTL's step found.

    Raises:
        UsageError: the stimulus is wrong, or gives no output beat; the C++ does what has no meaning.
        MissingToolError: a compiler, or what RTL simulation needs, is not installed.
        SimulationMismatchError: a stream broke the AXI4-Stream protocol. A difference in beats does
            not raise: it is in the result, whose `check` does.
        ToolFailedError: a source does not compile, a run failed, or the hardware leaves beats that
            the C++ takes.
    """
    options = options or UnitOptions()
    beats = stimulus(unit, options.beats, options.seed, options.ranges)
    unit.build.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=unit.build))
    with compiling(unit, options.both_types) as program:
        try:
            for stream in unit.inputs:
                _write_beats(folder / "inputs", stream, beats[stream.name])
            reference = run_reference(unit, folder, options.steps)
            if not reference.asked:
                reference.check_written(unit)
        except (ThresherError, KeyboardInterrupt):
            shutil.rmtree(folder)
            raise
        try:
            run = _run_rtl(unit, folder, reference, options)  # where this fails, its log stays
        except KeyboardInterrupt:
            shutil.rmtree(folder)
            raise
        try:
            return (_replayed if reference.asked else _compared)(unit, folder, reference, run, program)
        finally:
            shutil.rmtree(folder)


def _compared(
    unit: UnitProject, folder: Path, reference: Reference, run: _Run, program: Future[Path] | None
) -> UnitResult:
    """The result where all beats were there from the first step."""
    # Hardware does a step in a cycle at most, so after so many idle steps it gives nothing before the end.
    ended = reference.ran_dry or reference.idle > run.settings.drain + run.settings.poll
    scores = []
    for stream in unit.outputs:
        *cut, last = read_segments(stream, folder / "results")
        before = (score_cut(stream, reference, got, ended, index) for index, got in enumerate(cut))
        score = score_stream(stream, reference, last, ended)
        scores.append(replace(score, cut=sum(before, start=CutScore())))
    # Where it hangs before the last reset, what came out behind the reset before that is no whole run.
    cut_short = len(run.outcome.segments) < run.settings.resets
    wrong = any(score.cut.wrong if cut_short else score.wrong for score in scores)
    if run.outcome.done or not wrong:
        run.outcome.check(run.settings)
    return UnitResult(
        unit.module,
        reference,
        tuple(scores),
        run.outcome.cycles_before + run.outcome.cycles,
        run.seconds,
        with_amd_types(unit, program, folder, reference),
        resets=len(run.outcome.segments),
        kept=unit.kept,
    )


def _replayed(
    unit: UnitProject, folder: Path, first: Reference, run: _Run, program: Future[Path] | None
) -> UnitResult:
    """The result where the C++ does the RTL's steps."""
    *cut_steps, steps = run_replay(unit, folder, run.outcome, run.settings)
    reference = steps.reference
    whole = is_whole(steps)
    if whole:
        reference.check_written(unit)
    offered = {state.name for state in run.outcome.streams if state.valid and not state.ready}
    scores = []
    for stream in unit.outputs:
        # The last steps may be on their way through the pipeline, and beats may wait to be taken.
        written = int((reference.written_in[stream.name] < reference.steps - unit.stages).sum())
        waiting = unit.places(stream) if stream.name in offered else 0
        due = max(written - waiting, 0) if whole else 0
        *cut, last = read_segments(stream, folder / "results")
        before = (
            score_cut(stream, one.reference, got, is_whole(one), index)
            for index, (one, got) in enumerate(zip(cut_steps, cut, strict=True))
        )
        score = score_stream(stream, reference, last, whole, due)
        scores.append(replace(score, cut=sum(before, start=CutScore())))
    disagreements = (
        disagreement(unit, one, index, len(cut_steps)) for index, one in enumerate([*cut_steps, steps])
    )
    return UnitResult(
        unit.module,
        reference,
        tuple(scores),
        run.outcome.cycles_before + run.outcome.cycles,
        run.seconds,
        with_amd_types(unit, program, folder, reference, steps.folder),
        replayed=steps.recorded,
        disagreement=next(filter(None, disagreements), ""),
        resets=len(run.outcome.segments),
        kept=unit.kept,
    )


@dataclass(frozen=True)
class _Run:
    settings: BenchSettings
    outcome: Outcome
    seconds: float


def _settings(
    unit: UnitProject, reference: Reference, options: UnitOptions, given: Mapping[str, int]
) -> BenchSettings:
    """How long to run: until all is taken and written that the C++ took and wrote.

    A unit that asks may take and write other than it did with all beats there, so it is only certain that it
    can take all, and likely that it writes for as long after that.
    """
    slowdown = 100 / (100 - options.stall)
    active = reference.steps - reference.idle
    counts = {name: len(beats) for name, beats in reference.beats.items()}
    tail = min(active - reference.fed, PATIENCE) if reference.asked else 0
    return BenchSettings(
        expected_beats={**given, **dict.fromkeys(counts, 0)}
        if reference.asked
        else {**reference.taken, **counts},
        patience=round(slowdown * (PATIENCE + 2 * active)),
        drain=round(slowdown * (256 + 8 * unit.stages + tail)),
        records_steps=reference.asked,
        resets=options.resets,
        seed=options.seed,
        share=max(1, *(count // _BETWEEN_RESETS for count in counts.values())),
    )


def _run_rtl(unit: UnitProject, folder: Path, reference: Reference, options: UnitOptions) -> _Run:
    """Play `folder`/inputs through the SystemVerilog; what comes out is left in `folder`/results."""
    counts = {name: len(beats) for name, beats in reference.beats.items()}
    given = {stream.name: len(read_beats(folder / "inputs", stream)) for stream in unit.inputs}
    settings = _settings(unit, reference, options, given)
    settings.save(folder)
    (folder / "results").mkdir()
    testbench = folder / "tb.sv"
    text = render_unit_testbench(unit.module, unit.inputs, unit.outputs, settings.records_steps, unit.asked)
    testbench.write_text(text, encoding="utf-8")
    sources = [*sv_files(unit.root / "rtl"), testbench]
    model = build_model(sources, unit.build / "rtl", waves=options.waves is not None)
    most = max(unit.outputs, key=lambda stream: counts[stream.name])
    watched = folder / "results" / f"{most.name}.bin", word_bytes(most), counts[most.name]
    if options.resets:
        watched = resets_path(folder / "results", most.name), 8, options.resets
    started = time.perf_counter()
    process = start_model(model, folder, options.stall, options.seed, options.waves)
    try:
        watch([process], watched[:1], *watched[1:], options.progress)
        finish(process, "run", folder)
    finally:
        stop(process)
    return _Run(settings, Outcome.load(folder), time.perf_counter() - started)


def _write_beats(folder: Path, stream: UnitStream, beats: Sequence[int]) -> None:
    folder.mkdir(exist_ok=True)
    content = b"".join(beat.to_bytes(stream.bytes_per_beat, "little") for beat in beats)
    (folder / f"{stream.name}.bin").write_bytes(content)
