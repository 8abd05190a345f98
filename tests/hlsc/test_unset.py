"""Members and words without an initial value are warned of where the unit's streams depend on them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from bench.units import UNITS, write_header
from tests.hlsc.native import HLS, NativeUnits
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiler import optimise
from thresher.hlsc.frontend.unit import read_unit
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model
from thresher.hlsc.unset import unset_warnings

HEADER = Path(__file__).with_name("unset_units.hpp")
TEXT = HEADER.read_text(encoding="utf-8")
INPUTS, OUTPUTS = (("s_axis", 8), ("t_axis", 8)), (("m_axis", 8),)
STEPS = 300

VALUE, WRITTEN, READ = (
    "what is written to 'm_axis'",
    "whether a beat of 'm_axis' is written",
    "whether a beat of 's_axis' is read",
)
SHOWN: dict[str, list[tuple[str, str, str]]] = {
    "Total": [("a sum", "total_", VALUE)],
    "Chooses": [("a choice of streams", "right_", READ)],
    "Decides": [("a decision to write", "open_", WRITTEN)],
    "Shifts": [("a shift register", "taps_", VALUE)],
    "Levels": [("an array by index", "levels_", VALUE)],
    "Nested": [("in a struct", "pair__first", VALUE)],
    "Both": [("one of both", "low_", VALUE), ("the other of both", "high_", VALUE)],
    "Late": [("after a hundred steps", "held_", VALUE)],
    "Addresses": [("an address", "place_", VALUE)],
    "Ahead": [("a Ram", "ring_", VALUE)],
    "LastWord": [("the last word of a Ram", "ring_", VALUE)],
    "WritesTo": [
        ("the address of a write", "place_", VALUE),
        ("a Ram that is written by address", "words_", VALUE),
    ],
    "Asks": [("a beat that may be late", "held_", VALUE)],
}
"""The comment of the line, the member, and what depends on it, of each warning."""

HIDDEN = re.findall(r"^struct (\w+)", TEXT[TEXT.index("namespace hidden") :], re.MULTILINE)
MAY_BE_LATE = ("shown::Asks", "hidden::Stored")
KNOWN = {
    "proof_units.hpp": ("proof_units", ("Delay", "Cache", "ReadAhead")),
    "units.hpp": ("units", ("MatrixVector", "Blocks")),
    "ahead_units.hpp": ("ahead", ("Reverse",)),
    "language.hpp": ("language", ("Apart",)),
}
"""Other units of these tests whose state has no initial value, and is never seen before it is written."""


def warnings_of(source: UnitSource) -> tuple[str, ...]:
    reading = read_unit(parse(emit_llvm(source).text))
    return unset_warnings(reading, optimise(reading.graph, delay_model("xc7")), source.type_name)


def of_unit(name: str) -> tuple[str, ...]:
    return warnings_of(UnitSource(HEADER, name, (HLS,)))


def line(comment: str) -> int:
    (found,) = (n for n, text in enumerate(TEXT.splitlines(), 1) if text.endswith(f"  // {comment}"))
    return found


def warning(unit: str, comment: str, member: str, depends: str) -> str:
    place = f"hlsc: unit '{unit}': unset_units.hpp:{line(comment)}"
    if "Ram" in comment:
        return (
            f"{place}: a word of the Ram '{member}' is read that was never written, and holds anything in "
            f"hardware: {depends} depends on it; write each word before it is read, or count the words that "
            "were written and use no others"
        )
    return (
        f"{place}: the member '{member}' is read before it is written, and holds anything in hardware: "
        f"{depends} depends on it; give it an initial value"
    )


@pytest.mark.parametrize("name", SHOWN)
def test_what_can_be_seen_is_a_warning(name: str) -> None:
    unit = f"shown::{name}"
    assert list(of_unit(unit)) == [warning(unit, *each) for each in SHOWN[name]]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_cannot_be_seen_is_none(name: str) -> None:
    assert of_unit(f"hidden::{name}") == ()


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], NativeUnits]:
    names = [*(f"shown::{name}" for name in SHOWN), *(f"hidden::{name}" for name in HIDDEN)]
    return names, NativeUnits(tmp_path_factory.mktemp("native"), HEADER, names)


def test_the_compiled_cpp_shows_what_is_warned_of_and_nothing_else(
    native: tuple[list[str], NativeUnits],
) -> None:
    """The C++ runs in memory that holds 0, and in memory that holds 1 in every byte."""
    names, units = native
    draw = random.Random(3)
    for index, name in enumerate(names):
        beats = {port: [draw.randrange(256) for _ in range(STEPS)] for port, _ in INPUTS}
        if name in MAY_BE_LATE:
            beats["s_axis"] = []
        zeros, ones = (
            units.run(index, INPUTS, OUTPUTS, beats, STEPS, unset).outputs["m_axis"] for unset in (0, 1)
        )
        assert len(zeros) > STEPS // 10, name
        assert (zeros != ones) == name.startswith("shown"), name


@pytest.mark.parametrize(
    "type_name",
    [f"thresher::uint<{width}>" for width in (1, 2, 63, 64, 65, 4096)]
    + ["thresher::sint<2>", "thresher::sint<128>", "long long", "bool"],
)
def test_a_member_of_any_width(type_name: str) -> None:
    unit = f"shown::Wide<{type_name}>"
    assert of_unit(unit) == (warning(unit, "of any width", "word_", VALUE),)


def test_a_report_has_the_warning() -> None:
    unit = compile_unit(UnitSource(HEADER, "shown::Total", (HLS,)), "total")
    idle = "no step reads the input 't_axis'"
    assert [each for each in unit.warnings if idle not in each] == [
        warning("shown::Total", "a sum", "total_", VALUE)
    ]
    assert unit.report()["warnings"] == list(unit.warnings)


@pytest.mark.parametrize("header", KNOWN)
def test_other_units_give_no_warning(header: str) -> None:
    namespace, names = KNOWN[header]
    for name in names:
        assert warnings_of(UnitSource(HEADER.with_name(header), f"{namespace}::{name}", (HLS,))) == (), name


@pytest.mark.parametrize("name", ["mvu_pe16_simd49", "mvu_8bit_pe4_simd9", "width_converter_24_to_16"])
def test_units_of_the_library_give_no_warning(name: str, tmp_path: Path) -> None:
    assert warnings_of(write_header(name, UNITS[name](), tmp_path)) == ()
