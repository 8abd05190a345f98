"""C++ compiled otherwise than for the C simulation: under a sanitiser, or without optimising it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from thresher_sim.toolchain import find_clang, find_gxx

REPORTS = Path(__file__).with_name("undefined.cpp")

_COMMON = ("-std=c++20", "-g0", "-Wno-unknown-pragmas", "-fno-exceptions", "-fno-threadsafe-statics")
_CHECKED = (
    "-O2",
    # Run-time types are for a check of virtual functions, of which there are none.
    *("-fsanitize=undefined", "-fno-sanitize=vptr,function", "-fno-sanitize-trap=all"),
    "-fsanitize-recover=all",
    # Else an array that is the last member of its class, as the words of a Ram, is taken to have any length.
    "-fstrict-flex-arrays=3",
    # Locals without a value hold a pattern, so that whatever is made of them is wrong.
    "-ftrivial-auto-var-init=pattern",
)


def compile_checked(source: Path, includes: Sequence[Path], program: Path) -> Path:
    """Compile `source` to `program`, which prints a line `undefined: FILE:LINE: WHAT` for each report.

    Signed sums do not wrap there. clang compiles and g++ links, as for the C simulation.
    """
    return _compile(source, includes, program, _CHECKED, [str(REPORTS)])


def compile_plain(source: Path, includes: Sequence[Path], program: Path) -> Path:
    """Compile `source` to `program` as for the C simulation, but with `-O0`: as it is written.

    zig's clang takes `-O1` for `-O2`, which takes long for words of thousands of bits, and checks for
    undefined behaviour with `-O0` unless it is told not to.
    """
    return _compile(source, includes, program, ("-O0", "-fno-sanitize=all", "-fwrapv"), [])


def _compile(
    source: Path, includes: Sequence[Path], program: Path, flags: Sequence[str], others: Sequence[str]
) -> Path:
    unit = program.with_suffix(".o")
    folders = [word for folder in includes for word in ("-I", str(folder))]
    _run([*find_clang(), *_COMMON, *flags, *folders, "-c", str(source), "-o", str(unit)])
    _run([shutil.which("g++") or find_gxx(), str(unit), *others, "-o", str(program)])
    return program


def reports(stderr: str) -> list[str]:
    """`FILE:LINE: WHAT` of each report, with the name of the file alone."""
    lines = [
        line.removeprefix("undefined: ") for line in stderr.splitlines() if line.startswith("undefined: ")
    ]
    return [line.rpartition("/")[2] for line in lines]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
