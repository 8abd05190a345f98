"""Build the same thirty models by two revisions, and compare all that comes of them.

Every file of the projects must be equal: SystemVerilog, C++, vectors of every stream, folding, FIFO depths,
cycles and latencies of the report; of five projects also the cycles of the RTL simulation and Yosys' LUTs and
flip-flops. Words that a revision renamed are given in a file, `old new` in each line. The ONNX files are
written once, by this revision. Exit code 1: something differs.

    python -m bench.same HEAD~1
    python -m bench.same v0.1 --names renamed.txt --without sim/thresher_sim README.md
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench.same.build import Made, make
from bench.same.compare import differences, read_renaming
from bench.same.models import write_cases

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Compare the working tree with another revision; 1 if something differs."""
    options = _parser().parse_args()
    renaming, console, differing = read_renaming(options.names), Console(soft_wrap=True, markup=False), 0
    with tempfile.TemporaryDirectory(prefix="thresher-same-") as name, _worktree(options.revision) as before:
        folder = Path(name)
        count = 0
        for case in write_cases(folder):
            if options.only and case.name not in options.only:
                continue
            count += 1
            old, new = (_only(make(case, tree, folder), options.without) for tree in (before, ROOT))
            found = list(differences(old, new, renaming))
            differing += bool(found)
            state = f"refused alike ({new.code})" if new.code else f"{len(new.files)} files alike"
            console.print(f"{case.name}: {'DIFFERS' if found else state}")
            for line in found:
                console.print(f"  {line}")
    console.print(f"same: {differing} of {count} models differ")
    return 1 if differing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.same",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("revision", help="of git, to compare the working tree with")
    parser.add_argument("--names", type=Path, metavar="FILE", help="renamed words, `old new` in each line")
    parser.add_argument("--only", nargs="+", metavar="MODEL", help="only these models")
    parser.add_argument(
        "--without",
        nargs="+",
        default=(),
        metavar="PATH",
        help="files and folders of projects that may differ",
    )
    return parser


def _only(made: Made, without: list[str]) -> Made:
    kept = {
        name: data
        for name, data in made.files.items()
        if not any(Path(name).is_relative_to(path) for path in without)
    }
    return replace(made, files=kept)


@contextmanager
def _worktree(revision: str) -> Iterator[Path]:
    """The files of a revision, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="thresher-before-") as name:
        archive = subprocess.run(
            ["git", "archive", "--format=tar", revision], cwd=ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", name], input=archive.stdout, check=True)
        yield Path(name)


if __name__ == "__main__":
    sys.exit(main())
