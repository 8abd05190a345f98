"""rescale: a piecewise linear function per channel, in fixed point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, Ints, TensorType
from thresher.ir.integer_branches import IntRescale
from thresher.ir.kernel import Folding, Schedule, Table, signed_bits
from thresher.kernels.arithmetic import multiplier_parts
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.parts import Parts
from thresher.kernels.staircase import deal
from thresher.kernels.tables import table_parts
from thresher_sim.streams import IntType


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """`(multipliers[c, k] * x + offsets[c, k]) >> shift` of `rescale`, with as few bits as will do.

    Powers of two that all multipliers have in common come off the shift, and starts that no input of
    its type reaches lie just outside of it. Nothing here depends on a folding.
    """

    rescale: IntRescale

    @property
    def _common(self) -> int:
        """Trailing zeros that all multipliers share, at most as many as are shifted out.

        (2**g * m * x + o) >> s is (m * x + (o >> g)) >> (s - g), rounded down as it is, for g up to s.
        """
        bits = int(np.bitwise_or.reduce(self.rescale.multipliers, axis=None))
        return min(self.rescale.shift, (bits & -bits).bit_length() - 1 if bits else 0)

    @cached_property
    def multipliers(self) -> Ints:
        """`[channel, segment]`, odd somewhere, unless nothing is shifted out."""
        return self.rescale.multipliers >> self._common

    @cached_property
    def offsets(self) -> Ints:
        """`[channel, segment]`."""
        return self.rescale.offsets >> self._common

    @cached_property
    def starts(self) -> Ints:
        """`[channel, segment - 1]`, between the lowest input and one above the highest."""
        element = self.rescale.input_type.element
        return np.clip(self.rescale.starts, element.lo, element.hi + 1)

    @property
    def shift(self) -> int:
        """At most so much that the sign is left."""
        return min(self.rescale.shift - self._common, self.sum_bits - 1)

    @property
    def start_bits(self) -> int:
        """Bits of two's complement of starts and of inputs."""
        element = self.rescale.input_type.element
        return signed_bits(min(element.lo, -1), element.hi + 1)

    @cached_property
    def sum_bits(self) -> int:
        """Bits of two's complement of what is shifted, for all inputs of each segment."""
        element, channels = self.rescale.input_type.element, len(self.multipliers)
        below, above = np.full((channels, 1), element.lo), np.full((channels, 1), element.hi + 1)
        first = np.concatenate([below, self.starts], axis=1)
        last = np.maximum(np.concatenate([self.starts, above], axis=1) - 1, first)
        ends = [self.multipliers * place + self.offsets for place in (first, last)]
        return signed_bits(int(np.min(ends)), int(np.max(ends)))


@dataclass(frozen=True, eq=False)
class Rescale(Lanewise):
    """`pe` channels a cycle: the segment is found by comparing, its line is a product and a sum.

    Multipliers or offsets that are alike in all channels and segments are constants, so that products by one
    power of two are shifts; others are in tables. `shared` is what foldings have in common.
    """

    rescale: IntRescale
    pe: int = 1
    shared: FixedPoint | None = field(default=None, repr=False)

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take one `IntRescale`."""
        return (cls(nodes[0]), 1) if isinstance(nodes[0], IntRescale) else None

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return (self.rescale.input_type,)

    @property
    def target_type(self) -> TensorType:
        """What the integer operator writes."""
        return self.rescale.output_type

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe, shared=self._numbers)

    def golden(self, frames: Array) -> Array:
        """The integer operator itself."""
        return self.rescale.evaluate(frames)[0]

    def schedule(self) -> Schedule:
        """Every step reads a beat and writes a beat."""
        every = np.ones(self.cycles_per_frame, np.bool_)
        return Schedule(every, every)

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat."""
        return self.input_layout.beats_per_frame

    @cached_property
    def _numbers(self) -> FixedPoint:
        return self.shared or FixedPoint(self.rescale)

    @property
    def _element(self) -> IntType:
        return self.rescale.input_type.element

    def parts(self) -> Parts:
        """A comparator for each start, a multiplier, an adder, and the tables."""
        numbers, segments = self._numbers, self._numbers.multipliers.shape[1]
        counter = (self.input_layout.beats_per_vector - 1).bit_length()
        tables = [table_parts(self.pe, table.width, table.words.shape[1]) for table in self.tables().values()]
        compared = self.pe * (segments - 1) * numbers.start_bits
        chosen = self.pe * (segments - 1) * (self._multiplier_bits + self._offset_bits)
        offset = self.pe * numbers.sum_bits if np.any(numbers.offsets) else 0
        own = {"rescale": 1, "counters": counter, "starts": compared, "chosen": chosen, "offsets": offset}
        registers = {
            "rescale": 1,
            "counters": counter,
            "sums": offset,
            "beats": self.input_layout.width,
            "outputs": self.output_layout.width,
        }
        return Parts.all(*tables, self._multiplier_parts, Parts(own, registers))

    @property
    def _multiplier_parts(self) -> Parts:
        """Nothing for a power of two, and where only a sign is multiplied."""
        constant = _alike(self._numbers.multipliers)
        if (constant is not None and abs(constant).bit_count() <= 1) or self._element.bipolar:
            return Parts()
        signed = bool(np.any(self._numbers.multipliers < 0))
        factor, bits = self._multiplier_bits - (0 if signed else 1), self._element.bits
        return multiplier_parts(self.pe, factor, bits, factor + bits)

    @property
    def _multiplier_bits(self) -> int:
        multipliers = self._numbers.multipliers
        return signed_bits(int(multipliers.min()), int(multipliers.max()))

    @property
    def _offset_bits(self) -> int:
        offsets = self._numbers.offsets
        return signed_bits(int(offsets.min()), int(offsets.max()))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes, types and what is alike everywhere, of `thresher::Rescale`."""
        source, target, numbers = self.input_layout, self.output_layout, self._numbers
        multiplier, offset = _alike(numbers.multipliers), _alike(numbers.offsets)
        return {
            "kChannels": source.channels,
            "kPe": self.pe,
            "kInputBits": source.element.bits,
            "kInputSigned": source.element.signed,
            "kInputBipolar": source.element.bipolar,
            "kOutputBits": target.element.bits,
            "kSegments": numbers.multipliers.shape[1],
            "kStartBits": numbers.start_bits,
            "kSumBits": numbers.sum_bits,
            "kShift": numbers.shift,
            "kHasMultipliers": multiplier is None,
            "kMultiplier": multiplier or 0,
            "kMultiplierBits": self._multiplier_bits,
            "kHasOffsets": offset is None,
            "kOffset": offset or 0,
            "kOffsetBits": self._offset_bits,
            **{f"k{name.capitalize()}Tiles": table.words.shape[1] for name, table in self.tables().items()},
        }

    def tables(self) -> Mapping[str, Table]:
        """Starts, multipliers and offsets of each lane, all segments in a word, where they differ."""
        numbers = self._numbers
        fields = {}
        if numbers.starts.shape[1]:
            fields["starts"] = (numbers.starts, numbers.start_bits)
        if _alike(numbers.multipliers) is None:
            fields["multipliers"] = (numbers.multipliers, self._multiplier_bits)
        if _alike(numbers.offsets) is None:
            fields["offsets"] = (numbers.offsets, self._offset_bits)
        return {name: Table.of_fields(deal(values, self.pe), bits) for name, (values, bits) in fields.items()}


def _alike(values: Ints) -> int | None:
    """The value that all are, if it is one and a C++ `int` holds it."""
    least, most = int(values.min()), int(values.max())
    return least if least == most and abs(least) < 1 << 31 else None
