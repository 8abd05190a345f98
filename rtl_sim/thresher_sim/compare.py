"""Hold what a simulation saw against what the golden model expects: whole arrays, every stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .errors import SimulationMismatchError
from .project import Stream
from .resets import Segment, since
from .streams import Bytes, StreamLayout
from .vectors import read_beats, read_frames


@dataclass(frozen=True)
class Mismatch:
    """The first element of a stream that is not what it should be.

    `element` is its index in the frame `[vectors, channels]`, flattened; None for bits that pad a beat,
    which are zero by contract. `lane` is its place in the beat.
    """

    frame: int
    beat: int
    lane: int
    element: int | None
    expected: int
    got: int

    def describe(self) -> str:
        """The place and the two values in words."""
        what = f"padding lane {self.lane}" if self.element is None else f"element {self.element}"
        return f"frame {self.frame}, beat {self.beat}, {what}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class CutResult:
    """How a stream compares in the segments that resets ended, see `resets`: each is to begin its frames.

    Attributes:
        frames: whole frames that came out.
        beats: beats that came out.
        mismatches: beats of these that differ.
        first: what differs first, and behind which reset; 0 is the one that every run begins with.
    """

    frames: int = 0
    beats: int = 0
    mismatches: int = 0
    first: tuple[int, Mismatch] | None = None

    def describe(self) -> str:
        """What is wrong, in words; for a stream that is good, the empty string."""
        if self.first is None:
            return ""
        reset, mismatch = self.first
        return (
            f"{since(reset)}, {mismatch.describe()} ({self.mismatches} of {self.beats} beats before the "
            "last reset differ)"
        )

    def __add__(self, later: CutResult) -> CutResult:
        """These segments and others."""
        return CutResult(
            self.frames + later.frames,
            self.beats + later.beats,
            self.mismatches + later.mismatches,
            self.first or later.first,
        )


@dataclass(frozen=True)
class StreamResult:
    """How one stream compares, in beats: how many were expected, differed, were missing or too many.

    `cut` is about the segments before the last reset, which the other numbers leave out.
    """

    name: str
    layer: str
    expected: int
    mismatches: int
    missing: int
    extra: int
    first: Mismatch | None
    cut: CutResult = CutResult()

    @property
    def beats(self) -> int:
        """Beats that there were."""
        return self.expected - self.missing + self.extra

    @property
    def wrong(self) -> int:
        """Beats that differed, were missing or too many."""
        return self.mismatches + self.missing + self.extra + self.cut.mismatches

    def describe(self) -> str:
        """What is wrong, in words; for a stream that is good, the empty string."""
        words = [self.cut.describe()] if self.cut.mismatches else []
        if self.first is not None:
            words.append(f"{self.first.describe()} ({self.mismatches} of {self.expected} beats differ)")
        if self.missing:
            words.append(f"too few beats: {self.missing} of {self.expected} are missing")
        if self.extra:
            words.append(f"too many beats: {self.extra} more than {self.expected}")
        return "; ".join(words)


@dataclass(frozen=True)
class Comparison:
    """How all streams of a run compare, in the order of the network; it had `resets` resets."""

    frames: int
    streams: tuple[StreamResult, ...]
    resets: int = 0

    @property
    def mismatches(self) -> int:
        """Beats that differed, were missing or too many, over all streams."""
        return sum(stream.wrong for stream in self.streams)

    def __add__(self, later: Comparison) -> Comparison:
        """This run and another of the frames after it."""
        pairs = zip(self.streams, later.streams, strict=True)
        joined = tuple(_join(first, second) for first, second in pairs)
        return Comparison(self.frames + later.frames, joined, self.resets + later.resets)

    def check(self, simulation: str) -> None:
        """Do nothing if every stream is good.

        Raises:
            SimulationMismatchError: naming the first stream along the network that is not.
        """
        wrong = [stream for stream in self.streams if stream.wrong]
        if not wrong:
            return
        first, others = wrong[0], ", ".join(f"'{stream.name}'" for stream in wrong[1:])
        raise SimulationMismatchError(
            f"{simulation}: layer '{first.layer}', stream '{first.name}': {first.describe()}; "
            + (f"these streams differ too: {others}" if others else "all other streams agree")
        )


def compare_streams(
    streams: Sequence[Stream], expected: Path, actual: Path, frames: int, first_frame: int = 0
) -> Comparison:
    """Compare every stream in `actual` with the `frames` frames from `first_frame` on in `expected`.

    Raises:
        UsageError: a file is missing, damaged or, of the expected ones, too short.
    """
    return Comparison(
        frames, tuple(_compare(stream, expected, actual, frames, first_frame) for stream in streams)
    )


def compare_segments(
    stream: Stream,
    expected: Path,
    cuts: Sequence[tuple[Segment, Bytes]],
    frames: int,
    first_frame: int = 0,
    first_reset: int = 0,
) -> CutResult:
    """Compare the beats of segments with the `frames` frames from `first_frame` on in `expected`.

    A segment counts its frames from `first_frame`; `first_reset` resets of other jobs come before.

    Raises:
        UsageError: expected beats are missing or damaged.
    """
    want = read_frames(expected, stream, first_frame + frames)[first_frame:]
    want = want.reshape(-1, stream.layout.bytes_per_beat)
    results = (
        _compare_segment(stream.layout, want, got, segment, first_frame, first_reset * (index > 0) + index)
        for index, (segment, got) in enumerate(cuts)
    )
    return sum(results, start=CutResult())


def _compare_segment(
    layout: StreamLayout, frames: Bytes, got: Bytes, segment: Segment, first_frame: int, reset: int
) -> CutResult:
    """The frames are played in a ring."""
    per_frame = layout.beats_per_frame
    want = frames[(segment.first_frame * per_frame + np.arange(len(got))) % len(frames)]
    differs = np.flatnonzero((want != got).any(axis=1))
    first = None
    if len(differs):
        found = _first_mismatch(layout, want, got, int(differs[0]), segment.first_frame)
        first = (reset, replace(found, frame=first_frame + found.frame % (len(frames) // per_frame)))
    return CutResult(len(got) // per_frame, len(got), len(differs), first)


def _compare(stream: Stream, expected: Path, actual: Path, frames: int, first_frame: int) -> StreamResult:
    layout = stream.layout
    want = read_frames(expected, stream, first_frame + frames)[first_frame:]
    want = want.reshape(-1, layout.bytes_per_beat)
    got = read_beats(actual, stream)
    both = min(len(want), len(got))
    differs = np.flatnonzero((want[:both] != got[:both]).any(axis=1))
    first = _first_mismatch(layout, want, got, int(differs[0]), first_frame) if len(differs) else None
    return StreamResult(
        name=stream.name,
        layer=stream.layer,
        expected=len(want),
        mismatches=len(differs),
        missing=len(want) - both,
        extra=len(got) - both,
        first=first,
    )


def _first_mismatch(layout: StreamLayout, want: Bytes, got: Bytes, index: int, first_frame: int) -> Mismatch:
    frame, beat = divmod(index, layout.beats_per_frame)
    expected, actual = (_lanes(layout, beats[index]) for beats in (want, got))
    lane = next(lane for lane in range(len(expected)) if expected[lane] != actual[lane])
    vector, beat_in_vector = divmod(beat, layout.beats_per_vector)
    channel = beat_in_vector * layout.lanes + lane
    real = lane < layout.lanes and channel < layout.channels
    element = vector * layout.channels + channel if real else None
    return Mismatch(first_frame + frame, beat, lane, element, expected[lane], actual[lane])


def _lanes(layout: StreamLayout, beat: Bytes) -> list[int]:
    """The values of a beat's lanes, and one more: the bits that pad it to whole bytes."""
    one_beat = StreamLayout(layout.element, layout.lanes, 1, layout.lanes)
    values = [int(value) for value in one_beat.unpack(beat.reshape(1, 1, -1)).reshape(-1)]
    return [*values, int.from_bytes(beat.tobytes(), "little") >> layout.width]


def _join(first: StreamResult, second: StreamResult) -> StreamResult:
    return StreamResult(
        name=first.name,
        layer=first.layer,
        expected=first.expected + second.expected,
        mismatches=first.mismatches + second.mismatches,
        missing=first.missing + second.missing,
        extra=first.extra + second.extra,
        first=first.first or second.first,
        cut=first.cut + second.cut,
    )
