"""fork: one stream becomes several, which all carry the same beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, TensorType
from thresher.ir.kernel import Folding, Schedule
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts


@dataclass(frozen=True, eq=False)
class Fork(Lanewise):
    """`copies` streams of `tensor`, `pe` channels a beat: 2 to `MOST_COPIES`.

    A beat is sent to all of them in one step, so the slowest reader holds the others once the FIFOs
    between are full. More copies are forks of forks.
    """

    MOST_COPIES: ClassVar[int] = 4

    tensor: TensorType
    copies: int
    pe: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.copies <= self.MOST_COPIES:
            raise ValueError(f"Fork: {self.copies} copies, where 2 to {self.MOST_COPIES} are possible")

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take nothing: forks stand behind a tensor that several read, not for an operator."""
        return None

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What is copied."""
        return (self.tensor,)

    @property
    def target_type(self) -> TensorType:
        """Each copy."""
        return self.tensor

    @property
    def output_count(self) -> int:
        """As many as there are copies."""
        return self.copies

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, frames: Array) -> Array:
        """The elements as they are."""
        return frames.reshape(-1, self.tensor.vectors, self.tensor.channels)

    def schedule(self) -> Schedule:
        """Every step reads a beat and writes it."""
        every = np.ones(self.cycles_per_frame, np.bool_)
        return Schedule(every, every)

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat."""
        return self.input_layout.beats_per_frame

    def parts(self) -> Parts:
        """A register and a handshake for each copy."""
        width = self.copies * self.input_layout.width
        return Parts({"fork": 1, "copies": self.copies}, {"fork": 1, "copies": self.copies, "copied": width})

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes of `thresher::Fork`."""
        return {"kWidth": self.input_layout.width, "kCopies": self.copies}
