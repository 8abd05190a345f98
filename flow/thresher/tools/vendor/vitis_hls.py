"""`thresher synth --tool vitis-hls`: C synthesis of the whole and of layers, and what its reports say.

C synthesis estimates sizes and the clock; nothing is placed. The report is `syn/report/csynth.xml` of a
solution (AMD UG1399, Synthesis Summary).
"""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

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
from thresher.tools.vendor.tables import parse_number
from thresher.tools.workplace import kept_folder
from thresher_sim.project import Project

TOOL = "vitis-hls"
_PROGRESS = re.compile(r"Running: |\[HLS 200-10\]|^top_tb: ")
_ESTIMATES = "sizes are the estimates of C synthesis; nothing was placed"


@dataclass(frozen=True)
class CSynthesis:
    """What C synthesis says of one top: its size, and the clock's period in nanoseconds, as estimated."""

    version: str
    usage: Usage
    period_ns: float


def synthesise(project: Project, request: SynthesisRequest, announce: Announce) -> Synthesis:
    """Run `synth/vitis_hls.tcl` on the whole, with C simulation and export, and on layers.

    An adapter, see `synthesis.Adapter`. The Verilog of the whole is what `sim --rtl vitis` then runs.

    Raises:
        UsageError: another part or a family is asked for, or the project has no such layer.
        MissingToolError: there is no Vitis HLS.
        ToolFailedError: Vitis HLS fails, or its reports are not as they are known.
    """
    check_request(TOOL, request, layers_alone=True)
    layers = request.chosen_layers(project)
    command = _command(script(project, "vitis_hls.tcl"))
    started = time.perf_counter()
    tops = []
    run = None
    for names, environment in (
        ((project.top,) if request.top else (), {"THRESHER_STEPS": "csim csynth export"}),
        (layers, {"THRESHER_LAYERS": " ".join(layers)}),
    ):
        if names:
            announce(f"C synthesis: {', '.join(names)}")
            run = _run(project, command, environment, run, announce)
            tops += list(names)
    folder = kept_folder(project, TOOL)
    found = {name: read_csynth(_report(folder, name)) for name in tops}
    whole = found.pop(project.top, None)
    versions = {each.version for each in (*found.values(), *([whole] if whole else []))}
    return Synthesis(
        tool=TOOL,
        tool_version=f"Vitis HLS {', '.join(sorted(versions))}",
        part=request.part,
        target_mhz=project.clock_mhz,
        total=whole.usage if whole else None,
        seconds=round(time.perf_counter() - started, 1),
        layers={name: each.usage for name, each in found.items()},
        missed=_missed(whole, 1000 / project.clock_mhz),
        notes=(_ESTIMATES,),
        files=(f"build/synth/{TOOL}/{project.top}/solution",) if whole else (),
    )


def _run(
    project: Project,
    command: tuple[str, ...],
    environment: dict[str, str],
    before: VendorRun | None,
    announce: Announce,
) -> VendorRun:
    """Run the script; what a run before left stays."""
    cleared = {"THRESHER_STEPS": "", "THRESHER_LAYERS": "", **environment}
    run = run_script(project, TOOL, command, cleared, _PROGRESS, announce, keep=before is not None)
    check_run(TOOL, run)
    return run


def _command(path: str) -> tuple[str, ...]:
    """Vitis HLS is a program of its own up to 2024.1, and then a mode of another."""
    remedy = "install AMD Vitis HLS, and source its settings64.sh"
    program = find_program(TOOL, ("vitis_hls", "vitis-run"), remedy)
    if Path(program).stem == "vitis_hls":
        return program, "-f", path
    return program, "--mode", "hls", "--tcl", path


def _report(folder: Path, top: str) -> str:
    return read_report(TOOL, folder / top / "solution" / "syn" / "report" / "csynth.xml")


def _missed(whole: CSynthesis | None, target_ns: float) -> str | None:
    if whole is None or whole.period_ns <= target_ns:
        return None
    return f"C synthesis estimates a period of {whole.period_ns:g} ns, and {target_ns:g} ns were asked for"


def read_csynth(text: str) -> CSynthesis:
    """What `csynth.xml` says.

    Raises:
        ToolFailedError: it is no such report.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ToolFailedError(f"synth: {TOOL}: its report csynth.xml is damaged ({error})") from None
    resources = "AreaEstimates/Resources"
    return CSynthesis(
        version=_text(root, "ReportVersion/Version"),
        usage=Usage(
            lut=int(_number(root, f"{resources}/LUT")),
            ff=int(_number(root, f"{resources}/FF")),
            bram36=_number(root, f"{resources}/BRAM_18K") / 2,
            dsp=int(_number(root, f"{resources}/DSP")),
        ),
        period_ns=_number(root, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"),
    )


def _number(root: ET.Element, path: str) -> float:
    return parse_number(TOOL, path, _text(root, path))


def _text(root: ET.Element, path: str) -> str:
    found = root.find(path)
    if found is None or not found.text:
        raise ToolFailedError(
            f"synth: {TOOL}: its report csynth.xml has no {path}; this version of the tool is not known"
        )
    return found.text.strip()
