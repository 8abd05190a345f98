"""What kernels have in common that take their vectors some channels at a time, in and out alike."""

from __future__ import annotations

from abc import abstractmethod

from thresher.ir.integer import TensorType
from thresher.ir.kernel import Folding
from thresher.kernels.parts import Estimated
from thresher_sim.streams import StreamLayout


class Lanewise(Estimated):
    """A kernel of `pe` lanes: a beat of each stream holds `pe` channels of a vector, or all there are."""

    pe: int

    @property
    @abstractmethod
    def source_types(self) -> tuple[TensorType, ...]:
        """The tensors it reads, in the order of its inputs."""

    @property
    @abstractmethod
    def target_type(self) -> TensorType:
        """The tensor it writes."""

    @property
    def input_layout(self) -> StreamLayout:
        """The first tensor that it reads."""
        return self.input_layouts[0]

    @property
    def input_layouts(self) -> tuple[StreamLayout, ...]:
        """`pe` channels a beat of each tensor that it reads."""
        return tuple(self._layout(kind) for kind in self.source_types)

    @property
    def output_layout(self) -> StreamLayout:
        """`pe` channels a beat of the tensor that it writes."""
        return self._layout(self.target_type)

    def _layout(self, kind: TensorType) -> StreamLayout:
        return StreamLayout(kind.element, kind.channels, kind.vectors, min(self.pe, kind.channels))

    @property
    def folding(self) -> Folding:
        """`pe` channels; there are no columns to fold."""
        return Folding(self.pe, 1)

    @property
    def folding_limit(self) -> Folding:
        """All channels at once."""
        return Folding(self.source_types[0].channels, 1)
