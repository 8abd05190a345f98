"""What the performance page shows: each figure, what it is held against, and where ours is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FINN = "Umuroglu et al., FINN, FPGA 2017, arXiv:1612.07119"
TARGETS = "a peer's own RTL or estimate of the same configuration, as quoted in this project's targets"

Read = Callable[[Any], str]


@dataclass(frozen=True)
class Peer:
    """A peer's figure and where it is quoted from; it is not measured here."""

    figure: str
    source: str


@dataclass(frozen=True)
class Figure:
    """A row: what is measured, the peers' figures, the target, and how ours is read from a file of figures.

    `file` lies in the folder of figures and `command` writes it. `read` raises `LookupError` where the
    file does not have the figure.
    """

    name: str
    peers: tuple[Peer, ...]
    target: str
    file: str
    command: str
    read: Read


@dataclass(frozen=True)
class Section:
    """A table of the page."""

    title: str
    text: str
    figures: tuple[Figure, ...]


def load(folder: Path, file: str) -> Any:
    """The content of a file of figures; None where there is none or it is damaged."""
    try:
        return json.loads((folder / file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def shown(figure: Figure, folder: Path) -> str:
    """Our figure as text, or that it was not measured."""
    content = load(folder, figure.file)
    if content is None:
        return f"not measured here (`{figure.command}`)"
    try:
        return figure.read(content)
    except (LookupError, TypeError):
        return f"not measured here (`{figure.command}`)"


def named(rows: Sequence[Mapping[str, Any]], key: str, name: str) -> Mapping[str, Any]:
    """The row with that name; raises `LookupError` where there is none."""
    for row in rows:
        if row[key] == name:
            return row
    raise LookupError(name)
