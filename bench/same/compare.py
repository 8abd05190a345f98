"""Two projects of one model, after a table of renamed words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.same.build import Made

_MOST_LINES = 12


class Renaming:
    """Old words and the new ones that stand in their places, in paths and in texts."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = dict(words)
        found = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{found})(?![A-Za-z0-9_])") if words else None

    def __call__(self, text: str) -> str:
        """The text with each old word replaced, where it stands as a whole word."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._words[match[0]], text)


def read_renaming(path: Path | None) -> Renaming:
    """The table of a file with `old new` in each line; `#` begins a comment."""
    if path is None:
        return Renaming({})
    lines = (line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return Renaming({words[0]: words[1] for words in lines if words})


def differences(before: Made, after: Made, renaming: Renaming) -> Iterator[str]:
    """What is not the same, a line or a short diff each."""
    if (before.code, renaming(before.said)) != (after.code, after.said):
        yield f"exit code {before.code}, then {after.code}: {before.said.strip()} | {after.said.strip()}"
        return
    old = {renaming(name): data for name, data in before.files.items()}
    for name in sorted({*old, *after.files}):
        if name not in old or name not in after.files:
            yield f"{name}: {'new' if name in after.files else 'gone'}"
        elif _renamed(old[name], renaming) != after.files[name]:
            yield f"{name}: {_shown(_renamed(old[name], renaming), after.files[name])}"


def _renamed(data: bytes, renaming: Renaming) -> bytes:
    try:
        return renaming(data.decode()).encode()
    except UnicodeDecodeError:
        return data


def _shown(one: bytes, other: bytes) -> str:
    try:
        old, new = one.decode().splitlines(), other.decode().splitlines()
    except UnicodeDecodeError:
        return f"{len(one)} and {len(other)} bytes differ"
    changed = [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[0] in "+-"][2:]
    more = f"\n  ... {len(changed) - _MOST_LINES} lines more" if len(changed) > _MOST_LINES else ""
    return "".join(f"\n  {line}" for line in changed[:_MOST_LINES]) + more
