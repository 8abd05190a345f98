"""Simulation of a synthesised netlist: the same bench and vectors, the cells by their models.

The models are those that Yosys ships. Of block memories and of ECP5's multiplier it ships ports alone, so
theirs are in `cells/`, after the vendors' manuals.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .errors import UsageError
from .project import Project
from .rtl import RtlOptions, RtlResult, simulate_lanes, with_patience
from .testbench import accelerator_lane
from .toolchain import find_yosys_cells

CELLS = Path(__file__).parent / "cells"
FAMILIES = ("xc7", "ecp5")


def simulate_netlist(
    project: Project,
    netlist: Path,
    family: str,
    vectors: Path,
    results: Path,
    frames: int | None = None,
    options: RtlOptions | None = None,
) -> RtlResult:
    """Run a netlist of the accelerator that is mapped to the cells of one of `FAMILIES`.

    Its input and output streams are compared: the streams inside are not there after flattening. Otherwise as
    `rtl.simulate_rtl`, without warnings.

    Raises:
        UsageError: the netlist or the vectors are missing, or there is no such family.
        MissingToolError: Verilator or what it needs is not installed, or Yosys' models are not.
        ToolFailedError: the netlist does not compile, or the run hung or failed.
    """
    if family not in FAMILIES:
        raise UsageError(
            f"sim: netlists of family {family!r} have no models; choose of {', '.join(FAMILIES)}"
        )
    if not netlist.is_file():
        raise UsageError(f"sim: netlist '{netlist}' is not there; synthesise it first")
    # There are no FIFOs to look at, as there are no streams inside.
    ends = [replace(stream, depth=None, occupancy=None) for stream in (project.input, project.output)]
    models = sorted([*CELLS.glob("*.sv"), *(CELLS / family).glob("*.sv")])
    return simulate_lanes(
        [accelerator_lane(project.top, ends)],
        [*models, netlist],
        vectors,
        results,
        project.build / "netlist" / family,
        frames,
        with_patience(project, options or RtlOptions()),
        library=find_yosys_cells(family),
    )
