"""Compile the C++ of a C simulation, once for each content."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .errors import ToolFailedError, UsageError
from .toolchain import CLANG_LIMITS, GXX_LIMITS, find_amd_include, find_clang, find_gxx

TYPE_SETS = ("bitint", "amd")
# A message of a compiler can be pages long; its first lines say what is wrong.
SHOWN_LINES = 12
_PLAIN = ("-fno-exceptions", "-fno-threadsafe-statics")
# Signed sums wrap, in the C simulation as in hardware: hlsc gives clang the same flag.
_MEANING = ("-fwrapv",)


def compile_program(source: Path, includes: Sequence[Path], cache: Path, types: str = "bitint") -> Path:
    """Compile the one C++ file `source` to a program and return its path.

    Args:
        source: the file with `main`.
        includes: folders for `#include`; every `.hpp` and `.h` below them counts as content.
        cache: where programs are kept, one folder for each content and compiler.
        types: "bitint" (clang's `_BitInt`, C++20, fast) or "amd" (AMD's `ap_int`, C++14).

    Raises:
        UsageError: there is no such type set.
        MissingToolError: no compiler, or no AMD headers.
        ToolFailedError: the source does not compile.
    """
    if types not in TYPE_SETS:
        raise UsageError(f"csim: there are no types '{types}'; choose one of {', '.join(TYPE_SETS)}")
    steps = _bitint_steps() if types == "bitint" else _amd_steps()
    folder = cache / f"{source.stem}-{types}-{_fingerprint(source, includes, steps)}"
    program = folder / source.stem
    if program.is_file():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{source.stem}.{os.getpid()}"
    # Not every compiler takes every path that a project may have, so it sees links with plain names.
    with tempfile.TemporaryDirectory(prefix="thresher-", ignore_cleanup_errors=True) as scratch:
        here, *flags = (str(link) for link in _links([source.parent, *includes], Path(scratch)))
        flags = [f"-I{flag}" for flag in flags]
        _run(steps[0], [*flags, "-c", f"{here}/{source.name}", "-o", f"{scratch}/unit.o"], source)
        _run(steps[1], [f"{scratch}/unit.o", "-o", f"{scratch}/program"], source)
        shutil.copy(Path(scratch) / "program", beside)
    beside.replace(program)
    return program


def hash_files(paths: Iterable[Path], *more: str) -> str:
    """A short hash of files' names and contents, and of `more`."""
    digest = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def summarise_log(text: str) -> str:
    """The lines of a log that speak of errors, or else its last lines, joined to one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"%Error|.*\berror: |.*\bnote: constexpr evaluation", line)]
    return " | ".join(errors[:SHOWN_LINES] or lines[-SHOWN_LINES:])


def _bitint_steps() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Commands that compile and link with clang.

    The ziglang wheel builds a C++ library at its first C++ link, for a minute. The simulation needs
    none, as it is compiled without what would (exceptions, and locks around statics), so it is linked
    by g++, or else as C.
    """
    clang = find_clang()
    warnings = ("-Wall", "-Wextra")
    compile_step = (
        *clang,
        "-std=c++20",
        "-O2",
        "-march=native",
        *warnings,
        *_MEANING,
        *_PLAIN,
        *CLANG_LIMITS,
    )
    if clang[-1] != "c++":
        return compile_step, clang
    gxx = shutil.which("g++")
    return compile_step, (gxx,) if gxx else (*clang[:-1], "cc")


def _amd_steps() -> tuple[tuple[str, ...], tuple[str, ...]]:
    gxx = find_gxx()
    headers = find_amd_include()
    meaning = (*_MEANING, *GXX_LIMITS, "-DTHRESHER_AMD")
    return (gxx, "-std=c++14", "-O2", *meaning, f"-isystem{headers}"), (gxx,)


def _links(folders: Sequence[Path], scratch: Path) -> Iterator[Path]:
    for index, folder in enumerate(folders):
        link = scratch / f"folder{index}"
        link.symlink_to(folder.resolve(), target_is_directory=True)
        yield link


def _fingerprint(source: Path, includes: Sequence[Path], steps: Sequence[Sequence[str]]) -> str:
    headers = [path for folder in includes for path in _headers(folder)]
    return hash_files([source, *headers], *(word for step in steps for word in step))


def _headers(folder: Path) -> Iterable[Path]:
    for home, _, names in os.walk(folder, followlinks=True):
        yield from (Path(home, name) for name in names if name.endswith((".hpp", ".h")))


def _run(command: Sequence[str], arguments: Sequence[str], source: Path) -> None:
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolFailedError(
            f"csim: '{source}' does not compile with {' '.join(command[:4])}: {summarise_log(done.stderr)}"
        )
