"""What the operating system refuses, as one line, and readers of the output that leave before its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

INTERRUPTED = 130
"""The exit code of an interrupt, as shells have it: 128 and SIGINT."""

LEFT = 141
"""The exit code where nobody reads what is printed any more, as shells have it: 128 and SIGPIPE."""


def describe_system_error(error: OSError) -> str:
    """Which file, or whatever else it is, cannot be had or written, why, and what to do."""
    # Of a copy the first name is the source, and the trouble is mostly at the second.
    name = error.filename2 or error.filename
    if name is None and not _has_folder():
        return "files: the working folder has been deleted; change to another and try again"
    what = f"'{name}'" if name is not None else "a file, or what standard output goes to"
    return f"files: {what}: {error.strerror or error}; mend that and try again"


def leave_quietly() -> int:
    """Print nothing from now on; the exit code. For a `BrokenPipeError`, as of `thresher report | head`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return LEFT


def _has_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True
