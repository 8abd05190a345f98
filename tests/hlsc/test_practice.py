"""Units as engineers write them against models in Python: the C++, and the SystemVerilog under stalls."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hlsc.native import HLS, NativeUnits
from tests.hlsc.practice.case import Case, Streams
from tests.hlsc.practice.cases import CASES, HEADER
from tests.hlsc.practice.models_ciphers import PUBLISHED, PUBLISHED_CIPHER, encrypt
from tests.hlsc.rtl import Module, RtlModules
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit

NAMES = [case.name for _, case in CASES]
STEPS = 6000
CYCLES = 6000
STALLS = 35
"""In how many of a hundred cycles no beat is offered, or none taken."""

Outputs = dict[str, Streams]


@pytest.fixture(scope="module")
def inputs() -> Outputs:
    return {case.name: case.draw(random.Random(case.name)) for _, case in CASES}


@pytest.fixture(scope="module")
def compiled() -> dict[str, CompiledUnit]:
    def compile_case(place: int) -> CompiledUnit:
        header, case = CASES[place]
        source = UnitSource(header, f"practice::{case.name}", (HLS,))
        return compile_unit(source, case.name.lower(), case.clock_mhz)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(NAMES, pool.map(compile_case, range(len(CASES))), strict=True))


@pytest.fixture(scope="module")
def native(
    compiled: dict[str, CompiledUnit], inputs: Outputs, tmp_path_factory: pytest.TempPathFactory
) -> Outputs:
    """What the C++ writes until it waits for a beat that does not come."""
    units = NativeUnits(tmp_path_factory.mktemp("native"), HEADER, [f"practice::{name}" for name in NAMES])
    found = {}
    for index, (name, unit) in enumerate(compiled.items()):
        run = units.run(index, unit.inputs, unit.outputs, inputs[name], STEPS)
        assert run.blocked or name == "RoundRobin", name
        found[name] = run.outputs
    return found


@pytest.fixture(scope="module")
def model(
    compiled: dict[str, CompiledUnit], inputs: Outputs, tmp_path_factory: pytest.TempPathFactory
) -> RtlModules:
    """The SystemVerilog of all units in one model."""
    folder = tmp_path_factory.mktemp("rtl")
    for unit in compiled.values():
        (folder / f"{unit.module_name}.sv").write_text(unit.verilog)
    counts = {name: {port: len(beats) for port, beats in inputs[name].items()} for name in NAMES}
    modules = [
        Module(unit.module_name, unit.inputs, unit.outputs, "", STALLS, STALLS, counts[name])
        for name, unit in compiled.items()
    ]
    return RtlModules(folder, modules, sorted(folder.glob("*.sv")), 0, random_start=True)


@pytest.fixture(scope="module", params=[False, True], ids=["without stalls", "with stalls"])
def written(request: pytest.FixtureRequest, model: RtlModules, inputs: Outputs) -> Outputs:
    """What the SystemVerilog writes."""
    outputs = model.run([inputs[name] for name in NAMES], CYCLES, stalled=request.param)
    return dict(zip(NAMES, outputs, strict=True))


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=NAMES)
def test_the_cpp_does_what_the_model_says(case: Case, inputs: Outputs, native: Outputs) -> None:
    wanted = case.model(inputs[case.name])

    assert all(wanted.values())
    assert case.agrees(native[case.name], wanted), (native[case.name], wanted)


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=NAMES)
def test_the_systemverilog_does_what_the_cpp_does(case: Case, native: Outputs, written: Outputs) -> None:
    assert case.view(written[case.name]) == case.view(native[case.name])


def test_the_model_of_the_cipher_gives_the_published_words() -> None:
    assert tuple(encrypt(*pair) for pair in PUBLISHED) == PUBLISHED_CIPHER
