"""How the beats that a unit's RTL wrote compare with those of its C++."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .reference import Reference
from .resets import since, split_segments
from .streams import Bytes
from .unit import UnitStream


@dataclass(frozen=True)
class CutScore:
    """How an output compares up to the last reset: what comes behind each is a begin of the C++'s beats.

    `wrong` of `beats` differ or are too many; `first` says which the first is, in words.
    """

    beats: int = 0
    wrong: int = 0
    first: str = ""

    def describe(self) -> str:
        """What is wrong, in words; for a stream that is good, the empty string."""
        many = f"({self.wrong} of {self.beats} beats before the last reset are wrong)"
        return f"{self.first} {many}" if self.wrong else ""

    def __add__(self, later: CutScore) -> CutScore:
        """Up to one reset and on to a later one."""
        return CutScore(self.beats + later.beats, self.wrong + later.wrong, self.first or later.first)


@dataclass(frozen=True)
class StreamScore:
    """How one output compares, in beats; `first` is the first that differs: index, expected, got.

    `cut` is about the beats before the last reset, which the other numbers leave out.
    """

    stream: UnitStream
    expected: int
    mismatches: int
    missing: int
    extra: int
    first: tuple[int, int, int] | None
    cut: CutScore = CutScore()

    @property
    def wrong(self) -> int:
        """Beats that differed, were missing or too many."""
        return self.mismatches + self.missing + self.extra + self.cut.wrong

    def describe(self) -> str:
        """What is wrong, in words; for a stream that is good, the empty string."""
        words = [self.cut.describe()] if self.cut.wrong else []
        if self.first is not None:
            words.append(f"{self.describe_first()} ({self.mismatches} of {self.expected} beats differ)")
        if self.missing:
            words.append(f"too few beats: {self.missing} of {self.expected} are missing")
        if self.extra:
            words.append(f"too many beats: {self.extra} more than {self.expected}")
        return "; ".join(words)

    def describe_first(self) -> str:
        """The first beat that differs; where none does, the first that is too many."""
        if self.first is None:
            return f"beat {self.expected} is too many"
        beat, expected, got = self.first
        return f"beat {beat}: expected {self.stream.hex(expected)}, got {self.stream.hex(got)}"


def read_segments(stream: UnitStream, results: Path) -> list[Bytes]:
    """The beats of a stream in each segment."""
    words = np.fromfile(results / f"{stream.name}.bin", np.uint8).reshape(-1, word_bytes(stream))
    return split_segments(words[:, : stream.bytes_per_beat], results, stream.name)


def score_stream(
    stream: UnitStream, reference: Reference, got: Bytes, ended: bool, due: int | None = None
) -> StreamScore:
    """Beats beyond the C++'s are too many where it had `ended`; all, or the first `due`, must be there."""
    want = reference.beats[stream.name]
    both = min(len(want), len(got))
    differs = np.flatnonzero((want[:both] != got[:both]).any(axis=1))
    first = (int(differs[0]), _beat(want[differs[0]]), _beat(got[differs[0]])) if len(differs) else None
    expected = max(both, len(want) if due is None else due)
    extra = len(got) - both if ended else 0
    return StreamScore(stream, expected, len(differs), expected - both, extra, first)


def score_cut(stream: UnitStream, reference: Reference, got: Bytes, ended: bool, reset: int) -> CutScore:
    """The score of a segment behind a reset, in which no beat need have come out."""
    score = score_stream(stream, reference, got, ended, due=0)
    return CutScore(len(got), score.wrong, f"{since(reset)}, {score.describe_first()}" if score.wrong else "")


def _beat(row: Bytes) -> int:
    return int.from_bytes(row.tobytes(), "little")


def word_bytes(stream: UnitStream) -> int:
    """Bytes of one beat in a monitor's file, which has whole 32-bit words."""
    return 4 * -(-stream.width // 32)
