"""A unit's C++ on the bench's beats: what its hardware must do, or what is wrong with the C++."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .compile import compile_checked, summarise_log
from .errors import ToolFailedError, UsageError
from .streams import Bytes
from .unit import UnitProject, UnitStream

Steps: TypeAlias = npt.NDArray[np.int64]

# What the program says on stderr of a mistake in the unit, see `thresher/mistake.hpp` and `step_run.hpp`.
_MISTAKEN = 3
_MISTAKE = re.compile(
    r"^mistake: (?P<file>.*?):(?P<line>\d+): (?P<what>.*)\nremedy: (?P<remedy>.*)\n"
    r"(?:step: (?P<step>\d+)\n)?(?P<read>(?:read: \w+ \d+\n)*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Reference:
    """What the unit's C++ did.

    `steps` are whole steps, the last `idle` of which neither read nor wrote; none after the first `fed`
    reads. `asked` says whether a step has asked if an input is empty or an output full. `dry` is the input
    of which the next step would read a beat that is not there; where it is empty, the run was cut at the
    most steps, and hardware may give more. `differs` is the input of which the next step took a beat other
    than the replayed hardware, or none. `taken`, `beats` and `written_in`, the steps that wrote these, are
    by stream.
    """

    steps: int
    idle: int
    fed: int
    asked: bool
    dry: str
    differs: str
    taken: Mapping[str, int]
    beats: Mapping[str, Bytes]
    written_in: Mapping[str, Steps]

    @property
    def ran_dry(self) -> bool:
        """Whether it ended for want of a beat."""
        return bool(self.dry)

    def check_written(self, unit: UnitProject) -> None:
        """Do nothing if it wrote a beat.

        Raises:
            UsageError: there is nothing to compare.
        """
        if not any(len(beats) for beats in self.beats.values()):
            taken = " and ".join(f"{count} beats of '{name}'" for name, count in self.taken.items())
            raise UsageError(
                f"sim: unit '{unit.module}': its C++ writes nothing in {self.steps} steps, which take "
                f"{taken or 'no beats'}, so there is nothing to compare; look at what its writes wait for, "
                "give more beats, or other ones in stimulus/"
            )


def run_reference(unit: UnitProject, folder: Path, steps: int, replay: Path | None = None) -> Reference:
    """Run the unit's C++ on the beats in `folder`/inputs, for at most `steps` steps.

    All beats are there from the first step, or else as the files of `replay` say, see `replay.write_replay`.

    Raises:
        MissingToolError: there is no compiler.
        UsageError: the C++ does on these beats what has no meaning in C++. That is no mismatch, as there
            is nothing that the hardware could be held against, and the tools did their work: what was
            given to them is wrong.
        ToolFailedError: the C++ does not compile, or the run failed.
    """
    includes = [unit.hls, *unit.include_dirs]
    program = compile_checked(unit.hls / "reference.cpp", includes, unit.build / "reference")
    expected = folder / (f"{replay.name}-results" if replay else "expected")
    done = run_steps(program, folder, expected, steps, replay)
    if what := mistake(done, unit, folder / "inputs"):
        raise UsageError(f"sim: unit '{unit.module}': {'; '.join(what)}")
    if done.returncode:
        reason = summarise_log(done.stderr) or f"it ended with status {done.returncode}"
        raise ToolFailedError(f"sim: unit '{unit.module}': its C++ failed: {reason}")
    return load_reference(unit, expected)


def run_steps(
    program: Path,
    folder: Path,
    results: Path,
    steps: int,
    replay: Path | None = None,
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program of the unit on the beats in `folder`/inputs; `results`, a new folder, gets its files.

    Raises:
        subprocess.TimeoutExpired: it took more than `seconds`.
    """
    results.mkdir()
    command = [*map(str, (program, folder / "inputs", results, steps)), *([str(replay)] if replay else [])]
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, timeout=seconds
    )


def mistake(
    done: subprocess.CompletedProcess[str], unit: UnitProject, inputs: Path
) -> tuple[str, str] | None:
    """What mistake of the unit's C++ ended a run, with its place, step and beats, and the remedy; or None."""
    found = _MISTAKE.search(done.stderr) if done.returncode == _MISTAKEN else None
    return (_describe(found, unit, inputs), found["remedy"]) if found else None


def load_reference(unit: UnitProject, folder: Path) -> Reference:
    """What a run wrote to `folder`."""
    report = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    return Reference(
        **report,
        beats={stream.name: read_beats(folder, stream) for stream in unit.outputs},
        written_in={
            stream.name: np.fromfile(folder / f"{stream.name}.steps", np.int64) for stream in unit.outputs
        },
    )


def read_beats(folder: Path, stream: UnitStream) -> Bytes:
    """The beats of a stream's file, one a row, least significant byte first."""
    return np.fromfile(folder / f"{stream.name}.bin", np.uint8).reshape(-1, stream.bytes_per_beat)


def _describe(mistake: re.Match[str], unit: UnitProject, inputs: Path) -> str:
    """A mistake in words: where, what, in which step and with which beats."""
    place = f"{Path(mistake['file']).name}:{mistake['line']}: " if mistake["file"] else ""
    when = f"in step {mistake['step']} of the C++" if mistake["step"] else "ahead of the first step"
    beats = _read_beats(re.findall(r"read: (\w+) (\d+)\n", mistake["read"]), unit, inputs)
    return f"{place}{mistake['what']}, {when}{beats}"


def _read_beats(read: Sequence[tuple[str, str]], unit: UnitProject, inputs: Path) -> str:
    streams = {stream.name: stream for stream in unit.inputs}
    words = []
    for name, taken in read:
        index = int(taken)
        beat = int.from_bytes(read_beats(inputs, streams[name])[index].tobytes(), "little")
        words.append(f"beat {index} of '{name}', {streams[name].hex(beat)}")
    return f", which read {' and '.join(words)}" if words else ""
