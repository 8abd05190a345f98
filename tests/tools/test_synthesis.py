"""Synthesis results: what a report keeps of them, what is said of a missed clock and of wrong requests."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.needs import require_yosys
from tests.tools.test_open_synthesis import install
from thresher.emit.yosys import yosys_script
from thresher.errors import ToolFailedError, UsageError
from thresher.hardware.parts import synthesis_family
from thresher.tools import nextpnr_synthesis
from thresher.tools.ecp5 import parse_ecp5
from thresher.tools.open_synthesis import yosys
from thresher.tools.synthesis import Synthesis, SynthesisRequest, Usage, record_synthesis
from thresher.tools.workplace import kept_folder, workplace
from thresher.tools.yosys_log import read_usage
from thresher.tools.yosys_synthesis import map_module
from thresher_sim.project import Estimate, Project

LOGS = Path(__file__).with_name("logs")
WHOLE = Synthesis(
    "yosys", "Yosys 0.70", "xc7", 100.0, Usage(9, 8, 0.5, 0, 7), 12.5, {"mvu0": Usage(5, 4, 0, 0)}
)
ROUTED = Synthesis(
    "nextpnr-ecp5", "nextpnr 0.11", "LFE5U-25F", 150.0, Usage(9, 8, 1, 0), 60.0, fmax_mhz=125.0, seeded=True
)


def bare_project(root: Path) -> Project:
    return Project(root, "bare", "accelerator", 150.0, (), (), Estimate(None, None))


def test_an_entry_has_no_figure_that_no_tool_gave() -> None:
    assert WHOLE.to_json() == {
        "tool": "yosys",
        "tool_version": "Yosys 0.70",
        "part": "xc7",
        "target_mhz": 100.0,
        "lut": 9,
        "ff": 8,
        "bram36": 0.5,
        "dsp": 0,
        "logic_cells": 7,
        "seconds": 12.5,
        "layers": {"mvu0": {"lut": 5, "ff": 4, "bram36": 0, "dsp": 0}},
        "notes": [],
        "files": [],
    }


def test_a_later_run_of_the_same_tool_for_the_same_part_replaces_the_entry() -> None:
    first, routed = WHOLE.to_json(), ROUTED.to_json()
    again = first | {"lut": 7, "target_mhz": 200.0}
    other = first | {"part": "xcup"}

    assert record_synthesis([], first) == [first]
    assert record_synthesis([first, routed], again) == [routed, again]
    assert record_synthesis([first, routed], other) == [first, routed, other]


def test_units_alone_are_added_to_the_entry_of_the_same_clock() -> None:
    first = WHOLE.to_json()
    unit = Synthesis("yosys", "Yosys 0.71", "xc7", 100.0, None, 3.0, {"mvu1": Usage(2, 2, 0, 0)})
    later = Synthesis("yosys", "Yosys 0.71", "xc7", 90.0, None, 3.0, {"mvu1": Usage(2, 2, 0, 0)})

    (entry,) = record_synthesis([first], unit.to_json())

    mvu1 = {"lut": 2, "ff": 2, "bram36": 0, "dsp": 0}
    mvu0 = {"lut": 5, "ff": 4, "bram36": 0, "dsp": 0}
    assert entry == first | {"tool_version": "Yosys 0.71", "layers": {"mvu0": mvu0, "mvu1": mvu1}}
    assert record_synthesis([first], later.to_json()) == [later.to_json()]


def test_a_missed_clock_says_by_how_much_and_what_to_do() -> None:
    with pytest.raises(ToolFailedError) as raised:
        ROUTED.check_timing()

    assert str(raised.value) == (
        "synth: nextpnr-ecp5: timing is not met: 125.0 MHz of 150, by 1.33 ns; more --seeds may do where "
        "little is missing, or build for a slower clock with --clock-mhz or for a faster part"
    )
    WHOLE.check_timing()
    Synthesis("t", "1", "p", 125.0, None, 1.0, fmax_mhz=125.0).check_timing()


def test_a_path_that_is_too_deep_is_mapped_by_modules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = LOGS / "yosys_xc7.txt"
    install(
        monkeypatch,
        tmp_path,
        "yosys",
        f"""if [ "$1" != -q ]; then echo "Yosys 0.78"
        elif grep -q -e --keep-hierarchy script.ys; then cp {log} yosys.log
        else echo "wasm trap: call stack exhausted"; exit 1; fi""",
    )
    said: list[str] = []

    mapped = map_module("mvu0", ["mvu0.sv"], "xc7", tmp_path, said.append)

    assert mapped.usage.ff == 1082
    assert said == ["mvu0: too deep for the stack of Yosys in one piece; mapping module by module"]
    assert mapped.notes("mvu0") == (
        "'mvu0' was mapped module by module and joined then, with nothing shared between modules: a "
        "combinational path is too deep for the stack of Yosys' WebAssembly build",
    )


def test_a_part_that_is_too_small_is_named_with_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = LOGS / "nextpnr_too_small.txt"
    install(
        monkeypatch,
        tmp_path,
        "nextpnr-ecp5",
        f"""if [ "$1" = --version ]; then echo nextpnr-0.19; else cp {log} nextpnr.log; exit 125; fi""",
    )

    with pytest.raises(ToolFailedError) as raised:
        nextpnr_synthesis.route(bare_project(tmp_path), "LFE5U-25F", parse_ecp5("LFE5U-25F"), 1, tmp_path)

    assert str(raised.value) == (
        "synth: nextpnr-ecp5: part 'LFE5U-25F' is too small: the design takes 29 MULT18X18D of 28; give a "
        "larger part with --part, or build with a lower --target-fps"
    )


@pytest.mark.parametrize(
    ("clock_mhz", "seeds", "kept", "note"),
    [
        (100.0, 3, 2, "placed with --seed 2; seed 1 gave 95 MHz"),
        (130.0, 3, 2, "placed with --seed 2; seed 1 gave 95 MHz and seed 3 gave 110.5 MHz"),
        (100.0, 1, 1, "placed with --seed 1"),
    ],
)
def test_seeds_are_tried_until_the_clock_is_met_and_the_best_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock_mhz: float, seeds: int, kept: int, note: str
) -> None:
    """A program that takes the seed for what it places, and gives each a clock of its own."""
    report = '{"fmax": {"clk": {"achieved": MHZ}}, "utilization": {}, "critical_paths": []}'
    install(
        monkeypatch,
        tmp_path,
        "nextpnr-ecp5",
        f"""if [ "$1" = --version ]; then echo nextpnr-0.19; exit; fi
        while [ "$1" != --seed ]; do shift; done
        case $2 in 1) mhz=95;; 2) mhz=120;; *) mhz=110.5;; esac
        echo "seed $2" > tried.config
        echo '{report}' | sed s/MHZ/$mhz/ > report.json""",
    )
    project = replace(bare_project(tmp_path), clock_mhz=clock_mhz)
    request = SynthesisRequest("LFE5U-25F", seeds=seeds)
    device = parse_ecp5("LFE5U-25F")

    told: list[str] = []
    tries = nextpnr_synthesis.route_best(project, "LFE5U-25F", device, request, tmp_path, told.append)

    assert (tmp_path / "accelerator.config").read_text() == f"seed {kept}\n"
    assert tries.design.fmax_mhz == tries.reached[kept]
    assert tries.note == note


@pytest.mark.parametrize(
    ("part", "options", "pins"),
    [
        ("LFE5U-85F-6BG381C", ("--85k", "--package", "CABGA381", "--speed", "6"), 197),
        ("lfe5u-12f-8bg256i", ("--12k", "--package", "CABGA256", "--speed", "8"), 197),
        ("LFE5UM5G-45F", ("--um5g-45k", "--package", "CABGA381", "--speed", "8"), 197),
        ("LFE5UM-25F-7MG285C", ("--um-25k", "--package", "CSFBGA285", "--speed", "7"), 118),
    ],
)
def test_a_part_number_names_die_package_and_speed(part: str, options: tuple[str, ...], pins: int) -> None:
    device = parse_ecp5(part)

    assert (device.options, device.pins) == (options, pins)


def test_other_part_numbers_are_refused() -> None:
    with pytest.raises(UsageError) as raised:
        parse_ecp5("xc7z020clg400-1")

    assert str(raised.value) == (
        "synth: nextpnr-ecp5: 'xc7z020clg400-1' is no part number of an ECP5; "
        "give one such as LFE5U-85F-6BG381C"
    )


def test_yosys_has_a_family_for_each_part() -> None:
    parts = ("xc7z020clg400-1", "xczu3eg-sbva484-1-e", "xck26-sfvc784-2LV-c", "LFE5U-85F-6BG381C")

    assert [synthesis_family(part) for part in parts] == ["xc7", "xcup", "xcup", "ecp5"]
    whole, joined = (
        yosys_script("top", ["top.sv"], "xcup", by_module=by_module) for by_module in (False, True)
    )
    assert "synth_xilinx -family xcup -noiopad -noclkbuf -flatten -top top\n" in whole
    assert "synth_xilinx -family xcup -noiopad -noclkbuf -top top\n" in joined and "\nflatten\n" in joined


def test_modules_that_are_mapped_one_by_one_are_joined(tmp_path: Path) -> None:
    require_yosys()
    (tmp_path / "leaf.sv").write_text(
        "module leaf(input logic [7:0] a, output logic y); assign y = ^a; endmodule\n"
    )
    (tmp_path / "top.sv").write_text(
        "module top(input logic [15:0] a, output logic y);\n  logic p, q;\n"
        "  leaf u_p(.a(a[7:0]), .y(p));\n  leaf u_q(.a(a[15:8]), .y(q));\n  assign y = p & q;\nendmodule\n"
    )
    script = yosys_script("top", ["leaf.sv", "top.sv"], "ecp5", by_module=True, verilog="top.v")

    usage = read_usage(yosys(script, tmp_path))

    # A parity of 8 bits is two or more look-up tables, and their conjunction is one of its own.
    assert usage.lut >= 5
    assert (tmp_path / "top.v").read_text().count("endmodule") == 1


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(UsageError) as raised:
        SynthesisRequest("xc7", jobs=0)
    assert str(raised.value) == "synth: 0 jobs cannot be; choose 1 or more"
    with pytest.raises(UsageError) as raised:
        SynthesisRequest("xc7", seed=-1)
    assert str(raised.value) == "synth: a seed of -1 cannot be; choose 0 or more"
    with pytest.raises(UsageError) as raised:
        SynthesisRequest("xc7", seeds=0)
    assert str(raised.value) == "synth: 0 seeds cannot be; choose 1 or more"


def test_a_run_replaces_the_last_one_and_keeps_the_log_of_a_failure(tmp_path: Path) -> None:
    project = bare_project(tmp_path)
    with workplace(project, "yosys") as work:
        (work / "old.txt").write_text("old")
        assert not kept_folder(project, "yosys").exists()

    with pytest.raises(ToolFailedError) as raised, workplace(project, "yosys") as work:
        (work / "yosys.log").write_text("why")
        raise ToolFailedError(f"synth: yosys fails in '{work}'")

    kept = tmp_path / "build" / "synth" / "yosys"
    assert str(raised.value) == f"synth: yosys fails in '{kept}'"
    assert [path.name for path in kept.iterdir()] == ["yosys.log"]
    with pytest.raises(KeyboardInterrupt), workplace(project, "yosys"):
        raise KeyboardInterrupt
    assert [path.name for path in kept.parent.iterdir()] == ["yosys"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o755
