"""From C++ to LLVM IR, by clang."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import ToolFailedError, UsageError
from thresher.hlsc.frontend.layout import WRAPPER
from thresher.hlsc.refusal import message
from thresher_sim.toolchain import find_clang

_FLAGS = (
    *("-std=c++20", "-O2", "-g", "-S", "-emit-llvm", "-DTHRESHER_HLSC"),
    *("-fno-exceptions", "-fno-rtti", "-fno-vectorize", "-fno-slp-vectorize", "-fno-jump-tables"),
    *("-fno-discard-value-names", "-fstandalone-debug", "-Wno-unknown-pragmas"),
    # Signed sums wrap, in hardware as in the C simulation, which gives clang and g++ the same flag.
    "-fwrapv",
    # What C++ leaves undefined and clang sees.
    *("-Werror=uninitialized", "-Werror=sometimes-uninitialized", "-Werror=array-bounds"),
    *("-Werror=division-by-zero", "-Werror=shift-count-overflow", "-Werror=shift-count-negative"),
    "-Werror=return-type",
)
# Every loop with a constant number of iterations is unrolled, every call inlined, however unlikely.
_LIMITS = ("unroll-threshold", "inline-threshold", "inlinecold-threshold", "inline-cold-callsite-threshold")
# The same IR on every machine: zig brings the headers of every target.
_ZIG_FLAGS = ("-target", "x86_64-linux-musl", "-mcpu=baseline")

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


def emit_llvm(source: UnitSource) -> str:
    """The LLVM IR of `thresher_step`, `thresher_reset` and `thresher_initial` for a unit.

    Raises:
        UsageError: the header does not exist.
        ToolFailedError: clang refuses the C++; the message holds its first error.
        MissingToolError: there is no clang.
    """
    if not source.header.is_file():
        raise UsageError(f"hlsc: there is no file '{source.header}'; name the header that defines the unit")
    compiler = find_clang()
    with tempfile.TemporaryDirectory() as folder:
        wrapper, result = Path(folder, WRAPPER), Path(folder, "unit.ll")
        wrapper.write_text(_WRAPPER.format(type_name=source.type_name))
        command = [*compiler, *_FLAGS, *(_ZIG_FLAGS if "ziglang" in compiler else ())]
        for limit in _LIMITS:
            command += ["-mllvm", f"-{limit}=100000000"]
        includes = include_folders(source, Path(folder))
        command += [word for include in includes for word in ("-I", str(include))]
        # By its path: a plain name would be looked for in the working folder first.
        command += ["-include", str(includes[0] / source.header.name), str(wrapper), "-o", str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolFailedError(_message(source, done.stderr))
        return result.read_text()


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
    found = re.search(r"^(?:(\S+?):(\d+):\d+: )?(?:fatal )?error: (.*?)(?: \[-W.*\])?$", stderr, re.MULTILINE)
    file = Path(found[1]).name if found and found[1] else ""
    what = found[3] if found else (stderr.strip().splitlines() or ["nothing"])[-1]
    if file == WRAPPER:
        remedy = f"name a class of {source.header.name} that has a nested 'Ports' and a 'void step(Ports&)'"
        return message(source.type_name, "", f"clang says: {what}", remedy)
    line = f"{file}:{found[2]}" if found and file else ""
    return message(source.type_name, line, f"clang says: {what}", "mend the C++")
