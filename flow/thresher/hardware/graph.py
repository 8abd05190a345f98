"""The hardware network: folded kernels joined by streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.graph import Array, Graph, OneToOne
from thresher.kernels import Kernel
from thresher_sim.streams import StreamLayout

INPUT_STREAM = "s_axis"
OUTPUT_STREAM = "m_axis"


@dataclass(frozen=True, eq=False)
class HwNode(OneToOne):
    """One unit: a kernel between two streams. Its name is safe in C++, SystemVerilog and Tcl."""

    kernel: Kernel

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Run the kernel's golden model on a batch."""
        return (self.kernel.golden(inputs[0]),)


HwGraph = Graph[HwNode]


def stream_layouts(graph: HwGraph) -> Mapping[str, StreamLayout]:
    """The layout of every stream, from the input to the output.

    Raises `ValueError` where a producer and a consumer differ.
    """
    layouts = {INPUT_STREAM: graph.nodes[0].kernel.input_layout}
    for node in graph.nodes:
        if layouts[node.input] != node.kernel.input_layout:
            raise ValueError(f"hardware: '{node.name}' reads '{node.input}' in another layout than it has")
        layouts[node.output] = node.kernel.output_layout
    return layouts
