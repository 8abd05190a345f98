"""The beats that a unit's bench drives: random ones, or the user's own."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError
from .signals import DATA, packed
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

    The same arguments give the same beats. A range is of an input, or of one of its signals where it has more
    than data: `s_axis.last`.

    Raises:
        UsageError: a file or a range is of no input, or has beats that do not fit its stream.
    """
    names = [stream.name for stream in unit.inputs]
    parts = [part.name for stream in unit.inputs for part in _parts(stream)]
    files = {path.stem: path for path in sorted(unit.stimulus.glob(f"*{ENDING}"))}
    for known, given in ((names, files), (parts, ranges)):
        for name in given:
            if name not in known:
                raise UsageError(f"stimulus: '{name}' is no input of unit '{unit.module}'; {_inputs(known)}")
    return {
        stream.name: read_beats(files[stream.name], stream)
        if stream.name in files
        else _random(stream, beats, seed, ranges)
        for stream in unit.inputs
    }


def _parts(stream: UnitStream) -> list[UnitStream]:
    """What is drawn for itself: a stream, or each of its signals where it has more than data."""
    if not stream.signals:
        return [stream]
    return [UnitStream(f"{stream.name}.{field.name}", field.width) for field in stream.fields]


def _random(stream: UnitStream, count: int, seed: int, ranges: Mapping[str, Range]) -> tuple[int, ...]:
    drawn = [
        random_beats(part, count, seed, ranges.get(part.name, Range(0, part.mask))) for part in _parts(stream)
    ]
    lows = [field.low for field in stream.fields]
    return tuple(
        sum(value << low for value, low in zip(values, lows, strict=True))
        for values in zip(*drawn, strict=True)
    )


def read_beats(path: Path, stream: UnitStream) -> tuple[int, ...]:
    """The beats in a file: one hexadecimal number a line; `#` begins a comment.

    Where a stream has more signals than data, a line gives each by its name: `data=1f last=1`. A signal
    that is not named is 0; of `keep` and `strb` every bit is 1.

    Raises:
        UsageError: a line is not of this form, or a number is too large.
    """
    beats = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        beat = _named_beat(text, stream) if stream.signals else _number(text, stream.mask)
        if beat is None:
            raise UsageError(
                f"stimulus: '{path}', line {number}: '{text}' is not a beat of '{stream.name}'; "
                f"{_form(stream)}"
            )
        beats.append(beat)
    return tuple(beats)


def _number(text: str, most: int) -> int | None:
    number = int(text, 16) if _BEAT.fullmatch(text) else None
    return None if number is None or number > most else number


def _named_beat(text: str, stream: UnitStream) -> int | None:
    """A beat of several signals, with its data among those that are named; None if it is none."""
    known = {field.name: field for field in stream.fields}
    values: dict[str, int] = {}
    for word in text.split():
        name, _, digits = word.partition("=")
        value = _number(digits, known[name].mask) if name in known and name not in values else None
        if value is None:
            return None
        values[name] = value
    return packed(stream.width, stream.signals, values) if DATA in values else None


def _form(stream: UnitStream) -> str:
    if not stream.signals:
        return f"give a hexadecimal number of at most {stream.width} bits"
    example = " ".join(f"{field.name}={field.mask:x}" for field in stream.fields)
    return f"give hexadecimal numbers by name, the data among them, each at most as in '{example}'"


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
    """Read `NAME=LOW..HIGH` or `NAME.SIGNAL=LOW..HIGH`, in decimal or with 0x.

    Raises:
        UsageError: a text is not of this form.
    """
    ranges = {}
    for text in texts:
        found = re.fullmatch(r"(\w+(?:\.\w+)?)=(0x[0-9a-fA-F]+|\d+)\.\.(0x[0-9a-fA-F]+|\d+)", text, re.ASCII)
        if not found:
            raise UsageError(f"stimulus: '{text}' is not a range; give one such as s_axis=0..99")
        ranges[found[1]] = Range(*(int(number, 16 if "x" in number else 10) for number in found.groups()[1:]))
    return ranges


def _inputs(names: Sequence[str]) -> str:
    return f"its inputs are {', '.join(names)}" if names else "it has none"
