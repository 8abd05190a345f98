"""`python -m bench.compile_time`: how long hlsc takes for large units, and how much memory."""

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
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.units import UINT8, binary_mvu, without_threshold, write_header
from thresher.hlsc import UnitSource, compile_unit
from thresher.kernels.mvu import Mvu

CLOCK_MHZ = 200.0
# CNV-1W1A (FINN: A Framework for Fast, Scalable Binarized Neural Network Inference, FPGA 2017), its
# nine matrices and the folding of its Pynq overlay: rows, columns, PE, SIMD.
CNV = (
    (64, 27, 16, 3),
    (64, 576, 32, 32),
    (128, 576, 16, 32),
    (128, 1152, 16, 32),
    (256, 1152, 4, 32),
    (256, 2304, 1, 32),
    (512, 256, 1, 4),
    (512, 512, 1, 8),
    (10, 512, 5, 1),
)
HARD_WIRED = (16, 784, 16, 784)
MOST_MEGABYTES = 2000.0
BOTH = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


@dataclass(frozen=True)
class Compiled:
    """Wall-clock seconds from header to SystemVerilog, and the memory of Python and clang together.

    `cpu_seconds` are those of both processes: they tell a slow compiler from a busy machine.
    """

    unit: str
    seconds: float
    cpu_seconds: float
    most_seconds: float
    megabytes: float
    stages: int
    verilog_bytes: int

    @property
    def within_bounds(self) -> bool:
        """Whether it took neither too long nor too much."""
        return self.seconds <= self.most_seconds and self.megabytes <= MOST_MEGABYTES


def cases() -> Mapping[str, tuple[Mvu, float]]:
    """Each unit with the seconds that it may take."""
    first, *middle, last = CNV
    units = [binary_mvu(*first, UINT8), *(binary_mvu(*shape) for shape in middle)]
    units.append(without_threshold(binary_mvu(*last)))
    named = {f"cnv_mvu{index}": (unit, 3.0) for index, unit in enumerate(units)}
    return named | {"hard_wired_16x784": (binary_mvu(*HARD_WIRED), 30.0)}


def main() -> int:
    """Compile the units one by one and return the exit code: 1 if one takes too long or too much."""
    parser = argparse.ArgumentParser(prog="python -m bench.compile_time", description=__doc__)
    parser.add_argument("--clock-mhz", type=float, default=CLOCK_MHZ)
    parser.add_argument("--output", type=Path, default=Path("build/compile_time"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/compile_time.json"), help="the figures")
    arguments = parser.parse_args()
    console = Console()
    results = []
    for name, (kernel, most_seconds) in cases().items():
        with console.status(f"{name} ..."):
            results.append(measure(name, kernel, arguments.output, arguments.clock_mhz, most_seconds))
    console.print(table(results))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    console.print(f"The figures are in {arguments.json}.")
    return 0 if all(result.within_bounds for result in results) else 1


def measure(name: str, kernel: Mvu, folder: Path, clock_mhz: float, most_seconds: float) -> Compiled:
    """Compile a unit in a process of its own, whose peak of memory is the unit's."""
    source = write_header(name, kernel, folder)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        figures = pool.submit(_compile, source, name, clock_mhz).result()
    return Compiled(name, most_seconds=most_seconds, **figures)


def _compile(source: UnitSource, name: str, clock_mhz: float) -> dict[str, Any]:
    started, started_cpu = time.perf_counter(), _cpu_seconds()
    unit = compile_unit(source, name, clock_mhz)
    seconds, cpu_seconds = time.perf_counter() - started, _cpu_seconds() - started_cpu
    # Linux counts in kilobytes. The two peaks need not fall together, so the sum is an upper bound.
    peaks = [resource.getrusage(who).ru_maxrss for who in BOTH]
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "megabytes": round(sum(peaks) / 1024, 1),
        "stages": unit.stages,
        "verilog_bytes": len(unit.verilog),
    }


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in BOTH]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def table(results: list[Compiled]) -> Table:
    """One row a unit."""
    result = Table(title="Compile time of hlsc")
    result.add_column("unit")
    for column in ("seconds", "at most", "CPU seconds", "MB", "stages", "Verilog kB"):
        result.add_column(column, justify="right")
    for compiled in results:
        mark = "" if compiled.within_bounds else " (misses)"
        result.add_row(
            compiled.unit,
            f"{compiled.seconds:.2f}{mark}",
            f"{compiled.most_seconds:g}",
            f"{compiled.cpu_seconds:.2f}",
            f"{compiled.megabytes:.0f}",
            str(compiled.stages),
            f"{compiled.verilog_bytes / 1000:.0f}",
        )
    return result


if __name__ == "__main__":
    raise SystemExit(main())
