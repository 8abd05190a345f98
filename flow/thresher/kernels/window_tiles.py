"""How windows reach the units that handle channel by channel, taps in turn: `vvu` and `pool`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thresher.errors import UsageError
from thresher.ir.graph import Array
from thresher.ir.kernel import Folding, Schedule, divide_up
from thresher_sim.streams import IntType, StreamLayout


@dataclass(frozen=True)
class WindowTiles:
    """`windows` of `taps` x `channels`, of which `pe` channels and `simd` taps arrive each cycle.

    With `pe` below the channels a window comes in tiles of `pe` channels, one tap at a time; otherwise it
    comes in natural order. The steps are, for each window and each tile, its taps.
    """

    windows: int
    taps: int
    channels: int
    pe: int
    simd: int

    def check(self, kernel: str) -> None:
        """Raise `UsageError` where several taps of only some channels would have to arrive at once."""
        if self.simd > 1 and self.pe < self.channels:
            raise UsageError(
                f"folding: a {kernel} of {self.channels} channels cannot take pe {self.pe} with simd "
                f"{self.simd}: taps arrive together only where all channels do; use simd 1, or pe "
                f"{self.channels}"
            )

    @property
    def tile(self) -> int:
        """Channels of a tile, or 0 for the natural order, which that of single taps is in any case."""
        return self.pe if self.pe < self.channels and self.taps > 1 else 0

    @property
    def folding_limit(self) -> Folding:
        """All channels and all taps at once."""
        return Folding(self.channels, self.taps)

    @property
    def tiles(self) -> int:
        """Tiles of the channels."""
        return divide_up(self.channels, self.pe)

    @property
    def steps(self) -> int:
        """Cycles of a frame."""
        return self.windows * self.tiles * divide_up(self.taps, self.simd)

    def source(self, element: IntType) -> StreamLayout:
        """The stream of the windows."""
        if self.tile:
            return StreamLayout(element, self.pe, self.windows * self.tiles * self.taps, self.pe)
        return StreamLayout(element, self.taps * self.channels, self.windows, self.simd * self.pe)

    def target(self, element: IntType) -> StreamLayout:
        """The stream of one element for each window and channel."""
        return StreamLayout(element, self.channels, self.windows, self.pe)

    def natural(self, frames: Array) -> Array:
        """`frames` of the stream in natural order, `[N, windows, taps * channels]`."""
        if not self.tile:
            return frames.reshape(-1, self.windows, self.taps * self.channels)
        tiles = frames.reshape(-1, self.windows, self.tiles, self.taps, self.pe).swapaxes(2, 3)
        channels = tiles.reshape(len(frames), self.windows, self.taps, -1)[..., : self.channels]
        return channels.reshape(len(frames), self.windows, -1)

    def schedule(self) -> Schedule:
        """Every step reads; the last taps of a tile write."""
        tap_tiles = divide_up(self.taps, self.simd)
        writes = np.arange(self.steps) % tap_tiles == tap_tiles - 1
        return Schedule(np.ones(self.steps, np.bool_), writes)
