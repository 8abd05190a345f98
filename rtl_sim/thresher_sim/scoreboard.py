"""A unit's bench: what its C++ gives on the beats that its SystemVerilog gets, held against that."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .compile import compile_program, summarise_log
from .errors import SimulationMismatchError, ToolFailedError, UsageError
from .outcome import BenchSettings, Outcome
from .progress import Progress, watch
from .rtl import MAX_SEED, PATIENCE, sv_files
from .runner import build_model, finish, start_model, stop
from .stimulus import Range, stimulus
from .streams import Bytes
from .testbench import render_unit_testbench
from .unit import UnitProject, UnitStream


@dataclass(frozen=True)
class UnitOptions:
    """How to run a unit's bench: the same options give the same run.

    Attributes:
        beats: random beats for each input that the user gives none for.
        seed: of the beats and of the stalls.
        stall: percent of cycles, 0 to 99, in which a source rests between beats and a sink is not ready.
        steps: the most steps of the C++, for units that go on without a beat.
        ranges: limits of random beats, by input.
        waves: an FST file to write, or None.
        progress: called now and then with output beats done and in all.
    """

    beats: int = 1000
    seed: int = 0
    stall: int = 30
    steps: int = 200_000
    ranges: Mapping[str, Range] = field(default_factory=dict)
    waves: Path | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.stall < 100:
            raise UsageError(f"sim: a stall of {self.stall} percent cannot be; choose 0 to 99")
        if not 0 <= self.seed <= MAX_SEED:
            raise UsageError(f"sim: a seed of {self.seed} cannot be; choose 0 to {MAX_SEED}")
        if self.beats < 1 or self.steps < 1:
            raise UsageError(f"sim: {min(self.beats, self.steps)} beats or steps cannot be; choose 1 or more")


@dataclass(frozen=True)
class Reference:
    """What the unit's C++ did.

    `steps` are whole steps, the last `idle` of which neither read nor wrote. `ran_dry` says that the next
    one would read from an empty stream; if not, the run was cut at the most steps, and hardware may give
    more. `taken` and `beats` are by stream.
    """

    steps: int
    idle: int
    ran_dry: bool
    taken: Mapping[str, int]
    beats: Mapping[str, Bytes]


@dataclass(frozen=True)
class StreamScore:
    """How one output compares, in beats; `first` is the first that differs: index, expected, got."""

    stream: UnitStream
    expected: int
    mismatches: int
    missing: int
    extra: int
    first: tuple[int, int, int] | None

    @property
    def wrong(self) -> int:
        """Beats that differed, were missing or too many."""
        return self.mismatches + self.missing + self.extra

    def describe(self) -> str:
        """What is wrong, in words; for a stream that is good, the empty string."""
        words = []
        if self.first is not None:
            beat, expected, got = self.first
            words.append(
                f"beat {beat}: expected {self.stream.hex(expected)}, got {self.stream.hex(got)} "
                f"({self.mismatches} of {self.expected} beats differ)"
            )
        if self.missing:
            words.append(f"too few beats: {self.missing} of {self.expected} are missing")
        if self.extra:
            words.append(f"too many beats: {self.extra} more than {self.expected}")
        return "; ".join(words)


@dataclass(frozen=True)
class UnitResult:
    """What a unit's bench saw; `seconds` is the RTL's run alone."""

    module: str
    reference: Reference
    scores: tuple[StreamScore, ...]
    cycles: int
    seconds: float

    @property
    def mismatches(self) -> int:
        """Beats that differed, were missing or too many, over all outputs."""
        return sum(score.wrong for score in self.scores)

    def check(self) -> None:
        """Do nothing if every output is good.

        Raises:
            SimulationMismatchError: naming the first stream that is not.
        """
        wrong = [score for score in self.scores if score.wrong]
        if not wrong:
            return
        others = ", ".join(f"'{score.stream.name}'" for score in wrong[1:])
        raise SimulationMismatchError(
            f"sim: unit '{self.module}': stream '{wrong[0].stream.name}': {wrong[0].describe()}"
            + (f"; these streams differ too: {others}" if others else "")
        )


def simulate_unit(unit: UnitProject, options: UnitOptions | None = None) -> UnitResult:
    """Run a unit's C++ and its SystemVerilog on the same beats, and compare every output.

    Raises:
        UsageError: the stimulus is wrong, or gives no output beat.
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
    for stream in unit.inputs:
        _write_beats(folder / "inputs", stream, beats[stream.name])
    reference = run_reference(unit, folder, options.steps)
    if not any(len(reference.beats[stream.name]) for stream in unit.outputs):
        shutil.rmtree(folder)
        raise UsageError(
            f"sim: unit '{unit.module}': its C++ writes nothing in {reference.steps} steps on these beats, "
            "so there is nothing to compare; give more beats, or other ones in stimulus/"
        )
    try:
        run = _run_rtl(unit, folder, reference, options)  # where this fails, its log stays
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        raise
    # Hardware does a step in a cycle at most, so after so many idle steps it gives nothing before the end.
    ended = reference.ran_dry or reference.idle > run.settings.drain + run.settings.poll
    scores = tuple(_score(stream, reference, folder / "results", ended) for stream in unit.outputs)
    shutil.rmtree(folder)
    if run.outcome.done or not any(score.wrong for score in scores):
        run.outcome.check(run.settings)
    return UnitResult(unit.module, reference, scores, run.outcome.cycles, run.seconds)


