"""Files that a user names for results: none of them may be what the command reads, or part of a project."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from thresher.emit.manifest import MANIFEST, read_manifest
from thresher.errors import UsageError


def check_output(path: Path | None, option: str, reads: Iterable[Path | None]) -> None:
    """Do nothing where a command that reads the files `reads` may write its result to `path`.

    Raises:
        UsageError: It is a folder, one of `reads`, or a file that Thresher wrote in a project.
    """
    if path is None or not path.exists():
        return
    if path.is_dir():
        raise UsageError(f"{option}: '{path}' is a folder; give the name of a file")
    if any(each is not None and each.exists() and each.samefile(path) for each in reads):
        raise UsageError(f"{option}: '{path}' is read by the command; give the name of another file")
    project = _project_of(path)
    if project is not None:
        raise UsageError(f"{option}: '{path}' is part of the project '{project}'; give another name")


def _project_of(path: Path) -> Path | None:
    """The project of which Thresher wrote `path`."""
    whole = path.resolve()
    for folder in whole.parents:
        manifest = read_manifest(folder)
        if manifest is not None and whole.relative_to(folder).as_posix() in {MANIFEST, *manifest}:
            return folder
    return None
