"""concat: the channels of each vector of one stream, then those of another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from thresher.errors import UsageError
from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, TensorType
from thresher.ir.integer_branches import IntConcat
from thresher.ir.kernel import Folding, Schedule
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts


@dataclass(frozen=True, eq=False)
class Concat(Lanewise):
    """`pe` channels a cycle of two tensors of one element type.

    Beats go on as they are, so `pe` divides the channels of both, or is all of them: then a vector of either
    is a beat, and the two become one.
    """

    join: IntConcat
    pe: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntConcat` of two tensors of one element type."""
        first = nodes[0]
        if not isinstance(first, IntConcat) or len({kind.element for kind in first.input_types}) > 1:
            return None
        return (cls(first), 1) if len(first.input_types) == 2 else None

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return self.join.input_types

    @property
    def target_type(self) -> TensorType:
        """What the integer operator writes."""
        return self.join.output_type

    @property
    def folding_limit(self) -> Folding:
        """All channels of both inputs at once."""
        return Folding(self.target_type.channels, 1)

    @property
    def _whole(self) -> bool:
        """Whether a vector is a beat."""
        return self.pe == self.target_type.channels

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle.

        Raises `UsageError` where they do not divide the channels of both inputs, and are not all of them.
        """
        common, every = math.gcd(*self._channels), self.target_type.channels
        if common % folding.pe and folding.pe != every:
            first, second = self._channels
            divisors = [lanes for lanes in range(1, common + 1) if common % lanes == 0]
            works = ", ".join(map(str, [*divisors, every]))
            raise UsageError(
                f"folding: concat: pe is {folding.pe}, which does not divide both the {first} and the "
                f"{second} channels that it joins; what works is {works}"
            )
        return replace(self, pe=folding.pe)

    @property
    def _channels(self) -> tuple[int, ...]:
        return tuple(kind.channels for kind in self.join.input_types)

    def golden(self, *frames: Array) -> Array:
        """The integer operator itself."""
        return self.join.evaluate(*frames)[0]

    def schedule(self) -> Schedule:
        """Of each vector the beats of the first input, then those of the second; every step writes."""
        if self._whole:
            every = np.ones(self.cycles_per_frame, np.bool_)
            return Schedule(np.stack([every, every]), every)
        counts = [layout.beats_per_vector for layout in self.input_layouts]
        reads = np.repeat(np.eye(2, dtype=np.bool_), counts, axis=1)
        return Schedule(np.tile(reads, self.output_layout.vectors), np.ones(self.cycles_per_frame, np.bool_))

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat."""
        return self.output_layout.beats_per_frame

    def parts(self) -> Parts:
        """A multiplexer and counters of beats, or whole vectors side by side."""
        width = self.output_layout.width
        if self._whole:
            return Parts({"concat_whole": 1}, {"concat_whole": 1, "outputs": width})
        counters = sum((layout.beats_per_vector - 1).bit_length() + 1 for layout in self.input_layouts)
        return Parts(
            {"concat": 1, "joined": width, "loops": counters},
            {"concat": 1, "outputs": width, "loops": counters},
        )

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes of `thresher::Concat`."""
        first, second = self.input_layouts
        return {
            "kWhole": self._whole,
            "kFirstWidth": first.width,
            "kSecondWidth": second.width,
            "kFirstBeats": first.beats_per_vector,
            "kSecondBeats": second.beats_per_vector,
        }
