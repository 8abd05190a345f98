"""argmax: the index of the largest element of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntArgMax, IntNode
from thresher.ir.kernel import Folding, Schedule
from thresher.kernels.parts import Estimated, Parts
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class Argmax(Estimated):
    """`pe` elements a cycle are compared with the best so far; one beat leaves per frame."""

    argmax: IntArgMax
    pe: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntArgMax` over one vector."""
        first = nodes[0]
        if isinstance(first, IntArgMax) and first.input_type.vectors == 1:
            return cls(first), 1
        return None

    @property
    def input_layout(self) -> StreamLayout:
        """`pe` elements a beat."""
        source = self.argmax.input_type
        return StreamLayout(source.element, source.channels, source.vectors, self.pe)

    @property
    def output_layout(self) -> StreamLayout:
        """One index a frame."""
        return StreamLayout(self.argmax.output_type.element, 1, 1, 1)

    @property
    def folding(self) -> Folding:
        """`pe` elements."""
        return Folding(self.pe, 1)

    @property
    def folding_limit(self) -> Folding:
        """All elements at once."""
        return Folding(self.argmax.input_type.channels, 1)

    def fold(self, folding: Folding) -> Self:
        """Compare `folding.pe` elements a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, frames: Array) -> Array:
        """The integer operator itself."""
        return self.argmax.evaluate(frames)[0]

    def schedule(self) -> Schedule:
        """Every step reads; the last writes."""
        beats = self.input_layout.beats_per_frame
        return Schedule(np.ones(beats, np.bool_), np.arange(beats) == beats - 1)

    def parts(self) -> Parts:
        """A comparator and two multiplexers for each candidate."""
        bits, index = self.input_layout.element.bits + 1, self.output_layout.element.bits
        counter = (self.input_layout.beats_per_vector - 1).bit_length()
        own = {"argmax": 1, "scores": self.pe * bits, "indices": (self.pe - 1) * index, "counters": counter}
        return Parts(own, {**own, "best": bits + index})

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Argmax`."""
        element = self.input_layout.element
        return {
            "kChannels": self.input_layout.channels,
            "kPe": self.pe,
            "kInputBits": element.bits,
            "kInputSigned": element.signed,
            "kLowest": 0 if element.bipolar else element.lo,
            "kOutputBits": self.output_layout.element.bits,
        }
