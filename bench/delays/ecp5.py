"""Measure on ECP5: cases are placed and routed by nextpnr, each in a clock domain of its own.

nextpnr optimises every domain for its own slowest path, so eight cases share a run without harm.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.delays.cases import Case, read_cases
from thresher.tools.open_synthesis import nextpnr_ecp5, yosys

PLL_OUTPUTS = ("CLKOP", "CLKOS", "CLKOS2", "CLKOS3")
CASES_PER_RUN = 8
SEEDS = (1, 2, 3)
DEVICE = ("--25k", "--package", "CABGA381", "--speed", "6")


def measure(cases: Sequence[Case], folder: Path) -> tuple[dict[Case, float], float]:
    """The nanoseconds from clock edge to clock edge of each case, and those of which registers take.

    Of several placements the median counts.
    """
    found: dict[Case, float] = {}
    register = 0.0
    ordered = sorted(cases, key=lambda case: (case.needs_block_memory, sum(case.operands)))
    for start in range(0, len(ordered), CASES_PER_RUN):
        group = ordered[start : start + CASES_PER_RUN]
        synthesise(group, folder)
        runs = [_route(folder, seed) for seed in SEEDS]
        for case in group:
            paths = [_segments(run, f"clk_{case.name}") for run in runs]
            found[case] = statistics.median_low(sum(path.values()) for path in paths)
            if case.curve == "gate":
                register = paths[0]["clk-to-q"] + paths[0]["setup"]
    return found, register


def synthesise(group: Sequence[Case], folder: Path) -> None:
    """Write the netlist of a run's cases to `netlist.json`."""
    (folder / "top.v").write_text(_top(group), encoding="utf-8")
    block_memory = "" if any(case.needs_block_memory for case in group) else "-nobram"
    yosys(
        f"{read_cases(group, folder)}read_verilog top.v\nsetattr -mod -unset keep_hierarchy *\n"
        f"synth_ecp5 -top top {block_memory} -json netlist.json\n",
        folder,
    )


def _route(folder: Path, seed: int) -> list[dict[str, Any]]:
    arguments = [*DEVICE, "--json", "netlist.json", "--report", "report.json", "--seed", str(seed)]
    nextpnr_ecp5([*arguments, "--freq", "200", "--timing-allow-fail", "--lpf-allow-unconstrained"], folder)
    report: Mapping[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    paths: list[dict[str, Any]] = report["critical_paths"]
    return paths


def _segments(paths: Sequence[Mapping[str, Any]], clock: str) -> dict[str, float]:
    """Nanoseconds of the slowest path within a clock domain: `clk-to-q`, `routing`, `logic`, `setup`."""
    found: dict[str, float] = {}
    for path in paths:
        if {path["from"].split("$")[-1].split()[-1], path["to"].split("$")[-1].split()[-1]} == {clock}:
            for segment in path["path"]:
                found[segment["type"]] = found.get(segment["type"], 0.0) + segment["delay"]
    return found


def _top(group: Sequence[Case]) -> str:
    """The cases with their clocks, which PLLs give: only these reach eight clock networks for sure."""
    lines = []
    for start in range(0, len(group), len(PLL_OUTPUTS)):
        clocks = dict(zip(PLL_OUTPUTS, group[start:], strict=False))
        enabled = "".join(f', .{output}_ENABLE("ENABLED")' for output in clocks)
        wires = "".join(f", .{output}(clk_{case.name})" for output, case in clocks.items())
        lines += [f"  wire clk_{case.name};" for case in clocks.values()]
        lines.append(f"  wire feedback_{start};")
        lines.append(
            f'  EHXPLLL #(.FEEDBK_PATH("INT_OP"){enabled}) u_pll_{start} (.CLKI(clk_i), .RST(1\'b0),\n'
            f"    .STDBY(1'b0), .CLKINTFB(feedback_{start}), .CLKFB(feedback_{start}){wires});"
        )
    for place, case in enumerate(group):
        lines.append(
            f"  {case.name} u_{case.name} (.clk_i(clk_{case.name}), .io_clk_i(clk_i),\n"
            f"    .bit_i(bits_i[{place}]), .bit_o(bits_o[{place}]));"
        )
    ports = (
        f"input wire clk_i, input wire [{len(group) - 1}:0] bits_i, output wire [{len(group) - 1}:0] bits_o"
    )
    return f"module top ({ports});\n" + "\n".join(lines) + "\nendmodule\n"
