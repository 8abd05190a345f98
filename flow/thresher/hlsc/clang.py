"""From C++ to LLVM IR, by clang."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import ToolFailedError, UsageError
from thresher.hlsc.clang_messages import refusal, warnings
from thresher.hlsc.frontend.layout import WRAPPER
from thresher.hlsc.zig import front_end
from thresher_sim.caches import tool_environment
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
    # zig defines it where it optimises.
    "-UNDEBUG",
    # What C++ leaves undefined and clang sees.
    *("-Werror=uninitialized", "-Werror=sometimes-uninitialized", "-Werror=array-bounds", "-Werror=dangling"),
    *("-Werror=division-by-zero", "-Werror=shift-count-overflow", "-Werror=shift-count-negative"),
    "-Werror=return-type",
    # Only an array of no length may have more elements, and so an index past any other is seen.
    "-fstrict-flex-arrays=3",
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

# `assert` of <cassert> does what its condition does, as in the C simulation, and checks nothing.
_ASSERT_HEADER = """\
#undef assert
#ifdef NDEBUG
#define assert(...) static_cast<void>(0)
#else
#define assert(...) static_cast<void>(static_cast<bool>(__VA_ARGS__))
#endif
"""

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
        UnsupportedUnitError: clang refuses it for what hardware has no counterpart for.
        MissingToolError: there is no clang.
    """
    if not source.header.is_file():
        raise UsageError(f"hlsc: there is no file '{source.header}'; name the header that defines the unit")
    with tempfile.TemporaryDirectory() as folder:
        wrapper, result = Path(folder, WRAPPER), Path(folder, "unit.ll")
        Path(folder, "assert.h").write_text(_ASSERT_HEADER)
        wrapper.write_text(_WRAPPER.format(type_name=source.type_name))
        compiler, flags = find_clang(), (*_flags(), *more_flags)
        command = [*front_end(compiler, flags, WRAPPER)] if is_zig(compiler) else [*compiler, *flags]
        includes = include_folders(source, Path(folder))
        command += [word for include in (*includes, folder) for word in ("-I", str(include))]
        # By its path: a plain name would be looked for in the working folder first.
        command += ["-include", str(includes[0] / source.header.name), str(wrapper), "-o", str(result)]
        done = _run(command)
        if done.returncode != 0:
            raise refusal(source.type_name, source.header.name, done.stderr)
        return UnitIr(result.read_text(), tuple(warnings(source.type_name, done.stderr)))


def optimised(text: str) -> str:
    """LLVM IR that was emitted without any optimisation, after the ones that `emit_llvm` asks for.

    Raises:
        ToolFailedError: clang does not take its own LLVM IR.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "plain.ll"), Path(folder, "unit.ll")
        source.write_text(text)
        command = [*find_clang(), *_flags(), "-Wno-override-module", str(source), "-o", str(result)]
        done = _run(command)
        if done.returncode != 0:
            raise ToolFailedError(
                f"hlsc: clang does not take its own LLVM IR: {done.stderr.strip()[-200:]}; "
                "use another clang, or install the wheel ziglang"
            )
        return result.read_text()


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, env=tool_environment())


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
