"""Many kernels in one program or one Verilator model: written, run, compared with golden."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.kernels.extremes import stimulus
from tests.kernels.sanitiser import compile_checked, compile_plain, reports
from thresher.emit.csim_main import csim_run
from thresher.emit.layer_header import layer_header
from thresher.emit.units import compile_layers
from thresher.hlsc import CompiledUnit
from thresher.ir.hardware import HwNode
from thresher.ir.integer import Ints
from thresher.kernels import Kernel
from thresher.share import share_dir
from thresher_sim.compare import Comparison, compare_streams
from thresher_sim.compile import compile_program
from thresher_sim.csim import run_program
from thresher_sim.project import Stream
from thresher_sim.rtl import RtlOptions, RtlResult, simulate_lanes
from thresher_sim.testbench import Lane
from thresher_sim.vectors import write_frames


@dataclass(frozen=True)
class KernelBench:
    """Kernels as nodes `k0, k1, ...` with random frames and golden outputs on disk in `folder`."""

    folder: Path
    nodes: tuple[HwNode, ...]
    frames: int

    @property
    def hls(self) -> Path:
        """The folder of the layers' headers."""
        return self.folder / "hls"

    @property
    def vectors(self) -> Path:
        """The folder of stimulus and golden beats."""
        return self.folder / "vectors"

    def inputs(self, node: HwNode) -> tuple[Stream, ...]:
        """The input streams of `node`."""
        layouts = zip(node.inputs, node.kernel.input_layouts, strict=True)
        return tuple(Stream(name, layout, "input", None, node.name) for name, layout in layouts)

    def outputs(self, node: HwNode) -> tuple[Stream, ...]:
        """The output streams of `node`."""
        return tuple(
            Stream(name, node.kernel.output_layout, "output", node.name, None) for name in node.outputs
        )

    def run_cpp(self, types: str) -> Comparison:
        """Run all units as C++ of one type set."""
        program = compile_program(self.folder / "csim.cpp", [self.hls], self.folder / "csim", types)
        return self._run_program(program, self.folder / types)

    def run_plain(self) -> Comparison:
        """Run all units as C++ that was not optimised, which takes long for words of thousands of bits."""
        program = compile_plain(self.folder / "csim.cpp", [self.hls], self.folder / "plain")
        return self._run_program(program, self.folder / "plain-results")

    def _run_program(self, program: Path, results: Path) -> Comparison:
        inputs = [stream for node in self.nodes for stream in self.inputs(node)]
        run_program(program, [*inputs, *self._all_outputs()], self.vectors, results, self.frames)
        return compare_streams(self._all_outputs(), self.vectors, results, self.frames)

    def run_checked(self) -> tuple[Comparison, list[str]]:
        """Run all units as C++ under the undefined-behaviour sanitiser; what it reports is the second.

        Signed sums do not wrap there, and members that a unit gives no value begin as a pattern of bits.
        """
        program = compile_checked(self.folder / "checked.cpp", [self.hls], self.folder / "checked")
        results = self.folder / "checked-results"
        results.mkdir()
        command = [*map(str, (program, self.vectors, results, self.frames))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:2000]
        return compare_streams(self._all_outputs(), self.vectors, results, self.frames), reports(done.stderr)

    def _all_outputs(self) -> list[Stream]:
        return [stream for node in self.nodes for stream in self.outputs(node)]

    def compile(self, clock_mhz: float = 100.0) -> dict[str, CompiledUnit]:
        """Compile all units with hlsc, and leave their SystemVerilog in `rtl`."""
        units = dict(compile_layers(self.hls, [node.name for node in self.nodes], clock_mhz))
        (self.folder / "rtl").mkdir(exist_ok=True)
        for name, unit in units.items():
            (self.folder / "rtl" / f"{name}.sv").write_text(unit.verilog)
        return units

    def run_rtl(self, stall: int, resets: int = 0, seed: int = 0) -> RtlResult:
        """Run all compiled units side by side in one Verilator model."""
        sources = [*sorted(share_dir("rtl").glob("*.sv")), *sorted((self.folder / "rtl").glob("*.sv"))]
        lanes = [
            Lane(node.name, f"u_{node.name}", self.inputs(node), self.outputs(node)) for node in self.nodes
        ]
        return simulate_lanes(
            lanes, sources, self.vectors, self.folder / "results", self.folder / "model", self.frames,
            RtlOptions(stall=stall, seed=seed, resets=resets),
        )  # fmt: skip


