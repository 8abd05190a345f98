"""Give many mutated files to the command line, in parallel: `python -m tests.fuzz_models -n 1000 --seed 0`.

Models, arrays, folding files, projects and options of the seeds from `--seed` on must be taken or refused,
with exit codes 0, 2, 3, 4 and 5 only, in one line, 20 s of the processor and 2 GiB. Exit code 1: some are
not.
The files of those are kept in `build/fuzz-models`, each in a folder by its seed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.fuzz_models.cases import Result, try_case
from tests.many import Work, announced_seeds, found_in, option_parser
from tests.small_models import save_small_model
from thresher.cli import main as thresher

KEPT = Path("build", "fuzz-models").absolute()
_BATCH = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if every case ends as it should."""
    options = _parser().parse_args(arguments)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    seeds = announced_seeds(options, "fuzz-models", "cases", console)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        works = [Work(partial(try_all, project, options.builds_of), seeds, _BATCH)]
        results = list(_told(found_in(works, options.jobs, console, "cases"), console))
    _summarise(results, console)
    console.print(f"fuzz-models: {time.monotonic() - begin:.0f} s")
    failed = sorted(result.seed for result in results if result.problem)
    if failed:
        console.print(f"fuzz-models: seeds {' '.join(map(str, failed))}; they are kept in {KEPT}")
        console.print("fuzz-models: again: python -m tests.fuzz_models -n 1 --builds-of 1 --seed SEED")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = option_parser("tests.fuzz_models", __doc__, 1000, "the number of cases")
    parser.add_argument(
        "--builds-of", type=int, default=4, help="one model of so many that can be built is; 0: none is"
    )
    return parser


def make_project(folder: Path) -> Path:
    """A project to be mutated."""
    model = save_small_model(folder / "small.onnx")
    assert thresher(["build", str(model), "-o", str(folder / "project")]) == 0
    return folder / "project"


def try_all(project: Path, builds_of: int, seeds: Sequence[int]) -> list[Result]:
    """The cases of `seeds`; the files of those that fail are kept."""
    results = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            builds = builds_of > 0 and seed % builds_of == 0
            results.append(try_case(seed, Path(folder), project, builds))
            if results[-1].problem:
                kept = KEPT / str(seed)
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("pipe"))
    return results


def _told(results: Iterator[Result], console: Console) -> Iterator[Result]:
    for result in results:
        if result.problem:
            console.print(f"seed {result.seed} {result.kind}: {result.problem[:300]}")
        yield result


def _summarise(results: Sequence[Result], console: Console) -> None:
    """How often each kind ended with which exit code, and the most that any took."""
    counts = Counter((result.kind, result.attempts[-1].code) for result in results)
    for kind in sorted({kind for kind, _ in counts}):
        codes = {code: count for (each, code), count in sorted(counts.items()) if each == kind}
        console.print(f"{kind}: {', '.join(f'{count} x {code}' for code, count in codes.items())}")
    attempts = [each for result in results for each in result.attempts]
    seconds, size = max(each.seconds for each in attempts), max(each.bytes for each in attempts)
    failed = sum(result.problem is not None for result in results)
    console.print(
        f"fuzz-models: {failed} of {len(results)} cases fail; at most {seconds:.1f} s of the processor "
        f"and {size / 2**20:.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main())
