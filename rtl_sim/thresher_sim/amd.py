"""A unit's C++ once more, with AMD's types: what it writes must not depend on whose integers it has.

Vitis HLS takes a unit with `ap_uint` and `ap_int`. Where these give other results than `thresher::uint`
and `sint` (docs/units.md, "Types"), what was simulated is not what Vitis makes of the C++.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .compile import compile_steps_with_amd, summarise_log
from .errors import MissingToolError, ToolFailedError
from .reference import Reference, load_reference, mistake, run_steps
from .unit import UnitProject, UnitStream

_SECONDS = 300.0
"""The most that the run with AMD's types may take: its integers are slower, but not by so much."""
_WITHOUT = "if Vitis HLS is not to take it, run `make ARGS='--types bitint'`"


@dataclass(frozen=True)
class OtherTypes:
    """What came of the run with AMD's types: in words whether it was done, and what differs, if anything."""

    summary: str
    difference: str = ""


@contextmanager
def compiling(unit: UnitProject, wanted: bool) -> Iterator[Future[Path] | None]:
    """The program with AMD's types, if `wanted`; g++ takes some seconds for it, beside other work."""
    if not wanted:
        yield None
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(_compile, unit)


def _compile(unit: UnitProject) -> Path:
    return compile_steps_with_amd(
        unit.hls / "reference.cpp", [unit.hls, *unit.include_dirs], unit.build / "reference"
    )


def with_amd_types(
    unit: UnitProject,
    program: Future[Path] | None,
    folder: Path,
    reference: Reference,
    replay: Path | None = None,
) -> OtherTypes:
    """Run the unit again on the beats in `folder`/inputs, and compare with `reference`."""
    if program is None:
        return OtherTypes("AMD's types: not run")
    try:
        done = program.result()
    except MissingToolError as error:
        return OtherTypes(f"AMD's types: not run: {error}")
    except ToolFailedError as error:
        return OtherTypes(f"AMD's types: not run, and Vitis HLS will not take the unit: {error}")
    results = folder / "amd"
    try:
        run = run_steps(done, folder, results, reference.steps + reference.ran_dry, replay, _SECONDS)
    except subprocess.TimeoutExpired:
        return _differs(f"its C++ does not end within {_SECONDS:.0f} s")
    if run.returncode:
        return _fails(run, unit, folder / "inputs")
    what = next(_differences(unit, reference, load_reference(unit, results)), "")
    return _differs(what) if what else OtherTypes("AMD's types: the C++ gives the same with them")


def _fails(run: subprocess.CompletedProcess[str], unit: UnitProject, inputs: Path) -> OtherTypes:
    """What is said of a run that did not come to its end, though that with Thresher's types did."""
    how = (
        f"ends with signal {-run.returncode}" if run.returncode < 0 else f"ends with status {run.returncode}"
    )
    said = summarise_log(run.stderr)
    found = mistake(run, unit, inputs)
    what = found[0] if found else f"its C++ {how}{f': {said}' if said else ''}"
    return OtherTypes(
        "AMD's types: the C++ fails with them",
        f"with AMD's types, which Vitis HLS gives the C++, and not with Thresher's, {what}; look at the "
        "numbers there: AMD's order and divide those of different signs as C++ does, and leave members "
        f"without a value as the memory was; {_WITHOUT}",
    )


def _differs(what: str) -> OtherTypes:
    return OtherTypes(
        "AMD's types: the C++ gives something else with them",
        f"with AMD's types, which Vitis HLS gives the C++, {what}; compare and divide numbers of one sign "
        f"only and give every member a value; {_WITHOUT}",
    )


def _differences(unit: UnitProject, reference: Reference, other: Reference) -> Iterator[str]:
    for stream in unit.inputs:
        wanted, found = reference.taken[stream.name], other.taken[stream.name]
        if wanted != found:
            yield f"it takes {found} beats of '{stream.name}', and {wanted} with Thresher's"
    for stream in unit.outputs:
        yield from _beats_that_differ(stream, reference, other)


def _beats_that_differ(stream: UnitStream, reference: Reference, other: Reference) -> Iterator[str]:
    wanted, found = reference.beats[stream.name], other.beats[stream.name]
    both = min(len(wanted), len(found))
    for index in np.flatnonzero((wanted[:both] != found[:both]).any(axis=1))[:1]:
        theirs, ours = (
            stream.hex(int.from_bytes(beats[index].tobytes(), "little")) for beats in (found, wanted)
        )
        yield f"beat {index} of '{stream.name}' is {theirs}, and {ours} with Thresher's"
    if len(wanted) != len(found):
        yield f"it writes {len(found)} beats of '{stream.name}', and {len(wanted)} with Thresher's"
