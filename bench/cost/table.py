"""The committed table: a row for each configuration, with what Yosys counted."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from bench.cost.configurations import Configuration
from bench.cost.synthesis import Measured

RESULTS = Path(__file__).with_name("results.csv")
_FIGURES = tuple(field.name for field in fields(Measured))


def read_results(path: Path = RESULTS) -> dict[Configuration, Measured]:
    """All rows, in their order."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            _configuration(row): Measured(**{name: int(row[name]) for name in _FIGURES})
            for row in csv.DictReader(file)
        }


def write_results(results: Mapping[Configuration, Measured], path: Path = RESULTS) -> None:
    """Write the rows in the order of `results`, all or none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["kernel", "split", "parameters", *_FIGURES])
    for unit, measured in results.items():
        split = "held out" if unit.held_out else "fitted"
        writer.writerow([unit.kernel, split, unit.text, *asdict(measured).values()])
    part = path.with_suffix(".part")
    part.write_text(text.getvalue(), encoding="utf-8")
    part.replace(path)


def _configuration(row: Mapping[str, str]) -> Configuration:
    return Configuration.of(row["kernel"], row["parameters"], row["split"] == "held out")
