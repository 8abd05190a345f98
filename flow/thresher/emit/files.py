"""Writing files so that none is ever seen half written."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


def check_target(target: Path) -> None:
    """Raise `UsageError` where `target` exists and is neither a Thresher project nor an empty folder."""
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"build: '{target}' exists and is a file; give another folder with -o")
    if any(target.iterdir()) and not (target / MARKER).is_file():
        raise UsageError(
            f"build: folder '{target}' exists and is not a Thresher project (it has no {MARKER}); "
            "give another folder with -o, or empty it"
        )


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a new folder to fill, which takes the place of `target` when the block ends well.

    `target` is left as it was where the block raises. Raises `UsageError` as `check_target` does.
    """
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        staging.chmod(0o755)
        yield staging
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            target.rename(old / "project")
            staging.rename(target)
            shutil.rmtree(old)
        else:
            staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
