"""Whether a project can be written to a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from thresher.emit.manifest import MANIFEST, read_contents, read_manifest
from thresher.errors import UsageError
from thresher_sim.files import read_json
from thresher_sim.unit import MARKER as UNIT_MARKER

MARKER = "project.json"
# What the description of a project says at least; another program's project.json does not.
_DESCRIPTION = {MARKER: {"schema", "streams", "layers"}, UNIT_MARKER: {"schema", "module", "type"}}
_SHOWN_NAMES = 5


def check_target(target: Path, marker: str = MARKER, command: str = "build", force: bool = False) -> None:
    """Do nothing where a project can be written to `target`.

    It can where nothing is there, where an empty folder is, and where a project is whose description is the
    file `marker` and whose files are as Thresher wrote them. With `force` they need not be.

    Raises:
        UsageError: It cannot; the message begins with `command`.
    """
    _check_place(target, command)
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{command}: '{target}' exists and is a file; give another folder with -o")
    holds_something = any(target.iterdir())
    if holds_something and not (target / marker).is_file():
        raise _not_a_project(target, command, f"it has no {marker}")
    if Path.cwd().is_relative_to(target.resolve()):
        raise UsageError(
            f"{command}: folder '{target}' is or holds the working folder, which cannot be replaced; "
            "run from another folder, or give another with -o"
        )
    if os.path.ismount(target):
        raise UsageError(
            f"{command}: folder '{target}' is a mount point, which cannot be replaced; give a folder in it "
            f"with -o, such as '{target / 'project'}'"
        )
    if holds_something and not _is_project(target, marker) and read_manifest(target) is None:
        raise _not_a_project(target, command, f"its {marker} is not of Thresher's")
    if holds_something and not force:
        _check_unchanged(target, command)


def show_names(paths: Iterable[PurePosixPath]) -> str:
    """Paths for a message: the first few, and how many more there are."""
    names = [f"'{path}'" for path in paths]
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _check_place(target: Path, command: str) -> None:
    place = target.absolute()
    parent = next((folder for folder in place.parents if folder.exists()), place)
    if not parent.is_dir():
        raise UsageError(
            f"{command}: '{parent}' is a file and '{target}' cannot be in it; give another folder with -o"
        )
    try:
        resolved = target.resolve()
    except (OSError, RuntimeError):  # Python 3.11 and 3.12 raise the latter.
        raise UsageError(
            f"{command}: '{target}' is a link that leads back to itself; give another folder with -o"
        ) from None
    for folder in resolved.parents:
        if any(_is_project(folder, marker) for marker in _DESCRIPTION):
            raise UsageError(
                f"{command}: folder '{target}' lies in the Thresher project '{folder}'; give a folder "
                "outside of it with -o"
            )


def _not_a_project(target: Path, command: str, why: str) -> UsageError:
    return UsageError(
        f"{command}: folder '{target}' exists and is not a Thresher project ({why}); "
        "give another folder with -o, or empty it"
    )


def _is_project(folder: Path, marker: str) -> bool:
    try:
        data = read_json(folder / marker)
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and _DESCRIPTION[marker] <= data.keys()


def _check_unchanged(target: Path, command: str) -> None:
    manifest = read_manifest(target)
    if manifest is None:
        raise UsageError(
            f"{command}: project '{target}' has no {MANIFEST} that tells Thresher's files from yours (an "
            "older version wrote it); give --force to replace all in its folders, or give another folder "
            "with -o"
        )
    edited = read_contents(target, manifest).edited
    if edited:
        raise UsageError(
            f"{command}: files of project '{target}' were edited since Thresher wrote them: "
            f"{show_names(edited)}; copy what you need and give --force to replace them, or give another "
            "folder with -o"
        )
