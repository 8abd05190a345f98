"""Write a whole project: C++, SystemVerilog, simulation, synthesis scripts, driver, reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from thresher.emit import documents
from thresher.emit.csim_main import csim_main
from thresher.emit.description import describe_project, describe_report
from thresher.emit.design import Design
from thresher.emit.files import write_json, write_text
from thresher.emit.hls_top import (
    hls_layer_top,
    hls_layer_top_name,
    hls_top,
    hls_top_bench,
    hls_top_header,
)
from thresher.emit.layer_header import layer_header, layer_header_name
from thresher.emit.own_files import keep_own_files
from thresher.emit.replacing import replacing
from thresher.emit.sv_top import TOP, sv_top
from thresher.emit.synthesis import TEMPLATES, synthesis_files
from thresher.emit.units import compile_layers, write_units
from thresher.hardware.golden import golden_chunks
from thresher.hardware.next_step import next_step
from thresher.hardware.parts import family_of
from thresher.hlsc import CompiledUnit
from thresher.kernels import Kernel, all_kernels
from thresher.lower.stimulus import draw_frames
from thresher.lower.storage import digest_folder, dump_lowered
from thresher.share import share_dir
from thresher.timing.network import Timing, time_graph
from thresher_sim.project import load_project
from thresher_sim.sources import hls_digest
from thresher_sim.vectors import write_vectors

Announce = Callable[[str], None]

VECTOR_FRAMES = 16
"""Frames of a project's own vectors: at random and, every other one, at the ends of what layers can sum."""
_VECTOR_SEED = 1


def silent(_: str) -> None:
    """Announce nothing."""


def write_project(design: Design, target: Path, announce: Announce = silent, force: bool = False) -> None:
    """Write the project of `design` to the folder `target`, whole or not at all.

    The same design gives byte-identical files. An earlier Thresher project there is replaced, but for the
    user's own files. `announce` is told what is being done.

    Raises:
        UsageError: `target` exists and is not a Thresher project, or without `force` one whose files were
            edited; or it cannot be written.
        MissingToolError, ToolFailedError: clang is missing, or failed.
    """
    with replacing(target, force=force) as folder, ThreadPoolExecutor(1) as beside:
        _write_cpp(design, folder / "hls")
        names = [node.name for node in design.graph.nodes]
        announce(f"compiling {len(names)} units")
        units = compile_layers(folder / "hls", names, design.clock_mhz, family_of(design.part))
        announce("sizing FIFOs")
        # Sizing waits for a simulator in a process of its own.
        faster = beside.submit(next_step, design.layers)
        timing = time_graph(design.graph, {name: units[name].stages for name in names})
        announce("writing the project")
        write_text(folder / "hls" / "top.cpp", hls_top(design.graph, timing.depths))
        # Those among the C++ count in its digest.
        keep_own_files(target, folder, force=force, below="hls")
        sources = _write_rtl(design, units, timing, folder / "rtl")
        _write_model(design, folder / "model")
        digests = {
            "hls_sha256": hls_digest(folder / "hls", names),
            "network_sha256": digest_folder(folder / "model"),
        }
        write_json(folder / "project.json", describe_project(design, timing, units, digests))
        write_json(
            folder / "reports" / "report.json", describe_report(design, timing, units, faster.result())
        )
        _write_simulation(design, folder)
        for name, text in synthesis_files(design, sources).items():
            write_text(folder / "synth" / name, text)
        _write_documents(design, timing, folder)


def _write_cpp(design: Design, hls: Path) -> None:
    shutil.copytree(share_dir("hls") / "thresher", hls / "thresher")
    for node in design.graph.nodes:
        _copy_headers(node.kernel, hls)
        write_text(hls / layer_header_name(node), layer_header(node))
        write_text(hls / hls_layer_top_name(node), hls_layer_top(node))
    write_text(hls / "csim.cpp", csim_main(design.graph))
    write_text(hls / "top.hpp", hls_top_header(design.graph))
    write_text(hls / "top_tb.cpp", hls_top_bench())


def _copy_headers(kernel: Kernel, hls: Path) -> None:
    """Copy what the C++ of another package's kernel lies among; Thresher's own is there."""
    if type(kernel) in all_kernels():
        return
    folder = hls / kernel.namespace()
    folder.mkdir(exist_ok=True)
    for header in sorted(kernel.cpp_folder().glob("*.hpp")):
        shutil.copyfile(header, folder / header.name)


def _write_rtl(design: Design, units: Mapping[str, CompiledUnit], timing: Timing, rtl: Path) -> list[str]:
    """Write cells, units and top; return the files' names in the order in which to compile them."""
    rtl.mkdir(parents=True, exist_ok=True)
    cells = sorted(path.name for path in share_dir("rtl").glob("*.sv"))
    for cell in cells:
        shutil.copyfile(share_dir("rtl") / cell, rtl / cell)
    compiled = write_units(units, rtl)
    write_text(rtl / f"{TOP}.sv", sv_top(design.graph, timing.depths))
    return [*cells, *compiled, f"{TOP}.sv"]


def _write_model(design: Design, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "network.npz").write_bytes(dump_lowered(design.lowered))
    for name, model in (("prologue", design.prologue), ("epilogue", design.epilogue)):
        if model is not None:
            (folder / f"{name}.onnx").write_bytes(model)


def _write_simulation(design: Design, folder: Path) -> None:
    shutil.copytree(share_dir("rtl_sim") / "thresher_sim", folder / "sim" / "thresher_sim", ignore=_compiled)
    project = load_project(folder)
    layout = project.input.layout
    low, high = (
        np.full(layout.vectors * layout.channels, end) for end in (layout.element.lo, layout.element.hi)
    )
    network, random = design.lowered.graph, np.random.default_rng(_VECTOR_SEED)
    frames = draw_frames(network, design.lowered.input.tensor, low, high, VECTOR_FRAMES, random)
    shaped = frames.reshape(-1, layout.vectors, layout.channels)
    write_vectors(project.vectors, project.streams, golden_chunks(design.graph, shaped))


def _write_documents(design: Design, timing: Timing, folder: Path) -> None:
    readme = documents.readme(design, timing.cycles_per_frame, timing.latency_cycles)
    write_text(folder / "README.md", readme)
    write_text(folder / "Makefile", documents.MAKEFILE)
    shutil.copytree(TEMPLATES / "driver", folder / "driver", ignore=_compiled)


_compiled = shutil.ignore_patterns("__pycache__", "*.pyc")
