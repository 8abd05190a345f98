"""One command in a process of its own, with limits: how it ended, what it said, what it took."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_SECONDS = 20
MOST_BYTES = 2 << 30
ALLOWED = frozenset({0, 2, 3, 4, 5})
_NOTHING_MORE = 120
"""Seconds by the clock after which a command is taken to hang, since others use the processors as well."""


@dataclass(frozen=True)
class Attempt:
    """A command that has ended. `code` is minus the signal that ended it; `seconds` are of the processor."""

    arguments: tuple[str, ...]
    code: int
    errors: str
    seconds: float
    bytes: int

    @property
    def problem(self) -> str | None:
        """What is wrong with how it ended, or None."""
        if self.code not in ALLOWED:
            return f"exit code {self.code}"
        if self.seconds > MOST_SECONDS:
            return f"{self.seconds:.0f} s"
        if self.bytes > MOST_BYTES:
            return f"{self.bytes / 2**30:.1f} GiB"
        lines = [line for line in self.errors.splitlines() if not line.startswith("thresher: warning: ")]
        if len(lines) > 1 or any(not line.startswith("thresher: error: ") for line in lines):
            return f"{len(lines)} lines of errors"
        return "no line of errors" if self.code not in (0, 3) and not lines else None


def attempt(arguments: Sequence[str], folder: Path) -> Attempt:
    """Run `thresher` with `arguments` in the working folder `folder`.

    The process is a fork of this one, which has loaded the package: loading takes longer than most commands.
    """
    errors = folder / "stderr"
    child = os.fork()
    if child == 0:
        _run(arguments, folder, errors)
    status, usage = _wait(child)
    return Attempt(
        tuple(arguments),
        os.waitstatus_to_exitcode(status),
        errors.read_text(encoding="utf-8", errors="backslashreplace") if errors.exists() else "",
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss << 10,
    )


def _run(arguments: Sequence[str], folder: Path, errors: Path) -> None:
    """The forked process: it never returns."""
    code = 99
    try:
        os.setsid()
        os.chdir(folder)
        # Twice the limits: what goes beyond them is measured, what goes far beyond is ended.
        resource.setrlimit(resource.RLIMIT_CPU, (2 * MOST_SECONDS, 2 * MOST_SECONDS))
        for stream, path in ((1, folder / "stdout"), (2, errors)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), stream)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace")
        from thresher.cli import main

        code = main(arguments)
    except SystemExit as left:  # As for --help.
        code = left.code if isinstance(left.code, int) else 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int) -> tuple[int, resource.struct_rusage]:
    """How the process ended; one that takes too long by the clock is killed, with all that it began."""
    handle = os.pidfd_open(child)
    try:
        if not select.select([handle], [], [], _NOTHING_MORE)[0]:
            os.killpg(child, signal.SIGKILL)
    finally:
        os.close(handle)
    _, status, usage = os.wait4(child, 0)
    return status, usage
