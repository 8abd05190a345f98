"""vvu: a vector-vector unit, one filter for each channel, with thresholds fused or raw sums at its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from thresher.ir.graph import Array
from thresher.ir.integer import IntDepthwise, IntNode, IntThreshold
from thresher.ir.kernel import Folding, RamStyle, Schedule, Table, divide_up
from thresher.kernels.accumulation import Accumulation, threshold_behind
from thresher.kernels.parts import Estimated, Parts
from thresher.kernels.products import ProductSums
from thresher.kernels.window_tiles import WindowTiles
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class Vvu(Estimated):
    """`pe` channels a cycle, or all with `simd` taps; the same arithmetic as `mvu`.

    Where all weights are one, as for averages, it has no multipliers. `shared` is what foldings of one filter
    bank have in common.
    """

    filters: IntDepthwise
    threshold: IntThreshold | None = None
    pe: int = 1
    simd: int = 1
    ram_style: RamStyle = RamStyle.AUTO
    shared: Accumulation | None = field(default=None, repr=False)

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntDepthwise`, and an `IntThreshold` right behind it."""
        if not isinstance(nodes[0], IntDepthwise):
            return None
        threshold = threshold_behind(nodes)
        return cls(nodes[0], threshold), 2 if threshold else 1

    @property
    def _windows(self) -> WindowTiles:
        channels, taps = self.filters.weights.shape
        return WindowTiles(self.filters.output_type.vectors, taps, channels, self.pe, self.simd)

    @property
    def input_layout(self) -> StreamLayout:
        """`simd` taps of `pe` channels a beat."""
        return self._windows.source(self.filters.input_type.element)

    @property
    def output_layout(self) -> StreamLayout:
        """`pe` channels a beat."""
        target = self.threshold.output_type if self.threshold else self.filters.output_type
        return self._windows.target(target.element)

    @property
    def input_tile(self) -> int:
        """`pe` channels, where those are not all."""
        return self._windows.tile

    @property
    def folding(self) -> Folding:
        """Channels and taps a cycle."""
        return Folding(self.pe, self.simd, self.ram_style)

    @property
    def folding_limit(self) -> Folding:
        """All channels and all taps at once."""
        return self._windows.folding_limit

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels and `folding.simd` taps a cycle.

        Raises `UsageError` for several taps of only some channels.
        """
        folded = replace(
            self, pe=folding.pe, simd=folding.simd, ram_style=folding.ram_style, shared=self._sums
        )
        folded._windows.check(self.kernel_name())
        return folded

    def golden(self, frames: Array) -> Array:
        """The integer operators themselves, on windows in natural order."""
        sums = self.filters.evaluate(self._windows.natural(frames))[0]
        return self.threshold.evaluate(sums)[0] if self.threshold else sums

    def schedule(self) -> Schedule:
        """Every step reads; the last taps of a tile write."""
        return self._windows.schedule()

    @property
    def cycles_per_frame(self) -> int:
        """Taps, for each tile of each window."""
        return self._windows.steps

    @property
    def macs_per_frame(self) -> int:
        """One for each weight and window."""
        return self.filters.weights.size * self.filters.output_type.vectors

    @property
    def weight_bits(self) -> int:
        """Weights times bits of their type; none where all are one."""
        return (
            0
            if self._sums.products.unit_weights
            else self.filters.weights.size * self.filters.weight_type.bits
        )

    @cached_property
    def _sums(self) -> Accumulation:
        filters = self.filters
        return self.shared or Accumulation(
            ProductSums(filters.weights, filters.weight_type, filters.input_type.element),
            filters.output_type.element.bits,
            filters.corrections,
            self.threshold,
        )

    def parts(self) -> Parts:
        """Those of the sums, counters and beats."""
        windows = self._windows
        counted = [
            windows.tiles,
            divide_up(windows.taps, self.simd),
            windows.tiles * divide_up(windows.taps, self.simd),
        ]
        counters = sum((count - 1).bit_length() for count in counted)
        ragged = self.output_layout.width if windows.channels % self.pe else 0
        own = {"vvu": 1, "counters": counters, "ragged": ragged}
        registers = {
            "vvu": 1,
            "counters": counters,
            "beats": self.input_layout.width,
            "outputs": self.output_layout.width,
        }
        sums = self._sums.parts(self.pe, self.simd, style=self.ram_style)
        return Parts.all(sums, Parts(own, registers))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Vvu`."""
        return {
            "kChannels": len(self.filters.weights),
            "kPe": self.pe,
            "kSimd": self.simd,
            "kWeightStyle": self.ram_style.enumerator,
            **self._sums.constants(self.pe),
        }

    def tables(self) -> Mapping[str, Table]:
        """Weights, starts and thresholds, where there are any."""
        return self._sums.tables(self.pe, self.simd)
