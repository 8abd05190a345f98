"""The timing of a network: its rate, its latency, and its FIFOs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, stream_layouts
from thresher.timing.simulator import TimedUnit, TokenGraph
from thresher.timing.sizing import size_fifos


@dataclass(frozen=True)
class Timing:
    """What token-level simulation says of an accelerator whose input is always valid and output always taken.

    Attributes:
        cycles_per_frame: clock cycles between frames in steady state, rounded up. Above those of the
            bottleneck where no depths of FIFOs let it run without rest.
        bottleneck: the slowest unit.
        latency_cycles: from the cycle in which the first input beat of the first frame is taken to the
            one in which its last output beat is taken, both counted.
        depths: of the FIFO on each stream, in beats.
        occupancy: the most beats that each of them ever holds.
        settled_frames: a run of as many frames or more has this rate and fills the FIFOs to this
            occupancy; None where no steady state was found in the time given to the search, and both
            are those of its last frames.
    """

    cycles_per_frame: int
    bottleneck: str
    latency_cycles: int
    depths: Mapping[str, int]
    occupancy: Mapping[str, int]
    settled_frames: int | None


def time_graph(graph: HwGraph, stages: Mapping[str, int]) -> Timing:
    """Time `graph`, in which the unit of node n is `stages[n]` cycles deep, and size its FIFOs.

    Raises:
        DeadlockError: No depths of FIFOs let it run.
        MissingToolError, ToolFailedError: There is no compiler for the simulator, or it failed.
    """
    slowest = max(graph.nodes, key=lambda node: node.kernel.cycles_per_frame)
    widths = {name: layout.width for name, layout in stream_layouts(graph).items()}
    sizing = size_fifos(token_graph(graph, stages), widths, slowest.kernel.cycles_per_frame)
    run = sizing.run
    return Timing(
        cycles_per_frame=ceil(run.cycles_per_frame),
        bottleneck=slowest.name,
        latency_cycles=run.latency_cycles,
        depths=sizing.depths,
        occupancy=run.occupancy,
        settled_frames=run.settled_frames,
    )


def token_graph(graph: HwGraph, stages: Mapping[str, int]) -> TokenGraph:
    """The units of `graph` as the token simulator takes them."""
    layouts = stream_layouts(graph)
    units = (
        TimedUnit(node.kernel.schedule(), stages[node.name], node.inputs, node.outputs)
        for node in graph.nodes
    )
    return TokenGraph(
        tuple(units),
        *(INPUT_STREAM, layouts[INPUT_STREAM].beats_per_frame),
        *(OUTPUT_STREAM, layouts[OUTPUT_STREAM].beats_per_frame),
    )
