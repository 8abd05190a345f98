"""What a stream carries: integer types, the layout of beats, and packing to and from bytes.

The layout is the same in HLS C++, SystemVerilog and the golden model: a frame is `vectors` vectors
of `channels` elements, a beat holds `lanes` elements of one vector with element 0 in the least
significant bits, and the lanes past the end of a vector carry zero bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class IntType:
    """The integers `lo..hi`, or with `bipolar` just -1 and +1, sent as one bit (0 and 1).

    Other types are sent in two's complement if `lo` is negative and as plain binary otherwise,
    in the fewest bits that hold the range.
    """

    lo: int
    hi: int
    bipolar: bool = False

    def __post_init__(self) -> None:
        if self.lo > self.hi:
            raise ValueError(f"IntType: empty range {self.lo}..{self.hi}")
        if self.bipolar and (self.lo, self.hi) != (-1, 1):
            raise ValueError(f"IntType: a bipolar type is -1..1, not {self.lo}..{self.hi}")

    @property
    def signed(self) -> bool:
        """Whether a beat holds two's complement."""
        return self.lo < 0 and not self.bipolar

    @property
    def bits(self) -> int:
        """Width of one element in a beat, at least 1."""
        if self.bipolar:
            return 1
        if self.signed:
            return max((-self.lo - 1).bit_length(), self.hi.bit_length()) + 1
        return max(self.hi.bit_length(), 1)

    def __str__(self) -> str:
        if self.bipolar:
            return "bipolar"
        return f"{'int' if self.signed else 'uint'}{self.bits}[{self.lo}..{self.hi}]"


BIPOLAR = IntType(-1, 1, bipolar=True)


@dataclass(frozen=True)
class StreamLayout:
    """How a frame of integers `[vectors, channels]` travels over one AXI4-Stream."""

    element: IntType
    channels: int
    vectors: int
    lanes: int

    def __post_init__(self) -> None:
        if min(self.channels, self.vectors, self.lanes) < 1:
            raise ValueError(
                f"StreamLayout: {self.vectors} vectors of {self.channels} channels in {self.lanes} lanes: "
                "each is 1 or more"
            )

    @property
    def beats_per_vector(self) -> int:
        """Beats for one vector; the last may have padding lanes."""
        return -(-self.channels // self.lanes)

    @property
    def beats_per_frame(self) -> int:
        """Beats for one frame."""
        return self.vectors * self.beats_per_vector

    @property
    def width(self) -> int:
        """Bits of one beat."""
        return self.lanes * self.element.bits

    @property
    def bytes_per_beat(self) -> int:
        """Bytes that hold one beat, padded up with zero bits."""
        return -(-self.width // 8)

    def pack(self, frames: npt.NDArray[np.integer]) -> Bytes:
        """Turn integers `[N, vectors, channels]` into beats `[N, beats_per_frame, bytes_per_beat]`."""
        count, bits = frames.shape[0], self.element.bits
        code = np.min_scalar_type((1 << bits) - 1)
        values = frames.reshape(count, self.vectors, self.channels)
        padded = np.zeros((count, self.vectors, self.beats_per_vector * self.lanes), code)
        padded[:, :, : self.channels] = values > 0 if self.element.bipolar else values & ((1 << bits) - 1)
        words = padded.reshape(count, self.beats_per_frame, self.lanes)
        if bits == 8:
            return words
        if bits > 1:
            planes = (words[..., None] >> np.arange(bits, dtype=code)) & code.type(1)
            words = planes.astype(np.uint8).reshape(count, self.beats_per_frame, self.width)
        return np.packbits(words, axis=-1, bitorder="little")

    def unpack(self, beats: Bytes) -> npt.NDArray[np.signedinteger]:
        """Turn beats `[N, beats_per_frame, bytes_per_beat]` into integers `[N, vectors, channels]`.

        Elements of up to 7 bits come as int8, which takes an eighth of the memory.
        """
        count = beats.shape[0]
        flat = np.unpackbits(beats, axis=-1, bitorder="little", count=self.width)
        planes = flat.reshape(count, self.beats_per_frame, self.lanes, self.element.bits)
        values = self._decode(planes)
        rows = values.reshape(count, self.vectors, self.beats_per_vector * self.lanes)
        return rows[:, :, : self.channels]

    def _decode(self, planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.signedinteger]:
        return self._weighted(planes, np.int8(1) if self.element.bits < 8 else np.int64(1))

    def _weighted(
        self, planes: npt.NDArray[np.uint8], one: np.int8 | np.int64
    ) -> npt.NDArray[np.signedinteger]:
        """The values of bit planes, in the dtype of `one`."""
        parts: npt.NDArray[np.signedinteger] = planes.astype(one.dtype)
        weights: npt.NDArray[np.signedinteger] = (1 << np.arange(self.element.bits)).astype(one.dtype)
        if self.element.signed:
            weights[-1] = -weights[-1]
        # A matrix product of integers is slow in numpy, and one bit needs none.
        values = parts[..., 0] * weights[0] if len(weights) == 1 else parts @ weights
        return values * (one + one) - one if self.element.bipolar else values

    def to_json(self) -> dict[str, object]:
        """The layout as plain JSON values, as `project.json` holds it."""
        return {
            "lo": self.element.lo,
            "hi": self.element.hi,
            "bipolar": self.element.bipolar,
            "channels": self.channels,
            "vectors": self.vectors,
            "lanes": self.lanes,
            "width": self.width,
            "beats_per_frame": self.beats_per_frame,
        }

    @staticmethod
    def from_json(data: Mapping[str, object]) -> StreamLayout:
        """Read what `to_json` wrote."""
        numbers = {key: int(str(data[key])) for key in ("lo", "hi", "channels", "vectors", "lanes")}
        element = IntType(numbers["lo"], numbers["hi"], bool(data["bipolar"]))
        return StreamLayout(element, numbers["channels"], numbers["vectors"], numbers["lanes"])
