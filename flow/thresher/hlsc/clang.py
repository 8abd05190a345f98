"""From C++ to LLVM IR, by clang."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from thresher.errors import ToolFailedError, UsageError
from thresher.hlsc.frontend.layout import WRAPPER
from thresher.hlsc.refusal import message
from thresher.hlsc.zig import front_end
from thresher_sim.toolchain import CLANG_LIMITS, find_clang, is_zig

_FLAGS = (
    *("-std=c++20", "-O2", "-g", "-S", "-emit-llvm", "-DTHRESHER_HLSC"),
    *("-fno-exceptions", "-fno-rtti", "-fno-vectorize", "-fno-slp-vectorize", "-fno-jump-tables"),
    *("-fno-discard-value-names", "-fstandalone-debug", "-Wno-unknown-pragmas"),
    # `beat >> 8 == 0` is what it is with C++'s own integers.
    "-Wno-overloaded-shift-op-parentheses",
    # Signed sums wrap, in hardware as in the C simulation, which gives clang and g++ the same flag.
    "-fwrapv",
    # In hardware a local variable that is given no value is zero; `uninitialised.py` refuses its use.
    "-ftrivial-auto-var-init=zero",
    # What C++ leaves undefined and clang sees.
    *("-Werror=uninitialized", "-Werror=sometimes-uninitialized", "-Werror=array-bounds", "-Werror=dangling"),
    *("-Werror=division-by-zero", "-Werror=shift-count-overflow", "-Werror=shift-count-negative"),
    "-Werror=return-type",
)
# Every loop with a constant number of iterations is unrolled, every call inlined, however unlikely.
_LIMITS = {
    **dict.fromkeys(("unroll-threshold", "inline-threshold"), 100_000_000),
    **dict.fromkeys(("inlinecold-threshold", "inline-cold-callsite-threshold"), 100_000_000),
    # So is one with a variable number that clang can see never to be above this.
    "unroll-max-upperbound": 64,
}
# The same IR on every machine: zig brings the headers of every target.
_ZIG_FLAGS = ("-target", "x86_64-linux-musl", "-mcpu=baseline")

_DIAGNOSTIC = re.compile(
    r"^(?:(\S+?):(\d+):\d+: )?((?:fatal )?error|warning|note): (.*?)(?: \[-W.*\])?$", re.MULTILINE
)
# Notes that say where something is, or what else there is, and not why.
_WHERE = re.compile(
    r".*\bhere$|in (?:instantiation|call|evaluation|implicit|defaulted) |expanded from |forward declaration"
    r"|from 'diagnose_if'"
    r"|candidate (?:found|function$)|did you mean|to match|(?:use|add|insert|remove|replace|initialize) |\("
)

_ASSERTION = re.compile(r"static assertion failed(?: due to requirement '.*')?: (.*)")
_NO_COMMA = "overload resolution selected deleted operator ','"
# What an assertion of our own headers is for is the C++ that came to it.
_LIBRARY = "thresher"

_USER_DEFINED = "[-Wuser-defined-warnings]"

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+-]+")

INITIAL_OBJECT = "thresher_initial"
"""The name of the unit that clang's own evaluation of the constructor makes, as a global."""

# With `()`, members without an initial value are zero, so that clang can evaluate the whole.
_WRAPPER = """\
using Unit = {type_name};
struct ThresherPlace {{ void* address; }};
inline void* operator new(decltype(sizeof 0), ThresherPlace place) noexcept {{ return place.address; }}
extern "C" __attribute__((flatten)) void thresher_step(Unit& self, Unit::Ports& ports) {{ self.step(ports); }}
extern "C" void thresher_reset(Unit& self) {{ ::new (ThresherPlace{{&self}}) Unit; }}
extern "C" {{ [[clang::no_destroy]] Unit thresher_initial = Unit(); }}
"""


@dataclass(frozen=True)
class UnitSource:
    """A unit in C++: the class `type_name`, any C++ type expression, that `header` defines."""

    header: Path
    type_name: str
    include_dirs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class UnitIr:
    """The LLVM IR of a unit, and what clang warns of: constants that do not fit into their type."""

    text: str
    warnings: tuple[str, ...] = ()


