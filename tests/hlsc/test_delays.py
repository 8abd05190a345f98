"""The tables of delays: whole, rising, damaged ones refused, and as the tools measure."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.delays import xc7
from bench.delays.cases import Case, cases
from thresher.errors import MissingToolError, UsageError
from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node
from thresher.hlsc.schedule.delay import CURVES, FAMILIES, TABLES, Curve, delay_model, load_table
from thresher.tools.open_synthesis import yosys

SIZES = (1, 2, 3, 5, 8, 13, 40, 100, 784, 4096)
AMD_LEVEL_NS = 0.575
"""AMD's budget for a look-up table and its wire, 7 series of speed grade -1: `report_failfast` of
the Xilinx Tcl Store."""


def table_path(family: str) -> Path:
    return TABLES / f"{family}.json"


def named(*names: str) -> list[Case]:
    return [case for case in cases() if case.name in names]


def inputs(builder: Builder, *widths: int) -> list[Node]:
    return [builder.input(f"s{place}", width) for place, width in enumerate(widths)]


@pytest.mark.parametrize("family", FAMILIES)
def test_delays_rise_with_the_size(family: str) -> None:
    model = delay_model(family)

    for name in CURVES:
        delays = [model.curve_ns(name, size) for size in SIZES]
        assert delays == sorted(delays), name


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_says_what_it_was_measured_with(family: str) -> None:
    table = json.loads(table_path(family).read_text())

    assert table["family"] == family
    assert all(table[key] for key in ("part", "tools", "source", "assumption"))


def test_a_point_is_as_measured_and_between_points_is_a_line() -> None:
    linear = Curve("linear", ((2, 1.0), (4, 2.0)))
    logarithmic = Curve("log2", ((2, 1.0), (8, 2.0)))

    assert [linear.at(size) for size in (1, 2, 3, 4, 6)] == [1.0, 1.0, 1.5, 2.0, 3.0]
    assert [logarithmic.at(size) for size in (1, 2, 4, 8, 32)] == [1.0, 1.0, 1.5, 2.0, 3.0]


@pytest.mark.parametrize("family", FAMILIES)
def test_known_bits_make_an_operation_faster(family: str) -> None:
    model, builder = delay_model(family), Builder()
    wide, other, narrow = inputs(builder, 64, 64, 5)
    extended = builder.zext(narrow, 64)

    assert model.delay_ns(builder.mul(extended, extended)) < model.delay_ns(builder.mul(wide, other))
    assert model.delay_ns(builder.add(extended, extended)) < model.delay_ns(builder.add(wide, other))
    assert model.delay_ns(builder.shl(wide, builder.zext(narrow, 64))) < model.delay_ns(
        builder.shl(wide, other)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_an_operation_on_few_bits_is_one_look_up_table(family: str) -> None:
    model, builder = delay_model(family), Builder()
    (a,) = inputs(builder, 4)
    shifted = builder.concat((builder.const(60, 0), a))

    assert model.delay_ns(builder.ult(shifted, builder.const(64, 5 << 60))) == model.curve_ns("gate", 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gate_behind_a_gate_shares_its_tables_unless_a_register_is_between(family: str) -> None:
    model, builder = delay_model(family), Builder()
    a, b, c = inputs(builder, 8, 8, 8)
    gate = builder.and_(builder.xor(a, b), c)

    assert model.delay_ns(gate) == model.gate_ns < model.curve_ns("gate", 8)
    assert model.delay_ns(gate, first=True) == model.curve_ns("gate", 8)
    assert model.delay_ns(builder.and_(builder.add(a, b), c)) == model.curve_ns("gate", 8)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_clock_leaves_what_registers_do_not_take(family: str) -> None:
    model, builder = delay_model(family), Builder()
    a, b = inputs(builder, 64, 64)

    assert model.usable_ns(100.0) == (10.0 - model.register_ns) / model.margin
    assert model.usable_ns(5000.0) == model.curve_ns("gate", 1)
    assert model.delay_ns(builder.add(a, b), first=True) <= model.usable_ns(50.0)
    assert model.delay_ns(builder.add(a, b), first=True) > model.usable_ns(500.0)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        delay_model("ice40")

    assert str(caught.value) == "hlsc: there are no delays for family 'ice40'; use one of xc7, ecp5"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("margin", 0.5, "ValueError: margin is 0.5, below 1"),
        ("register_ns", -1, "ValueError: register_ns is -1, not a positive number"),
        ("curves", {}, f"ValueError: curves are not {', '.join(sorted(CURVES))}"),
        ("gate_ns", None, "ValueError: gate_ns is None, not a positive number"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, key: str, value: object, why: str) -> None:
    damaged = tmp_path / "xc7.json"
    damaged.write_text(json.dumps(json.loads(table_path("xc7").read_text()) | {key: value}))

    with pytest.raises(MissingToolError) as caught:
        load_table(damaged)

    assert str(caught.value) == (
        f"hlsc: the table of delays '{damaged}' cannot be used: {why}; "
        "install thresher again, or measure it by `python -m bench.delays`"
    )


def test_a_falling_curve_is_refused(tmp_path: Path) -> None:
    table = json.loads(table_path("xc7").read_text())
    table["curves"]["add"]["points"] = [[1, 2.0], [2, 1.0]]
    damaged = tmp_path / "xc7.json"
    damaged.write_text(json.dumps(table))

    with pytest.raises(MissingToolError) as caught:
        load_table(damaged)

    assert str(caught.value) == (
        f"hlsc: the table of delays '{damaged}' cannot be used: "
        "ValueError: curve 'add' does not rise from size 1 to 2; "
        "install thresher again, or measure it by `python -m bench.delays`"
    )


def test_a_level_of_xc7_is_near_the_vendors_budget() -> None:
    model = delay_model("xc7")

    assert AMD_LEVEL_NS <= model.curve_ns("gate", 1) < 1.5 * AMD_LEVEL_NS
    assert model.gate_ns < AMD_LEVEL_NS


def test_paths_through_xc7_cells_are_those_of_yosys_sta(tmp_path: Path) -> None:
    chosen = named("add_16", "equal_16", "shift_16")
    netlists = xc7.synthesise(chosen, tmp_path)
    kinds = {cell["type"] for netlist in netlists.values() for cell in netlist["cells"].values()}
    library = xc7.models(kinds, tmp_path)

    found = sta_picoseconds(chosen, tmp_path)

    clock_to_q = library["FDRE"].clock_to["Q", 0]
    for case in chosen:
        path = xc7.slowest_path_ns(netlists[case.name], library, wire_ns=0.0)
        assert round(1000.0 * (path - clock_to_q)) == found[case.name], case.name


def sta_picoseconds(chosen: list[Case], folder: Path) -> dict[str, int]:
    """The arrival times that Yosys' own timing analysis gives of the cases without their registers."""
    modules, wires = [], []
    for case in chosen:
        ports = [(letter, width) for letter, width in zip("ab", case.operands, strict=True)]
        declared = ", ".join(f"input wire [{width - 1}:0] {letter}" for letter, width in ports)
        modules.append(
            f"(* keep_hierarchy *) module {case.name} ({declared}, output logic [{case.result - 1}:0] y);\n"
            f"  {case.body}\nendmodule\n"
        )
        connected = ", ".join(f".{letter}(x[{width - 1}:0])" for letter, width in ports)
        wires.append(f"  {case.name} u_{case.name} ({connected}, .y(y_{case.name}));\n")
    outputs = ", ".join(f"output wire [{case.result - 1}:0] y_{case.name}" for case in chosen)
    top = f"module top (input wire [15:0] x, {outputs});\n{''.join(wires)}endmodule\n"
    (folder / "comb.sv").write_text("".join(modules) + top)
    yosys(
        f"read_verilog -sv comb.sv\n{xc7.map_commands('top')}"
        f"read_verilog -lib -specify -overwrite {xc7.LIBRARY}\nproc =*\ntee -o sta.txt sta\n",
        folder,
    )
    lines = re.findall(r"Latest arrival time in '(\w+)' is (\d+)", (folder / "sta.txt").read_text())
    return {name: int(picoseconds) for name, picoseconds in lines}
