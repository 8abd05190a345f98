"""swg: the sliding window: a feature map becomes its windows, and each pixel is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from thresher.errors import UsageError
from thresher.graph import Array
from thresher.kernels.base import Folding, Kernel, Lookahead, Resources, divide_up, signed_bits
from thresher.kernels.line_buffer import LineBuffer, line_buffer
from thresher.lower.integer import IntDepthwise, IntMatMul, IntNode, IntPool, IntWindow
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class Swg(Kernel):
    """`simd` channels a cycle of the taps of the windows of `windows`, from a buffer of some rows.

    The channels of a window are in their order tap by tap. With `tile` they come in tiles of so many
    channels instead, each tile tap by tap, and with `depthwise` in tiles of `simd`. `overlap` says that the
    buffer is large enough for frames to follow each other at full rate.
    """

    windows: IntWindow
    tile: int = 0
    depthwise: bool = False
    simd: int = 1
    overlap: bool = True

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take an `IntWindow`, and send the windows in the order that is needed behind it."""
        first, second = nodes[0], nodes[1] if len(nodes) > 1 else None
        if not isinstance(first, IntWindow):
            return None
        # With one tap, the tiles of a window are in natural order.
        if isinstance(second, IntMatMul) and second.groups > 1 and first.window.taps > 1:
            return cls(first, tile=first.input_type.channels // second.groups), 1
        return cls(first, depthwise=isinstance(second, IntDepthwise | IntPool)), 1

    @property
    def _channels(self) -> int:
        return self.windows.input_type.channels

    @property
    def _words(self) -> int:
        """Words of a pixel."""
        return divide_up(self._channels, self.simd)

    @property
    def output_tile(self) -> int:
        """Channels of a tile, 0 where it is all channels."""
        tile = self.simd if self.depthwise else self.tile
        return tile if tile < self._channels else 0

    @property
    def input_layout(self) -> StreamLayout:
        """Pixels, `simd` channels a beat."""
        source = self.windows.input_type
        return StreamLayout(source.element, source.channels, self.windows.window.pixels, self.simd)

    @property
    def output_layout(self) -> StreamLayout:
        """Taps, `simd` channels a beat: of a pixel, or of a tile."""
        window, element = self.windows.window, self.windows.output_type.element
        channels = self.output_tile or self._channels
        vectors = window.count * window.taps * divide_up(self._channels, channels)
        return StreamLayout(element, channels, vectors, self.simd)

    @property
    def folding(self) -> Folding:
        """Channels a cycle."""
        return Folding(1, self.simd)

    @property
    def folding_limit(self) -> Folding:
        """All channels of a pixel, or of a tile."""
        return Folding(1, self.tile or self._channels)

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.simd` channels a cycle; raises `UsageError` where they do not divide a tile."""
        if self.tile and self.tile % folding.simd:
            works = ", ".join(str(lanes) for lanes in range(1, self.tile + 1) if self.tile % lanes == 0)
            raise UsageError(
                f"folding: swg: simd is {folding.simd}, which does not divide the {self.tile} channels of a "
                f"group; what works is {works}"
            )
        return replace(self, simd=folding.simd)

    def candidates(self, cycles_per_frame: int) -> Sequence[Self]:
        """As of any kernel, and those with the smaller buffer for frames that do not overlap."""
        overlapping = super().candidates(cycles_per_frame)
        alone = (replace(kernel, overlap=False) for kernel in overlapping)
        smaller = [
            kernel
            for kernel, other in zip(alone, overlapping, strict=True)
            if kernel._buffer.capacity < other._buffer.capacity
            and kernel.cycles_per_frame <= cycles_per_frame
        ]
        return [*overlapping, *smaller]

    def golden(self, frames: Array) -> Array:
        """The integer operator, and channels in the order of the tiles."""
        window, channels, layout = self.windows.window, self._channels, self.output_layout
        taps = self.windows.evaluate(frames)[0].reshape(-1, window.count, window.taps, channels)
        if not self.output_tile:
            return taps.reshape(len(taps), layout.vectors, channels)
        tiles = divide_up(channels, layout.channels)
        filler = -1 if layout.element.bipolar else 0
        filled = np.full((*taps.shape[:3], tiles * layout.channels), filler, taps.dtype)
        filled[..., :channels] = taps
        cut = filled.reshape(*taps.shape[:3], tiles, layout.channels)
        return cut.swapaxes(2, 3).reshape(len(taps), layout.vectors, layout.channels)

    @property
    def _buffer(self) -> LineBuffer:
        tile_words = divide_up(self.output_tile or self._channels, self.simd)
        return line_buffer(self.windows.window, self._words, tile_words, self.overlap)

    def schedule(self) -> Lookahead:
        """Every step writes a word of a tap."""
        return self._buffer.lookahead()

    @property
    def cycles_per_frame(self) -> int:
        """The words of all windows, or those of the map where these are more."""
        return self._buffer.cycles_per_frame

    def resources(self) -> Resources:
        """The buffer in LUT RAM or block RAM, whichever hlsc takes, and the counters."""
        buffer = self._buffer
        lut, blocks = ram_cost(self.input_layout.width, buffer.capacity)
        counted = [*self.windows.window.output, *self.windows.window.kernel, self._words]
        counters = sum((count - 1).bit_length() for count in counted)
        places = 2 * (buffer.capacity - 1).bit_length() + sum(signed_bits(*ends) for ends in _ranges(buffer))
        return Resources(
            lut=lut + 2 * counters + 3 * places + self.input_layout.width,
            ff=counters + places + 2 * self.input_layout.width,
            bram36=blocks / 2,
        )

    def constants(self) -> Mapping[str, int | bool | str]:
        """Geometry and buffer of `thresher::Swg`; pairs are `Rows` and `Columns`."""
        window, buffer, element = self.windows.window, self._buffer, self.windows.input_type.element
        padding = self.windows.padding
        missing, room = (signed_bits(*ends) for ends in _ranges(buffer))
        return {
            "kRows": window.height,
            "kColumns": window.width,
            "kKernelRows": window.kernel[0],
            "kKernelColumns": window.kernel[1],
            "kStrideRows": window.stride[0],
            "kStrideColumns": window.stride[1],
            "kDilationRows": window.dilation[0],
            "kDilationColumns": window.dilation[1],
            "kAbove": window.before[0],
            "kLeft": window.before[1],
            "kBelow": window.after[0],
            "kRight": window.after[1],
            "kOutputRows": window.output[0],
            "kOutputColumns": window.output[1],
            "kFreeRows": buffer.free_rows,
            "kFreeColumns": buffer.free_columns,
            "kChannels": self._channels,
            "kSimd": self.simd,
            "kTileWords": buffer.tile_words,
            "kElementBits": element.bits,
            "kPadding": int(padding > 0) if element.bipolar else padding,
            "kCapacity": buffer.capacity,
            "kMarginBits": missing,
            "kRoomBits": room,
        }


# 18-kbit blocks by words and bits, and the LUTs below which each is not worth it: as `hlsc` chooses.
_BLOCK_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
_LUTS_PER_BLOCK = 128


def ram_cost(width: int, depth: int) -> tuple[int, int]:
    """LUTs and 18-kbit blocks of a memory, which is in one of them; 64 words of a bit are a LUT."""
    luts = width * divide_up(depth, 64)
    blocks = min(divide_up(depth, words) * divide_up(width, bits) for words, bits in _BLOCK_SHAPES)
    return (luts, 0) if luts < _LUTS_PER_BLOCK * blocks else (0, blocks)


def _ranges(buffer: LineBuffer) -> tuple[tuple[int, int], tuple[int, int]]:
    return buffer.margin, buffer.room
