"""RTL simulation of the Verilog that Vitis HLS made of a project's C++: the same bench, at the edges.

Vitis HLS writes the signals of an AXI4-Stream in capitals, adds TKEEP and TSTRB, and keeps the words of its
memories in files beside the Verilog. Its streams between layers have names of its own, so that only the
accelerator's input and output are compared.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .errors import UsageError
from .project import Project
from .rtl import PATIENCE_FRAMES, RtlOptions, RtlResult, simulate_lanes
from .testbench import Lane, render_vitis_adapter

# Where synth/vitis_hls.tcl leaves it: what was exported, or else what was synthesised.
FOLDERS = ("impl/verilog", "syn/verilog")
# Vitis HLS may schedule a unit for fewer than one step a cycle.
_SLOWER = 10


def simulate_vitis(
    project: Project,
    vectors: Path,
    results: Path,
    frames: int | None = None,
    options: RtlOptions | None = None,
) -> RtlResult:
    """Run the first `frames` frames of `vectors` (None for all) through the Verilog of Vitis HLS.

    Raises:
        UsageError: Vitis HLS has left no Verilog in the project, or vectors are missing or damaged.
        MissingToolError, SimulationMismatchError, ToolFailedError: as `rtl.simulate_rtl`.
    """
    verilog = find_verilog(project)
    sources = sorted(verilog.glob("*.v"))
    data = _memory_files(project, sources)
    options = options or RtlOptions()
    stated = project.estimate.cycles_per_frame or 0
    adapter, text = render_vitis_adapter(project.top, project.input, project.output)
    source, target = replace(project.input, depth=None), replace(project.output, depth=None)
    cache = project.build / "vitis"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        around = Path(scratch) / f"{adapter}.sv"
        around.write_text(text, encoding="utf-8")
        return simulate_lanes(
            [Lane(adapter, "dut", (source,), (target,), has_last=True, pad_edges=True)],
            [*sources, around],
            vectors,
            results,
            cache,
            frames,
            replace(options, patience=max(options.patience, _SLOWER * PATIENCE_FRAMES * stated)),
            data=data,
        )


def find_verilog(project: Project) -> Path:
    """The folder of the Verilog that Vitis HLS made of the project as a whole.

    Raises:
        UsageError: there is none.
    """
    solution = project.build / "synth" / "vitis-hls" / project.top / "solution"
    for name in FOLDERS:
        if (solution / name / f"{project.top}.v").is_file():
            return solution / name
    raise UsageError(
        f"sim: project '{project.name}': there is no Verilog of Vitis HLS in '{solution}'; run "
        "`make synth-vitis` in the project, or `thresher synth` with --tool vitis-hls"
    )


def _memory_files(project: Project, sources: Sequence[Path]) -> list[Path]:
    """The files beside `sources` that memories get their words from.

    Verilator only warns of one that is missing. Raises `UsageError`.
    """
    found = {
        path.with_name(Path(name).name)
        for path in sources
        for name in re.findall(r'\$readmem[hb]\s*\(\s*"([^"]+)"', path.read_text(encoding="utf-8"))
    }
    for path in sorted(found):
        if not path.is_file():
            raise UsageError(
                f"sim: project '{project.name}': the words of a memory, '{path}', are missing; "
                "run `make synth-vitis` in the project again"
            )
    return sorted(found)
