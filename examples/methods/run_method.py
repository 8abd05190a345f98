"""Train a network by a binarisation method, build its accelerator, simulate it, print the accuracies.

Or by all of them. Exits with 1 if a simulation differs from the golden model on any stream of any frame, the
exported model from PyTorch's classes, or the hardware from the model's where equality is promised.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chain import Outcome, Settings, run_method
from exporting import EXPORTERS
from method import Method
from training import load_split

METHODS = ("bnn", "xnor_net", "dorefa", "abc_net", "bireal", "reactnet", "float_ends", "keras_forms")


def find_method(name: str) -> Method:
    """The method of the module `name`, one of METHODS."""
    method: Method = importlib.import_module(name).METHOD
    return method


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print the table, and what it leaves unsaid."""
    table = Table(title=f"scikit-learn's digits, {outcomes[0].images} held-out images")
    table.add_column("network")
    for column in ("float", "ONNX", "RTL", "differ", "mismatch", "cycles"):
        table.add_column(column, justify="right")
    for outcome in outcomes:
        table.add_row(
            f"{outcome.method}, {outcome.variant}",
            *(f"{part:.2%}" for part in (outcome.float_twin, outcome.quantised, outcome.hardware)),
            f"{outcome.hardware_differs}{'' if outcome.exact else ' *'}",
            str(outcome.mismatches),
            "" if outcome.cycles_per_frame is None else f"{outcome.cycles_per_frame:g}",
        )
    console.print(table)
    console.print(
        "float, ONNX, RTL: accuracy of the float twin, the quantised model, the hardware.\n"
        "differ: images whose class in RTL is not the ONNX model's; * where 0 is not promised.\n"
        "mismatch: beats, of all streams, in which RTL differs from the golden model."
    )
    for outcome in outcomes:
        name = f"{outcome.method}, {outcome.variant}"
        if not outcome.exact:
            console.print(f"{name}: scores are off by up to {outcome.error:.3g}.", markup=False)
        for warning in outcome.warnings:
            console.print(f"{name}: {warning}", markup=False)


def main() -> int:
    """Run one method or all, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("method", choices=(*METHODS, "all"))
    parser.add_argument("--output", type=Path, default=Path("build/methods"), help="folder to write to")
    parser.add_argument("--exporter", choices=EXPORTERS, default=EXPORTERS[0], help="which one of PyTorch's")
    parser.add_argument("--images", type=int, default=450, help="held-out images to simulate, at most 450")
    parser.add_argument("--epochs", type=int, help="of training, instead of the method's own")
    arguments = parser.parse_args()
    settings = Settings(arguments.output, arguments.exporter, arguments.epochs, arguments.images)
    console, split = Console(), load_split()
    names = METHODS if arguments.method == "all" else (arguments.method,)
    outcomes: list[Outcome] = []
    for name in names:
        method = find_method(name)
        console.print(method.paper, markup=False)
        outcomes += run_method(method, split, settings, console.print)
    show(console, outcomes)
    return 0 if all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
