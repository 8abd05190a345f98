"""The hardware network: folded kernels joined by streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.graph import Array, Graph, OneToOne
from thresher.kernels import Kernel
from thresher.kernels.base import same_beats
from thresher_sim.streams import StreamLayout

INPUT_STREAM = "s_axis"
OUTPUT_STREAM = "m_axis"


@dataclass(frozen=True, eq=False)
class HwNode(OneToOne):
    """One unit: a kernel between two streams. Its name is safe in C++, SystemVerilog and Tcl."""

    kernel: Kernel

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Run the kernel's golden model on a batch, its elements cut into the vectors that it reads."""
        layout = self.kernel.input_layout
        return (self.kernel.golden(inputs[0].reshape(-1, layout.vectors, layout.channels)),)


HwGraph = Graph[HwNode]


def stream_layouts(graph: HwGraph) -> Mapping[str, StreamLayout]:
    """The layout of every stream as its producer has it, from the input to the output.

    Raises `ValueError` where these are not the beats that the consumer reads; it may cut them into
    other vectors.
    """
    layouts = {INPUT_STREAM: graph.nodes[0].kernel.input_layout}
    for node in graph.nodes:
        have, wanted = layouts[node.input], node.kernel.input_layout
        same = have.element == wanted.element and have.beats_per_frame == wanted.beats_per_frame
        if not (same and same_beats(have, wanted)):
            raise ValueError(f"hardware: '{node.name}' reads '{node.input}' in another layout than it has")
        layouts[node.output] = node.kernel.output_layout
    return layouts
