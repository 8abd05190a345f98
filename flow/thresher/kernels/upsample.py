"""upsample: every pixel of a map, repeated down and across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, TensorType
from thresher.ir.integer_branches import IntUpsample
from thresher.ir.kernel import Folding, Schedule
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts
from thresher.kernels.tables import memory_parts


@dataclass(frozen=True, eq=False)
class Upsample(Lanewise):
    """`pe` channels a cycle; repeats come from a memory.

    It holds a row, or a pixel where rows are not repeated.
    """

    larger: IntUpsample
    pe: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take one `IntUpsample`."""
        return (cls(nodes[0]), 1) if isinstance(nodes[0], IntUpsample) else None

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return (self.larger.input_type,)

    @property
    def target_type(self) -> TensorType:
        """What the integer operator writes."""
        return self.larger.output_type

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, frames: Array) -> Array:
        """The integer operator itself."""
        return self.larger.evaluate(frames)[0]

    def schedule(self) -> Schedule:
        """Every step writes; those of the first repeat of a row and of a pixel read."""
        larger, beats = self.larger, self.input_layout.beats_per_vector
        reads = np.zeros((larger.height, larger.vertical, larger.width, larger.horizontal, beats), np.bool_)
        reads[:, 0, :, 0] = True
        return Schedule(reads.reshape(-1), np.ones(reads.size, np.bool_))

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat of the larger map."""
        return self.output_layout.beats_per_frame

    @property
    def _depth(self) -> int:
        """Beats in the memory."""
        beats = self.input_layout.beats_per_vector
        return beats * self.larger.width if self.larger.vertical > 1 else beats

    def parts(self) -> Parts:
        """The memory, a multiplexer behind it, and the counters."""
        larger, width = self.larger, self.input_layout.width
        counted = [
            larger.vertical,
            larger.width,
            larger.horizontal,
            self.input_layout.beats_per_vector,
            self._depth,
        ]
        loops = sum((count - 1).bit_length() + 1 for count in counted if count > 1)
        registers = {"upsample": 1, "loops": loops, "outputs": width, "repeated": width}
        own = {"upsample": 1, "loops": loops, "repeated": width}
        return Parts.all(memory_parts("buffer", width, self._depth), Parts(own, registers))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Geometry of `thresher::Upsample`."""
        return {
            "kWidth": self.input_layout.width,
            "kBeats": self.input_layout.beats_per_vector,
            "kColumns": self.larger.width,
            "kVertical": self.larger.vertical,
            "kHorizontal": self.larger.horizontal,
        }
