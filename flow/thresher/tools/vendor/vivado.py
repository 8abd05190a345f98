"""`thresher synth --tool vivado`: out-of-context synthesis and implementation, and what the reports say.

The reports are those of `report_utilization` (AMD UG906, Report Utilization) and `report_timing_summary`
(UG906, Report Timing Summary).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from thresher.errors import ToolFailedError
from thresher.tools.synthesis import Announce, Synthesis, SynthesisRequest, Usage
from thresher.tools.vendor.program import (
    VendorRun,
    check_request,
    check_run,
    find_program,
    read_report,
    run_script,
    script,
)
from thresher.tools.vendor.tables import find_number, parse_number, table_rows
from thresher.tools.workplace import kept_folder
from thresher_sim.project import Project

TOOL = "vivado"
_PROGRESS = re.compile(r"^(?:Starting|Phase \d+ ).*|^(?:synth|opt|place|route)_design: ")
_NOT_MET = "synth: error: timing is not met"


@dataclass(frozen=True)
class Slacks:
    """The worst slacks of setup, hold and pulse widths, in nanoseconds; None where no path has any."""

    setup: float | None
    hold: float | None
    pulse: float | None


def synthesise(project: Project, request: SynthesisRequest, announce: Announce) -> Synthesis:
    """Run `synth/vivado.tcl`; an adapter, see `synthesis.Adapter`.

    Raises:
        UsageError: another part or a family is asked for, or the project has no such layer.
        MissingToolError: there is no Vivado.
        ToolFailedError: Vivado fails, or its reports are not as they are known.
    """
    check_request(TOOL, request)
    layers = request.chosen_layers(project)
    path = script(project, "vivado.tcl")
    program = find_program(TOOL, ("vivado",), "install AMD Vivado, and source its settings64.sh")
    started = time.perf_counter()
    command = (program, "-mode", "batch", "-nojournal", "-nolog", "-source", path)
    run = run_script(project, TOOL, command, {}, _PROGRESS, announce)
    return _read(project, request, run, layers, round(time.perf_counter() - started, 1))


def _read(
    project: Project, request: SynthesisRequest, run: VendorRun, layers: tuple[str, ...], seconds: float
) -> Synthesis:
    # The script ends with an error where the clock is missed, and the figures are there all the same.
    if not (run.status and _NOT_MET in run.text):
        check_run(TOOL, run)
    folder = kept_folder(project, TOOL)
    utilization = read_report(TOOL, folder / "utilization.txt")
    timing = read_report(TOOL, folder / "timing.txt")
    slacks = read_slacks(timing)
    units = read_hierarchy(read_report(TOOL, folder / "hierarchy.txt"))
    return Synthesis(
        tool=TOOL,
        tool_version=read_version(utilization),
        part=request.part,
        target_mhz=project.clock_mhz,
        total=read_utilization(utilization),
        seconds=seconds,
        layers={name: units[f"u_{name}"] for name in layers if f"u_{name}" in units},
        fmax_mhz=None if slacks.setup is None else round(1000 / (1000 / project.clock_mhz - slacks.setup), 1),
        missed=_missed(slacks),
        critical_path=read_critical_path(timing),
        notes=("layers are counted within the whole, which Vivado optimises across their borders",),
        files=("build/synth/vivado/routed.dcp",),
    )


def _missed(slacks: Slacks) -> str | None:
    for kind, slack in (("hold", slacks.hold), ("pulse width", slacks.pulse)):
        if slack is not None and slack < 0:
            return f"the worst {kind} slack is {slack:g} ns"
    return None


def read_version(text: str) -> str:
    """The tool's version from the head of a report."""
    found = re.search(r"Tool Version\s*:\s*(Vivado v\.\S+)", text)
    if found is None:
        raise ToolFailedError("synth: vivado: its report does not say of which version it is")
    return found[1]


def read_utilization(text: str) -> Usage:
    """What `report_utilization` says of the whole; the names differ between the 7 series and UltraScale."""
    rows = list(table_rows(text, "|"))
    return Usage(
        lut=int(find_number(TOOL, rows, ("CLB LUTs", "Slice LUTs"))),
        ff=int(find_number(TOOL, rows, ("CLB Registers", "Slice Registers"))),
        bram36=find_number(TOOL, rows, ("Block RAM Tile",)),
        dsp=int(find_number(TOOL, rows, ("DSPs",))),
    )


def read_hierarchy(text: str) -> Mapping[str, Usage]:
    """What `report_utilization -hierarchical` says of each instance, by its name."""
    usages: dict[str, Usage] = {}
    columns: list[str] = []
    for row in table_rows(text, "|"):
        if row[0].strip() == "Instance":
            columns = [cell.strip() for cell in row]
        elif len(row) == len(columns):
            cells = dict(zip(columns, row, strict=True))
            usages[cells["Instance"].strip()] = Usage(
                lut=_count(cells, "Total LUTs"),
                ff=_count(cells, "FFs"),
                bram36=_count(cells, "RAMB36") + _count(cells, "RAMB18") / 2,
                dsp=_count(cells, "DSP Blocks", "DSP48 Blocks"),
            )
    if not usages:
        raise ToolFailedError("synth: vivado: its report of the hierarchy has no table")
    return usages


def _count(cells: Mapping[str, str], *names: str) -> int:
    for name in names:
        if name in cells:
            return int(parse_number(TOOL, name, cells[name]))
    raise ToolFailedError(
        f"synth: vivado: its report of the hierarchy has no column '{names[0]}'; this version is not known"
    )


def read_slacks(text: str) -> Slacks:
    """The worst slacks from the design timing summary of `report_timing_summary`."""
    lines = iter(text.splitlines())
    for line in lines:
        names = re.split(r"\s{2,}", line.strip())
        if names[0] == "WNS(ns)":
            next(lines, "")  # the rule below the names
            values = dict(zip(names, re.split(r"\s{2,}", next(lines, "").strip()), strict=False))
            return Slacks(*(_slack(values, name) for name in ("WNS(ns)", "WHS(ns)", "WPWS(ns)")))
    raise ToolFailedError("synth: vivado: its timing report has no summary; this version is not known")


def read_critical_path(text: str) -> str | None:
    """From where to where the path of the worst setup slack runs, if the timing report has it."""
    section = text.partition("Max Delay Paths")[2]
    ends = [re.search(rf"^\s*{end}:\s+(\S+)", section, re.MULTILINE) for end in ("Source", "Destination")]
    return " -> ".join(end[1] for end in ends if end) if all(ends) else None


def _slack(values: Mapping[str, str], name: str) -> float | None:
    text = values.get(name, "NA")
    return None if text in ("NA", "inf") else parse_number(TOOL, name, text)
