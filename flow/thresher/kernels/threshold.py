"""threshold: a staircase per channel on a stream of integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, IntThreshold, TensorType
from thresher.ir.kernel import Folding, Schedule, Table, signed_bits
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts
from thresher.kernels.staircase import output_base, staircase_parts, threshold_table


@dataclass(frozen=True, eq=False)
class Threshold(Lanewise):
    """`pe` channels a cycle go through their staircases; one beat in, one beat out."""

    threshold: IntThreshold
    pe: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take one `IntThreshold`."""
        return (cls(nodes[0]), 1) if isinstance(nodes[0], IntThreshold) else None

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return (self.threshold.input_type,)

    @property
    def target_type(self) -> TensorType:
        """What the integer operator writes."""
        return self.threshold.output_type

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, frames: Array) -> Array:
        """The integer operator itself."""
        return self.threshold.evaluate(frames)[0]

    def schedule(self) -> Schedule:
        """Every step reads a beat and writes a beat."""
        every = np.ones(self.input_layout.beats_per_frame, np.bool_)
        return Schedule(every, every)

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat."""
        return self.input_layout.beats_per_frame

    def parts(self) -> Parts:
        """The staircases, a counter and beats."""
        levels, words = self.threshold.thresholds.shape[1], self._table.words.shape[1]
        counter = (self.input_layout.beats_per_vector - 1).bit_length()
        stairs = staircase_parts(self.pe, levels, self._bits, words)
        registers = {
            "threshold": 1,
            "threshold_beats": self.input_layout.width,
            "outputs": self.output_layout.width,
        }
        own = Parts({"threshold": 1, "counters": counter}, {**registers, "counters": counter})
        return Parts.all(stairs, own)

    @property
    def _bits(self) -> int:
        element = self.threshold.input_type.element
        levels = self.threshold.thresholds
        return signed_bits(min(element.lo, int(levels.min())), max(element.hi, int(levels.max())))

    @cached_property
    def _table(self) -> Table:
        levels = self.threshold.thresholds
        if self.input_layout.element.bipolar:
            # A beat holds 0 for -1 and 1 for +1: x >= t is code >= (t + 1) / 2, rounded up.
            levels = -((-levels - 1) // 2)
        return threshold_table(levels, self.threshold.descending, self._bits, self.pe)

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Threshold`."""
        source, target = self.input_layout, self.output_layout
        return {
            "kChannels": source.channels,
            "kPe": self.pe,
            "kInputBits": source.element.bits,
            "kInputSigned": source.element.signed,
            "kOutputBits": target.element.bits,
            "kOutputBase": output_base(self.threshold),
            "kLevels": self.threshold.thresholds.shape[1],
            "kThresholdBits": self._bits,
            "kThresholdTiles": self._table.words.shape[1],
            "kHasDescending": bool(self.threshold.descending.any()),
        }

    def tables(self) -> Mapping[str, Table]:
        """The thresholds of each lane."""
        return {"thresholds": self._table}
