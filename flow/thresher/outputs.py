"""Files that a user names for results.

None of them may be what the command reads, or part of a project. Links are followed, and a device or a pipe
takes what is written to it and stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from thresher.emit.files import write_text
from thresher.emit.manifest import MANIFEST, read_manifest
from thresher.errors import UsageError


def check_output(path: Path | None, option: str, reads: Iterable[Path | None], text: bool = False) -> None:
    """Do nothing where a command that reads the files `reads` may write its result to `path`.

    Raises:
        UsageError: It is a folder, one of `reads`, a file that Thresher wrote in a project, or, but for a
            `text`, a device or a pipe.
    """
    if path is None or not path.exists():
        return
    if path.is_dir():
        raise UsageError(f"{option}: '{path}' is a folder; give the name of a file")
    if any(each is not None and each.exists() and each.samefile(path) for each in reads):
        raise UsageError(f"{option}: '{path}' is read by the command; give the name of another file")
    if not (text or path.is_file()):
        raise UsageError(f"{option}: '{path}' is no regular file; give the name of a file")
    project = _project_of(path)
    if project is not None:
        raise UsageError(f"{option}: '{path}' is part of the project '{project}'; give another name")


def check_output_folder(path: Path | None, command: str) -> None:
    """Raise `UsageError` where a folder for results is something else already."""
    if path is not None and path.exists() and not path.is_dir():
        raise UsageError(f"{command}: '{path}' is no folder; give the name of one for the results with -o")


def write_output(path: Path, text: str) -> None:
    """Write a text to where `check_output` lets it go, whole or not at all where that is a file."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
    else:
        write_text(path.resolve(), text)


def _project_of(path: Path) -> Path | None:
    """The project of which Thresher wrote `path`."""
    whole = path.resolve()
    for folder in whole.parents:
        manifest = read_manifest(folder)
        if manifest is not None and whole.relative_to(folder).as_posix() in {MANIFEST, *manifest}:
            return folder
    return None
