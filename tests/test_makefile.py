"""The Makefile's `help`, and what it says on a machine that lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("sh", "grep", "nproc", "g++", "perl")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the files that `make setup` reads, and none of what it makes."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def path_without(folder: Path, missing: str) -> str:
    """A PATH with every program of `PROGRAMS` but one, and a Python that is content."""
    programs = folder / "programs"
    programs.mkdir()
    script(programs / "python3", "exit 0")
    for name in PROGRAMS:
        found = shutil.which(name)
        if name != missing and found is not None:
            (programs / name).symlink_to(found)
    return str(programs)


def script(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def make(folder: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None
    # The tests themselves run under make, whose own flags and level are not for this one.
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = outer if path is None else {"PATH": path}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_help_is_the_default_and_lists_the_targets(checkout: Path) -> None:
    listed = [line.split()[1] for line in make(checkout).stdout.splitlines()]

    assert " ".join(listed) == (
        "help setup demo custom-unit methods test lint bench bench-hlsc bench-cost fuzz-hlsc fuzz-networks "
        "fuzz-models sweep-units resets prove-kernels clean"
    )


@pytest.mark.parametrize("tool", ["g++", "perl"])
def test_a_missing_tool_is_named(checkout: Path, tool: str) -> None:
    run = make(checkout, "setup", path=path_without(checkout, tool))

    assert run.stderr.splitlines()[0] == (
        f"setup: {tool} is missing, and Verilator needs it; install it (Debian: apt-get install {tool})"
    )
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_named(checkout: Path) -> None:
    old = script(checkout / "python-old", "exit 1")

    run = make(checkout, "setup", f"PYTHON={old}")

    assert run.stderr.splitlines()[0] == (
        f"setup: Python 3.11 or newer is needed, and '{old}' is not; "
        "install it, or name it: make PYTHON=python3.12"
    )
    assert not (checkout / ".venv").exists()
