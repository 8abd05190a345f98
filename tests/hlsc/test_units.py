"""What hlsc prints: contents, lint, latency, resets, names, and that it never changes by itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.hlsc.native import HLS, NativeUnits
from tests.hlsc.rtl import Module, RtlModules
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.diagnosis import fastest_mhz
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import read_unit
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model

UNITS = Path(__file__).parent / "units.hpp"
TABLES = ("ShortTable", "LongTable", "ShortBlockTable", "LutTable")
BITS = ("BitWires", "BitPlaces", "Joined", "Parities")
NAMES = ("Wire", "MatrixVector", "Mixed", "Counter", "Awkward", "Language", "Blocks", *TABLES, *BITS)
CLOCKS = (50.0, 100.0, 250.0)


def source(name: str) -> UnitSource:
    return UnitSource(UNITS, f"units::{name}", (HLS,))


def module_name(name: str, clock_mhz: float) -> str:
    return f"{name.lower()}_{clock_mhz:g}"


@pytest.fixture(scope="module")
def compiled() -> dict[tuple[str, float], CompiledUnit]:
    return {
        (name, clock): compile_unit(source(name), module_name(name, clock), clock)
        for name in NAMES
        for clock in CLOCKS
    }


@pytest.fixture(scope="module")
def files(
    compiled: dict[tuple[str, float], CompiledUnit], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    folder = tmp_path_factory.mktemp("units")
    for unit in compiled.values():
        (folder / f"{unit.module_name}.sv").write_text(unit.verilog)
    return sorted(folder.glob("*.sv"))


def test_the_same_input_gives_the_same_text(compiled: dict[tuple[str, float], CompiledUnit]) -> None:
    again = compile_unit(source("Mixed"), module_name("Mixed", 250.0), 250.0)

    assert again == compiled["Mixed", 250.0]


def test_streams_and_state_are_those_of_the_class(compiled: dict[tuple[str, float], CompiledUnit]) -> None:
    unit = compiled["MatrixVector", 100.0]

    assert (unit.inputs, unit.outputs) == ((("s_axis", 9),), (("m_axis", 2),))
    assert unit.registers == (("row", 2), ("column", 2), ("tile", 4), ("sum_0", 6), ("sum_1", 6))
    assert unit.cells == ("compressor", "ram")
    assert [(memory.cell, memory.name) for memory in unit.memories] == [
        ("ram", "vector"),
        ("rom", "weights_0"),
        ("rom", "weights_1"),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "cells", "attribute"),
    [
        ("ShortTable", "lut", (), '(* rom_style = "distributed" *)'),
        ("LongTable", "lut", ("rom",), ""),
        ("LongestTable", "lut", ("rom",), ""),
        ("BlockTable", "block", (), '(* rom_style = "block" *)'),
        ("ShortBlockTable", "block", (), '(* rom_style = "block" *)'),
        ("LutTable", "lut", ("rom",), ""),
    ],
)
def test_a_table_is_what_it_asks_for_or_what_the_rule_says(
    name: str, kind: str, cells: tuple[str, ...], attribute: str
) -> None:
    """By the rule 961 words of 8 bits are the fewest for a block, and 33 the fewest for the cell."""
    unit = compile_unit(source(name), "words", 100.0)

    (memory,) = unit.memories
    assert (memory.cell, memory.kind, memory.width) == ("rom", kind, 8)
    assert unit.cells == cells
    attributes = [line.strip() for line in unit.verilog.splitlines() if "(*" in line]
    assert attributes == ([attribute] if attribute else [])


def test_constant_bits_and_ranges_are_wires(compiled: dict[tuple[str, float], CompiledUnit]) -> None:
    verilog = compiled["BitWires", 250.0].verilog

    assert (
        "  assign word = {1'b0, s_axis_tdata[1], s_axis_tdata[5:4], s_axis_tdata[11:9], s_axis_tdata[9],\n"
        "      s_axis_tdata[15:12], s_axis_tdata[3], 1'b1, s_axis_tdata[6], s_axis_tdata[0]};\n"
    ) in verilog


def test_parities_of_few_bits_are_taken_in_any_step() -> None:
    beats = range(256)
    counted = [(1, 1, 2, 5)[beat >> 6] for beat in beats]

    reading = read_unit(parse(emit_llvm(source("Parities")).text))
    written = Interpreter(reading.graph).run({"s_axis": beats}, len(beats))["m_axis"]

    assert written == [
        (beat & (1 << bits) - 1).bit_count() % 2 for beat, bits in zip(beats, counted, strict=True)
    ]


def test_a_slow_clock_takes_one_stage_and_a_fast_one_several(
    compiled: dict[tuple[str, float], CompiledUnit],
) -> None:
    assert compiled["MatrixVector", 50.0].stages == 1
    assert compiled["MatrixVector", 250.0].stages > 1


def test_reset_reaches_control_only(compiled: dict[tuple[str, float], CompiledUnit]) -> None:
    blocks = compiled["MatrixVector", 250.0].verilog.split("if (!ap_rst_n) begin")[1:]
    reset = {
        line.split()[0]
        for block in blocks
        for line in block.split("end else")[0].splitlines()
        if line.split()
    }

    valid = {f"stage{stage}_valid_q" for stage in range(1, compiled["MatrixVector", 250.0].stages)}
    assert reset == valid | {
        "row_q",
        "column_q",
        "tile_q",
        "m_axis_tvalid",
    }


def test_a_variable_names_the_value_that_it_is() -> None:
    """And none that it is computed from, which LLVM says when it has moved the computation."""
    width = "DW_OP_LLVM_convert, 1, DW_ATE_unsigned, DW_OP_stack_value"
    module = parse(
        f"""\
