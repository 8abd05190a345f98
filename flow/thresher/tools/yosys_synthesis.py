"""`thresher synth --tool yosys`: each unit out of context and the accelerator as a whole, mapped by Yosys."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from thresher.emit.yosys import yosys_script
from thresher.hardware.parts import synthesis_family
from thresher.tools.open_synthesis import DeepPathError, require_slang, yosys
from thresher.tools.synthesis import Announce, Synthesis, SynthesisRequest, Usage
from thresher.tools.workplace import workplace
from thresher.tools.yosys_log import read_usage
from thresher_sim.project import Project

TOOL = "yosys"


@dataclass(frozen=True)
class Mapped:
    """A module as mapped; `by_module` where its modules were mapped one by one and joined then."""

    usage: Usage
    by_module: bool

    def notes(self, name: str) -> tuple[str, ...]:
        """What a reader of the figures has to know."""
        if not self.by_module:
            return ()
        return (
            f"'{name}' was mapped module by module and joined then, with nothing shared between modules: a "
            "combinational path is too deep for the stack of Yosys' WebAssembly build",
        )


def synthesise(project: Project, request: SynthesisRequest, announce: Announce) -> Synthesis:
    """Map the units and the whole to a family; an adapter, see `synthesis.Adapter`.

    Raises:
        UsageError: the project has no such layer.
        MissingToolError: there is no Yosys that reads SystemVerilog.
        ToolFailedError: Yosys fails.
    """
    family = request.family or synthesis_family(request.part)
    layers = request.chosen_layers(project)
    program = require_slang()
    started = time.perf_counter()
    # The whole takes longest, so it begins.
    names = [*([project.top] if request.top else []), *layers]
    with workplace(project, TOOL) as work:
        mapped = _map_all(project, names, family, work, request.jobs, announce)
    total = mapped.pop(project.top) if request.top else None
    return Synthesis(
        tool=TOOL,
        tool_version=f"Yosys {program.version}",
        part=family if request.family else request.part,
        target_mhz=project.clock_mhz,
        total=total.usage if total else None,
        seconds=round(time.perf_counter() - started, 1),
        layers={name: unit.usage for name, unit in mapped.items()},
        notes=(
            *(total.notes(project.top) if total else ()),
            *(note for name, unit in mapped.items() for note in unit.notes(name)),
        ),
    )


def _map_all(
    project: Project, names: Sequence[str], family: str, work: Path, jobs: int, announce: Announce
) -> dict[str, Mapped]:
    done = 0

    def map_one(name: str) -> Mapped:
        nonlocal done
        announce(f"{name}: mapping to {family}")
        folder = work / name
        mapped = map_module(name, copy_sources(project, name, folder), family, folder, announce)
        done += 1
        announce(f"{name}: {mapped.usage.lut:,} LUT, {mapped.usage.ff:,} FF ({done} of {len(names)})")
        return mapped

    with ThreadPoolExecutor(jobs) as pool:
        runs = {name: pool.submit(map_one, name) for name in names}
        try:
            return {name: run.result() for name, run in runs.items()}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def copy_sources(project: Project, name: str, folder: Path) -> list[str]:
    """Copy what the unit or top `name` is made of below `folder`, where Yosys sees it; returns the names."""
    units = {layer.name for layer in project.layers}
    others = set() if name == project.top else {project.top, *units} - {name}
    files = sorted(path for path in (project.root / "rtl").glob("*.sv") if path.stem not in others)
    (folder / "rtl").mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, folder / "rtl" / file.name)
    return [f"rtl/{file.name}" for file in files]


def map_module(
    name: str,
    sources: Sequence[str],
    family: str,
    folder: Path,
    announce: Announce,
    *,
    json: str | None = None,
    verilog: str | None = None,
) -> Mapped:
    """Map a module in `folder`, where `sources` lie; where that is too deep for the stack, module by module.

    Raises:
        MissingToolError: there is no Yosys.
        ToolFailedError: Yosys fails.
    """

    def run(by_module: bool) -> Mapped:
        script = yosys_script(name, sources, family, by_module=by_module, json=json, verilog=verilog)
        return Mapped(read_usage(yosys(script, folder)), by_module)

    try:
        return run(by_module=False)
    except DeepPathError:
        announce(f"{name}: too deep for the stack of Yosys in one piece; mapping module by module")
        return run(by_module=True)