def run_reference(unit: UnitProject, folder: Path, steps: int) -> Reference:
    """Run the unit's C++ on the beats in `folder`/inputs, for at most `steps` steps.

    Raises:
        MissingToolError: there is no compiler.
        ToolFailedError: the C++ does not compile, or the run failed.
    """
    includes = [unit.hls, *unit.include_dirs]
    program = compile_program(unit.hls / "reference.cpp", includes, unit.build / "reference")
    expected = folder / "expected"
    expected.mkdir()
    command = [str(program), str(folder / "inputs"), str(expected), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        reason = summarise_log(done.stderr) or f"it ended with status {done.returncode}"
        raise ToolFailedError(f"sim: unit '{unit.module}': its C++ failed: {reason}")
    report = json.loads((expected / "reference.json").read_text(encoding="utf-8"))
    beats = {
        stream.name: np.fromfile(expected / f"{stream.name}.bin", np.uint8).reshape(-1, stream.bytes_per_beat)
        for stream in unit.outputs
    }
    return Reference(report["steps"], report["idle"], report["ran_dry"], report["taken"], beats)


@dataclass(frozen=True)
class _Run:
    settings: BenchSettings
    outcome: Outcome
    seconds: float


def _run_rtl(unit: UnitProject, folder: Path, reference: Reference, options: UnitOptions) -> _Run:
    """Play `folder`/inputs through the SystemVerilog; what comes out is left in `folder`/results."""
    counts = {name: len(beats) for name, beats in reference.beats.items()}
    slowdown = 100 / (100 - options.stall)
    settings = BenchSettings(
        expected_beats={**reference.taken, **counts},
        patience=round(slowdown * (PATIENCE + 2 * (reference.steps - reference.idle))),
        drain=round(slowdown * (256 + 8 * unit.stages)),
    )
    settings.save(folder)
    (folder / "results").mkdir()
    testbench = folder / "tb.sv"
    testbench.write_text(render_unit_testbench(unit.module, unit.inputs, unit.outputs), encoding="utf-8")
    sources = [*sv_files(unit.root / "rtl"), testbench]
    model = build_model(sources, unit.build / "rtl", waves=options.waves is not None)
    most = max(unit.outputs, key=lambda stream: counts[stream.name])
    file = folder / "results" / f"{most.name}.bin"
    started = time.perf_counter()
    process = start_model(model, folder, options.stall, options.seed, options.waves)
    try:
        watch([process], [file], _word_bytes(most), counts[most.name], options.progress)
        finish(process, "run", folder)
    finally:
        stop(process)
    return _Run(settings, Outcome.load(folder), time.perf_counter() - started)


def _score(stream: UnitStream, reference: Reference, results: Path, ended: bool) -> StreamScore:
    """Beats beyond the C++'s are too many where it had `ended`."""
    want = reference.beats[stream.name]
    words = np.fromfile(results / f"{stream.name}.bin", np.uint8).reshape(-1, _word_bytes(stream))
    got = words[:, : stream.bytes_per_beat]
    both = min(len(want), len(got))
    differs = np.flatnonzero((want[:both] != got[:both]).any(axis=1))
    first = (int(differs[0]), _beat(want[differs[0]]), _beat(got[differs[0]])) if len(differs) else None
    extra = len(got) - both if ended else 0
    return StreamScore(stream, len(want), len(differs), len(want) - both, extra, first)


def _beat(row: Bytes) -> int:
    return int.from_bytes(row.tobytes(), "little")


def _word_bytes(stream: UnitStream) -> int:
    """Bytes of one beat in a monitor's file, which has whole 32-bit words."""
    return 4 * -(-stream.width // 32)


def _write_beats(folder: Path, stream: UnitStream, beats: Sequence[int]) -> None:
    folder.mkdir(exist_ok=True)
    content = b"".join(beat.to_bytes(stream.bytes_per_beat, "little") for beat in beats)
    (folder / f"{stream.name}.bin").write_bytes(content)
