"""What the commands share that draw many cases and check them in processes: options, batches, a bar."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Case = TypeVar("Case")
Found = TypeVar("Found")

_LINES = 20
"""Lines that a log shows of a whole run, where a terminal would show a bar."""


def option_parser(
    module: str, description: str | None, number: int, what: str, seed: str = "the first seed"
) -> argparse.ArgumentParser:
    """A parser of `-n`, `--seed` and `--jobs` for `python -m module`; `what` and `seed` are their helps."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("-n", dest="number", type=int, default=number, help=what)
    parser.add_argument("--seed", type=int, default=0, help=seed)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    return parser


def announced_seeds(options: argparse.Namespace, name: str, what: str, console: Console) -> range:
    """The seeds that `option_parser`'s options ask for; says so first, as the command `name` of `what`."""
    seeds = range(options.seed, options.seed + options.number)
    console.print(
        f"{name}: {len(seeds)} {what}, seeds {seeds.start} to {seeds.stop - 1}, {options.jobs} jobs"
    )
    return seeds


@dataclass(frozen=True)
class Work(Generic[Case, Found]):
    """Cases, and the function that checks `batch` of them in one process."""

    check: Callable[[Sequence[Case]], Sequence[Found]]
    cases: Sequence[Case]
    batch: int

    def batches(self) -> Iterator[Sequence[Case]]:
        """The cases in order, `batch` at a time."""
        return (self.cases[first : first + self.batch] for first in range(0, len(self.cases), self.batch))


def found_in(works: Sequence[Work[Case, Found]], jobs: int, console: Console, what: str) -> Iterator[Found]:
    """Check all cases in `jobs` processes, and yield what the checks return as it comes, in no fixed order.

    A terminal shows a bar, a log a line for each twentieth; `what` names the cases in both.
    """
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    total, done, told = sum(len(work.cases) for work in works), 0, 0
    with (
        ProcessPoolExecutor(jobs) as pool,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("", total=total)
        running = {pool.submit(work.check, batch): len(batch) for work in works for batch in work.batches()}
        for future in as_completed(running):
            yield from future.result()
            done += running[future]
            progress.advance(task, running[future])
            if not console.is_terminal and done * _LINES // total > told:
                told = done * _LINES // total
                console.print(f"{done} of {total} {what}", markup=False, highlight=False)
