"""mvu: a matrix-vector unit, with thresholds fused or raw accumulators at its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntMatMul, IntNode, IntThreshold
from thresher.ir.kernel import Folding, RamStyle, Schedule, Table, divide_up
from thresher.kernels.accumulation import Accumulation, threshold_behind
from thresher.kernels.parts import Estimated, Parts
from thresher.kernels.products import ProductSums
from thresher.kernels.tables import memory_parts
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class Mvu(Estimated):
    """`pe` rows and `simd` columns a cycle; the cheapest arithmetic for the two types.

    Bipolar x bipolar is XNOR and popcount, a bipolar factor adds or subtracts the other, and two
    integers multiply. With groups, the windows come in tiles, one for each group: a vector is a tile of a
    window, and meets the rows of its group. A vector takes `ceil(rows / pe) * ceil(columns / simd)` cycles,
    of the rows of a group. `shared` is what foldings of one matrix have in common.
    """

    matmul: IntMatMul
    threshold: IntThreshold | None = None
    pe: int = 1
    simd: int = 1
    ram_style: RamStyle = RamStyle.AUTO
    shared: Accumulation | None = field(default=None, repr=False)

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntMatMul`, and an `IntThreshold` right behind it that sees its rows as channels."""
        if not isinstance(nodes[0], IntMatMul):
            return None
        threshold = threshold_behind(nodes)
        return cls(nodes[0], threshold), 2 if threshold else 1

    @property
    def input_layout(self) -> StreamLayout:
        """`simd` columns a beat."""
        return StreamLayout(self.matmul.input_type.element, self._columns, self._vectors, self.simd)

    @property
    def output_layout(self) -> StreamLayout:
        """`pe` rows a beat."""
        target = self.threshold.output_type if self.threshold else self.matmul.output_type
        return StreamLayout(target.element, self._rows, self._vectors, self.pe)

    @property
    def input_tile(self) -> int:
        """The channels of a group."""
        return self._part if self.matmul.groups > 1 and self.matmul.taps > 1 else 0

    @property
    def folding(self) -> Folding:
        """Rows and columns a cycle."""
        return Folding(self.pe, self.simd, self.ram_style)

    @property
    def folding_limit(self) -> Folding:
        """All rows of a group and all columns at once."""
        return Folding(self._rows, self._columns)

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` rows and `folding.simd` columns a cycle."""
        return replace(self, pe=folding.pe, simd=folding.simd, ram_style=folding.ram_style, shared=self._sums)

    def golden(self, frames: Array) -> Array:
        """The integer operators themselves, on windows in natural order."""
        matmul, target = self.matmul, self.output_layout
        # From window, group, tap, channel to window, tap, group, channel.
        tiles = frames.reshape(-1, matmul.output_type.vectors, matmul.groups, matmul.taps, self._part)
        sums = matmul.evaluate(tiles.swapaxes(2, 3).reshape(len(frames), matmul.output_type.vectors, -1))[0]
        outputs = self.threshold.evaluate(sums)[0] if self.threshold else sums
        return outputs.reshape(-1, target.vectors, target.channels)

    def schedule(self) -> Schedule:
        """Read during the first row tile of a vector; write at the last column of each row tile."""
        row_tile, column_tile = np.indices((self._row_tiles, self._column_tiles))
        reads, writes = row_tile == 0, column_tile == self._column_tiles - 1
        return Schedule(np.tile(reads.ravel(), self._vectors), np.tile(writes.ravel(), self._vectors))

    @property
    def cycles_per_frame(self) -> int:
        """Tiles of the matrix, for each vector."""
        return self._vectors * self._row_tiles * self._column_tiles

    @property
    def macs_per_frame(self) -> int:
        """One for each weight and window."""
        return self.matmul.weights.size * self.matmul.output_type.vectors

    @property
    def weight_bits(self) -> int:
        """Weights times bits of their type."""
        return self.matmul.weights.size * self.matmul.weight_type.bits

    @property
    def _rows(self) -> int:
        rows: int = self.matmul.weights.shape[0]
        return rows // self.matmul.groups

    @property
    def _columns(self) -> int:
        columns: int = self.matmul.weights.shape[1]
        return columns

    @property
    def _part(self) -> int:
        return self._columns // self.matmul.taps

    @property
    def _vectors(self) -> int:
        return self.matmul.output_type.vectors * self.matmul.groups

    @property
    def _row_tiles(self) -> int:
        return divide_up(self._rows, self.pe)

    @property
    def _column_tiles(self) -> int:
        return divide_up(self._columns, self.simd)

    @cached_property
    def _sums(self) -> Accumulation:
        matmul = self.matmul
        return self.shared or Accumulation(
            ProductSums(matmul.weights, matmul.weight_type, matmul.input_type.element),
            matmul.output_type.element.bits,
            matmul.corrections,
            self.threshold,
        )

    def parts(self) -> Parts:
        """Those of the sums, a vector to replay, counters and beats."""
        groups, row_tiles, column_tiles = self.matmul.groups, self._row_tiles, self._column_tiles
        target = self.threshold.output_type if self.threshold else self.matmul.output_type
        width, outputs = self.simd * self.matmul.input_type.element.bits, self.pe * target.element.bits
        counters = sum(
            (count - 1).bit_length() for count in (row_tiles, column_tiles, groups * row_tiles * column_tiles)
        )
        own = {"mvu": 1, "counters": counters, "ragged": outputs if self._rows % self.pe else 0}
        registers = {"mvu": 1, "counters": counters, "beats": width, "outputs": outputs}
        sums = self._sums.parts(self.pe, self.simd, groups, self.ram_style)
        if row_tiles == 1:
            return Parts.all(sums, Parts(own, registers))
        replay = memory_parts("vector", width, column_tiles)
        return Parts.all(sums, replay, Parts({**own, "replayed": width}, registers))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Mvu`."""
        return {
            "kGroups": self.matmul.groups,
            "kRows": self._rows,
            "kPe": self.pe,
            "kSimd": self.simd,
            "kWeightStyle": self.ram_style.enumerator,
            **self._sums.constants(self.pe, self.matmul.groups),
        }

    def tables(self) -> Mapping[str, Table]:
        """Weights, and starts and thresholds where there are any."""
        return self._sums.tables(self.pe, self.simd, self.matmul.groups)
