"""global_pool: each channel's sum, or its largest, over all vectors of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntGlobalPool, IntNode, IntThreshold, TensorType
from thresher.ir.kernel import Folding, Schedule, Table, divide_up
from thresher.kernels.accumulation import Accumulation, threshold_behind
from thresher.kernels.lanewise import Lanewise
from thresher.kernels.maximum import maximum_constants, maximum_parts, maximum_tables
from thresher.kernels.memories import distributed_cost
from thresher.kernels.parts import Parts
from thresher.kernels.products import ProductSums


@dataclass(frozen=True, eq=False)
class GlobalPool(Lanewise):
    """`pe` channels a cycle; what a tile of channels has come to waits in a memory for the next vector.

    Sums go through the staircases of `threshold`, if there is one. `shared` is what foldings have in common.
    """

    pool: IntGlobalPool
    threshold: IntThreshold | None = None
    pe: int = 1
    shared: Accumulation | None = field(default=None, repr=False)

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntGlobalPool`, and an `IntThreshold` right behind one that sums."""
        if not isinstance(nodes[0], IntGlobalPool):
            return None
        threshold = None if nodes[0].largest else threshold_behind(nodes)
        return cls(nodes[0], threshold), 2 if threshold else 1

    @property
    def source_types(self) -> tuple[TensorType, ...]:
        """What the integer operator reads."""
        return (self.pool.input_type,)

    @property
    def target_type(self) -> TensorType:
        """What the integer operator, or the staircases behind it, write."""
        return self.threshold.output_type if self.threshold else self.pool.output_type

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels a cycle."""
        return replace(self, pe=folding.pe, shared=self._sums)

    def golden(self, frames: Array) -> Array:
        """The integer operators themselves."""
        pooled = self.pool.evaluate(frames)[0]
        return self.threshold.evaluate(pooled)[0] if self.threshold else pooled

    def schedule(self) -> Schedule:
        """Every step reads; those of the last vector write."""
        steps = np.arange(self.cycles_per_frame)
        return Schedule(np.ones(len(steps), np.bool_), steps >= len(steps) - self._tiles)

    @property
    def cycles_per_frame(self) -> int:
        """One cycle a beat."""
        return self.pool.input_type.vectors * self._tiles

    @property
    def _tiles(self) -> int:
        return divide_up(self.pool.input_type.channels, self.pe)

    @cached_property
    def _sums(self) -> Accumulation:
        """Sums as those of a matrix of ones, a row for each channel and a column for each vector."""
        source = self.pool.input_type
        ones = np.ones((source.channels, source.vectors), np.int64)
        bits = self.pool.output_type.element.bits
        products = ProductSums(ones, source.element, source.element)
        return self.shared or Accumulation(products, bits, None, self.threshold)

    def parts(self) -> Parts:
        """An adder or a comparator for each lane, the memory and counters."""
        pool, element = self.pool, self.pool.input_type.element
        if pool.largest:
            unit, bits = maximum_parts(element, pool.reversed, self.pe, 1), element.bits
        else:
            unit, bits = self._sums.parts(self.pe, 1), self._sums.accumulator_bits
        counters = (self._tiles - 1).bit_length() + (pool.input_type.vectors - 1).bit_length()
        registers = {
            "global_pool": 1,
            "counters": counters,
            "beats": self.input_layout.width,
            "outputs": self.output_layout.width,
        }
        # A recurrence goes through the memory, which hlsc keeps in look-up tables.
        memory = Parts({"memory": distributed_cost(self.pe * bits, self._tiles)} if self._tiles > 1 else {})
        return Parts.all(unit, memory, Parts({"global_pool": 1, "counters": counters}, registers))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::GlobalPool`."""
        pool, source = self.pool, self.pool.input_type
        if pool.largest:
            own: Mapping[str, int | bool | str] = maximum_constants(source.element, pool.reversed, self.pe)
        else:
            own = self._sums.constants(self.pe)
        shape = {"kChannels": source.channels, "kVectors": source.vectors, "kPe": self.pe}
        return {**shape, "kLargest": pool.largest, **own}

    def tables(self) -> Mapping[str, Table]:
        """What the sums start from and meet, or which channels are mirrored."""
        if self.pool.largest:
            return maximum_tables(self.pool.reversed, self.pe)
        return self._sums.tables(self.pe, 1)
