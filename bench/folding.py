"""How long the search for foldings takes on a deep network: `python -m bench.folding`."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from thresher.errors import UsageError
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_by_default, fold_to_fit, fold_to_target
from thresher.hardware.next_step import least_cost, next_step
from thresher.hardware.select import Layer, select_kernels
from thresher.lower.integer import IntGraph, IntMatMul, IntNode, IntThreshold, IntWindow, TensorType
from thresher.onnx_import.window import Window
from thresher_sim.streams import BIPOLAR, IntType

CONVOLUTIONS = 50
SIZE = 32
CHANNELS = (64, 128, 256, 512)


def main() -> int:
    """Fold a network of `CONVOLUTIONS` in each way and print seconds and results."""
    layers = select_kernels(deep_network())
    table = Table(title=f"{CONVOLUTIONS} convolutions of 3 x 3, 64 to 512 channels, one bit")
    for name in ("search", "seconds", "cycles per frame", "LUT", "BRAM36"):
        table.add_column(name, justify="left" if name == "search" else "right")
    searches: dict[str, Callable[[], tuple[Layer, ...]]] = {
        "target: 1,000,000 cycles": lambda: fold_to_target(layers, 1_000_000),
        "default": lambda: fold_by_default(layers),
        "fit: xczu7ev": lambda: fold_to_fit(layers, "xczu7ev"),
        "fit: xcvu9p": lambda: fold_to_fit(layers, "xcvu9p"),
    }
    for name, search in searches.items():
        start = time.perf_counter()
        try:
            folded = search()
        except UsageError as error:
            table.add_row(name, f"{time.perf_counter() - start:.1f}", str(error).partition(",")[0])
            continue
        seconds = time.perf_counter() - start
        graph = connect(folded)
        cost, cycles = least_cost(graph), max(node.kernel.cycles_per_frame for node in graph.nodes)
        table.add_row(name, f"{seconds:.1f}", f"{cycles:,}", f"{cost.lut:,}", f"{cost.bram36:g}")
    start = time.perf_counter()
    next_step(folded)
    table.add_row("next step from there", f"{time.perf_counter() - start:.1f}")
    Console().print(table)
    return 0


def deep_network() -> IntGraph:
    """Convolutions with padding and signs behind them; each time the channels double, the map halves."""
    random = np.random.default_rng(0)
    nodes: list[IntNode] = []
    tensor, size, channels = "x", SIZE, CHANNELS[0]
    for index in range(CONVOLUTIONS):
        rows = CHANNELS[len(CHANNELS) * index // CONVOLUTIONS]
        stride = rows // channels
        side = (size - 1) // stride + 1
        window = Window(size, size, (3, 3), (stride, stride), (1, 1), (1, 1), (side, side))
        source, taken = TensorType(BIPOLAR, size**2, channels), TensorType(BIPOLAR, side**2, 9 * channels)
        sums = TensorType(IntType(-9 * channels, 9 * channels), side**2, rows)
        target = TensorType(BIPOLAR, side**2, rows)
        weights = random.integers(0, 2, (rows, 9 * channels)) * 2 - 1
        levels, ascending = np.zeros((rows, 1), np.int64), np.zeros(rows, np.bool_)
        names = [f"{kind}{index}" for kind in ("window", "product", "sign")]
        nodes += [
            IntWindow(names[0], tensor, f"{names[0]}_out", (), source, taken, window, -1),
            IntMatMul(names[1], f"{names[0]}_out", f"{names[1]}_out", (), taken, sums, weights, BIPOLAR),
            IntThreshold(names[2], f"{names[1]}_out", names[2], (), sums, target, levels, ascending),
        ]
        tensor, size, channels = names[2], side, rows
    return IntGraph(tuple(nodes), ("x",), (tensor,))


if __name__ == "__main__":
    raise SystemExit(main())
