"""swg: the sliding window: a feature map becomes its windows, and each pixel is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from thresher.errors import UsageError
from thresher.ir.graph import Array
from thresher.ir.integer import IntDepthwise, IntMatMul, IntNode, IntPool, IntWindow
from thresher.ir.kernel import Folding, Lookahead, Schedule, divide_up, signed_bits
from thresher.kernels.line_buffer import LineBuffer, line_buffer
from thresher.kernels.memories import prefers_blocks
from thresher.kernels.parts import Estimated, Parts
from thresher.kernels.tables import memory_parts
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class Swg(Estimated):
    """`simd` channels a cycle of the taps of the windows of `windows`, or whole windows.

    The channels of a window are in their order tap by tap. With `tile` they come in tiles of so many
    channels instead, each tile tap by tap, and with `depthwise` in tiles of `simd`. `overlap` says that the
    buffer of some rows is large enough for frames to follow each other at full rate. A window is whole where
    `simd` are its elements and more than the channels.
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
        depthwise = isinstance(second, IntDepthwise | IntPool) and first.window.taps > 1
        return cls(first, depthwise=depthwise), 1

    @property
    def _channels(self) -> int:
        return self.windows.input_type.channels

    @property
    def _whole(self) -> bool:
        return self.simd > self._channels

    @property
    def _words(self) -> int:
        """Words of a pixel."""
        return divide_up(self._channels, self.simd)

    @property
    def _allows_whole(self) -> bool:
        """Whether no two windows end at the same pixel: none has more padding than it reaches."""
        window = self.windows.window
        padding = zip(window.before, window.after, window.span, strict=True)
        return not self.tile and all(before + after < span for before, after, span in padding)

    @property
    def output_tile(self) -> int:
        """Channels of a tile, 0 where it is all channels."""
        tile = self.simd if self.depthwise else self.tile
        return tile if tile < self._channels else 0

    @property
    def input_layout(self) -> StreamLayout:
        """Pixels, `simd` channels a beat, or all."""
        source = self.windows.input_type
        lanes = min(self.simd, source.channels)
        return StreamLayout(source.element, source.channels, self.windows.window.pixels, lanes)

    @property
    def output_layout(self) -> StreamLayout:
        """Taps, `simd` channels a beat: of a pixel, or of a tile; or windows, one a beat."""
        window, element = self.windows.window, self.windows.output_type.element
        if self._whole:
            return StreamLayout(element, self.simd, window.count, self.simd)
        channels = self.output_tile or self._channels
        vectors = window.count * window.taps * divide_up(self._channels, channels)
        return StreamLayout(element, channels, vectors, self.simd)

    @property
    def folding(self) -> Folding:
        """Channels a cycle."""
        return Folding(1, self.simd)

    @property
    def folding_limit(self) -> Folding:
        """All channels of a tile, or whole windows, or all channels of a pixel where these cannot be."""
        taps = self.windows.window.taps if self._allows_whole else 1
        return Folding(1, self.tile or taps * self._channels)

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.simd` channels a cycle, or that many elements of a window, which are then all."""
        simd, channels, whole = folding.simd, self._channels, self.windows.window.taps * self._channels
        if self.tile and self.tile % simd:
            works = ", ".join(str(lanes) for lanes in range(1, self.tile + 1) if self.tile % lanes == 0)
            raise UsageError(
                f"folding: swg: simd is {simd}, which does not divide the {self.tile} channels of a group; "
                f"what works is {works}"
            )
        if simd > channels and not self._allows_whole:
            raise UsageError(
                f"folding: swg: simd is {simd}, but windows with more padding than their kernel reaches come "
                f"pixel by pixel; what works is 1 to {channels}"
            )
        if channels < simd != whole:
            raise UsageError(
                f"folding: swg: simd is {simd}, more than the {channels} channels of a pixel and not a whole "
                f"window; what works is 1 to {channels}, and {whole}"
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
        if self.output_tile == 0:
            return taps.reshape(len(taps), layout.vectors, layout.channels)
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

    @property
    def _whole_ends(self) -> tuple[int, int]:
        """The pixels with which the first and the last window end; they go on below the map."""
        window = self.windows.window
        first, last = (
            [
                count * stride + span - 1 - before
                for count, stride, span, before in zip(counts, *axes, strict=True)
            ]
            for axes in [(window.stride, window.span, window.before)]
            for counts in [(0, 0), (window.output[0] - 1, window.output[1] - 1)]
        )
        return first[0] * window.width + first[1], last[0] * window.width + last[1]

    def schedule(self) -> Schedule | Lookahead:
        """Every step writes a word of a tap; of whole windows, those with which one ends."""
        if not self._whole:
            return self._buffer.lookahead()
        window, steps = self.windows.window, np.arange(self.cycles_per_frame)
        rows, columns = (
            np.arange(count) * stride for count, stride in zip(window.output, window.stride, strict=True)
        )
        ends = self._whole_ends[0] + rows[:, None] * window.width + columns
        return Schedule(steps < window.pixels, np.isin(steps, ends))

    @property
    def cycles_per_frame(self) -> int:
        """The words of all windows, or those of the map where these are more.

        Of whole windows it is the pixels, and those behind the map up to the last window's end.
        """
        if self._whole:
            return max(self.windows.window.pixels, self._whole_ends[1] + 1)
        return self._buffer.cycles_per_frame

    def parts(self) -> Parts:
        """The buffer in LUT RAM or block RAM, whichever hlsc takes, and the counters."""
        if self._whole:
            return self._whole_parts()
        buffer, window, width = self._buffer, self.windows.window, self.input_layout.width
        tiles = self._words // buffer.tile_words
        counted = [*window.output, *window.kernel, buffer.tile_words, tiles]
        loops = sum((count - 1).bit_length() + 1 for count in counted if count > 1)
        address = 2 * (buffer.capacity - 1).bit_length()
        accounts = sum(signed_bits(*ends) for ends in _ranges(buffer))
        spots = sum(
            (size + before + after).bit_length()
            for size, before, after in zip(
                (window.height, window.width), window.before, window.after, strict=True
            )
            if before or after
        )
        padded = width if window.padded else 0
        own = {
            "swg": 1,
            "loops": loops,
            "addresses": address,
            "accounts": accounts,
            "spots": spots,
            "padded": padded,
        }
        memory = memory_parts("buffer", width, _places(width, buffer.capacity)[0])
        return Parts.all(memory, Parts(own, {**own, "beats": width, "outputs": width}))

    def _whole_parts(self) -> Parts:
        """Delay lines, registers for columns, and the choice of padding for each tap."""
        window, width = self.windows.window, self.input_layout.width
        line = memory_parts("line", width, window.dilation[0] * window.width)
        lines = [line] * (window.kernel[0] - 1)
        held = window.kernel[0] * (window.span[1] - 1) * width
        counters = 4 * self.cycles_per_frame.bit_length()
        own = {
            "swg_whole": 1,
            "loops": counters,
            "padded_taps": self.output_layout.width if window.padded else 0,
        }
        registers = {"swg_whole": 1, "loops": counters, "columns": held, "outputs": self.output_layout.width}
        return Parts.all(*lines, Parts(own, registers))

    def constants(self) -> Mapping[str, int | bool | str]:
        """Geometry and buffer of `thresher::Swg`; pairs are `Rows` and `Columns`."""
        return self._geometry() | (self._steps_of_whole() if self._whole else self._words_of_buffer())

    def _geometry(self) -> dict[str, int | bool | str]:
        window, element, padding = self.windows.window, self.windows.input_type.element, self.windows.padding
        return {
            "kWhole": self._whole,
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
            "kChannels": self._channels,
            "kElementBits": element.bits,
            "kPadding": int(padding > 0) if element.bipolar else padding,
        }

    def _words_of_buffer(self) -> dict[str, int | bool | str]:
        buffer = self._buffer
        places, part = _places(self.input_layout.width, buffer.capacity)
        return {
            "kSimd": self.simd,
            "kTileWords": buffer.tile_words,
            "kFreeRows": buffer.free_rows,
            "kFreeColumns": buffer.free_columns,
            "kCapacity": buffer.capacity,
            "kPlaces": places,
            "kPlacesPart": part,
            "kMarginBits": signed_bits(*buffer.margin),
            "kHeldBits": signed_bits(*buffer.room),
        }

    def _steps_of_whole(self) -> dict[str, int | bool | str]:
        return {"kSteps": self.cycles_per_frame, "kFirstWindow": self._whole_ends[0]}


def _ranges(buffer: LineBuffer) -> tuple[tuple[int, int], tuple[int, int]]:
    return buffer.margin, buffer.room


def _places(width: int, capacity: int) -> tuple[int, int]:
    """The words of a memory of some capacity, and the part of which it has a whole number.

    Words beyond the capacity take no more memory: it comes in parts of 64 words in look-up tables, of 512 in
    blocks, and in fewer where these are all.
    """
    part = 512 if prefers_blocks(width, capacity) else 64
    if capacity <= part:
        part = 1 << (capacity - 1).bit_length()
    return divide_up(capacity, part) * part, part
