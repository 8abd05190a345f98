"""A unit that joins: sums of two streams' elements, the first less often than the second.

It keeps each beat of its first input for one beat of the second and the next, so that not every step
reads both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode
from thresher.kernels import Folding, Kernel, Resources, Schedule
from thresher_sim.streams import IntType, StreamLayout


@dataclass(frozen=True, eq=False)
class Plus(Kernel):
    """One vector of `fewer` to `repeats` vectors of `more`, element by element; all lanes at once."""

    fewer: StreamLayout
    more: StreamLayout

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> None:
        """Nothing: it stands for no operator."""

    @property
    def repeats(self) -> int:
        """Vectors of the second input for each of the first."""
        return self.more.vectors // self.fewer.vectors

    @property
    def input_layout(self) -> StreamLayout:
        return self.fewer

    @property
    def input_layouts(self) -> tuple[StreamLayout, ...]:
        return self.fewer, self.more

    @property
    def output_layout(self) -> StreamLayout:
        one, other = self.fewer.element, self.more.element
        element = IntType(one.lo + other.lo, one.hi + other.hi)
        return StreamLayout(element, self.more.channels, self.more.vectors, self.more.channels)

    @property
    def folding(self) -> Folding:
        return Folding(self.more.lanes)

    @property
    def folding_limit(self) -> Folding:
        return Folding(self.more.lanes)

    def fold(self, folding: Folding) -> Self:
        return self

    def golden(self, *frames: Array) -> Array:
        fewer, more = frames
        return np.repeat(fewer, self.repeats, axis=1) + more

    def schedule(self) -> Schedule:
        steps = np.arange(self.more.vectors)
        return Schedule(np.stack([steps % self.repeats == 0, steps >= 0]), steps >= 0)

    def resources(self) -> Resources:
        return Resources()

    def constants(self) -> Mapping[str, int | bool | str]:
        one, other = self.fewer.element, self.more.element
        return {
            "kLanes": self.more.channels,
            "kRepeats": self.repeats,
            "kBits0": one.bits,
            "kSigned0": one.signed,
            "kBits1": other.bits,
            "kSigned1": other.signed,
            "kOutputBits": self.output_layout.element.bits,
        }