define void @f(i1 %a, i1 %b, i1 %c) {{
  #dbg_value(i1 %a, !1, !DIExpression(), !9)
  #dbg_value(i1 %b, !2, !DIExpression({width}), !9)
  #dbg_value(i1 %c, !3, !DIExpression(DW_OP_constu, 18446744073709551615, DW_OP_xor, {width}), !9)
  call void @llvm.dbg.value(metadata i1 %a, metadata !4, metadata !DIExpression()), !dbg !9
  ret void
}}
"""
    )

    variables = [(entry.name, entry.variable) for entry in module.functions["f"].variables]
    assert variables == [("a", "!1"), ("b", "!2"), ("a", "!4")]


def test_a_recurrence_that_misses_the_clock_is_a_warning() -> None:
    unit = compile_unit(source("Mixed"), "mixed", 400.0)

    assert unit.recurrence is not None
    assert unit.recurrence.keeps == ("total_",)
    before = UNITS.read_text().partition("case 2: total_ =")[0]
    line = f"units.hpp:{before.count(chr(10)) + 1}"
    assert unit.recurrence.lines == (line,)
    delay, left = unit.recurrence.delay_ns, delay_model("xc7").usable_ns(400.0)
    assert delay > left
    assert unit.warnings == (
        f"hlsc: unit 'units::Mixed': {line}: the recurrence through 'total_' takes "
        f"{delay:.1f} ns, and 400 MHz leaves {left:.1f} ns; narrow it, compute what does not depend on it "
        "before it, split a long sum into words that keep their carry in a member, or ask for at most "
        f"{fastest_mhz(delay_model('xc7'), delay)} MHz",
    )


def test_every_unit_does_what_its_cpp_does(
    compiled: dict[tuple[str, float], CompiledUnit], files: list[Path], tmp_path: Path
) -> None:
    native = NativeUnits(tmp_path, UNITS, [f"units::{name}" for name in NAMES])
    rng = random.Random(3)
    modules, streams, expected = [], [], []
    for (name, _), unit in compiled.items():
        for idle, busy in ((0, 0), (40, 60)):
            modules.append(Module(unit.module_name, unit.inputs, unit.outputs, idle=idle, busy=busy))
            streams.append({port: [rng.getrandbits(width) for _ in range(90)] for port, width in unit.inputs})
            expected.append(native.run(NAMES.index(name), unit.inputs, unit.outputs, streams[-1], 300))

    results = RtlModules(tmp_path, modules, files, 90, random_start=True).run(streams, 2000)

    for module, result, wanted in zip(modules, results, expected, strict=True):
        assert wanted.agrees(result), module.name
        assert [port for port, beats in wanted.outputs.items() if not beats] in ([], ["never"]), module.name
