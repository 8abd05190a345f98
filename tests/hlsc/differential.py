"""Compare random units: their C++ as clang runs it, and their SystemVerilog in Verilator under stalls."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hlsc.native import HLS, NativeUnits, Run
from tests.hlsc.random_units import EPILOGUE, PRELUDE, RandomUnit
from tests.hlsc.rtl import BuildError, Module, RtlModules
from thresher.errors import ThresherError
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit

BEATS = 60
STEPS = 120
CYCLES = 2000
"""Enough for so many steps at the slowest streams below."""

SLOWNESS = (0, 30, 60)
"""Of 100 cycles, so many in which a source offers no new beat, or a sink takes none."""

FAULTS = (ThresherError, ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)
"""What the compiler may raise, rightly or not: each is the answer to the question of its seed."""


@dataclass(frozen=True)
class Difference:
    """A unit that went wrong: `seed` makes it again, `what` is one line."""

    seed: int
    what: str


@dataclass(frozen=True)
class Settings:
    """How the unit of a seed is compiled and run."""

    clock_mhz: float
    family: str
    idle: int
    busy: int

    @staticmethod
    def of(seed: int) -> Settings:
        """The settings that belong to a seed."""
        rng = random.Random(f"settings {seed}")
        return Settings(
            rng.randint(20, 500),
            rng.choice(["xc7", "ecp5"]),
            rng.choice(SLOWNESS),
            rng.choice(SLOWNESS),
        )


@dataclass(frozen=True)
class Case:
    """A unit with what it is fed and what its C++ answers."""

    seed: int
    unit: CompiledUnit
    streams: dict[str, list[int]]
    expected: Run


def source(folder: Path, seed: int) -> UnitSource:
    """The unit of a seed in a header of its own."""
    unit = RandomUnit(seed, f"Unit{seed}")
    header = folder / f"{unit.name}.hpp"
    header.write_text(PRELUDE + unit.text + EPILOGUE)
    return UnitSource(header, f"random_units::{unit.name}", (HLS,))


def streams(seed: int, inputs: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    """The beats that the unit of a seed is fed."""
    rng = random.Random(seed)
    return {name: [rng.getrandbits(width) for _ in range(BEATS)] for name, width in inputs}


def native_units(folder: Path, seeds: Sequence[int], types: str = "bitint") -> NativeUnits:
    """The machine code of the units of some seeds, in their order."""
    together = folder / f"units_{types}.hpp"
    texts = [RandomUnit(seed, f"Unit{seed}").text for seed in seeds]
    together.write_text(PRELUDE + "\n".join(texts) + EPILOGUE)
    return NativeUnits(folder, together, [f"random_units::Unit{seed}" for seed in seeds], types)


def _type_set_differences(folder: Path, cases: Sequence[Case]) -> list[Difference]:
    """The portable units whose C++ writes something else with AMD's types than with ours."""
    portable = [case for case in cases if RandomUnit(case.seed, "").is_portable]
    if not portable:
        return []
    theirs = native_units(folder, [case.seed for case in portable], "amd")
    runs = [_case(theirs, index, case.seed, case.unit).expected for index, case in enumerate(portable)]
    return [
        Difference(case.seed, f"differs with AMD's types: {_first(case, run.outputs)}")
        for case, run in zip(portable, runs, strict=True)
        if case.expected != run
    ]


def differences(
    folder: Path, seeds: Sequence[int], jobs: int = 2, both_types: bool = False
) -> list[Difference]:
    """The units of which hardware and C++ disagree, or that cannot be compiled; `folder` is empty.

    With `both_types` portable units run with AMD's types as well, for which g++ takes seconds a unit.

    A build of many units that fails is done again in halves, until it is known which unit it is.
    """
    found: list[Difference] = []
    units: dict[int, CompiledUnit] = {}
    for seed in seeds:
        try:
            units[seed] = _compiled(folder, seed)
        except FAULTS as error:
            found.append(Difference(seed, f"is not compiled: {type(error).__name__}: {error}"))
    return found + _compared(folder, units, jobs, both_types)


def _compiled(folder: Path, seed: int) -> CompiledUnit:
    settings = Settings.of(seed)
    unit = compile_unit(source(folder, seed), f"unit{seed}", settings.clock_mhz, settings.family)
    (folder / f"unit{seed}.sv").write_text(unit.verilog)
    return unit


def _compared(folder: Path, units: dict[int, CompiledUnit], jobs: int, both_types: bool) -> list[Difference]:
    if not units:
        return []
    native = native_units(folder, list(units))
    cases = [_case(native, index, seed, unit) for index, (seed, unit) in enumerate(units.items())]
    found = _type_set_differences(folder, cases) if both_types else []
    return found + _simulated(folder, cases, jobs)


def _case(native: NativeUnits, index: int, seed: int, unit: CompiledUnit) -> Case:
    beats = streams(seed, unit.inputs)
    return Case(seed, unit, beats, native.run(index, unit.inputs, unit.outputs, beats, STEPS))


def _simulated(folder: Path, cases: Sequence[Case], jobs: int) -> list[Difference]:
    modules, sources = [], []
    for case in cases:
        settings = Settings.of(case.seed)
        sources.append(folder / f"{case.unit.module_name}.sv")
        modules.append(
            Module(
                case.unit.module_name,
                case.unit.inputs,
                case.unit.outputs,
                idle=settings.idle,
                busy=settings.busy,
                signals=case.unit.signals,
            )
        )
    inner = folder / f"model{cases[0].seed}_{len(cases)}"
    inner.mkdir()
    try:
        results = RtlModules(inner, modules, sources, BEATS, jobs).run(
            [case.streams for case in cases], CYCLES
        )
    except BuildError as error:
        if len(cases) == 1:
            return [Difference(cases[0].seed, f"is not built: {error}")]
        half = len(cases) // 2
        return [
            *_simulated(folder, cases[:half], jobs),
            *_simulated(folder, cases[half:], jobs),
        ]
    return [
        Difference(case.seed, f"differs: {_first(case, result)}")
        for case, result in zip(cases, results, strict=True)
        if not case.expected.agrees(result)
    ]


def _first(case: Case, result: dict[str, list[int]]) -> str:
    """The first beat that is wrong."""
    for name, wanted in case.expected.outputs.items():
        beats = result[name]
        for index in range(max(len(wanted), len(beats) if case.expected.blocked else 0)):
            expected, found = (
                f"{each[index]:x}" if index < len(each) else "nothing" for each in (wanted, beats)
            )
            if expected != found:
                return f"beat {index} of '{name}' is {found}, and {expected} in C++"
    return ""
