"""The beats that a unit's bench drives: random ones, or the user's own."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError
from .unit import UnitProject, UnitStream

ENDING = ".txt"
# One random beat in so many is a corner: the smallest, the largest, or what lies around the sign bit.
_CORNER_EVERY = 4
_BEAT = re.compile(r"(?:0[xX])?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*")


@dataclass(frozen=True)
class Range:
    """Beats from `low` to `high`, both included, as unsigned numbers."""

    low: int
    high: int


def stimulus(
    unit: UnitProject, beats: int, seed: int, ranges: Mapping[str, Range]
) -> dict[str, tuple[int, ...]]:
    """The beats for each input: those of `stimulus/<stream>.txt`, or else `beats` random ones.

    The same arguments give the same beats.

    Raises:
        UsageError: a file or a range is of no input, or has beats that do not fit its stream.
    """
    names = {stream.name for stream in unit.inputs}
    files = {path.stem: path for path in sorted(unit.stimulus.glob(f"*{ENDING}"))}
    for name in [*files, *ranges]:
        if name not in names:
            raise UsageError(f"stimulus: '{name}' is no input of unit '{unit.module}'; {_inputs(unit)}")
    return {
        stream.name: read_beats(files[stream.name], stream)
        if stream.name in files
        else random_beats(stream, beats, seed, ranges.get(stream.name, Range(0, stream.mask)))
        for stream in unit.inputs
    }


def read_beats(path: Path, stream: UnitStream) -> tuple[int, ...]:
    """The beats in a file: one hexadecimal number a line; `#` begins a comment.

    Raises:
        UsageError: a line is not such a number, or is too large.
    """
    beats = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        beat = int(text, 16) if _BEAT.fullmatch(text) else None
        if beat is None or beat > stream.mask:
            raise UsageError(
                f"stimulus: '{path}', line {number}: '{text}' is not a beat of '{stream.name}'; "
                f"give a hexadecimal number of at most {stream.width} bits"
            )
        beats.append(beat)
    return tuple(beats)


def random_beats(stream: UnitStream, count: int, seed: int, span: Range) -> tuple[int, ...]:
    """`count` beats within `span`, of which some are corners.

    Raises:
        UsageError: the span is empty, or has beats that do not fit the stream.
    """
    if not 0 <= span.low <= span.high <= stream.mask:
        raise UsageError(
            f"stimulus: the range {span.low}..{span.high} is not one of '{stream.name}'; "
            f"its beats are 0..{stream.mask}"
        )
    half = stream.mask >> 1
    corners = sorted({min(max(beat, span.low), span.high) for beat in (0, 1, half, half + 1, stream.mask)})
    chance = random.Random(f"{seed} {stream.name}")
    return tuple(
        chance.choice(corners)
        if chance.randrange(_CORNER_EVERY) == 0
        else chance.randint(span.low, span.high)
        for _ in range(count)
    )


def parse_ranges(texts: Sequence[str]) -> dict[str, Range]:
    """Read `NAME=LOW..HIGH`, in decimal or with 0x.

    Raises:
        UsageError: a text is not of this form.
    """
    ranges = {}
    for text in texts:
        found = re.fullmatch(r"(\w+)=(0x[0-9a-fA-F]+|\d+)\.\.(0x[0-9a-fA-F]+|\d+)", text, re.ASCII)
        if not found:
            raise UsageError(f"stimulus: '{text}' is not a range; give one such as s_axis=0..99")
        ranges[found[1]] = Range(*(int(number, 16 if "x" in number else 10) for number in found.groups()[1:]))
    return ranges


def _inputs(unit: UnitProject) -> str:
    names = ", ".join(stream.name for stream in unit.inputs)
    return f"its inputs are {names}" if names else "it has none"
