"""Random units: the C++ as clang runs it, the graph in Python, and the SystemVerilog in Verilator."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hlsc.native import HLS, NativeUnits
from tests.hlsc.random_units import EPILOGUE, PRELUDE, RandomUnit
from tests.hlsc.rtl import Module, RtlModules
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiler import optimise
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.ir import UnitGraph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model

SEEDS = range(60)
BEATS = 60
STEPS = 200
CYCLES = 1500
SIMULATED = 40
"""So many of the units go through Verilator, too; the compiler that it needs is the slow part."""


@dataclass(frozen=True)
class Case:
    """A random unit, what it is fed, and what its C++ answers."""

    seed: int
    source: UnitSource
    graph: UnitGraph
    streams: dict[str, list[int]]
    expected: dict[str, list[int]]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    folder = tmp_path_factory.mktemp("random_units")
    units = [RandomUnit(seed, f"Unit{seed}") for seed in SEEDS]
    together = folder / "units.hpp"
    together.write_text(PRELUDE + "\n".join(unit.text for unit in units) + EPILOGUE)
    native = NativeUnits(folder, together, [f"random_units::{unit.name}" for unit in units])
    return [_case(folder, native, index, unit) for index, unit in enumerate(units)]


def _case(folder: Path, native: NativeUnits, index: int, unit: RandomUnit) -> Case:
    header = folder / f"{unit.name}.hpp"
    header.write_text(PRELUDE + unit.text + EPILOGUE)
    source = UnitSource(header, f"random_units::{unit.name}", (HLS,))
    graph = unit_graph(parse(emit_llvm(source)))
    rng = random.Random(unit.seed)
    streams = {port.name: [rng.getrandbits(port.width) for _ in range(BEATS)] for port in graph.inputs}
    ports = [port.name for port in graph.inputs] + [port.name for port in graph.outputs]
    return Case(unit.seed, source, graph, streams, native.run(index, graph, ports, streams, STEPS))


def test_the_units_are_worth_testing(cases: list[Case]) -> None:
    writing = [case for case in cases if any(case.expected.values())]

    assert len(writing) > 0.8 * len(cases)


def test_the_graph_computes_what_the_cpp_computes(cases: list[Case]) -> None:
    wrong = [case.seed for case in cases if Interpreter(case.graph).run(case.streams, STEPS) != case.expected]

    assert wrong == []


def test_optimising_changes_no_output(cases: list[Case]) -> None:
    wrong = [
        case.seed
        for case in cases
        if Interpreter(optimise(case.graph, delay_model("xc7"))).run(case.streams, STEPS) != case.expected
    ]

    assert wrong == []


def test_the_systemverilog_does_what_the_cpp_does_under_stalls(cases: list[Case], tmp_path: Path) -> None:
    cases = cases[:SIMULATED]
    rng = random.Random(0)
    modules, sources = [], []
    for case in cases:
        unit = compile_unit(case.source, f"unit{case.seed}", rng.choice([50.0, 100.0, 200.0, 400.0]))
        sources.append(tmp_path / f"{unit.module_name}.sv")
        sources[-1].write_text(unit.verilog)
        idle, busy = rng.choice([0, 50]), rng.choice([0, 50])
        modules.append(Module(unit.module_name, unit.inputs, unit.outputs, idle=idle, busy=busy))

    results = RtlModules(tmp_path, modules, sources, BEATS).run([case.streams for case in cases], CYCLES)

    # A unit that steps without reading goes on after the steps of the C++.
    wrong = [
        (case.seed, port)
        for case, result in zip(cases, results, strict=True)
        for port, beats in case.expected.items()
        if result[port][: len(beats)] != beats
    ]
    assert wrong == []
