"""The hardware network: folded kernels joined by streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.ir.graph import Array, Graph
from thresher.ir.kernel import Kernel, same_beats
from thresher_sim.streams import StreamLayout

INPUT_STREAM = "s_axis"
OUTPUT_STREAM = "m_axis"


@dataclass(frozen=True, eq=False)
class HwNode:
    """One unit: a kernel between streams, standing for `onnx_nodes` of the model.

    Its name is safe in C++, SystemVerilog and Tcl. `inputs` and `outputs` are in the order of the kernel's
    ports.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    onnx_nodes: tuple[str, ...]
    kernel: Kernel

    def __post_init__(self) -> None:
        ends = (len(self.inputs), len(self.outputs))
        if ends != (len(self.kernel.input_layouts), self.kernel.output_count):
            raise ValueError(f"hardware: '{self.name}' has {ends[0]} inputs and {ends[1]} outputs")

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Run the kernel's golden model on a batch, its elements cut into the vectors that it reads."""
        frames = (
            each.reshape(-1, layout.vectors, layout.channels)
            for each, layout in zip(inputs, self.kernel.input_layouts, strict=True)
        )
        return (self.kernel.golden(*frames),) * len(self.outputs)


HwGraph = Graph[HwNode]


def stream_layouts(graph: HwGraph) -> Mapping[str, StreamLayout]:
    """The layout of every stream as its producer has it, from the input to the output.

    Raises `ValueError` where these are not the beats that the consumer reads; it may cut them into
    other vectors.
    """
    layouts: dict[str, StreamLayout] = {}
    for node in graph.nodes:
        for stream, wanted in zip(node.inputs, node.kernel.input_layouts, strict=True):
            have = layouts.setdefault(stream, wanted) if stream == INPUT_STREAM else layouts[stream]
            same = have.element == wanted.element and have.beats_per_frame == wanted.beats_per_frame
            if not (same and same_beats(have, wanted)):
                raise ValueError(f"hardware: '{node.name}' reads '{stream}' in another layout than it has")
        layouts |= dict.fromkeys(node.outputs, node.kernel.output_layout)
    return layouts
