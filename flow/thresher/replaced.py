"""Projects that are built again while a command reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thresher.errors import ThresherError, UsageError


@contextmanager
def noticing_a_new_build(project: Path | None) -> Iterator[None]:
    """Name the cause where a command fails because its project was built again meanwhile.

    A build exchanges the whole folder, so that the command may have read files of both projects.

    Raises:
        UsageError: It failed, and the folder is another one.
    """
    before = _identity(project)
    try:
        yield
    except (ThresherError, OSError) as error:
        if before is None or isinstance(error, BrokenPipeError) or _identity(project) == before:
            raise
        raise UsageError(
            f"project: '{project}' was built again while it was read; run the command again, without a build "
            "at the same time"
        ) from error


def _identity(project: Path | None) -> tuple[int, int] | None:
    """What no other folder has while this one is there; None where there is none."""
    try:
        state = None if project is None else project.stat()
    except OSError:
        return None
    return None if state is None else (state.st_dev, state.st_ino)