def emit_llvm(source: UnitSource, *more_flags: str) -> UnitIr:
    """The LLVM IR of `thresher_step`, `thresher_reset` and `thresher_initial` for a unit.

    `more_flags` are clang's, and have the last word.

    Raises:
        UsageError: the header does not exist.
        ToolFailedError: clang refuses the C++; the message holds its first error.
        MissingToolError: there is no clang.
    """
    if not source.header.is_file():
        raise UsageError(f"hlsc: there is no file '{source.header}'; name the header that defines the unit")
    with tempfile.TemporaryDirectory() as folder:
        wrapper, result = Path(folder, WRAPPER), Path(folder, "unit.ll")
        wrapper.write_text(_WRAPPER.format(type_name=source.type_name))
        compiler, flags = find_clang(), (*_flags(), *more_flags)
        command = [*front_end(compiler, flags, WRAPPER)] if is_zig(compiler) else [*compiler, *flags]
        includes = include_folders(source, Path(folder))
        command += [word for include in includes for word in ("-I", str(include))]
        # By its path: a plain name would be looked for in the working folder first.
        command += ["-include", str(includes[0] / source.header.name), str(wrapper), "-o", str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolFailedError(_message(source, done.stderr))
        return UnitIr(result.read_text(), tuple(_warnings(source, done.stderr)))


def optimised(text: str) -> str:
    """LLVM IR that was emitted without any optimisation, after the ones that `emit_llvm` asks for.

    Raises:
        ToolFailedError: clang does not take its own LLVM IR.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "plain.ll"), Path(folder, "unit.ll")
        source.write_text(text)
        command = [*find_clang(), *_flags(), "-Wno-override-module", str(source), "-o", str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolFailedError(
                f"hlsc: clang does not take its own LLVM IR: {done.stderr.strip()[-200:]}; "
                "use another clang, or install the wheel ziglang"
            )
        return result.read_text()


def _flags() -> list[str]:
    flags = [*_FLAGS, *CLANG_LIMITS, *(_ZIG_FLAGS if is_zig(find_clang()) else ())]
    for name, limit in _LIMITS.items():
        flags += ["-mllvm", f"-{name}={limit}"]
    return flags


def include_folders(source: UnitSource, scratch: Path) -> list[Path]:
    """The folders for `#include`, the header's own first, by paths that every clang takes.

    Paths stand in source text and in zig's list of dependencies; one that has characters that mean
    something there is given as a link in `scratch`. Others are not, as zig resolves `..` by the text.
    """
    folders = []
    for index, include in enumerate((source.header.parent, *source.include_dirs)):
        folder = include.resolve()
        if not _PLAIN_PATH.fullmatch(str(folder)):
            link = scratch / f"include{index}"
            link.symlink_to(folder, target_is_directory=True)
            folder = link
        folders.append(folder)
    return folders


def _message(source: UnitSource, stderr: str) -> str:
    found = _DIAGNOSTIC.findall(stderr)
    at = next((index for index, (_, _, kind, _) in enumerate(found) if kind.endswith("error")), None)
    if at is None:
        last = (stderr.strip().splitlines() or ["nothing"])[-1]
        return message(source.type_name, "", f"clang says: {last}", "mend the C++")
    path, number, _, what = found[at]
    if asserted := _ASSERTION.match(what):
        what = asserted[1]
        path, number = _caller(found[at:])
    elif what != _NO_COMMA:
        what += _cause(found[at + 1 :])
    file = PurePath(path).name
    if file == WRAPPER:
        remedy = f"name a class of {source.header.name} that has a nested 'Ports' and a 'void step(Ports&)'"
        return message(source.type_name, "", f"clang says: {what}", remedy)
    line = f"{file}:{number}" if file else ""
    return message(source.type_name, line, f"clang says: {what}", _remedy(what))


def _caller(diagnostics: Sequence[tuple[str, str, str, str]]) -> tuple[str, str]:
    """The file and line of an error, or of the first C++ outside of our headers that led to it."""
    for index, (path, number, kind, _) in enumerate(diagnostics):
        if index > 0 and kind != "note":
            break
        if path and PurePath(path).parent.name != _LIBRARY:
            return path, number
    return diagnostics[0][:2]


def _remedy(what: str) -> str:
    """What to do about clang's words; `count == 4 ? 0 : count + 1` is C++ that many write first."""
    if what.startswith("conditional expression is ambiguous"):
        return (
            "convert both results of ?: to the type that is meant, as in 'last ? uint<8>(0) : uint<8>(x + 1)'"
        )
    if what == _NO_COMMA:
        return "concatenate integers only, such as the bits() of a fixed-point number"
    if found := re.match(r"no viable overloaded '(\S+)='$", what):
        operator = found[1]
        return f"write it out, as in 'x[i] = x[i] {operator} y': bits and ranges take '=' alone"
    return "mend the C++"


def _warnings(source: UnitSource, stderr: str) -> Iterator[str]:
    """What the library of types warns of, each once."""
    found = [_DIAGNOSTIC.match(line) for line in stderr.splitlines() if line.endswith(_USER_DEFINED)]
    for path, number, kind, what in dict.fromkeys(match.groups() for match in found if match):
        if kind == "warning":
            remedy = "write the number that is meant, or name the type, as in uint<8>(300)"
            yield message(source.type_name, f"{PurePath(path).name}:{number}", what, remedy)


def _cause(following: Sequence[tuple[str, str, str, str]]) -> str:
    """The first note to an error that says why, with its place, in parentheses; nothing if none does."""
    for path, number, kind, what in following:
        if kind != "note":
            break
        if not _WHERE.match(what):
            return f" ({PurePath(path).name}:{number}: {what})" if path else f" ({what})"
    return ""
