"""The smallest unit that forks: every beat goes out three times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import IntNode
from thresher.kernels import Folding, Kernel, Resources, Schedule
from thresher_sim.streams import StreamLayout

COPIES = 3


@dataclass(frozen=True, eq=False)
class Duplicate(Kernel):
    """Three copies of a stream."""

    layout: StreamLayout

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> None:
        """Nothing: it stands for no operator."""

    @property
    def input_layout(self) -> StreamLayout:
        return self.layout

    @property
    def output_layout(self) -> StreamLayout:
        return self.layout

    @property
    def output_count(self) -> int:
        return COPIES

    @property
    def folding(self) -> Folding:
        return Folding(self.layout.lanes)

    @property
    def folding_limit(self) -> Folding:
        return Folding(self.layout.channels)

    def fold(self, folding: Folding) -> Self:
        return self

    def golden(self, frames: Array) -> Array:
        return frames

    def schedule(self) -> Schedule:
        every = np.ones(self.layout.beats_per_frame, np.bool_)
        return Schedule(every, every)

    def resources(self) -> Resources:
        return Resources()

    def constants(self) -> Mapping[str, int | bool | str]:
        return {"kWidth": self.layout.width}
