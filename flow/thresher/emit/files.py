"""Writing files so that none is ever seen half written."""

from __future__ import annotations

import json
import os
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write `text` beside `path`, then rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, data: object) -> None:
    """Write `data` as JSON, indented, keys in the order given."""
    write_text(path, json_text(data))


def json_text(data: object) -> str:
    """What `write_json` writes."""
    return json.dumps(data, indent=2) + "\n"
