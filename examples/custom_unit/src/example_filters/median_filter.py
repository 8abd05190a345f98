"""median_filter: every sample of a signal becomes the median of those around it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from thresher.kernels import (
    Attribute,
    CustomOperator,
    Folding,
    IntCustom,
    Integers,
    IntNode,
    Kernel,
    RefusalError,
    Resources,
    Schedule,
    StreamLayout,
)

Ints = npt.NDArray[np.int64]
SIZES = (3, 5, 7, 9)


@dataclass(frozen=True)
class Median(CustomOperator):
    """`y[t]` is the median of the `size` samples around `x[t]`, with zeros beyond both ends.

    A median of scaled numbers is the scaled median, so the output means what the input does.
    """

    domain: ClassVar[str] = "example.filters"
    op_type: ClassVar[str] = "MedianFilter"

    size: int

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Attribute]) -> Self:
        """Read `size`, which is 3, 5, 7 or 9."""
        size = attributes.get("size")
        if set(attributes) != {"size"} or not isinstance(size, int) or size not in SIZES:
            reason = f"its attributes are {dict(attributes)}"
            raise RefusalError(reason, f"give one, 'size', which is one of {', '.join(map(str, SIZES))}")
        return cls(size)

    def output(self, shape: tuple[int, ...], source: Integers) -> Integers:
        """The same integers, of one signal whose type and meaning have a zero."""
        if math.prod(shape[:-1]) != 1:
            reason = f"its input has frames of shape {list(shape)}, where one signal is needed"
            raise RefusalError(reason, "filter one signal, before others join it")
        if source.zero != 0 or source.element.bipolar or not source.element.lo <= 0 <= source.element.hi:
            reason = f"its input is {source.element} with zero point {source.zero}, where zero is not 0"
            raise RefusalError(reason, "quantise its input with a zero point of 0")
        return source

    def evaluate(self, frames: Ints) -> Ints:
        """Sort each window, and take what is in its middle."""
        reach = self.size // 2
        padded = np.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(reach, reach)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.size, axis=-1)
        medians: Ints = np.sort(windows, axis=-1)[..., reach]
        return medians


@dataclass(frozen=True, eq=False)
class MedianFilter(Kernel):
    """`pe` samples a cycle; the medians of a beat leave once the samples behind it are there."""

    node: IntCustom
    size: int
    pe: int = 1

    @classmethod
    def operators(cls) -> tuple[type[CustomOperator], ...]:
        """The ONNX operator of this kernel."""
        return (Median,)

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take one `Median`."""
        first = nodes[0]
        if isinstance(first, IntCustom) and isinstance(first.operator, Median):
            return cls(first, first.operator.size), 1
        return None

    @property
    def input_layout(self) -> StreamLayout:
        """`pe` samples a beat."""
        source = self.node.input_type
        return StreamLayout(source.element, source.channels, source.vectors, self.pe)

    @property
    def output_layout(self) -> StreamLayout:
        """As many medians, in beats of the same form."""
        return self.input_layout

    @property
    def folding(self) -> Folding:
        """`pe` samples; there are no columns to fold."""
        return Folding(self.pe, 1)

    @property
    def folding_limit(self) -> Folding:
        """The whole signal at once."""
        return Folding(self.node.input_type.channels, 1)

    def fold(self, folding: Folding) -> Self:
        """Handle `folding.pe` samples a cycle."""
        return replace(self, pe=folding.pe)

    def golden(self, frames: Ints) -> Ints:
        """The operator itself."""
        result: Ints = self.node.evaluate(frames)[0]
        return result

    @property
    def delay(self) -> int:
        """Steps from the one that reads a beat to the one that writes its medians."""
        return math.ceil(self.size // 2 / self.pe)

    def schedule(self) -> Schedule:
        """All steps but the last `delay` read, all but the first `delay` write."""
        beats = self.input_layout.beats_per_frame
        steps = np.arange(beats + self.delay)
        return Schedule(steps < beats, steps >= self.delay)

    def resources(self) -> Resources:
        """Exchanges of neighbours, each a comparator and two multiplexers, and the recent samples."""
        bits = self.input_layout.element.bits
        exchanges = self.pe * self.size * (self.size - 1) // 2
        recent = (self.size // 2 + self.delay * self.pe) * bits
        return Resources(lut=exchanges * math.ceil(2.5 * bits), ff=recent + 2 * self.output_layout.width)

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes and types of `example_filters::MedianFilter`."""
        element = self.input_layout.element
        return {
            "kSamples": self.input_layout.channels,
            "kPe": self.pe,
            "kSize": self.size,
            "kBits": element.bits,
            "kSigned": element.signed,
        }