def make_bench(
    folder: Path, kernels: Sequence[Kernel], random: np.random.Generator, frames: int
) -> KernelBench:
    """Write the headers, the program and the vectors of `kernels`.

    They get random frames, and those that reach their bounds.
    """
    fed = [stimulus(random, kernel, frames) for kernel in kernels]
    return make_bench_of(folder, list(zip(kernels, fed, strict=True)))


def make_bench_of(
    folder: Path, fed: Sequence[tuple[Kernel, Sequence[Ints]]], hls: Path | None = None
) -> KernelBench:
    """Write the headers, the program and the vectors of kernels, each with the frames of its inputs.

    `hls` holds the header library, if that is not Thresher's own.
    """
    nodes = tuple(
        HwNode(
            f"k{index}",
            _names(f"k{index}_in", len(kernel.input_layouts)),
            _names(f"k{index}_out", kernel.output_count),
            (),
            kernel,
        )
        for index, (kernel, _) in enumerate(fed)
    )
    bench = KernelBench(folder, nodes, len(fed[0][1][0]))
    (bench.hls / "layers").mkdir(parents=True)
    (bench.hls / "thresher").symlink_to((hls or share_dir("hls")) / "thresher")
    for kernel in (kernel for kernel, _ in fed if kernel.namespace() != "thresher"):
        if not (bench.hls / kernel.namespace()).exists():
            (bench.hls / kernel.namespace()).symlink_to(kernel.cpp_folder())
    for node, (_, inputs) in zip(nodes, fed, strict=True):
        (bench.hls / "layers" / f"{node.name}.hpp").write_text(layer_header(node))
        for stream, frames in zip(bench.inputs(node), inputs, strict=True):
            write_frames(bench.vectors, stream, stream.layout.pack(frames))
        golden = node.kernel.golden(*inputs)
        for stream in bench.outputs(node):
            write_frames(bench.vectors, stream, stream.layout.pack(golden))
    (folder / "csim.cpp").write_text(_program(bench, "  static layers::{name} {name};"))
    (folder / "checked.cpp").write_text(_program(bench, _PATTERNED))
    return bench


def _names(stem: str, count: int) -> tuple[str, ...]:
    return (stem,) if count == 1 else tuple(f"{stem}{place}" for place in range(count))


# A unit in memory of which every bit is set or not by a pattern.
_PATTERNED = """\
  alignas(layers::{name}) static unsigned char {name}_memory[sizeof(layers::{name})];
  std::memset({name}_memory, 0xA5, sizeof {name}_memory);
  layers::{name}& {name} = *new ({name}_memory) layers::{name};"""


def _program(bench: KernelBench, unit: str) -> str:
    lines = ["#include <cstring>", "#include <new>", '#include "thresher/csim.hpp"']
    lines += [f'#include "layers/{node.name}.hpp"' for node in bench.nodes]
    lines += ["int main(int argc, char** argv) {", "  thresher::Csim sim(argc, argv);"]
    for node in bench.nodes:
        for stream in (*bench.inputs(node), *bench.outputs(node)):
            layout = stream.layout
            lines.append(
                f'  thresher::Tape<{layout.width}> {stream.name}("{stream.name}", {layout.beats_per_frame});'
            )
        lines.append(unit.format(name=node.name))
    lines.append("  while (sim.next_chunk()) {")
    for node in bench.nodes:
        lines += [f"    sim.play({name});" for name in node.inputs]
        lines.append(f"    {csim_run(node)}")
    return "\n".join([*lines, "  }", "}", ""])
