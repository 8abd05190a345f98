"""Frames of integers to the bytes that a DMA moves, and back.

A frame is `vectors` vectors of `channels` integers. A beat holds `lanes` integers of one vector, the first
in the least significant bits, and is padded with zero bits up to whole bytes, the least significant first;
beats follow one another with no gap. The lanes past the end of a vector are zero bits. -1 and +1 of a bipolar
stream are the bits 0 and 1; other integers are sent in two's complement or, where none is negative, as they
are.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Layout:
    """How the frames of one stream lie in memory; `entry` is the stream's entry in project.json."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.lo, self.hi = int(entry["lo"]), int(entry["hi"])
        self.bipolar = bool(entry["bipolar"])
        self.signed = self.lo < 0 and not self.bipolar
        self.channels, self.vectors = int(entry["channels"]), int(entry["vectors"])
        self.lanes = int(entry["lanes"])
        self.bits = _bits(self.lo, self.hi, self.bipolar)
        self.width = self.lanes * self.bits
        self.beats_per_vector = -(-self.channels // self.lanes)
        self.beats_per_frame = self.vectors * self.beats_per_vector
        self.bytes_per_beat = -(-self.width // 8)
        self.bytes_per_frame = self.beats_per_frame * self.bytes_per_beat

    def pack(self, frames: np.ndarray) -> np.ndarray:
        """Integers `[N, vectors, channels]` as bytes `[N, bytes_per_frame]`."""
        count = len(frames)
        codes = _unsigned(frames > 0 if self.bipolar else frames, self.bits)
        padding = self.beats_per_vector * self.lanes - self.channels
        if padding:
            codes = np.pad(codes, ((0, 0), (0, 0), (0, padding)))
        return self._join(codes.reshape(-1, self.lanes)).reshape(count, self.bytes_per_frame)

    def unpack(self, data: np.ndarray) -> np.ndarray:
        """Bytes `[N, bytes_per_frame]` as integers `[N, vectors, channels]`."""
        codes = self._cut(np.ascontiguousarray(data).reshape(-1, self.bytes_per_beat))
        rows = codes.reshape(-1, self.vectors, self.beats_per_vector * self.lanes)[:, :, : self.channels]
        if self.bipolar:
            return rows.astype(np.int8) * np.int8(2) - np.int8(1)
        if not self.signed:
            return rows
        # The sign is moved to the top of the word and back, which repeats it.
        spare = 8 * rows.dtype.itemsize - self.bits
        signed: np.ndarray = (rows << rows.dtype.type(spare)).view(f"i{rows.dtype.itemsize}") >> spare
        return signed

    def _join(self, codes: np.ndarray) -> np.ndarray:
        """Unsigned integers `[beats, lanes]` as bytes `[beats, bytes_per_beat]`."""
        if self.bits in (8, 16, 32):
            return _bytes(codes)
        if self.bits == 1:
            return np.packbits(codes, axis=1, bitorder="little")
        together = 8 // self.bits
        if 8 % self.bits == 0 and self.lanes % together == 0:
            groups = codes.reshape(len(codes), -1, together)
            joined = groups[:, :, 0].copy()
            for place in range(1, together):
                joined |= groups[:, :, place] << np.uint8(place * self.bits)
            return joined
        size = -(-self.bits // 8)
        cells = _bytes(codes).reshape(len(codes), self.lanes, -1)[:, :, :size]
        planes = np.unpackbits(cells, axis=2, bitorder="little")[:, :, : self.bits]
        return np.packbits(planes.reshape(len(codes), self.width), axis=1, bitorder="little")

    def _cut(self, beats: np.ndarray) -> np.ndarray:
        """Bytes `[beats, bytes_per_beat]` as unsigned integers `[beats, lanes]`."""
        word = _word(self.bits)
        if self.bits in (8, 16, 32):
            return beats.view(word)
        together = 8 // self.bits
        if 1 < self.bits < 8 and 8 % self.bits == 0 and self.lanes % together == 0:
            codes = np.empty((*beats.shape, together), np.uint8)
            for place in range(together):
                codes[:, :, place] = (beats >> np.uint8(place * self.bits)) & np.uint8((1 << self.bits) - 1)
            return codes.reshape(len(beats), self.lanes)
        planes = np.unpackbits(beats, axis=1, bitorder="little")[:, : self.width]
        if self.bits == 1:
            return planes
        cells = np.packbits(planes.reshape(len(beats), self.lanes, self.bits), axis=2, bitorder="little")
        missing = word.itemsize - cells.shape[2]
        whole = np.pad(cells, ((0, 0), (0, 0), (0, missing))) if missing else cells
        return np.ascontiguousarray(whole).view(word)[:, :, 0]


def _bits(lo: int, hi: int, bipolar: bool) -> int:
    if bipolar:
        return 1
    if lo < 0:
        return max((-lo - 1).bit_length(), hi.bit_length()) + 1
    return max(hi.bit_length(), 1)


def _word(bits: int) -> np.dtype:
    """The smallest unsigned type of so many bits, least significant byte first."""
    size = next(size for size in (1, 2, 4, 8) if 8 * size >= bits)
    return np.dtype(f"<u{size}")


def _unsigned(values: np.ndarray, bits: int) -> np.ndarray:
    """The low `bits` bits of integers."""
    word = _word(bits)
    codes = values.astype(word)
    return codes if bits == 8 * word.itemsize else codes & word.type((1 << bits) - 1)


def _bytes(codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(codes).view(np.uint8)
