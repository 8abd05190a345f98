"""Watch a simulation by the files that it writes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Progress = Callable[[int, int], None]
INTERVAL = 0.2
QUIET_SECONDS = 2.0


def watch(
    processes: Sequence[subprocess.Popen[bytes]],
    files: Sequence[Path],
    frame_bytes: int,
    frames: int,
    progress: Progress | None,
) -> None:
    """Wait for all processes, and call `progress` with frames done and frames in all meanwhile.

    Args:
        processes: what to wait for.
        files: where they write the output, in all `frame_bytes` for each frame.
        frame_bytes: see `files`.
        frames: frames in all.
        progress: what to call, if anything.
    """
    for process in processes:
        while not _ended(process):
            written = sum(file.stat().st_size for file in files if file.exists())
            if progress is not None:
                progress(min(written // frame_bytes, frames), frames)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process ends within the interval."""
    try:
        process.wait(INTERVAL)
    except subprocess.TimeoutExpired:
        return False
    return True


class ProgressLine:
    """A progress that rewrites one line on stderr, once two seconds have passed, on a terminal only."""

    def __init__(self, what: str, counted: str = "frames") -> None:
        self._what = what
        self._counted = counted
        self._started = time.monotonic()
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Show it."""
        if time.monotonic() - self._started >= QUIET_SECONDS and sys.stderr.isatty():
            self._shown = True
            print(f"\r{self._what}: {done} of {total} {self._counted}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line empty."""
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
