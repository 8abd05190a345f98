"""`manifest.json`: which files of a project Thresher wrote, with their SHA-256; all others are the user's."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from thresher.emit.files import write_json
from thresher_sim.files import read_json

MANIFEST = "manifest.json"
_SCHEMA = 1
_ROOT = PurePosixPath()
# What commands write after the build, and what a run of Python leaves. A rebuild removes it.
_REPORT = "reports/report.json"
_MADE = re.compile(
    r"reports/(?:report\.html|evaluation\.json|evaluation\.png)|(?:.*/)?__pycache__(?:/.*)?"
    r"|build/(?:csim|deploy|netlist|reference|rtl|synth|vitis|run-[^/]*|build\.log|yosys\.txt|waves\.fst"
    r"|netlist_\w+\.v)(?:/.*)?"
)
# A file that `write_text` had not yet renamed when it was killed.
_HALF_WRITTEN = re.compile(r"\.(.+)\.\d+")

Manifest = Mapping[str, str | None]
"""SHA-256 by path relative to the project; None for what later commands write anew."""


@dataclass(frozen=True)
class Contents:
    """What a project folder holds besides Thresher's files as they were written, by relative paths.

    Attributes:
        edited: Files of Thresher's whose content is another one.
        own: The user's files, links, and folders that hold nothing.
    """

    edited: tuple[PurePosixPath, ...]
    own: tuple[PurePosixPath, ...]


def write_manifest(folder: Path, own: Collection[PurePosixPath] = ()) -> None:
    """List all files of a new project in its manifest, but for the user's `own` among them."""
    paths = {PurePosixPath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    written = sorted(paths.difference(own))
    digests = {str(path): None if str(path) == _REPORT else _digest(folder / path) for path in written}
    write_json(folder / MANIFEST, {"schema": _SCHEMA, "files": digests})


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a project; None where it has none that can be read."""
    try:
        data = read_json(folder / MANIFEST)
        files = data["files"]
        whole = data["schema"] == _SCHEMA and all(isinstance(digest, str | None) for digest in files.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return files if whole else None


def update_manifest(folder: Path, contents: Mapping[str, str]) -> None:
    """Take texts that Thresher is about to write to files of a project as what they are to hold."""
    manifest = read_manifest(folder)
    if manifest is not None:
        digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in contents.items()}
        write_json(
            folder / MANIFEST, {"schema": _SCHEMA, "files": dict(sorted({**manifest, **digests}.items()))}
        )


def read_contents(folder: Path, manifest: Manifest) -> Contents:
    """Tell the user's files and edits in a project from what Thresher wrote.

    Raises:
        OSError: A folder or a file of Thresher's cannot be read.
    """
    edited, own = [], []
    for path in _entries(folder):
        if str(path) in manifest:
            if manifest[str(path)] not in (None, _digest(folder / path)):
                edited.append(path)
        elif not _is_made(path, manifest):
            own.append(path)
    return Contents(tuple(edited), tuple(own))


def read_old_contents(folder: Path, names: Collection[str]) -> Contents:
    """The same of a project without a manifest, whose files below `names` are Thresher's."""
    return Contents((), tuple(path for path in _entries(folder) if path.parts[0] not in {*names, "build"}))


def _entries(folder: Path, below: PurePosixPath = _ROOT) -> Iterator[PurePosixPath]:
    """All files and links below a folder, and the folders that hold none; links are not followed."""
    with os.scandir(folder / below) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(folder, below / entry.name)
        else:
            yield below / entry.name
    if not found and below.parts:
        yield below


def _is_made(path: PurePosixPath, manifest: Manifest) -> bool:
    """Whether a file that is not in the manifest comes from Thresher or a run of Python all the same."""
    half_written = _HALF_WRITTEN.fullmatch(path.name)
    beside = str(path.with_name(half_written[1])) if half_written else str(path)
    return beside in manifest or beside == MANIFEST or bool(_MADE.fullmatch(beside))


def _digest(path: Path) -> str | None:
    """SHA-256 of a file; None of what has taken its place and is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
