"""FST waves: Verilator's writer needs LZ4 and zlib, or the few lines of ours that stand in for them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .toolchain import find_gxx

STAND_INS = Path(__file__).parent / "fst"
TRACE_FLAGS = ("--trace-fst", "--trace-structs")
# An `ar` archive without members: Verilator's makefile links -llz4 and -lz whatever the headers are.
EMPTY_ARCHIVE = b"!<arch>\n"


def wave_flags() -> tuple[str, ...]:
    """Verilator's flags for a model that can write FST.

    Raises:
        MissingToolError: there is no g++.
    """
    if _has_libraries():
        return TRACE_FLAGS
    return (*TRACE_FLAGS, "-CFLAGS", f"-I{STAND_INS}", "-LDFLAGS", "-L.")


def prepare_folder(folder: Path) -> None:
    """Put into the build folder what `wave_flags` counts on."""
    for name in ("liblz4.a", "libz.a"):
        (folder / name).write_bytes(EMPTY_ARCHIVE)


def _has_libraries() -> bool:
    includes = "#include <lz4.h>\n#include <zlib.h>\n"
    command = [find_gxx(), "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(command, input=includes, text=True, capture_output=True, check=False)
    return done.returncode == 0
