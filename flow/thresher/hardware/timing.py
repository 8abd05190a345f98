"""Timing of the whole from the kernels' schedules: cycles per frame and latency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thresher.hardware.fifos import fifo_cycles, size_fifos
from thresher.hardware.graph import HwGraph
from thresher.hardware.steps import departures


@dataclass(frozen=True)
class Timing:
    """Steady-state clock cycles between frames, the layer that sets them, latency, and FIFO depths.

    `latency_cycles` is from the cycle in which the first input beat of a frame is taken to the one
    in which its last output beat is taken, both counted, from an empty accelerator whose input is
    always valid and whose output is always ready. `depths` is in beats, by stream.
    """

    cycles_per_frame: int
    bottleneck: str
    latency_cycles: int
    depths: Mapping[str, int]


def time_graph(graph: HwGraph, stages: Mapping[str, int]) -> Timing:
    """Time `graph`, in which the unit of node n is `stages[n]` cycles deep."""
    slowest = max(graph.nodes, key=lambda node: node.kernel.cycles_per_frame)
    depths = size_fifos(graph, stages, slowest.kernel.cycles_per_frame)
    arrivals = np.arange(graph.nodes[0].kernel.input_layout.beats_per_frame, dtype=np.int64)
    for node in graph.nodes:
        there = arrivals + fifo_cycles(depths[node.input])
        arrivals = departures(node.kernel.schedule(), there) + stages[node.name]
    last = int(arrivals[-1]) + fifo_cycles(depths[graph.nodes[-1].output])
    return Timing(slowest.kernel.cycles_per_frame, slowest.name, last + 1, depths)
