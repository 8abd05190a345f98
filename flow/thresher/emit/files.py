"""Writing files so that none is ever seen half written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from thresher.errors import UsageError

MARKER = "project.json"


def write_text(path: Path, text: str) -> None:
    """Write `text` beside `path`, then rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def write_json(path: Path, data: object) -> None:
    """Write `data` as JSON, indented, keys in the order given."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def check_target(target: Path, marker: str = MARKER, command: str = "build") -> None:
    """Raise `UsageError` where no project can be written to `target`.

    That is where `target` exists and is neither a Thresher project, which holds the file `marker`, nor
    an empty folder, lies in a file, or is the working folder or holds it: a folder is replaced as a
    whole. The message begins with `command`.
    """
    place = target.absolute()
    parent = next((folder for folder in place.parents if folder.exists()), place)
    if not parent.is_dir():
        raise UsageError(
            f"{command}: '{parent}' is a file and '{target}' cannot be in it; give another folder with -o"
        )
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{command}: '{target}' exists and is a file; give another folder with -o")
    if any(target.iterdir()) and not (target / marker).is_file():
        raise UsageError(
            f"{command}: folder '{target}' exists and is not a Thresher project (it has no {marker}); "
            "give another folder with -o, or empty it"
        )
    if Path.cwd().is_relative_to(target.resolve()):
        raise UsageError(
            f"{command}: folder '{target}' is or holds the working folder, which cannot be replaced; "
            "run from another folder, or give another with -o"
        )


@contextlib.contextmanager
def replacing(target: Path, marker: str = MARKER, command: str = "build") -> Iterator[Path]:
    """Give a new folder to fill, which takes the place of `target` when the block ends well.

    `target` is left as it was where the block raises; where it is a link, what it names is replaced.
    Raises `UsageError` as `check_target` does, and where the folder cannot be written or replaced.
    """
    check_target(target, marker, command)
    place = target.resolve()
    staging = _make_staging(target, place, command)
    try:
        staging.chmod(0o755)
        yield staging
        _replace(place, staging, command)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _make_staging(target: Path, place: Path, command: str) -> Path:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise UsageError(
            f"{command}: folder '{target}' cannot be written ({error.strerror}); give another folder with -o"
        ) from None


def _replace(place: Path, staging: Path, command: str = "build") -> None:
    """Rename `staging` to `place`; of builds at the same time the first wins."""
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.old.", dir=place.parent) as folder:
        old = Path(folder) / "project"
        with contextlib.suppress(FileNotFoundError):
            place.rename(old)
        try:
            staging.rename(place)
        except OSError as error:
            if old.exists() and not place.exists():
                old.rename(place)
            raise UsageError(
                f"{command}: folder '{place}' cannot be replaced ({error.strerror}), as when another build "
                "writes it at the same time; build again"
            ) from None
