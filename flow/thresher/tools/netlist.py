"""`thresher sim --netlist`: the accelerator as Yosys maps it, simulated by models of its cells."""

from __future__ import annotations

from pathlib import Path

from thresher.emit.yosys import yosys_script
from thresher.tools.open_synthesis import require_slang
from thresher.tools.simulation import SimulationResult, make_result
from thresher.tools.synthesis import Announce
from thresher.tools.workplace import kept_folder, workplace
from thresher.tools.yosys_synthesis import copy_sources, map_module
from thresher_sim.compile import hash_files
from thresher_sim.netlist import simulate_netlist
from thresher_sim.project import Project
from thresher_sim.rtl import RtlOptions

NETLIST = "accelerator.v"
_KEY = "key.txt"


def make_netlist(project: Project, family: str, announce: Announce) -> Path:
    """Map the accelerator to a family and write the netlist; nothing is done where it is there already.

    Raises:
        MissingToolError: there is no Yosys that reads SystemVerilog.
        ToolFailedError: Yosys fails.
    """
    program = require_slang()
    tool = f"netlist-{family}"
    kept = kept_folder(project, tool)
    script = yosys_script(project.top, (), family)
    key = hash_files((project.root / "rtl").glob("*.sv"), script, program.version)
    if (kept / NETLIST).is_file() and (kept / _KEY).is_file() and (kept / _KEY).read_text() == key:
        return kept / NETLIST
    announce(f"mapping to {family}")
    with workplace(project, tool) as work:
        sources = copy_sources(project, project.top, work)
        map_module(project.top, sources, family, work, announce, verilog=NETLIST)
        (work / _KEY).write_text(key)
    return kept / NETLIST


def run_netlist(
    project: Project,
    family: str,
    vectors: Path,
    folder: Path,
    frames: int | None,
    options: RtlOptions,
    announce: Announce,
) -> SimulationResult:
    """Map the accelerator and simulate the netlist in `folder`; the input and the output are compared.

    Raises as `make_netlist` and `thresher_sim.netlist.simulate_netlist`.
    """
    netlist = make_netlist(project, family, announce)
    announce("building the model of the netlist, then running")
    run = simulate_netlist(project, netlist, family, vectors, folder / "results", frames, options)
    return make_result(project, folder, run)
