"""The bench runs a unit's C++ with AMD's types as well, and says where it means something else with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pytest

from tests.hlsc.native import HLS
from thresher.hlsc.frontend.layout import Port
from thresher.unit.reference import reference_program
from thresher_sim.amd import OtherTypes, compiling, with_amd_types
from thresher_sim.reference import run_reference
from thresher_sim.unit import UnitProject, UnitStream

HERE = Path(__file__).parent
ORDERED, NUMBER, RESULT = UnitStream("ordered", 1), UnitStream("s_axis", 32), UnitStream("m_axis", 65)
BYTES, BYTE = UnitStream("s_axis", 8), UnitStream("m_axis", 8)

ASSERTS = UnitStream("asserts", 1)
DIES = ("type_units.hpp", "type_units::Dies")
LOOK = (
    "look at the numbers there: AMD's order and divide those of different signs as C++ does, and leave "
    "members without a value as the memory was; if Vitis HLS is not to take it, run "
    "`make ARGS='--types bitint'`"
)

NUMBERS = [0, 1, 2**31 - 1, 2**31, 2**32 - 1]


def other_types(
    folder: Path,
    beats: Mapping[UnitStream, Sequence[int]],
    output: UnitStream = RESULT,
    unit: tuple[str, str] = ("type_units.hpp", "type_units::Order"),
    wanted: bool = True,
) -> OtherTypes:
    """What the bench says of a unit, which `unit` names by header and class, that gets `beats`."""
    header, name = unit
    (folder / "hls").mkdir()
    ports = [Port(stream.name, stream.width, stream in beats, 0) for stream in (*beats, output)]
    text = reference_program(PurePosixPath(header), name, ports)
    (folder / "hls" / "reference.cpp").write_text(text)
    project = UnitProject(folder, "unit", 1, tuple(beats), (output,), (HLS, HERE), "")
    (folder / "inputs").mkdir()
    for stream, numbers in beats.items():
        content = b"".join(number.to_bytes(stream.bytes_per_beat, "little") for number in numbers)
        (folder / "inputs" / f"{stream.name}.bin").write_bytes(content)
    with compiling(project, wanted) as program:
        return with_amd_types(project, program, folder, run_reference(project, folder, 100))


def test_sums_and_products_are_the_same(tmp_path: Path) -> None:
    found = other_types(tmp_path, {ORDERED: [0] * len(NUMBERS), NUMBER: NUMBERS})

    assert found == OtherTypes("AMD's types: the C++ gives the same with them")


def test_what_means_something_else_is_told_by_its_beat(tmp_path: Path) -> None:
    found = other_types(tmp_path, {ORDERED: [1] * len(NUMBERS), NUMBER: NUMBERS})

    assert found == OtherTypes(
        "AMD's types: the C++ gives something else with them",
        "with AMD's types, which Vitis HLS gives the C++, beat 3 of 'm_axis' is 0x00000000000000000, and "
        "0x00000000000000001 with Thresher's; compare and divide numbers of one sign only and give every "
        "member a value; if Vitis HLS is not to take it, run `make ARGS='--types bitint'`",
    )


def test_an_assertion_that_holds_with_our_types_alone_is_told_by_its_line(tmp_path: Path) -> None:
    lines = (HERE / "type_units.hpp").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.endswith("// an assertion"))

    found = other_types(tmp_path, {ASSERTS: [1] * len(NUMBERS), NUMBER: NUMBERS}, unit=DIES)

    assert found == OtherTypes(
        "AMD's types: the C++ fails with them",
        "with AMD's types, which Vitis HLS gives the C++, and not with Thresher's, "
        f"type_units.hpp:{line}: assert(smaller) does not hold, in step 3 of the C++, which read beat 3 of "
        f"'asserts', 0x1 and beat 3 of 's_axis', 0x80000000; {LOOK}",
    )


def test_a_program_that_dies_with_amd_s_types_alone_is_told_by_its_signal(tmp_path: Path) -> None:
    found = other_types(tmp_path, {ASSERTS: [0] * len(NUMBERS), NUMBER: NUMBERS}, unit=DIES)

    assert found == OtherTypes(
        "AMD's types: the C++ fails with them",
        "with AMD's types, which Vitis HLS gives the C++, and not with Thresher's, its C++ ends with signal "
        f"6; {LOOK}",
    )


def test_what_does_not_compile_is_no_difference(tmp_path: Path) -> None:
    found = other_types(tmp_path, {BYTES: [1]}, BYTE, ("only_our_types.hpp", "Ours"))

    assert found.difference == ""
    assert found.summary.startswith("AMD's types: not run, and Vitis HLS will not take the unit: csim: '")
    assert "has no member named" in found.summary


def test_it_is_not_run_where_it_is_not_wanted(tmp_path: Path) -> None:
    assert other_types(tmp_path, {ORDERED: [1], NUMBER: [2**31]}, wanted=False) == OtherTypes(
        "AMD's types: not run"
    )


def test_without_amd_s_headers_it_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher_sim.toolchain.amd_include_dir", lambda: None)

    found = other_types(tmp_path, {ORDERED: [1], NUMBER: [2**31]})

    assert found == OtherTypes(
        "AMD's types: not run: toolchain: ap_int.h: AMD's headers are not installed, and a C simulation with "
        "AMD's types needs them; run `pip install --no-deps hls4ml==1.3.0` or set XILINX_HLS"
    )
