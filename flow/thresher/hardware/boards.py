"""Boards: the part on each, how Vivado knows it, and where its clock comes from."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thresher.errors import UsageError
from thresher.hardware.parts import DEFAULT_PART

_DATA = Path(__file__).with_name("boards.toml")


@dataclass(frozen=True)
class BoardClock:
    """An oscillator of `mhz` at the part's pin `pin`."""

    pin: str
    mhz: float


@dataclass(frozen=True)
class Board:
    """A board, as its vendor describes it.

    Attributes:
        name: as `--board` takes it.
        part: the part number.
        source: the documents that this is taken from.
        board_part: a pattern for Vivado's name of it, None where Vivado does not know the part.
        processor: Vivado's IP of the processor system, which gives the clock and moves the data; None
            where there is none.
        clock: the oscillator, None where the processor system gives the clock.
        pins: other pins, by the names of the vendor's own constraint file.
    """

    name: str
    part: str
    source: str
    board_part: str | None = None
    processor: str | None = None
    clock: BoardClock | None = None
    pins: Mapping[str, str] = field(default_factory=dict)


@functools.cache
def boards() -> Mapping[str, Board]:
    """All boards, by name."""
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {name: _board(name, entry) for name, entry in data.items()}


def find_board(name: str) -> Board:
    """The board of that name, in capitals or not.

    Raises:
        UsageError: there is none.
    """
    for board in boards().values():
        if board.name.lower() == name.lower():
            return board
    raise UsageError(f"build: board {name!r} is not known; give one of {', '.join(boards())}, or a --part")


def choose_part(part: str | None, board: Board | None) -> str:
    """The part to build for: that of the board, the one that was asked for, or else the default.

    Raises:
        UsageError: the board has another part than was asked for.
    """
    if board is None:
        return part or DEFAULT_PART
    if part is not None and part.lower() != board.part.lower():
        raise UsageError(
            f"build: board {board.name} has the part {board.part}, and {part!r} is asked for; "
            "give the board or the part, not both"
        )
    return board.part


def _board(name: str, entry: Mapping[str, Any]) -> Board:
    clock = entry.get("clock")
    return Board(**{**entry, "name": name, "clock": None if clock is None else BoardClock(**clock)})
