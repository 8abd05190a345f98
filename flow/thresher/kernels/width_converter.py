"""width_converter: the same elements in beats of another number of lanes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from thresher.graph import Array
from thresher.kernels.base import Folding, Kernel, Resources, Schedule
from thresher.lower.integer import IntNode
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True, eq=False)
class WidthConverter(Kernel):
    """Beats of `source.lanes` elements become beats of `output_lanes`; the elements stay in order."""

    source: StreamLayout
    output_lanes: int

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take nothing: converters stand between two kernels, not for an operator."""
        return None

    @property
    def input_layout(self) -> StreamLayout:
        """The producer's layout."""
        return self.source

    @property
    def output_layout(self) -> StreamLayout:
        """The same vectors, `output_lanes` elements a beat."""
        return StreamLayout(self.source.element, self.source.channels, self.source.vectors, self.output_lanes)

    @property
    def folding(self) -> Folding:
        """Nothing to fold: the neighbours decide."""
        return Folding()

    @property
    def folding_limit(self) -> Folding:
        """Nothing to fold."""
        return Folding()

    def fold(self, folding: Folding) -> Self:
        """The converter as it is."""
        return self

    def golden(self, frames: Array) -> Array:
        """The elements as they are."""
        return frames

    @property
    def mode(self) -> str:
        """The circuit: `kUpsize` and `kDownsize` for whole ratios of full groups, else `kGearbox`."""
        lanes = self.source.lanes
        if self.output_lanes % lanes == 0:
            ratio = self.output_lanes // lanes
            return "kUpsize" if self.source.beats_per_vector % ratio == 0 else "kGearbox"
        return "kDownsize" if lanes % self.output_lanes == 0 else "kGearbox"

    def schedule(self) -> Schedule:
        """Read while the next output beat lacks elements; write once it has them."""
        reads: list[bool] = []
        writes: list[bool] = []
        filled, remaining = 0, self.source.channels
        while remaining > 0:
            needed = min(remaining, self.output_lanes)
            reads.append(filled < needed)
            filled += self.source.lanes if filled < needed else 0
            writes.append(filled >= needed)
            if filled >= needed:
                filled, remaining = filled - needed, remaining - needed
        vectors = self.source.vectors
        return Schedule(np.tile(np.array(reads), vectors), np.tile(np.array(writes), vectors))

    def resources(self) -> Resources:
        """A multiplexer for each place where a held bit can come from."""
        bits = self.source.element.bits
        held = (self.source.lanes + self.output_lanes) * bits
        if self.mode == "kUpsize":
            return Resources(lut=8, ff=2 * self.output_layout.width)
        if self.mode == "kDownsize":
            return Resources(lut=self.source.width, ff=self.source.width + self.output_layout.width)
        places = self.source.lanes // math.gcd(self.source.lanes, self.output_lanes)
        return Resources(lut=held * (1 + places // 2), ff=held + self.output_layout.width)

    def constants(self) -> Mapping[str, int | bool | str]:
        """Shapes of `thresher::WidthConverter`."""
        return {
            "kChannels": self.source.channels,
            "kElementBits": self.source.element.bits,
            "kInputLanes": self.source.lanes,
            "kOutputLanes": self.output_lanes,
            "kPlaceStep": math.gcd(self.source.lanes, self.output_lanes),
            "kMode": f"WidthMode::{self.mode}",
        }
