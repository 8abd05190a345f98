"""From a project's C++ to its SystemVerilog: hlsc on each layer's header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from thresher.emit.files import json_text, write_text
from thresher.emit.manifest import update_manifest
from thresher.hardware.parts import family_of
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher_sim.files import read_json
from thresher_sim.project import Project, load_project
from thresher_sim.sources import hls_digest, is_fresh

# Two compilers at a time: most of a unit's time is clang, in a process of its own.
_WORKERS = 2


def compile_layers(
    hls: Path, layers: Iterable[str], clock_mhz: float, family: str = "xc7"
) -> Mapping[str, CompiledUnit]:
    """Compile the unit of each of `layers` from `hls/layers/<layer>.hpp` for a family of parts.

    Raises `ToolFailedError` and `UnsupportedModelError` as hlsc does.
    """

    def compile_layer(name: str) -> CompiledUnit:
        source = UnitSource(hls / "layers" / f"{name}.hpp", f"layers::{name}", (hls,))
        return compile_unit(source, name, clock_mhz, family)

    with ThreadPoolExecutor(_WORKERS) as pool:
        names = list(layers)
        return dict(zip(names, pool.map(compile_layer, names), strict=True))


def write_units(units: Mapping[str, CompiledUnit], rtl: Path) -> list[str]:
    """Write the SystemVerilog of compiled units to `rtl`; return the files' names."""
    for unit in units.values():
        write_text(rtl / f"{unit.module_name}.sv", unit.verilog)
    return [f"{unit.module_name}.sv" for unit in units.values()]


def refresh_rtl(project: Project) -> Project:
    """Compile the units again where the project's C++ is not the one that its RTL came from.

    Returns the project as it then is. Raises as `compile_layers`, and `UsageError` for a part that is
    not known.
    """
    if is_fresh(project):
        return project
    names = [layer.name for layer in project.layers]
    path = project.root / "project.json"
    data = read_json(path)
    units = compile_layers(project.root / "hls", names, project.clock_mhz, family_of(data["part"]))
    for layer in data["layers"]:
        layer["stages"] = units[layer["name"]].stages
    description = json_text(data | {"hls_sha256": hls_digest(project.root / "hls", names)})
    write_units(units, project.root / "rtl")
    texts = {f"rtl/{unit.module_name}.sv": unit.verilog for unit in units.values()}
    update_manifest(project.root, {**texts, path.name: description})
    write_text(path, description)
    return load_project(project.root)
