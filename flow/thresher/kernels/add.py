"""add: the sum of two streams, element by element, with a staircase behind it where one follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, IntThreshold, TensorType
from thresher.ir.integer_branches import IntAdd
from thresher.ir.kernel import Folding, Schedule, Table, signed_bits
from thresher.kernels.accumulation import threshold_behind
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts
from thresher.kernels.staircase import output_base, staircase_parts, threshold_table
from thresher_sim.streams import IntType

# Words of thresholds that cost nothing beside the comparators that they meet.
_MOST_WORDS_COMPARED = 16


@dataclass(frozen=True, eq=False)
class Add(Lanewise):
    """`pe` channels a cycle of two tensors of one shape, each of any element type.

    Sums go through the staircases of `threshold`, if there is one.
    """

    join: IntAdd
    threshold: IntThreshold | None = None
    pe: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntAdd` of two tensors, and an `IntThreshold` right behind it."""
        first = nodes[0]
        if not isinstance(first, IntAdd) or len(first.input_types) != 2:
            return None
        threshold = threshold_behind(nodes)
        return cls(first, threshold), 2 if threshold else 1

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return self.join.input_types

    @property
    def target_type(self) -> TensorType:
        """What the integer operator, or the staircases behind it, write."""
        return self.threshold.output_type if self.threshold else self.join.output_type

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, *frames: Array) -> Array:
        """The integer operators themselves."""
        total = self.join.evaluate(*frames)[0]
        return self.threshold.evaluate(total)[0] if self.threshold else total

    def schedule(self) -> Schedule:
        """Every step reads a beat of each input and writes one."""
        every = np.ones(self.cycles_per_frame, np.bool_)
        return Schedule(np.stack([every, every]), every)

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat."""
        return self.output_layout.beats_per_frame

    def parts(self) -> Parts:
        """An adder for each lane, and the staircases behind it."""
        sums = self.pe * self._sum_bits
        counter = (self.input_layout.beats_per_vector - 1).bit_length() if self._table is not None else 0
        plain = Parts(
            {"add": 1, "sums": sums, "counters": counter},
            {"add": 1, "sums": sums, "counters": counter, "outputs": self.output_layout.width},
        )
        if self._table is None or self.threshold is None:
            return plain
        levels, words = self.threshold.thresholds.shape[1], self._table.words.shape[1]
        return Parts.all(plain, staircase_parts(self.pe, levels, self._sum_bits, words))

    @cached_property
    def _sum_bits(self) -> int:
        """Bits of two's complement that hold every sum, and every threshold and term that it meets.

        A zero-bit lane of a bipolar stream stands for -1, as elsewhere.
        """
        elements = [kind.element for kind in self.join.input_types]
        low, high = (sum(ends) for ends in zip(*((each.lo, each.hi) for each in elements), strict=True))
        bounds = [low, high, *(end for each in elements for end in (each.lo, each.hi))]
        return signed_bits(min(*bounds, *self._thresholds), max(*bounds, *self._thresholds))

    @property
    def _thresholds(self) -> list[int]:
        if self.threshold is None:
            return []
        return [int(self.threshold.thresholds.min()), int(self.threshold.thresholds.max())]

    @cached_property
    def _table(self) -> Table | None:
        if self.threshold is None:
            return None
        return threshold_table(self.threshold.thresholds, self.threshold.descending, self._sum_bits, self.pe)

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Add`."""
        first, second = (layout.element for layout in self.input_layouts)
        return {
            "kChannels": self.input_layout.channels,
            "kPe": self.pe,
            **_operand("kFirst", first),
            **_operand("kSecond", second),
            "kSumBits": self._sum_bits,
            "kOutputBits": self.output_layout.element.bits,
            **self._threshold_constants(),
        }

    def _threshold_constants(self) -> dict[str, int | bool | str]:
        if self.threshold is None or self._table is None:
            return {"kLevels": 0}
        return {
            "kLevels": self.threshold.thresholds.shape[1],
            "kThresholdTiles": self._table.words.shape[1],
            "kHasDescending": bool(self.threshold.descending.any()),
            "kOutputBase": output_base(self.threshold),
        }

    def tables(self) -> Mapping[str, Table]:
        """The thresholds of each lane, if there are any."""
        return {} if self._table is None else {"thresholds": self._table}


def _operand(name: str, element: IntType) -> dict[str, int | bool | str]:
    return {f"{name}Bits": element.bits, f"{name}Signed": element.signed, f"{name}Bipolar": element.bipolar}
