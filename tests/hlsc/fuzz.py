"""Compare many random units, in parallel: `python -m tests.hlsc.fuzz -n 2000 --seed 0`.

The units of the seeds from `--seed` on are compiled for random clocks and parts. Exit code 1: some differ.
The C++ and the SystemVerilog of those are kept in `build/fuzz-hlsc`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.hlsc.differential import Difference, differences
from tests.many import Work, announced_seeds, found_in, option_parser

KEPT = Path("build", "fuzz-hlsc")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if no unit differs."""
    options = _parser().parse_args(arguments)
    console = Console()
    seeds = announced_seeds(options, "fuzz-hlsc", "units", console)
    begin = time.monotonic()
    found = _all(seeds, options.jobs, options.batch, console)
    minutes = (time.monotonic() - begin) / 60
    rate = len(seeds) / minutes
    console.print(f"fuzz-hlsc: {len(found)} of {len(seeds)} units differ; {rate:.0f} units per minute")
    if found:
        failed = " ".join(str(difference.seed) for difference in found)
        console.print(f"fuzz-hlsc: seeds {failed}; again: python -m tests.hlsc.fuzz -n 1 --seed SEED")
        console.print(f"fuzz-hlsc: their C++ and SystemVerilog are in {KEPT}")
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = option_parser("tests.hlsc.fuzz", __doc__, 2000, "the number of units")
    parser.add_argument("--batch", type=int, default=40, help="units in one Verilator build")
    return parser


def _all(seeds: Sequence[int], jobs: int, batch: int, console: Console) -> list[Difference]:
    found: list[Difference] = []
    for difference in found_in([Work(_batch, seeds, batch)], jobs, console, "units"):
        console.print(f"seed {difference.seed} {difference.what}", markup=False, highlight=False)
        found.append(difference)
    return sorted(found, key=lambda difference: difference.seed)


def _batch(seeds: Sequence[int]) -> list[Difference]:
    """One batch; what belongs to a unit that differs is kept."""
    with tempfile.TemporaryDirectory() as folder:
        found = differences(Path(folder), seeds, jobs=1, both_types=True)
        for difference in found:
            KEPT.mkdir(parents=True, exist_ok=True)
            for file in (f"Unit{difference.seed}.hpp", f"unit{difference.seed}.sv"):
                if Path(folder, file).exists():
                    shutil.copy(Path(folder, file), KEPT / file)
        return found


if __name__ == "__main__":
    sys.exit(main())
