"""width_converter: the same elements in beats of another number of lanes, or of other vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode
from thresher.ir.kernel import Folding, Schedule, divide_up
from thresher.kernels.parts import Estimated, Parts
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class WidthConverter(Estimated):
    """Beats of `source` become those of `target`; the elements of a frame stay in order.

    The two may cut a frame into vectors differently. Lanes behind the end of a vector of `source` are
    dropped, and those behind the end of a vector of `target` carry zero bits.
    """

    source: StreamLayout
    target: StreamLayout

    def __post_init__(self) -> None:
        have, want = (layout.vectors * layout.channels for layout in (self.source, self.target))
        if have != want or self.source.element != self.target.element:
            raise ValueError(
                f"WidthConverter: {have} elements {self.source.element} cannot become {want} elements "
                f"{self.target.element}: only their beats may differ"
            )

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take nothing: converters stand between two kernels, not for an operator."""
        return None

    @property
    def input_layout(self) -> StreamLayout:
        """The producer's layout."""
        return self.source

    @property
    def output_layout(self) -> StreamLayout:
        """The consumer's layout."""
        return self.target

    @property
    def folding(self) -> Folding:
        """Nothing to fold: the neighbours decide."""
        return Folding()

    @property
    def folding_limit(self) -> Folding:
        """Nothing to fold."""
        return Folding()

    def fold(self, folding: Folding) -> Self:
        """The converter as it is."""
        return self

    def golden(self, frames: Array) -> Array:
        """The elements as they are."""
        return frames.reshape(-1, self.target.vectors, self.target.channels)

    @property
    def mode(self) -> str:
        """The circuit: `kUpsize` and `kDownsize` where a beat is at one of few places, else `kGearbox`.

        Beats must lie alike in all vectors: all are full, or vectors are the same, and begin with a group of
        input beats, or end with the last of these.
        """
        source, target = self.source, self.target
        if source.lanes <= target.lanes:
            ratio, rest = divmod(target.lanes, source.lanes)
            in_groups = self._same_vectors and not rest and source.beats_per_vector % ratio == 0
            return "kUpsize" if self._full or in_groups else "kGearbox"
        covered = target.beats_per_vector * target.lanes <= source.beats_per_vector * source.lanes
        return "kDownsize" if self._full or (self._same_vectors and covered) else "kGearbox"

    @property
    def _full(self) -> bool:
        """Whether no beat has padding."""
        return _last_lanes(self.source) == self.source.lanes and _last_lanes(self.target) == self.target.lanes

    @property
    def _same_vectors(self) -> bool:
        return self.source.channels == self.target.channels

    @cached_property
    def _period(self) -> tuple[list[bool], list[bool]]:
        """Reads and writes of the steps until vectors of both sides first end together."""
        reads: list[bool] = []
        writes: list[bool] = []
        size, source, target = math.lcm(self.source.channels, self.target.channels), self.source, self.target
        taken = sent = 0
        while sent < size:
            needed = min(target.lanes, target.channels - sent % target.channels)
            reads.append(taken - sent < needed)
            if reads[-1]:
                taken += min(source.lanes, source.channels - taken % source.channels)
            writes.append(taken - sent >= needed)
            if writes[-1]:
                sent += needed
        return reads, writes

    def schedule(self) -> Schedule:
        """Read while the next output beat lacks elements; write once it has them."""
        reads, writes = self._period
        periods = self.cycles_per_frame // len(reads)
        return Schedule(np.tile(np.array(reads), periods), np.tile(np.array(writes), periods))

    @property
    def cycles_per_frame(self) -> int:
        """A step for each beat that is written, and one for each further beat that must be read for it.

        The last beat that is read for another is read in the step that writes that.
        """
        if self._full or self._same_vectors:
            return self._aligned_cycles
        size = math.lcm(self.source.channels, self.target.channels)
        last_read = np.searchsorted(_ends(self.source, size), _ends(self.target, size))
        further = np.maximum(np.diff(last_read, prepend=-1) - 1, 0)
        steps = len(last_read) + int(further.sum())
        return steps * (self.source.vectors * self.source.channels // size)

    @property
    def _aligned_cycles(self) -> int:
        """The cycles where nothing is dropped or added but at the ends of vectors that both sides share.

        Wider beats in than out: each step writes. Else each step reads, but for one at the end of a
        vector whose last beat out finds all that it needs.
        """
        source, target = self.source, self.target
        if source.lanes >= target.lanes:
            return target.beats_per_frame
        if self._full:
            return source.beats_per_frame
        read_before = divide_up((target.beats_per_vector - 1) * target.lanes, source.lanes)
        extra = read_before >= source.beats_per_vector
        return source.vectors * (source.beats_per_vector + extra)

    def parts(self) -> Parts:
        """Shift registers and a counter, or a multiplexer for each place where a held bit can come from."""
        bits, source, target = self.source.element.bits, self.source, self.target
        slots = sum((count - 1).bit_length() for count in self._phases)
        if self.mode == "kUpsize":
            held = target.width - self._place_step * bits
            return Parts(
                {"upsize": 1, "slots": slots, **self._choices},
                {"upsize": 1, "slots": slots, "outputs": target.width, "held_beats": held},
            )
        if self.mode == "kDownsize":
            return Parts(
                {"downsize": 1, "slots": slots, **self._choices},
                {"downsize": 1, "slots": slots, "outputs": target.width, "held_beats": source.width},
            )
        places = divide_up(target.lanes, self._place_step)
        held = (source.lanes + target.lanes) * bits
        moved = held * places.bit_length()
        counters = (source.lanes + target.lanes).bit_length()
        ragged = 0 if self._full else held
        return Parts(
            {"gearbox": 1, "filled": counters, "held": held, "moved": moved, "drained": ragged},
            {"gearbox": 1, "filled": counters, "held": held, "outputs": target.width},
        )

    @property
    def _choices(self) -> dict[str, float]:
        """Multiplexers of output bits: a look-up table has room for one of four, others join more."""
        places, width = self._phases[1], self.target.width
        return {"choices": width * divide_up(places - 1, 3), "joined_choices": width if places > 4 else 0}

    @property
    def _phases(self) -> tuple[int, int]:
        """The input beats and the output beats until both begin alike again."""
        lanes = math.lcm(self.source.lanes, self.target.lanes)
        return lanes // self.source.lanes, lanes // self.target.lanes

    @property
    def _place_step(self) -> int:
        """What divides the number of elements that are held whenever a beat is read."""
        lanes = [self.source.lanes, self.target.lanes]
        if not self._same_vectors:
            lanes += [_last_lanes(self.source), _last_lanes(self.target)]
        return math.gcd(*lanes)

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes of `thresher::WidthConverter`; a side whose vectors' ends do not matter has one beat."""
        source, target = self.source, self.target
        drains = self._same_vectors and not self._full
        input_ends = not drains and _last_lanes(source) < source.lanes
        output_ends = drains or _last_lanes(target) < target.lanes
        return {
            "kElementBits": source.element.bits,
            "kInputLanes": source.lanes,
            "kOutputLanes": target.lanes,
            "kInputBeats": source.beats_per_vector if input_ends else 1,
            "kLastInputLanes": _last_lanes(source) if input_ends else source.lanes,
            "kOutputBeats": target.beats_per_vector if output_ends else 1,
            "kLastOutputLanes": _last_lanes(target),
            "kDrains": drains,
            "kInputPhases": self._phases[0],
            "kOutputPhases": self._phases[1],
            "kPlaceStep": self._place_step,
            "kMode": f"WidthMode::{self.mode}",
        }


def _ends(layout: StreamLayout, size: int) -> npt.NDArray[np.int64]:
    """The elements up to the end of each beat, for the beats of the first `size` elements."""
    within = np.minimum(np.arange(1, layout.beats_per_vector + 1) * layout.lanes, layout.channels)
    return (np.arange(0, size, layout.channels)[:, None] + within).ravel()


def _last_lanes(layout: StreamLayout) -> int:
    """Elements in the last beat of a vector."""
    return layout.channels - (layout.beats_per_vector - 1) * layout.lanes
