"""`python -m bench.convolutional`: CNV through the whole chain, and the build of a deep network."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import thresher
from bench.compile_time import CNV
from bench.deep_network import CONVOLUTIONS, write_deep_network
from bench.measure import timed
from bench.qonnx_executor import execute
from tests.branching_models import RESNET20, residual_network
from tests.models import export_cnv, export_network, padded_cnv
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_to_target
from thresher.hardware.select import select_kernels
from thresher.hardware.told import fold_as_told, parse_folding
from thresher.ir.hardware import HwGraph
from thresher.lower import lower
from thresher.onnx_import import import_model, read_model
from thresher.timing.network import time_graph

# Matrices of so few words that look-up tables would hold them, at the price of many.
CNV_IN_BLOCKS = ("mvu2", "mvu3")
CNV_FOLDING = {
    f"mvu{index}": {
        "pe": pe,
        "simd": simd,
        "ram_style": "block" if f"mvu{index}" in CNV_IN_BLOCKS else "auto",
    }
    for index, (_, _, pe, simd) in enumerate(CNV)
}
DEEP_CYCLES = 1_000_000
PADDED_CYCLES, PADDED_IMAGES = 100_000, 2
RESIDUAL_CYCLES, RESIDUAL_IMAGES = 150_000, 4
GOLDEN_IMAGES, QONNX_IMAGES, CSIM_IMAGES, RTL_IMAGES = 500, 10, 16, 5
REPEATS = 3
MEGA = 1024.0


@dataclass(frozen=True)
class Figure:
    """A measured number, and the bound that it should keep: the most or the least, if there is one."""

    what: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def within_bounds(self) -> bool:
        """Whether it keeps its bound."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"


def main() -> int:
    """Measure, and return the exit code: 1 if a simulation differs, or a figure misses its bound."""
    parser = argparse.ArgumentParser(prog="python -m bench.convolutional", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/convolutional"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/convolutional.json"), help="the figures")
    arguments = parser.parse_args()
    console = Console()
    arguments.output.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    for name, measure in (
        ("CNV_1W1A", measure_cnv),
        ("padded CNV", measure_padded),
        ("ResNet-20", measure_residual),
        (f"{CONVOLUTIONS} convolutions", measure_deep),
    ):
        with console.status(f"{name} ..."):
            figures += measure(arguments.output)
    console.print(table(figures))
    arguments.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    console.print(f"The figures are in {arguments.json}.")
    return 0 if all(figure.within_bounds for figure in figures) else 1


def measure_cnv(folder: Path) -> list[Figure]:
    """Brevitas' CNV_1W1A with random statistics, folded to 32,768 cycles per frame."""
    model = folder / "cnv_1w1a.onnx"
    export_cnv("cnv_1w1a", dynamo=False, seed=0, path=model)
    images = np.random.default_rng(0).random((GOLDEN_IMAGES, 3, 32, 32), np.float32)
    build = build_alone(model, folder / "cnv", {"folding": CNV_FOLDING})
    layers = select_kernels(lower(import_model(read_model(model)).graph).graph)
    graph = connect(fold_as_told(layers, parse_folding(CNV_FOLDING)))
    sizing = time_sizing(graph)
    accelerator = thresher.load(folder / "cnv")
    golden_seconds, golden = timed(lambda: accelerator.predict(images), REPEATS)
    outputs, qonnx_seconds = execute(model, images[:QONNX_IMAGES])
    csim = accelerator.csim(images[:CSIM_IMAGES])
    rtl_seconds, rtl = timed(lambda: accelerator.sim(images[:RTL_IMAGES]))
    differing = int(
        (outputs.reshape(QONNX_IMAGES, -1) != golden[:QONNX_IMAGES].reshape(QONNX_IMAGES, -1)).sum()
    )
    stated = accelerator.report()["estimate"]["cycles_per_frame"]
    assert rtl.cycles_per_frame is not None
    return [
        Figure("CNV: build", build["seconds"], "s", most=10),
        Figure("CNV: memory of the build", build["megabytes"], "MB", most=2000),
        Figure("CNV: sizing of its FIFOs, units assumed 2 stages deep", sizing, "s", most=10),
        Figure("CNV: golden model", GOLDEN_IMAGES / golden_seconds, "images/s", least=200),
        Figure("CNV: QONNX's executor", QONNX_IMAGES / qonnx_seconds, "images/s"),
        Figure("CNV: outputs that differ from QONNX's", differing, most=0),
        Figure("CNV: C simulation", CSIM_IMAGES / csim.seconds, "frames/s"),
        Figure(f"CNV: RTL simulation of {RTL_IMAGES} frames, Verilator's build included", rtl_seconds, "s"),
        Figure("CNV: beats that differ, C and RTL simulation", csim.mismatches + rtl.mismatches, most=0),
        Figure("CNV: cycles per frame in RTL", rtl.cycles_per_frame, most=stated),
        Figure("CNV: warnings of the RTL run", len(rtl.warnings), most=0),
    ]


