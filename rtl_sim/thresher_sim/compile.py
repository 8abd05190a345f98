"""Compile the C++ of a C simulation, once for each content."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .caches import tool_environment
from .checks import CHECKS, with_strict_indices
from .errors import ToolFailedError, UsageError
from .toolchain import CLANG_LIMITS, GXX_LIMITS, find_amd_include, find_clang, find_gxx, is_zig

TYPE_SETS = ("bitint", "amd")
# A message of a compiler can be pages long; its first lines say what is wrong.
SHOWN_LINES = 12
_PLAIN = ("-fno-exceptions", "-fno-threadsafe-statics")
# Signed sums wrap, in the C simulation as in hardware: hlsc gives clang the same flag.
_MEANING = ("-fwrapv",)


@dataclass(frozen=True)
class _Recipe:
    """Commands that make an object of a source, and a program of that.

    With `assemble` the first makes LLVM's text instead, in which indices are checked more strictly before
    the object is made of it.
    """

    name: str
    translate: tuple[str, ...]
    link: tuple[str, ...]
    assemble: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All that decides what comes out."""
        return (*self.translate, "", *self.assemble, "", *self.link)


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
    return _compile(
        source, includes, cache, _bitint_recipe() if types == "bitint" else _amd_recipe("-std=c++14", "-O2")
    )


def compile_checked(source: Path, includes: Sequence[Path], cache: Path) -> Path:
    """The same with clang's types, as a program that ends where its C++ does what has no meaning.

    It then says what and where, see `thresher/mistake.hpp`, which `source` includes.

    Raises:
        As `compile_program`.
    """
    return _compile(source, includes, cache, _checked_recipe())


def compile_steps_with_amd(source: Path, includes: Sequence[Path], cache: Path) -> Path:
    """The same with AMD's types, of a program that runs a unit step by step.

    Raises:
        As `compile_program`.
    """
    flags = ("-std=c++20", "-O1", "-w", "-fno-lifetime-dse", "-UNDEBUG", "-DTHRESHER_STEP_RUN")
    return _compile(source, includes, cache, _amd_recipe(*flags))


def _compile(source: Path, includes: Sequence[Path], cache: Path, recipe: _Recipe) -> Path:
    folder = cache / f"{source.stem}-{recipe.name}-{_fingerprint(source, includes, recipe)}"
    program = folder / source.stem
    if program.is_file():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{source.stem}.{os.getpid()}"
    # Not every compiler takes every path that a project may have, so it sees links with plain names.
    with tempfile.TemporaryDirectory(prefix="thresher-", ignore_cleanup_errors=True) as scratch:
        here, *links = (str(link) for link in _links([source.parent, *includes], Path(scratch)))
        flags = [f"-I{link}" for link in links]
        stop, made = ("-S", f"{scratch}/unit.ll") if recipe.assemble else ("-c", f"{scratch}/unit.o")
        _run(recipe.translate, [*flags, stop, f"{here}/{source.name}", "-o", made], source)
        if recipe.assemble:
            Path(made).write_text(with_strict_indices(Path(made).read_text()))
            _run(recipe.assemble, ["-c", made, "-o", f"{scratch}/unit.o"], source)
        _run(recipe.link, [f"{scratch}/unit.o", "-o", f"{scratch}/program"], source)
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


def _bitint_recipe() -> _Recipe:
    """Commands that compile and link with clang.

    The ziglang wheel builds a C++ library at its first C++ link, for a minute. The simulation needs
    none, as it is compiled without what would (exceptions, and locks around statics), so it is linked
    by g++, or else as C.
    """
    clang = find_clang()
    warnings = ("-Wall", "-Wextra")
    translate = (*clang, "-std=c++20", "-O2", "-march=native", *warnings, *_MEANING, *_PLAIN, *CLANG_LIMITS)
    if not is_zig(clang):
        return _Recipe("bitint", translate, clang)
    gxx = shutil.which("g++")
    return _Recipe("bitint", translate, (gxx,) if gxx else (*clang[:-1], "cc"))


def _checked_recipe() -> _Recipe:
    plain = _bitint_recipe()
    text = ("-emit-llvm", "-Xclang", "-disable-llvm-passes", "-fno-discard-value-names")
    return replace(
        plain,
        name="checked",
        translate=(*plain.translate, *CHECKS, *text),
        assemble=(*find_clang(), "-O2", "-march=native", "-fno-sanitize=all"),
    )


def _amd_recipe(*flags: str) -> _Recipe:
    """Commands that compile and link with g++; `flags` begin with the standard of C++."""
    gxx = find_gxx()
    meaning = (*_MEANING, *GXX_LIMITS, "-DTHRESHER_AMD")
    translate = (gxx, *flags, *meaning, f"-isystem{find_amd_include()}")
    return _Recipe("amd", translate, (gxx,))


def _links(folders: Sequence[Path], scratch: Path) -> Iterator[Path]:
    for index, folder in enumerate(folders):
        link = scratch / f"folder{index}"
        link.symlink_to(folder.resolve(), target_is_directory=True)
        yield link


def _fingerprint(source: Path, includes: Sequence[Path], recipe: _Recipe) -> str:
    headers = [path for folder in includes for path in _headers(folder)]
    return hash_files([source, *headers], *recipe.words)


def _headers(folder: Path) -> Iterable[Path]:
    for home, _, names in os.walk(folder, followlinks=True):
        yield from (Path(home, name) for name in names if name.endswith((".hpp", ".h")))


def _run(command: Sequence[str], arguments: Sequence[str], source: Path) -> None:
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, env=tool_environment()
    )
    if done.returncode:
        raise ToolFailedError(
            f"csim: '{source}' does not compile with {' '.join(command[:4])}: {summarise_log(done.stderr)}"
        )
