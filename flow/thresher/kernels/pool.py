"""pool: the largest of the taps of windows, channel by channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode, IntPool
from thresher.ir.kernel import Folding, Schedule, Table, divide_up
from thresher.kernels.maximum import maximum_constants, maximum_parts, maximum_tables
from thresher.kernels.parts import Estimated, Parts
from thresher.kernels.window_tiles import WindowTiles
from thresher_sim.streams import IntType, StreamLayout


@dataclass(frozen=True, eq=False)
class Pool(Estimated):
    """`pe` channels a cycle, or all with `simd` taps; keeps the largest, and mirrors it where asked to."""

    pool: IntPool
    pe: int = 1
    simd: int = 1

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take one `IntPool`."""
        return (cls(nodes[0]), 1) if isinstance(nodes[0], IntPool) else None

    @property
    def _windows(self) -> WindowTiles:
        target = self.pool.output_type
        return WindowTiles(target.vectors, self.pool.taps, target.channels, self.pe, self.simd)

    @property
    def input_layout(self) -> StreamLayout:
        """`simd` taps of `pe` channels a beat."""
        return self._windows.source(self._element)

    @property
    def output_layout(self) -> StreamLayout:
        """`pe` channels a beat."""
        return self._windows.target(self._element)

    @property
    def input_tile(self) -> int:
        """`pe` channels, where those are not all."""
        return self._windows.tile

    @property
    def folding(self) -> Folding:
        """Channels and taps a cycle."""
        return Folding(self.pe, self.simd)

    @property
    def folding_limit(self) -> Folding:
        """All channels and all taps at once."""
        return self._windows.folding_limit

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` channels and `folding.simd` taps a cycle.

        Raises `UsageError` for several taps of only some channels.
        """
        folded = replace(self, pe=folding.pe, simd=folding.simd)
        folded._windows.check(self.kernel_name())
        return folded

    def golden(self, frames: Array) -> Array:
        """The integer operator itself, on windows in natural order."""
        return self.pool.evaluate(self._windows.natural(frames))[0]

    def schedule(self) -> Schedule:
        """Every step reads; the last taps of a tile write."""
        return self._windows.schedule()

    @property
    def cycles_per_frame(self) -> int:
        """Taps, for each tile of each window."""
        return self._windows.steps

    def parts(self) -> Parts:
        """The maximum, counters and beats."""
        counted = [self._windows.tiles, divide_up(self._windows.taps, self.simd)]
        counters = sum((count - 1).bit_length() for count in counted)
        largest = maximum_parts(self._element, self.pool.reversed, self.pe, self.simd)
        registers = {"pool": 1, "counters": counters, "pool_outputs": self.output_layout.width}
        return Parts.all(largest, Parts({"pool": 1, "counters": counters}, registers))

    @property
    def _element(self) -> IntType:
        return self.pool.input_type.element

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `thresher::Pool`."""
        return {
            "kChannels": self.pool.output_type.channels,
            "kTaps": self.pool.taps,
            "kPe": self.pe,
            "kSimd": self.simd,
            **maximum_constants(self._element, self.pool.reversed, self.pe),
        }

    def tables(self) -> Mapping[str, Table]:
        """Which channels are mirrored, where any is."""
        return maximum_tables(self.pool.reversed, self.pe)
