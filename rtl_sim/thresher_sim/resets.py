"""Resets at random moments of a run: when, for how long, what goes on in them, and what plays after them.

A *segment* is what plays from the end of a reset to the beginning of the next one; the last is the whole
run as it is without resets. After each reset the sources begin with a whole frame, and every stream with its
first beat of that frame. A beat counts where a rising edge with `ap_rst_n` high finds `tvalid` and `tready`.

After every second reset, at random, a whole frame must come out on every stream before the next reset, which
then falls somewhere in the frames behind it; any other segment may end in any cycle, the first included.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import UsageError
from .streams import Bytes

# One segment in so many ends with sinks that take nothing, so that all fills up, and as many begin so.
_HELD_EVERY = 4
_MOST_CYCLES = 16

MOST_RESETS = 100_000
# Each job has a seed of its own above it; Verilator takes 31 bits, and 0 as "a new one for each run".
MAX_SEED = 1_000_000_000


@dataclass(frozen=True)
class Segment:
    """What a segment plays: frames from `first_frame` on, and with `endless` the first behind the last."""

    first_frame: int = 0
    endless: bool = False


@dataclass(frozen=True)
class Reset:
    """A reset, with the end of the segment before it and the begin of that after it.

    Attributes:
        whole_frame: whether the segment before it goes on until a whole frame has come out everywhere; of a
            unit's bench, which has no frames, so many beats as `outcome.BenchSettings` says.
        after: cycles from there, or else from the reset before, to this one: 1 or more.
        held: the last of these cycles, in which no sink is ready.
        cycles: how long it takes, in clock cycles: 1 or more.
        early: sources offer their first beat in the reset and on.
        noisy: sources offer in the reset a beat that is gone after it.
        eager: sinks are ready in the reset.
        blocked: cycles after it in which no sink is ready.
        following: what plays after it.
    """

    whole_frame: bool
    after: int
    held: int
    cycles: int
    early: bool
    noisy: bool
    eager: bool
    blocked: int
    following: Segment


def draw_resets(count: int, seed: int, span: int, frames: int, endless: bool) -> Iterator[Reset]:
    """`count` resets of a run of `frames` frames, the first of which took `span` cycles to come out.

    The same arguments give the same resets. Behind the last one the whole run plays. `endless` is that of the
    segments before it.
    """
    chance = random.Random(f"{seed} resets")
    for index in range(count):
        whole_frame = chance.random() < 0.5
        # As many short ones as long ones, by their number of digits, or any from 1 to `span`.
        after = round(span ** chance.random()) if chance.random() < 0.5 else chance.randint(1, span)
        offer = chance.choice(("", "", "early", "noisy"))
        following = Segment(chance.randrange(frames), endless)
        yield Reset(
            whole_frame=whole_frame,
            after=after,
            held=chance.randint(1, after) if chance.randrange(_HELD_EVERY) == 0 else 0,
            blocked=chance.randint(1, span) if chance.randrange(_HELD_EVERY) == 0 else 0,
            cycles=chance.choice((1, 1, 2, chance.randint(3, _MOST_CYCLES))),
            early=offer == "early",
            noisy=offer == "noisy",
            eager=chance.random() < 0.5,
            following=following if index + 1 < count else Segment(),
        )


def check_disturbances(resets: int, stall: int, seed: int) -> None:
    """Do nothing if there can be so many resets, such a stall in percent, and such a seed of both.

    Raises:
        UsageError: there cannot.
    """
    if not 0 <= resets <= MOST_RESETS:
        raise UsageError(f"sim: {resets} resets cannot be; choose 0 to {MOST_RESETS}")
    if not 0 <= stall < 100:
        raise UsageError(f"sim: a stall of {stall} percent cannot be; choose 0 to 99")
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"sim: a seed of {seed} cannot be; choose 0 to {MAX_SEED}")


def since(reset: int) -> str:
    """Where in a run what follows a reset is, in words; 0 is the reset that every run begins with."""
    return f"after reset {reset}" if reset else "before the first reset"


def resets_path(results: Path, name: str) -> Path:
    """The file that says where the segments of a stream, or of a unit's steps, end."""
    return results / f"{name}.resets"


def split_segments(rows: Bytes, results: Path, name: str) -> list[Bytes]:
    """The rows of each segment, a beat or a step each; the last are those behind the last reset."""
    ends = np.fromfile(resets_path(results, name), "<u8")
    return np.split(rows, ends.astype(np.int64))
