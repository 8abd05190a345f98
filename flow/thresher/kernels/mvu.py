"""mvu: a matrix-vector unit, with thresholds fused or raw accumulators at its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from thresher.graph import Array
from thresher.kernels.base import (
    Folding,
    Kernel,
    Resources,
    Schedule,
    Table,
    divide_up,
    rom_cost,
    signed_bits,
    tile_rows,
)
from thresher.kernels.staircase import output_base, threshold_table
from thresher.lower.integer import IntMatMul, IntNode, IntThreshold
from thresher_sim.streams import StreamLayout

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mvu(Kernel):
    """`pe` rows and `simd` columns a cycle; the cheapest arithmetic for the two types.

    Bipolar x bipolar is XNOR and popcount, a bipolar factor adds or subtracts the other, and two
    integers multiply. A vector takes `ceil(rows / pe) * ceil(columns / simd)` cycles.
    """

    matmul: IntMatMul
    threshold: IntThreshold | None = None
    pe: int = 1
    simd: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntMatMul`, and an `IntThreshold` right behind it."""
        first, second = nodes[0], nodes[1] if len(nodes) > 1 else None
        if not isinstance(first, IntMatMul):
            return None
        if isinstance(second, IntThreshold):
            return cls(first, second), 2
        return cls(first), 1

    @property
    def input_layout(self) -> StreamLayout:
        """`simd` columns a beat."""
        source = self.matmul.input_type
        return StreamLayout(source.element, source.channels, source.vectors, self.simd)

    @property
    def output_layout(self) -> StreamLayout:
        """`pe` rows a beat."""
        target = self.threshold.output_type if self.threshold else self.matmul.output_type
        return StreamLayout(target.element, target.channels, target.vectors, self.pe)

    @property
    def folding(self) -> Folding:
        """Rows and columns a cycle."""
        return Folding(self.pe, self.simd)

    @property
    def folding_limit(self) -> Folding:
        """All rows and all columns at once."""
        rows, columns = self.matmul.weights.shape
        return Folding(rows, columns)

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` rows and `folding.simd` columns a cycle."""
        return replace(self, pe=folding.pe, simd=folding.simd)

    def golden(self, frames: Array) -> Array:
        """The integer operators themselves."""
        sums = self.matmul.evaluate(frames)[0]
        return self.threshold.evaluate(sums)[0] if self.threshold else sums

    def schedule(self) -> Schedule:
        """Read during the first row tile of a vector; write at the last column of each row tile."""
        tiles = (self.matmul.input_type.vectors, self._row_tiles, self._column_tiles)
        _, row_tile, column_tile = np.indices(tiles)
        reads = row_tile == 0
        writes = column_tile == self._column_tiles - 1
        return Schedule(reads.ravel(), writes.ravel())

    @property
    def cycles_per_frame(self) -> int:
        """Tiles of the matrix, for each vector."""
        return self.matmul.input_type.vectors * self._row_tiles * self._column_tiles

    @property
    def macs_per_frame(self) -> int:
        """One for each weight and vector."""
        return self.matmul.weights.size * self.matmul.input_type.vectors

    @property
    def weight_bits(self) -> int:
        """Weights times bits of their type."""
        return self.matmul.weights.size * self.matmul.weight_type.bits

    @property
    def _row_tiles(self) -> int:
        return divide_up(self.matmul.weights.shape[0], self.pe)

    @property
    def _column_tiles(self) -> int:
        return divide_up(self.matmul.weights.shape[1], self.simd)

    @property
    def _counts_matches(self) -> bool:
        return self.matmul.weight_type.bipolar and self.input_layout.element.bipolar

    @property
    def _complements(self) -> bool:
        """Whether an input times -1 is taken as its complement; see `_left_out`."""
        return self.matmul.weight_type.bipolar and not self._counts_matches and self.threshold is not None

    @property
    def _left_out(self) -> Ints:
        """What each row's accumulator lacks where inputs are complemented in place of negated.

        -x is ~x + 1 in two's complement, and ~x - (2**bits - 1) for an unsigned x of `bits` bits.
        """
        negative: Ints = (self.matmul.weights < 0).sum(axis=1)
        source = self.input_layout.element
        return negative if source.signed else negative * (1 - (1 << source.bits))

    @property
    def _start(self) -> int:
        # sum = 2 * matches - columns = 2 * (matches - ceil(columns / 2)) + (columns odd)
        return -divide_up(self.matmul.weights.shape[1], 2) if self._counts_matches else 0

    def _in_accumulator_units(self, sums: Ints) -> Ints:
        """The accumulator that first reaches `sums`, which are `[row]` or `[row, level]`."""
        if self._complements:
            return sums - self._left_out.reshape(-1, *[1] * (sums.ndim - 1))
        if not self._counts_matches:
            return sums
        odd = self.matmul.weights.shape[1] % 2
        half: Ints = -((odd - sums) // 2)
        return half

    def _accumulator_ranges(self) -> tuple[Ints, Ints]:
        """Lowest and highest accumulator of each row, before any threshold is taken off."""
        low, high = self.matmul.reach
        return self._in_accumulator_units(low), self._in_accumulator_units(high)

    def _levels(self) -> Ints:
        """Thresholds `[row, level]` in accumulator units."""
        assert self.threshold is not None
        thresholds = np.broadcast_to(
            self.threshold.thresholds, (self.matmul.weights.shape[0], self.threshold.thresholds.shape[1])
        )
        return self._in_accumulator_units(thresholds)

    def _accumulator_bits(self) -> int:
        low, high = self._accumulator_ranges()
        if self.threshold is not None and self.threshold.thresholds.shape[1] == 1:
            levels = self._levels()[:, 0]
            low, high = low - levels, high - levels
        return signed_bits(int(low.min()), int(high.max()))

    @cached_property
    def _threshold_table(self) -> tuple[int, Table]:
        """Bits of one threshold field, and the table: of starts for one threshold, of levels for more."""
        assert self.threshold is not None
        fields = self._levels()
        if fields.shape[1] == 1:
            fields = self._start - fields
            bits = signed_bits(int(fields.min()), int(fields.max()))
        else:
            low, high = self._accumulator_ranges()
            lowest = min(int(low.min()), int(fields.min()))
            bits = signed_bits(lowest, max(int(high.max()), int(fields.max())))
        return bits, threshold_table(fields, self.threshold.descending, bits, self.pe)

    def _weight_table(self) -> Table:
        rows, columns = self.matmul.weights.shape
        padding = 1 if self.matmul.weight_type.bipolar else 0
        padded = np.full((rows, self._column_tiles * self.simd), padding, np.int64)
        padded[:, :columns] = self.matmul.weights
        codes = (padded > 0).astype(np.int64) if self.matmul.weight_type.bipolar else padded
        tiles = tile_rows(codes, self.pe).reshape(self.pe, -1, self.simd)
        return Table.of_fields(tiles, self.matmul.weight_type.bits)

    def resources(self) -> Resources:
        """Multipliers or XNORs with their adders, accumulators, weight and threshold memories.

        An XNOR-popcount lane costs about 1.1 LUT and an adder one LUT a bit; the weights lie wherever
        they cost less, in LUT ROM or in block RAM.
        """
        lanes = self.pe * self.simd
        accumulator = self._accumulator_bits()
        lane_cost = 1.1 if self._counts_matches else float(self._term_bits() * self._lane_factor())
        width = lanes * self.matmul.weight_type.bits
        depth = self._row_tiles * self._column_tiles
        rom, bram = rom_cost(width, depth)
        levels = self.threshold.thresholds.shape[1] if self.threshold else 0
        comparators = self.pe * accumulator * (levels if levels > 1 else 0)
        lut = round(lanes * lane_cost) + rom + self.pe * accumulator + comparators + self.input_layout.width
        return Resources(lut=lut, ff=2 * self.pe * accumulator + 2 * self.input_layout.width, bram36=bram)

    def _lane_factor(self) -> int:
        weight, source = self.matmul.weight_type, self.input_layout.element
        return 2 if weight.bipolar or source.bipolar else 1 + min(weight.bits, source.bits)

    def _term_bits(self) -> int:
        weight, source = self.matmul.weight_type, self.input_layout.element
        products = [w * x for w in (weight.lo, weight.hi) for x in (source.lo, source.hi)]
        # A zero-bit lane of a bipolar stream or table still stands for -1, so both factors must fit.
        bounds = [*products, weight.lo, weight.hi, source.lo, source.hi]
        return signed_bits(min(bounds), max(bounds))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Mvu`."""
        weight, source = self.matmul.weight_type, self.input_layout.element
        rows, columns = self.matmul.weights.shape
        return {
            "kRows": rows,
            "kColumns": columns,
            "kPe": self.pe,
            "kSimd": self.simd,
            "kWeightBits": weight.bits,
            "kWeightSigned": weight.signed,
            "kWeightBipolar": weight.bipolar,
            "kInputBits": source.bits,
            "kInputSigned": source.signed,
            "kInputBipolar": source.bipolar,
            "kComplements": self._complements,
            "kTermBits": self._term_bits(),
            "kAccumulatorBits": self._accumulator_bits(),
            "kStart": self._start,
            "kOutputBits": self.output_layout.element.bits,
        } | self._threshold_constants()

    def _threshold_constants(self) -> dict[str, int | bool | str]:
        if self.threshold is None:
            return {"kLevels": 0, "kThresholdTiles": 1}
        bits, table = self._threshold_table
        return {
            "kLevels": self.threshold.thresholds.shape[1],
            "kThresholdBits": bits,
            "kThresholdTiles": table.words.shape[1],
            "kHasDescending": bool(self.threshold.descending.any()),
            "kOutputBase": output_base(self.threshold),
        }

    def tables(self) -> Mapping[str, Table]:
        """Weights, and thresholds where there are any."""
        tables = {"weights": self._weight_table()}
        if self.threshold is not None:
            tables["thresholds"] = self._threshold_table[1]
        return tables
