"""Units that ask whether a stream is empty or full: their C++ finds at each step what the RTL's step found.

What such a unit writes may depend on when its beats come and go, as an arbiter's does. So the RTL runs
first, and `step_recorder` notes of each of its steps which inputs offered a beat and which were taken, and
which outputs were full. Then the C++ does these steps, with the same beats there and the same outputs full.
It must take the same beats and write the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import SimulationMismatchError
from .outcome import BenchSettings, Outcome
from .reference import Reference, run_reference
from .resets import since, split_segments
from .unit import UnitProject

Bits: TypeAlias = npt.NDArray[np.uint8]

# What a byte of a replay says of a step and a stream, as in `thresher/step_run.hpp`.
_THERE, _TAKEN, _TRIAL, _FULL = 1, 2, 4, 8


@dataclass(frozen=True)
class RecordedSteps:
    """The steps of an RTL run: a row for each, with a 0 or 1 for each input.

    `full` and `offered` have a column for each output of which the unit asks whether it is full.
    """

    there: Bits
    taken: Bits
    full: Bits
    offered: Bits

    def __len__(self) -> int:
        return len(self.there)


@dataclass(frozen=True)
class Replay:
    """A segment's steps, the folder in which they are for the C++, and what that did in them."""

    recorded: RecordedSteps
    folder: Path
    reference: Reference


def load_steps(results: Path, inputs: int, asked: int = 0) -> list[RecordedSteps]:
    """Read the files of `step_recorder` from a folder of results: the steps of each segment."""
    counts = (inputs, inputs, asked, asked)
    words = -(-sum(counts) // 32)
    rows = np.fromfile(results / "steps.bin", np.uint8).reshape(-1, 4 * words)
    columns = np.cumsum(counts)[:-1]
    return [
        RecordedSteps(
            *np.split(np.unpackbits(part, axis=1, bitorder="little", count=sum(counts)), columns, axis=1)
        )
        for part in split_segments(rows, results, "steps")
    ]


def write_replay(unit: UnitProject, steps: RecordedSteps, trial: Bits | None, folder: Path) -> None:
    """Write for each stream a file with a byte for each step.

    `trial` adds a step that the RTL did not do, with the inputs that offered a beat. No output is full
    then: a unit that does no step has written nothing for long.
    """
    folder.mkdir()
    for index, stream in enumerate(unit.inputs):
        column = steps.there[:, index] * _THERE + steps.taken[:, index] * _TAKEN
        last = [] if trial is None else [int(trial[index]) * _THERE + _TRIAL]
        (folder / f"{stream.name}.bin").write_bytes(column.astype(np.uint8).tobytes() + bytes(last))
    for stream in unit.outputs:
        column = np.zeros(len(steps) + (trial is not None), np.uint8)
        if stream.name in unit.asked:
            column[: len(steps)] = steps.full[:, unit.asked.index(stream.name)] * _FULL
        (folder / f"{stream.name}.bin").write_bytes(column.tobytes())


def run_replay(unit: UnitProject, folder: Path, outcome: Outcome, settings: BenchSettings) -> list[Replay]:
    """Let the C++ do the steps that the RTL did in each segment, which left its record in `folder`/results.

    Raises:
        SimulationMismatchError: a stream broke the protocol, a beat was taken outside of a step, or an output
            was said to be full that offered no beat.
        ToolFailedError: the RTL does no more steps, where the C++ does.
        As `run_reference`.
    """
    outcome.check_protocol()
    *cut, last = segments = load_steps(folder / "results", len(unit.inputs), len(unit.asked))
    _check_taken(unit, segments, folder / "results")
    for steps in segments:
        _check_full(unit, steps)
    states = {state.name: state for state in outcome.streams}
    rests = outcome.rest >= settings.drain
    trial = np.array([states[stream.name].valid for stream in unit.inputs], np.uint8) if rests else None
    replays = [_replay(unit, folder, f"replay{index}", steps, None) for index, steps in enumerate(cut)]
    replays.append(_replay(unit, folder, "replay", last, trial))
    if replays[-1].reference.steps > len(last):
        raise outcome.rests(unit.module, replays[-1].reference.steps - 1)
    return replays


def _replay(unit: UnitProject, folder: Path, name: str, steps: RecordedSteps, trial: Bits | None) -> Replay:
    write_replay(unit, steps, trial, folder / name)
    reference = run_reference(unit, folder, len(steps) + 1, folder / name)
    return Replay(steps, folder / name, reference)


def is_whole(replay: Replay) -> bool:
    """Whether the C++ did all steps, with the same beats."""
    return replay.reference.steps == len(replay.recorded)


def disagreement(unit: UnitProject, replay: Replay, reset: int, resets: int) -> str:
    """Where a replay came to a step that takes other beats than the RTL's, in words; else empty.

    The replay is of the segment behind `reset`, in a run that had `resets`.
    """
    reference, steps = replay.reference, replay.recorded
    step = reference.steps
    if step >= len(steps):
        return ""
    name = reference.dry or reference.differs
    index = [stream.name for stream in unit.inputs].index(name)
    rtl, cpp = ("a beat", "none") if steps.taken[step, index] else ("no beat", "one")
    where = f"in step {step}"
    if resets:
        where = f"{since(reset)}, {where}"
    return f"stream '{name}': {where} the RTL takes {rtl}, where the C++ takes {cpp}"


def _check_taken(unit: UnitProject, segments: Sequence[RecordedSteps], results: Path) -> None:
    for index, stream in enumerate(unit.inputs):
        beats = (results / f"{stream.name}.bin").stat().st_size // (4 * -(-stream.width // 32))
        in_steps = sum(int(steps.taken[:, index].sum()) for steps in segments)
        if beats != in_steps:
            raise SimulationMismatchError(
                f"sim: unit '{unit.module}': stream '{stream.name}': the RTL takes {beats} beats, of which "
                f"{in_steps} in a step; look at it with --waves"
            )


def _check_full(unit: UnitProject, steps: RecordedSteps) -> None:
    for index, name in enumerate(unit.asked):
        wrong = np.flatnonzero(steps.full[:, index] & ~steps.offered[:, index])
        if len(wrong):
            raise SimulationMismatchError(
                f"sim: unit '{unit.module}': stream '{name}': the RTL says in step {wrong[0]} that it is "
                "full, where it offers no beat; look at it with --waves"
            )
