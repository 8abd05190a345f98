"""Sums of products and what is made of them, shared by the kernels of `hls/thresher/accumulation.hpp`.

For bipolar x bipolar the accumulator counts matching signs, sum = 2 * matches - columns, and holds half of
the sum: matches - ceil(columns / 2), so that sum = 2 * accumulator + (columns odd). Only where odd
corrections must show in the output does it hold the sum itself. Where bipolar weights meet numbers and
a threshold follows, an input times -1 is taken as its complement, and what the accumulator then lacks
is taken off the thresholds. In all other cases the accumulator is the sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from thresher.kernels.base import Resources, Table, divide_up, rom_cost, signed_bits, tile_rows
from thresher.kernels.staircase import deal, output_base, threshold_table, with_direction
from thresher.lower.integer import EdgeCorrections, IntNode, IntThreshold, reachable
from thresher_sim.streams import BIPOLAR, IntType

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Accumulation:
    """Each row of `weights[row, column]` times inputs of type `source`, plus what a window lacks at edges.

    The sums leave as they are, in two's complement of `sum_bits`, or through the staircases of `threshold`.
    Nothing here depends on a folding, so that all foldings of a kernel share one.
    """

    weights: Ints
    declared: IntType
    source: IntType
    sum_bits: int
    corrections: EdgeCorrections | None
    threshold: IntThreshold | None

    @cached_property
    def unit_weights(self) -> bool:
        """Whether every weight is one: they then need no memory and no multiplier."""
        return bool(np.all(self.weights == 1))

    @cached_property
    def weight_type(self) -> IntType:
        """The type of the weights that makes for the cheapest arithmetic."""
        if self.unit_weights:
            return BIPOLAR if self.source.bipolar else IntType(1, 1)
        return self.declared

    @property
    def levels(self) -> int:
        """Thresholds of each row."""
        return self.threshold.thresholds.shape[1] if self.threshold is not None else 0

    @property
    def counts_matches(self) -> bool:
        """Whether products are matches of signs."""
        return self.weight_type.bipolar and self.source.bipolar

    @cached_property
    def halves(self) -> bool:
        """Whether the accumulator holds half of the sum, rounded down."""
        odd = self.corrections is not None and bool((self.corrections.values % 2).any())
        return self.counts_matches and (self.levels == 1 or not odd)

    @property
    def complements(self) -> bool:
        """Whether an input times -1 is taken as its complement; see `_left_out`."""
        return self.weight_type.bipolar and not self.source.bipolar and self.threshold is not None

    @cached_property
    def _left_out(self) -> Ints:
        """What each row's accumulator lacks where inputs are complemented in place of negated.

        -x is ~x + 1 in two's complement, and ~x - (2**bits - 1) for an unsigned x of `bits` bits.
        """
        if not self.complements:
            return np.zeros(len(self.weights), np.int64)
        negative: Ints = (self.weights < 0).sum(axis=1)
        return negative if self.source.signed else negative * (1 - (1 << self.source.bits))

    @property
    def _start(self) -> int:
        """What the accumulator starts from where it starts from no table."""
        columns = self.weights.shape[1]
        if self.halves:
            return -divide_up(columns, 2)
        return -columns if self.counts_matches else 0

    def _in_accumulator_units(self, sums: Ints) -> Ints:
        """The least accumulator that stands for `sums[..., row]` or more."""
        if not self.halves:
            return sums - self._left_out
        odd = self.weights.shape[1] % 2
        half: Ints = -((odd - sums) // 2)
        return half

    @cached_property
    def _starts(self) -> Ints | None:
        """What the accumulator starts from, `[row class, column class, row]`, where that differs.

        One threshold is taken off, so that reaching it is a sign.
        """
        lacks = self.corrections.values if self.corrections else np.zeros((1, 1, 1), np.int64)
        if self.levels == 1:
            assert self.threshold is not None
            return self._start - self._in_accumulator_units(self.threshold.thresholds[:, 0] - lacks)
        if self.corrections is None:
            return None
        return self._start + (lacks // 2 if self.halves else lacks)

    @cached_property
    def _range(self) -> tuple[int, int]:
        """The lowest and the highest accumulator at the end of a sum."""
        low, high = (self._in_accumulator_units(ends) for ends in reachable(self.weights, self.source))
        if self._starts is None:
            return int(low.min()), int(high.max())
        return int((low + self._starts).min()) - self._start, int((high + self._starts).max()) - self._start

    @cached_property
    def accumulator_bits(self) -> int:
        """Bits of two's complement of the accumulator."""
        return signed_bits(*self._range)

    @cached_property
    def _start_bits(self) -> int:
        return 0 if self._starts is None else signed_bits(int(self._starts.min()), int(self._starts.max()))

    @cached_property
    def _thresholds(self) -> Ints:
        """Several thresholds `[row, level]` in accumulator units."""
        assert self.threshold is not None
        return self._in_accumulator_units(self.threshold.thresholds.T).T

    @cached_property
    def _threshold_bits(self) -> int:
        low, high = self._range
        return signed_bits(min(low, int(self._thresholds.min())), max(high, int(self._thresholds.max())))

    @property
    def _descends(self) -> bool:
        return self.threshold is not None and bool(self.threshold.descending.any())

    @cached_property
    def term_bits(self) -> int:
        """Bits of two's complement of one product."""
        weight, source = self.weight_type, self.source
        products = [w * x for w in (weight.lo, weight.hi) for x in (source.lo, source.hi)]
        # A zero-bit lane of a bipolar stream or table still stands for -1, so both factors must fit.
        bounds = [*products, weight.lo, weight.hi, source.lo, source.hi]
        return signed_bits(min(bounds), max(bounds))

    def resources(self, pe: int, simd: int, groups: int = 1) -> Resources:
        """Multipliers or XNORs with their adders, accumulators, and memories, of `pe` rows by `simd` columns.

        An XNOR-popcount lane costs about 1.1 LUT and an adder one LUT a bit; tables lie wherever they
        cost less, in LUT ROM or in block RAM.
        """
        rows, columns = self.weights.shape
        words = groups * divide_up(rows // groups, pe)
        weight_bits = 0 if self.unit_weights else pe * simd * self.weight_type.bits
        tables = [
            rom_cost(weight_bits, words * divide_up(columns, simd)),
            rom_cost(pe * self._start_bits, words * self._classes),
            rom_cost(pe * self._threshold_bits * self.levels, words) if self.levels > 1 else (0, 0.0),
        ]
        comparators = pe * self.accumulator_bits * (self.levels if self.levels > 1 else 0)
        lut = sum(luts for luts, _ in tables) + pe * self.accumulator_bits + comparators + self._class_luts
        return Resources(
            lut=round(pe * simd * self._lane_luts) + lut,
            ff=2 * pe * self.accumulator_bits,
            bram36=sum(brams for _, brams in tables),
        )

    @property
    def _lane_luts(self) -> float:
        weight, source = self.weight_type, self.source
        if self.counts_matches:
            return 1.1
        if self.unit_weights:
            return self.term_bits
        return self.term_bits * (2 if weight.bipolar or source.bipolar else 1 + min(weight.bits, source.bits))

    @property
    def _classes(self) -> int:
        if self.corrections is None:
            return 1
        rows, columns = self.corrections.values.shape[:2]
        return int(rows * columns)

    @property
    def _class_luts(self) -> int:
        """Two counters, and a small table on each."""
        if self.corrections is None:
            return 0
        places = (len(self.corrections.row_classes), len(self.corrections.column_classes))
        return sum(2 * size.bit_length() + 2 * divide_up(size, 64) for size in places)

    def constants(self, pe: int, groups: int = 1) -> Mapping[str, int | bool | str]:
        """What `thresher::Accumulation` needs of a `Layer`."""
        weight, source = self.weight_type, self.source
        target = self.threshold.output_type.element.bits if self.threshold else self.sum_bits
        return {
            "kColumns": self.weights.shape[1],
            "kUnitWeights": self.unit_weights,
            "kWeightBits": weight.bits,
            "kWeightSigned": weight.signed,
            "kWeightBipolar": weight.bipolar,
            "kInputBits": source.bits,
            "kInputSigned": source.signed,
            "kInputBipolar": source.bipolar,
            "kComplements": self.complements,
            "kHalves": self.halves,
            "kTermBits": self.term_bits,
            "kAccumulatorBits": self.accumulator_bits,
            "kOutputBits": target,
            **self._start_constants(pe, groups),
            **self._threshold_constants(pe, groups),
            **self._edge_constants(),
        }

    def _start_constants(self, pe: int, groups: int) -> dict[str, int | bool | str]:
        if self._starts is None:
            return {"kHasStarts": False, "kStart": self._start, "kStartTiles": 1}
        tiles = self._dealt_starts(pe, groups)[0].shape[3]
        return {"kHasStarts": True, "kStartBits": self._start_bits, "kStartTiles": tiles}

    def _threshold_constants(self, pe: int, groups: int) -> dict[str, int | bool | str]:
        if self.threshold is None:
            return {"kLevels": 0, "kThresholdTiles": 1, "kHasDescending": False}
        several = self.levels > 1
        return {
            "kLevels": self.levels,
            "kThresholdBits": self._threshold_bits if several else 0,
            "kThresholdTiles": self._threshold_table(pe, groups).words.shape[1] if several else 1,
            "kHasDescending": self._descends,
            "kOutputBase": output_base(self.threshold),
        }

    def _edge_constants(self) -> dict[str, int | bool | str]:
        if self.corrections is None:
            return {"kCorrected": False}
        rows, columns, _ = self.corrections.values.shape
        return {
            "kCorrected": True,
            "kWindowRows": len(self.corrections.row_classes),
            "kWindowColumns": len(self.corrections.column_classes),
            "kRowClasses": rows,
            "kColumnClasses": columns,
        }

    def tables(self, pe: int, simd: int, groups: int = 1) -> Mapping[str, Table]:
        """The tables that `thresher::Accumulation` needs of a `Layer`."""
        tables = {} if self.unit_weights else {"weights": self._weight_table(pe, simd, groups)}
        if self._starts is not None:
            tables["starts"] = self._start_table(pe, groups)
        if self.levels > 1:
            tables["thresholds"] = self._threshold_table(pe, groups)
        if self.corrections is not None:
            rows, columns, _ = self.corrections.values.shape
            tables["row_classes"] = _class_table(self.corrections.row_classes, rows)
            tables["column_classes"] = _class_table(self.corrections.column_classes, columns)
        return tables

    def _weight_table(self, pe: int, simd: int, groups: int) -> Table:
        rows, columns = self.weights.shape
        # Padding columns meet zero bits, which match no +1 and are worth nothing to a complement.
        padding = 1 if self.weight_type.bipolar else 0
        padded = np.full((rows, divide_up(columns, simd) * simd), padding, np.int64)
        padded[:, :columns] = self.weights
        codes = (padded > 0).astype(np.int64) if self.weight_type.bipolar else padded
        tiles = tile_rows(codes, pe, groups).reshape(pe, -1, simd)
        return Table.of_fields(tiles, self.weight_type.bits)

    def _threshold_table(self, pe: int, groups: int) -> Table:
        assert self.threshold is not None
        return threshold_table(self._thresholds, self.threshold.descending, self._threshold_bits, pe, groups)

    def _dealt_starts(self, pe: int, groups: int) -> tuple[Ints, int]:
        """The fields of starts `[pe, row class, column class, row tile, field]`, and their bits."""
        assert self._starts is not None
        fields, bits = np.moveaxis(self._starts, 2, 0)[..., None], self._start_bits
        if self.levels == 1:
            assert self.threshold is not None
            fields, bits = with_direction(fields, self.threshold.descending, bits)
        return np.moveaxis(deal(fields, pe, groups), 1, 3), bits

    def _start_table(self, pe: int, groups: int) -> Table:
        """The address is row class, column class and row tile side by side, each in whole bits."""
        fields, bits = self._dealt_starts(pe, groups)
        _, row_classes, column_classes, tiles, count = fields.shape
        shape = (pe, row_classes, _power_of_two(column_classes), _power_of_two(tiles), count)
        padded = np.zeros(shape, np.int64)
        padded[:, :, :column_classes, :tiles] = fields
        used = ((row_classes - 1) * shape[2] + column_classes - 1) * shape[3] + tiles
        return Table.of_fields(padded.reshape(pe, -1, count)[:, :used], bits)


def threshold_behind(nodes: Sequence[IntNode]) -> IntThreshold | None:
    """The staircases that follow the first of `nodes` and see its output as it writes it, if any do."""
    if len(nodes) < 2 or not isinstance(nodes[1], IntThreshold):
        return None
    have, want = nodes[0].output_type, nodes[1].input_type
    return nodes[1] if (have.vectors, have.channels) == (want.vectors, want.channels) else None


def _class_table(classes: Ints, count: int) -> Table:
    return Table.of_fields(classes[None, :, None], max(1, (count - 1).bit_length()))


def _power_of_two(size: int) -> int:
    """The least power of two that is `size` or more."""
    return 1 << (size - 1).bit_length()
