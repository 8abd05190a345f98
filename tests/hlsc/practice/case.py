"""A unit with its beats and its model."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Streams = dict[str, list[int]]


def as_it_is(outputs: Streams) -> Streams:
    """Every beat in its place."""
    return outputs


@dataclass(frozen=True)
class Case:
    """`model` says what the unit `practice::name` writes when it has read all that `draw` returns.

    `agrees` compares what was written with the model. What depends on when beats come is left out by `view`.
    """

    name: str
    clock_mhz: float
    draw: Callable[[random.Random], Streams]
    model: Callable[[Streams], Streams]
    agrees: Callable[[Streams, Streams], bool] = operator.eq
    view: Callable[[Streams], Streams] = as_it_is


def signed(value: int, width: int) -> int:
    """The number that `width` bits are in two's complement."""
    return int.from_bytes((value << (64 - width)).to_bytes(8, "big"), "big", signed=True) >> (64 - width)


def packed(values: Iterable[int], width: int) -> int:
    """`values` as fields of a word, the first lowest."""
    return sum((value % (1 << width)) << (width * place) for place, value in enumerate(values))


def fields(word: int, width: int, count: int) -> list[int]:
    """The fields that `packed` put together."""
    digits = f"{word:0{width * count}b}"
    return [int(digits[at : at + width], 2) for at in range(0, width * count, width)][::-1]


def drawn(width: int, count: int = 90) -> Callable[[random.Random], list[int]]:
    """Beats of `width` bits: the ends of the range, its middle, single ones, and `count` others."""
    top = (1 << width) - 1
    ends = [0, top, top // 2, top // 2 + 1, 1, top - 1, 0, 0, top, top]

    def draw(rng: random.Random) -> list[int]:
        return ends + [rng.getrandbits(width) for _ in range(count)]

    return draw


def beats(**widths: int) -> Callable[[random.Random], Streams]:
    """Draw beats for each stream from its bits, as many for one as for another."""

    def draw(rng: random.Random) -> Streams:
        return {name: drawn(width)(rng) for name, width in widths.items()}

    return draw


def each(function: Callable[[int], int]) -> Callable[[Streams], Streams]:
    """Apply `function` to each beat of `s_axis`; the results leave at `m_axis`."""
    return lambda streams: {"m_axis": [function(beat) for beat in streams["s_axis"]]}
