"""Sums of products and what is made of them, shared by the kernels of `hls/thresher/accumulation.hpp`.

The accumulator adds up what `products` makes of weights and inputs. Where that is half of the sum, but for
what it leaves out, the accumulator holds half of the sum, rounded down, unless what is odd about sums
differs and must show in the output. In all other cases it holds the sum. What products leave out is in
what the accumulator starts from or, where several thresholds follow, in those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from thresher.ir.integer import EdgeCorrections, IntNode, IntThreshold, reachable
from thresher.ir.kernel import RamStyle, Table, divide_up, signed_bits, tile_rows
from thresher.kernels.parts import Parts
from thresher.kernels.products import ProductSums
from thresher.kernels.staircase import deal, output_base, staircase_parts, threshold_table, with_direction
from thresher.kernels.tables import table_parts

Ints = npt.NDArray[np.int64]

_WORDS_OF_ADDER = 8
"""Words of a bit that a look-up table of an accumulator has room for."""


@dataclass(frozen=True, eq=False)
class Accumulation:
    """The sum of each row of `products`, plus what a window lacks at edges.

    The sums leave as they are, in two's complement of `sum_bits`, or through the staircases of `threshold`.
    Nothing here depends on a folding, so that all foldings of a kernel share one.
    """

    products: ProductSums
    sum_bits: int
    corrections: EdgeCorrections | None
    threshold: IntThreshold | None

    @property
    def weights(self) -> Ints:
        """The weights `[row, column]`."""
        return self.products.weights

    @property
    def levels(self) -> int:
        """Thresholds of each row."""
        return self.threshold.thresholds.shape[1] if self.threshold is not None else 0

    @cached_property
    def _lacks(self) -> Ints:
        """What windows lack, `[row class, column class, row]`."""
        return self.corrections.values if self.corrections else np.zeros((1, 1, 1), np.int64)

    @cached_property
    def _constant(self) -> Ints:
        """What the accumulator must hold besides products of a window, `[row class, column class, row]`."""
        return self._lacks if self.levels > 1 else self._lacks + self.products.left_out

    @cached_property
    def halves(self) -> bool:
        """Whether the accumulator holds half of the sum, rounded down."""
        odd = self._constant % 2
        return self.products.step == 2 and (self.levels == 1 or bool((odd == odd.flat[0]).all()))

    @property
    def _unit(self) -> int:
        """What one more in the accumulator is worth in a sum."""
        return 2 if self.halves else 1

    @cached_property
    def _odd(self) -> bool:
        """Whether sums are odd, where the accumulator holds half of each."""
        return self.halves and self.levels != 1 and bool(self._constant.flat[0] % 2)

    @cached_property
    def _starts(self) -> Ints:
        """What the accumulator starts from, `[row class, column class, row]`.

        One threshold is taken off, so that reaching it is a sign.
        """
        if self.levels == 1:
            assert self.threshold is not None
            starts: Ints = (self._constant - self.threshold.thresholds[:, 0]) // self._unit
        else:
            starts = self._constant // self._unit + self._middle
        return starts

    @cached_property
    def _counts(self) -> tuple[Ints, Ints]:
        """The lowest and the highest of what each row adds to its start."""
        low, high = reachable(self.weights, self.products.source)
        return (low - self.products.left_out) // self._unit, (high - self.products.left_out) // self._unit

    @cached_property
    def _middle(self) -> int:
        """What is added where several thresholds, which move as well, make it free.

        That is what brings the middle of the range to zero, if it saves a bit.
        """
        if self.levels < 2:
            return 0
        low, high = self._counts
        lacks = self._constant // self._unit
        least, most = int((low + lacks).min()), int((high + lacks).max())
        middle = (least + most + 1) // 2
        return -middle if signed_bits(least - middle, most - middle) < signed_bits(least, most) else 0

    @cached_property
    def _only_start(self) -> int | None:
        """What all accumulators start from, where that is one number and no row descends."""
        first = int(self._starts.flat[0])
        alike = bool((self._starts == first).all()) and not (self.levels == 1 and self._descends)
        return first if alike else None

    @cached_property
    def _range(self) -> tuple[int, int]:
        """The lowest and the highest accumulator at the end of a sum."""
        low, high = self._counts
        return int((low + self._starts).min()), int((high + self._starts).max())

    @cached_property
    def accumulator_bits(self) -> int:
        """Bits of two's complement of the accumulator."""
        return signed_bits(*self._range)

    @cached_property
    def _start_bits(self) -> int:
        if self._only_start is not None:
            return 0
        return signed_bits(int(self._starts.min()), int(self._starts.max()))

    @cached_property
    def _thresholds(self) -> Ints:
        """Several thresholds `[row, level]` in accumulator units."""
        assert self.threshold is not None
        short = self.products.left_out[:, None] + int(self._odd) - self.threshold.thresholds
        result: Ints = -(short // self._unit) + self._middle
        return result

    @cached_property
    def _threshold_bits(self) -> int:
        low, high = self._range
        return signed_bits(min(low, int(self._thresholds.min())), max(high, int(self._thresholds.max())))

    @property
    def _descends(self) -> bool:
        return self.threshold is not None and bool(self.threshold.descending.any())

    def parts(self, pe: int, simd: int, groups: int = 1, style: RamStyle = RamStyle.AUTO) -> Parts:
        """Products with their sums, accumulators, what these start from and the staircases behind them."""
        rows, columns = self.weights.shape
        words, column_tiles = groups * divide_up(rows // groups, pe), divide_up(columns, simd)
        products = self.products.parts(pe, simd, words * column_tiles, style)
        held = "held" if column_tiles > 1 or self.products.unit_weights else "once"
        bits = pe * self.accumulator_bits
        sums = Parts({f"accumulator_{held}": bits}, {f"accumulator_{held}": bits})
        stairs = staircase_parts(pe, self.levels, self._threshold_bits, words) if self.levels > 1 else Parts()
        return Parts.all(products, sums, self._start_parts(pe, words), stairs, self._edge_parts)

    def _start_parts(self, pe: int, words: int) -> Parts:
        """A table that accumulators start from; the look-up tables of adders have room for few words."""
        if self._only_start is not None:
            return Parts()
        bits = self._start_bits + (1 if self.levels == 1 and self._descends else 0)
        depth = self._start_words(words)
        if depth <= _WORDS_OF_ADDER:
            return Parts({"few_starts": pe * bits}, {"few_starts": pe * bits})
        return table_parts(pe, bits, depth)

    def _start_words(self, tiles: int) -> int:
        """Words of the table of starts: its address is classes and tile side by side, each in whole bits."""
        rows, columns = (int(size) for size in self._lacks.shape[:2])
        return ((rows - 1) * _power_of_two(columns) + columns - 1) * _power_of_two(tiles) + tiles

    @property
    def _edge_parts(self) -> Parts:
        """Two counters, and a small table on each."""
        if self.corrections is None:
            return Parts()
        places = (len(self.corrections.row_classes), len(self.corrections.column_classes))
        bits = sum((size - 1).bit_length() for size in places)
        return Parts({"edges": bits}, {"edges": bits})

    def constants(self, pe: int, groups: int = 1) -> Mapping[str, int | bool | str]:
        """What `thresher::Accumulation` needs of a `Layer`."""
        target = self.threshold.output_type.element.bits if self.threshold else self.sum_bits
        return {
            "kColumns": self.weights.shape[1],
            **self.products.constants(),
            "kTwice": self.products.step > self._unit,
            "kHalves": self.halves,
            "kOdd": self._odd,
            "kAccumulatorBits": self.accumulator_bits,
            "kOutputBits": target,
            **self._start_constants(pe, groups),
            **self._threshold_constants(pe, groups),
            **self._edge_constants(),
        }

    def _start_constants(self, pe: int, groups: int) -> dict[str, int | bool | str]:
        if self._only_start is not None:
            return {"kHasStarts": False, "kStart": self._only_start, "kStartTiles": 1}
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
        tables = {} if self.products.unit_weights else {"weights": self._weight_table(pe, simd, groups)}
        if self._only_start is None:
            tables["starts"] = self._start_table(pe, groups)
        if self.levels > 1:
            tables["thresholds"] = self._threshold_table(pe, groups)
        if self.corrections is not None:
            rows, columns, _ = self.corrections.values.shape
            tables["row_classes"] = _class_table(self.corrections.row_classes, rows)
            tables["column_classes"] = _class_table(self.corrections.column_classes, columns)
        return tables

    def _weight_table(self, pe: int, simd: int, groups: int) -> Table:
        (rows, columns), kind = self.weights.shape, self.products.weight_type
        # Padding columns meet zero bits, of which +1 makes nothing, where -1 would complement them.
        padding = 1 if kind.bipolar else 0
        padded = np.full((rows, divide_up(columns, simd) * simd), padding, np.int64)
        padded[:, :columns] = self.weights
        codes = (padded > 0).astype(np.int64) if kind.bipolar else padded
        tiles = tile_rows(codes, pe, groups).reshape(pe, -1, simd)
        return Table.of_fields(tiles, kind.bits)

    def _threshold_table(self, pe: int, groups: int) -> Table:
        assert self.threshold is not None
        return threshold_table(self._thresholds, self.threshold.descending, self._threshold_bits, pe, groups)

    def _dealt_starts(self, pe: int, groups: int) -> tuple[Ints, int]:
        """The fields of starts `[pe, row class, column class, row tile, field]`, and their bits."""
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
