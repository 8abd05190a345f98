"""From a project's C++ to its SystemVerilog: hlsc on each layer's header, and which C++ it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from thresher.emit.files import write_json, write_text
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit

# Two compilers at a time: most of a unit's time is clang, in a process of its own.
_WORKERS = 2


def compile_layers(hls: Path, layers: Iterable[str], clock_mhz: float) -> Mapping[str, CompiledUnit]:
    """Compile the unit of each of `layers` from `hls/layers/<layer>.hpp`.

    Raises `ToolFailedError` and `UnsupportedModelError` as hlsc does.
    """

    def compile_layer(name: str) -> CompiledUnit:
        source = UnitSource(hls / "layers" / f"{name}.hpp", f"layers::{name}", (hls,))
        return compile_unit(source, name, clock_mhz)

    with ThreadPoolExecutor(_WORKERS) as pool:
        names = list(layers)
        return dict(zip(names, pool.map(compile_layer, names), strict=True))


def source_digest(hls: Path, layers: Sequence[str]) -> str:
    """SHA-256 over the C++ that the units of `layers` are compiled from: their headers and the library."""
    digest = hashlib.sha256()
    files = [*sorted((hls / "thresher").glob("*.hpp")), *(hls / "layers" / f"{name}.hpp" for name in layers)]
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(hls).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def refresh_rtl(project: Path) -> bool:
    """Compile the units again where the project's C++ is not the one that its RTL came from.

    Returns whether it did. Raises `UsageError` where `project` is not one, and as `compile_layers`.
    """
    path = project / "project.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    names = [layer["name"] for layer in data["layers"]]
    digest = source_digest(project / "hls", names)
    if digest == data["hls_sha256"]:
        return False
    units = compile_layers(project / "hls", names, data["clock_mhz"])
    for unit in units.values():
        write_text(project / "rtl" / f"{unit.module_name}.sv", unit.verilog)
    for layer in data["layers"]:
        layer["stages"] = units[layer["name"]].stages
    write_json(path, data | {"hls_sha256": digest})
    return True
