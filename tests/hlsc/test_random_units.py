"""Random units: the C++ as clang runs it, the graph in Python, and the SystemVerilog in Verilator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hlsc.differential import STEPS, differences, native_units, source, streams
from tests.hlsc.native import Run
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiler import optimise
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.ir import UnitGraph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model
from thresher.hlsc.simplify import simplify

# Of the last two, one has a sum with the unit's address that makes no difference, and in the other reads of
# a memory at one address have nothing to wait for.
SEEDS = (*range(40), 59, 910054)


@dataclass(frozen=True)
class Case:
    """A random unit as a graph, what it is fed, and what its C++ answers."""

    seed: int
    graph: UnitGraph
    streams: dict[str, list[int]]
    expected: Run


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    folder = tmp_path_factory.mktemp("random_units")
    native = native_units(folder, SEEDS)
    found = []
    for index, seed in enumerate(SEEDS):
        graph = simplify(unit_graph(parse(emit_llvm(source(folder, seed)).text)))
        inputs = [(port.name, port.width) for port in graph.inputs]
        outputs = [(port.name, port.width) for port in graph.outputs]
        beats = streams(seed, inputs)
        found.append(Case(seed, graph, beats, native.run(index, inputs, outputs, beats, STEPS)))
    return found


def test_the_units_are_worth_testing(cases: list[Case]) -> None:
    writing = [case for case in cases if sum(len(beats) for beats in case.expected.outputs.values()) > 20]

    assert len(writing) > 0.7 * len(cases)


def test_the_graph_computes_what_the_cpp_computes(cases: list[Case]) -> None:
    wrong = [
        case.seed
        for case in cases
        if Interpreter(case.graph).run(case.streams, STEPS) != case.expected.outputs
    ]

    assert wrong == []


def test_optimising_changes_no_output(cases: list[Case]) -> None:
    wrong = [
        case.seed
        for case in cases
        if Interpreter(optimise(case.graph, delay_model("xc7"))).run(case.streams, STEPS)
        != case.expected.outputs
    ]

    assert wrong == []


def test_the_systemverilog_does_what_the_cpp_does_under_stalls(tmp_path: Path) -> None:
    assert differences(tmp_path, SEEDS) == []
