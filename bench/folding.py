"""How long the search for foldings takes on a deep network: `python -m bench.folding`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.deep_network import CONVOLUTIONS, write_deep_network
from thresher.errors import UsageError
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_by_default, fold_to_fit, fold_to_target
from thresher.hardware.next_step import least_cost, next_step
from thresher.hardware.select import Layer, select_kernels
from thresher.lower import lower
from thresher.onnx_import import import_model, read_model


def main() -> int:
    """Fold a network of `CONVOLUTIONS` in each way and print seconds and results."""
    model = write_deep_network(Path("build/folding/deep.onnx"))
    layers = select_kernels(lower(import_model(read_model(model)).graph).graph)
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


if __name__ == "__main__":
    raise SystemExit(main())
