"""`thresher synth --tool quartus`: analysis, fit and timing with Quartus, and what its reports say.

The reports are the fitter's and the timing analyser's summaries and the fitter's resource usage (Intel
Quartus Prime Standard Edition User Guide: Compiler). Look-up tables are counted as ALUTs, of which an ALM has
two, or as combinational functions; memories as so many 36-kbit blocks as their bits fill.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from thresher.errors import ToolFailedError, UsageError
from thresher.tools.synthesis import Announce, Synthesis, SynthesisRequest, Usage
from thresher.tools.vendor.program import (
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

TOOL = "quartus"
_PROGRESS = re.compile(r"^Info.*: (?:Running|Processing started|Quartus Prime .* was successful)")
_BLOCK_BITS = 36 * 1024
_ALUTS = ("Combinational ALUT usage for logic", "Total combinational functions")


def synthesise(project: Project, request: SynthesisRequest, announce: Announce) -> Synthesis:
    """Run `synth/quartus.tcl`, for the part or family that its environment variables name.

    An adapter, see `synthesis.Adapter`.

    Raises:
        UsageError: another part or a family is asked for.
        MissingToolError: there is no Quartus.
        ToolFailedError: Quartus fails, or its reports are not as they are known.
    """
    check_request(TOOL, request)
    if request.layers:
        raise UsageError(f"synth: {TOOL} gives no figures of layers; ask for the whole only")
    path = script(project, "quartus.tcl")
    program = find_program(TOOL, ("quartus_sh",), "install Intel Quartus Prime, and put its bin on PATH")
    started = time.perf_counter()
    run = run_script(project, TOOL, (program, "-t", path), {}, _PROGRESS, announce)
    check_run(TOOL, run)
    folder = kept_folder(project, TOOL)
    summary = read_summary(read_report(TOOL, folder / f"{project.top}.fit.summary"))
    slacks = read_slacks(read_report(TOOL, folder / f"{project.top}.sta.summary"))
    usage = read_usage(summary, read_report(TOOL, folder / f"{project.top}.fit.rpt"))
    setup = slacks.get("Setup")
    return Synthesis(
        tool=TOOL,
        tool_version=f"Quartus Prime {_field(summary, 'Quartus Prime Version')}",
        part=_field(summary, "Device"),
        target_mhz=project.clock_mhz,
        total=usage,
        seconds=round(time.perf_counter() - started, 1),
        fmax_mhz=None if setup is None else round(1000 / (1000 / project.clock_mhz - setup), 1),
        missed=_missed(slacks),
        notes=(
            "look-up tables are ALUTs or combinational functions; memories are bits in blocks of 36 kbit",
        ),
        files=(f"build/synth/{TOOL}/{project.top}.fit.rpt",),
    )


def _missed(slacks: Mapping[str, float]) -> str | None:
    for kind, slack in slacks.items():
        if kind != "Setup" and slack < 0:
            return f"the worst {kind.lower()} slack is {slack:g} ns"
    return None


def read_summary(text: str) -> Mapping[str, str]:
    """The lines `name : value` of a summary; of a name that recurs, the first."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, found, value = line.partition(" : ")
        if found:
            fields.setdefault(name.strip(), value.strip())
    return fields


def read_usage(summary: Mapping[str, str], fit: str) -> Usage:
    """What was used: from the fitter's summary, and for look-up tables from its report."""
    rows = [*([name, value] for name, value in summary.items()), *table_rows(fit, ";")]
    bits = find_number(TOOL, rows, ("Total block memory bits", "Total memory bits"), default=0)
    return Usage(
        lut=int(find_number(TOOL, rows, _ALUTS)),
        ff=int(find_number(TOOL, rows, ("Total registers",))),
        bram36=round(bits / _BLOCK_BITS, 2),
        dsp=int(
            find_number(TOOL, rows, ("Total DSP Blocks", "Embedded Multiplier 9-bit elements"), default=0)
        ),
    )


def read_slacks(text: str) -> Mapping[str, float]:
    """The worst slack of each kind, over all models and clocks, in nanoseconds.

    Raises:
        ToolFailedError: the summary has none.
    """
    slacks: dict[str, float] = {}
    kind = None
    for line in text.splitlines():
        if found := re.match(r"Type\s*: .*\b(Setup|Hold|Recovery|Removal|Minimum Pulse Width)\b", line):
            kind = found[1]
        elif kind and (found := re.match(r"Slack\s*: (\S+)", line)):
            slack = parse_number(TOOL, "Slack", found[1])
            slacks[kind] = min(slack, slacks.get(kind, slack))
    if not slacks:
        raise ToolFailedError("synth: quartus: its timing summary has no slack; this version is not known")
    return slacks


def _field(summary: Mapping[str, str], name: str) -> str:
    if name not in summary:
        raise ToolFailedError(f"synth: quartus: its summary has no '{name}'; this version is not known")
    return summary[name]
