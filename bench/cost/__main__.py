"""`python -m bench.cost`: make the table of what Yosys makes of many units; `--fit`: fit the estimates to it.

The table is made for all configurations at once; what was synthesised before from the same SystemVerilog is
not synthesised again, so that a run which was cut short goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.cost.configurations import Configuration, configurations
from bench.cost.fitting import Errors, Results, fit, write_costs
from bench.cost.makers import make
from bench.cost.synthesis import Measured, measure
from bench.cost.table import RESULTS, read_results, write_results
from thresher.kernels.parts import costs

MOST_MEDIAN, MOST_PERCENTILE_90 = 0.10, 0.25


def main() -> int:
    """Make or fit, print the errors, and return the exit code: 1 if estimates are too far off."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="only fit to the table as it is")
    parser.add_argument("--jobs", type=int, default=2, help="runs of Yosys side by side")
    parser.add_argument("--output", type=Path, default=Path("build/cost"), help="folder to work in")
    arguments = parser.parse_args()
    console = Console()
    if not arguments.fit:
        write_results(_make(arguments.output, arguments.jobs, console))
        console.print(f"The table is in {RESULTS}.")
    results = read_results()
    prices = fit(results)
    write_costs(prices, Errors(0, 0.0, 0.0, 0.0))
    costs.cache_clear()
    held_out = errors_of(results, held_out=True)
    write_costs(prices, held_out)
    console.print(table(results))
    within = held_out.median <= MOST_MEDIAN and held_out.percentile_90 <= MOST_PERCENTILE_90
    return 0 if within else 1


def _make(folder: Path, jobs: int, console: Console) -> Results:
    units = configurations()
    found: dict[Configuration, Measured] = {}
    for unit, measured in track(
        measure(units, folder, jobs), "synthesising ...", total=len(units), console=console
    ):
        found[unit] = measured
    return {unit: found[unit] for unit in units}


def estimates(units: Iterable[Configuration]) -> list[float]:
    """The look-up tables that Thresher expects of each unit."""
    return [float(make(unit.kernel, unit.values).resources().lut) for unit in units]


def errors_of(results: Results, held_out: bool, kernel: str = "") -> Errors:
    """Of the look-up tables of the units that are held out or are not; of one kernel or of all."""
    units = [unit for unit in results if unit.held_out == held_out and kernel in ("", unit.kernel)]
    return Errors.of(estimates(units), [float(results[unit].lut) for unit in units])


def table(results: Results) -> Table:
    """A row for each kernel and one for all: errors of what was fitted, then of what was held out."""
    result = Table(title="Error of the estimated LUTs against Yosys for xc7, 200 MHz")
    result.add_column("kernel")
    for split in ("fitted", "held out"):
        for column in (split, "median", "90 %", "most"):
            result.add_column(column, justify="right")
    kernels = sorted({unit.kernel for unit in results})
    for kernel in [*kernels, ""]:
        cells = []
        for held_out in (False, True):
            if any(unit.held_out == held_out and kernel in ("", unit.kernel) for unit in results):
                errors = errors_of(results, held_out, kernel)
                shown = (errors.median, errors.percentile_90, errors.largest)
                cells += [str(errors.count), *(f"{error:.1%}" for error in shown)]
            else:
                cells += [""] * 4
        if not kernel:
            result.add_section()
        result.add_row(kernel or "all", *cells)
    return result


if __name__ == "__main__":
    raise SystemExit(main())
