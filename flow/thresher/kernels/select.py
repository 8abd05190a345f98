"""select: some channels of every vector, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, Ints, TensorType
from thresher.ir.integer_branches import IntSelect
from thresher.ir.kernel import Folding, Schedule, Table
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts
from thresher.kernels.tables import memory_parts, table_parts


@dataclass(frozen=True, eq=False)
class Select(Lanewise):
    """`pe` channels a cycle, of what comes in as of what goes out.

    Where the channels are whole beats in their order, beats go on or are dropped; in another order they go
    through a memory. Otherwise a vector is collected in registers. From either it leaves while the next one
    comes in.
    """

    select: IntSelect
    pe: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take one `IntSelect`."""
        return (cls(nodes[0]), 1) if isinstance(nodes[0], IntSelect) else None

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return (self.select.input_type,)

    @property
    def target_type(self) -> TensorType:
        """What the integer operator writes."""
        return self.select.output_type

    @property
    def folding_limit(self) -> Folding:
        """All channels at once."""
        return Folding(max(self.select.input_type.channels, self.select.output_type.channels), 1)

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, frames: Array) -> Array:
        """The integer operator itself."""
        return self.select.evaluate(frames)[0]

    @cached_property
    def _whole(self) -> Ints | None:
        """The beats of a vector that leave, in order, where each beat that leaves is one that came in.

        The last of them may have lanes behind the last channel that does.
        """
        channels = self.select.channels
        beats: Ints = channels[:: self.pe] // self.pe
        lanes = beats[:, None] * self.pe + np.arange(self.pe)
        return beats if np.array_equal(channels, lanes.reshape(-1)[: len(channels)]) else None

    @property
    def mode(self) -> str:
        """The circuit: `kForward`, `kMemory` or `kRegisters`."""
        if self._whole is None:
            return "kRegisters"
        return "kForward" if bool(np.all(np.diff(self._whole) > 0)) else "kMemory"

    @property
    def _beats(self) -> tuple[int, int]:
        return self.input_layout.beats_per_vector, self.output_layout.beats_per_vector

    @property
    def _lag(self) -> int:
        """Steps from the last beat of a vector that comes in to the first one that leaves."""
        return 1 if self.mode == "kMemory" else 0

    def schedule(self) -> Schedule:
        """Every step reads, and those of beats that go on write.

        From registers the first beat of a vector leaves with its last one, and from memory a step later; the
        others leave in the steps behind it, in which the next vector comes in. Vectors follow each other at
        the rate of the side with more beats. Behind the last one of a frame only beats go out.
        """
        incoming, outgoing = self._beats
        vectors = self.input_layout.vectors
        if self._whole is not None and self.mode == "kForward":
            writes = np.isin(np.arange(incoming), self._whole)
            return Schedule(np.ones(vectors * incoming, np.bool_), np.tile(writes, vectors))
        starts = np.arange(vectors)[:, None] * max(incoming, outgoing)
        reads, writes = np.zeros((2, self.cycles_per_frame), np.bool_)
        reads[starts + np.arange(incoming)] = True
        writes[starts + incoming - 1 + self._lag + np.arange(outgoing)] = True
        return Schedule(reads, writes)

    @property
    def cycles_per_frame(self) -> int:
        """The beats of each vector on the side that has more, and those that leave at the end of a frame."""
        incoming, outgoing = self._beats
        vectors = self.input_layout.vectors
        if self.mode == "kForward":
            return vectors * incoming
        return vectors * max(incoming, outgoing) + min(incoming, outgoing) - 1 + self._lag

    def parts(self) -> Parts:
        """Counters, and a memory, or registers for all beats of a vector but one on either side."""
        incoming, outgoing = self._beats
        width, target, counter = self.input_layout.width, self.output_layout.width, incoming.bit_length()
        if self.mode == "kForward":
            return Parts(
                {"forward": 1, "counters": counter}, {"forward": 1, "counters": counter, "outputs": width}
            )
        counters = counter + outgoing.bit_length() + self.input_layout.vectors.bit_length()
        own = {"select": 1, "selecting": counters}
        if self.mode == "kMemory":
            order = table_parts(1, counter, outgoing)
            memory = memory_parts("buffer", width, 2 << (incoming - 1).bit_length())
            return Parts.all(order, memory, Parts(own, {**own, "outputs": width}))
        collected, leaving = (incoming - 1) * width, (outgoing - 1) * target
        return Parts(
            {**own, "leaving": leaving}, {**own, "collected": collected + leaving, "outputs": target}
        )

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes of `thresher::Select`."""
        incoming, outgoing = self._beats
        return {
            "kMode": f"SelectMode::{self.mode}",
            "kInputLanes": self.input_layout.lanes,
            "kOutputLanes": self.output_layout.lanes,
            "kElementBits": self.input_layout.element.bits,
            "kVectors": self.input_layout.vectors,
            "kInputBeats": incoming,
            "kOutputBeats": outgoing,
            "kSelected": self.output_layout.channels,
        }

    def tables(self) -> Mapping[str, Table]:
        """Which beats go on and which is the last, or where each beat or channel that leaves comes from."""
        incoming, _ = self._beats
        if self._whole is None:
            return {"channels": _places(self.select.channels, self.input_layout.channels)}
        if self.mode == "kMemory":
            return {"beats": _places(self._whole, incoming)}
        places = np.arange(incoming)
        kept = np.stack([np.isin(places, self._whole), places == self._whole[-1]], axis=1)
        return {"kept": Table.of_fields(kept[None].astype(np.int64), 1)}


def _places(places: Ints, count: int) -> Table:
    """A word for each of `places`, which are below `count`."""
    return Table.of_fields(places[None, :, None], max(1, (count - 1).bit_length()))