def measure_padded(folder: Path) -> list[Figure]:
    """CNV with padding 1 and signs throughout: exact only by what accumulators start from."""
    torch.manual_seed(0)
    network = padded_cnv(weight_bits=1)
    model = folder / "padded.onnx"
    export_network(network, (1, 3, 32, 32), dynamo=False, path=model)
    images = np.random.default_rng(0).normal(0, 1, (PADDED_IMAGES, 3, 32, 32)).astype(np.float32)
    accelerator = thresher.build(
        model, output_dir=folder / "padded", target_fps=100e6 / PADDED_CYCLES, force=True
    )
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    differing = int((accelerator.predict(images) != expected).sum())
    rtl_seconds, rtl = timed(lambda: accelerator.sim(images))
    return [
        Figure("padded CNV: outputs that differ from torch's", differing, most=0),
        Figure("padded CNV: beats that differ in RTL simulation", rtl.mismatches, most=0),
        Figure(f"padded CNV: RTL simulation of {PADDED_IMAGES} frames, build included", rtl_seconds, "s"),
    ]


def measure_residual(folder: Path) -> list[Figure]:
    """ResNet-20 of 4 bits with random weights: nine blocks, whose shortcuts wait in FIFOs."""
    model = export_residual(folder / "resnet20.onnx")
    images = np.random.default_rng(0).random((RESIDUAL_IMAGES, 3, 32, 32), np.float32)
    build = build_alone(model, folder / "resnet20", {"target_fps": 100e6 / RESIDUAL_CYCLES})
    accelerator = thresher.load(folder / "resnet20")
    outputs, _ = execute(model, images)
    off = float(np.abs(accelerator.predict(images).reshape(outputs.shape) - outputs).max())
    rtl_seconds, rtl = timed(lambda: accelerator.sim(images))
    estimate = accelerator.report()["estimate"]
    assert rtl.cycles_per_frame is not None
    return [
        Figure("ResNet-20: build", build["seconds"], "s", most=120),
        Figure("ResNet-20: memory of the build", build["megabytes"], "MB", most=8000),
        Figure("ResNet-20: sizing of its FIFOs", time_sizing(accelerator.graph), "s"),
        Figure("ResNet-20: largest difference of a score to QONNX's executor", off, "of float32", most=1e-4),
        Figure("ResNet-20: beats that differ in RTL simulation", rtl.mismatches, most=0),
        Figure("ResNet-20: cycles per frame in RTL", rtl.cycles_per_frame, most=estimate["cycles_per_frame"]),
        Figure(f"ResNet-20: RTL simulation of {RESIDUAL_IMAGES} frames, build included", rtl_seconds, "s"),
    ]


def export_residual(path: Path) -> Path:
    """Write ResNet-20 of 4 bits with random weights, and return its path."""
    torch.manual_seed(0)
    network = residual_network(True, RESNET20, inputs=3, pixels=64)
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.rand(4, 3, 32, 32))
    export_network(network, (1, 3, 32, 32), dynamo=False, path=path, statistics=False)
    return path


def measure_deep(folder: Path) -> list[Figure]:
    """Fifty convolutions of 64 to 512 channels, folded to a million cycles per frame."""
    model = write_deep_network(folder / "deep.onnx")
    started = time.perf_counter()
    layers = select_kernels(lower(import_model(read_model(model)).graph).graph)
    lowering = time.perf_counter() - started
    folding, folded = timed(lambda: fold_to_target(layers, DEEP_CYCLES))
    sizing = time_sizing(connect(folded))
    build = build_alone(model, folder / "deep", {"target_fps": 100e6 / DEEP_CYCLES})
    return [
        Figure("deep: import and lowering", lowering, "s"),
        Figure("deep: folding", folding, "s"),
        Figure("deep: sizing of its FIFOs", sizing, "s"),
        Figure("deep: build", build["seconds"], "s", most=120),
        Figure("deep: memory of the build", build["megabytes"], "MB", most=8000),
    ]


def time_sizing(graph: HwGraph) -> float:
    """Seconds to size the FIFOs of `graph`."""
    seconds, _ = timed(lambda: time_graph(graph, {node.name: 2 for node in graph.nodes}))
    return seconds


def build_alone(model: Path, target: Path, options: Mapping[str, object]) -> dict[str, float]:
    """Build in a process of its own, whose peak of memory is the build's."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_build, model, target, dict(options)).result()


def _build(model: Path, target: Path, options: dict[str, object]) -> dict[str, float]:
    started = time.perf_counter()
    thresher.build(model, output_dir=target, force=True, **options)
    seconds = time.perf_counter() - started
    # Linux counts in kilobytes. Two clangs run at a time; the peaks need not fall together, so this is
    # an upper bound.
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"seconds": seconds, "megabytes": (peaks[0] + 2 * peaks[1]) / MEGA}


def table(figures: list[Figure]) -> Table:
    """One row a figure."""
    result = Table(title="Convolutional networks")
    result.add_column("")
    for column in ("measured", "", "bound"):
        result.add_column(column, justify="right" if column == "measured" else "left")
    for figure in figures:
        mark = "" if figure.within_bounds else " (misses)"
        digits = 0 if figure.value >= 100 or not figure.unit else 2
        result.add_row(figure.what, f"{figure.value:,.{digits}f}", figure.unit, figure.bound + mark)
    return result


if __name__ == "__main__":
    raise SystemExit(main())
