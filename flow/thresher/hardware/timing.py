"""Timing of the whole from the kernels' schedules: cycles per frame and latency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thresher.hardware.graph import HwGraph
from thresher.kernels import Schedule

Cycles = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timing:
    """Steady-state clock cycles between frames, the layer that sets them, and the latency.

    `latency_cycles` is from the cycle in which the first input beat of a frame is taken to the one
    in which its last output beat is taken, both counted, from an empty accelerator whose input is
    always valid and whose output is always ready.
    """

    cycles_per_frame: int
    bottleneck: str
    latency_cycles: int


def time_graph(graph: HwGraph, stages: Mapping[str, int], stream_cycles: int) -> Timing:
    """Time `graph`, where node n is `stages[n]` cycles deep and each stream adds `stream_cycles`."""
    slowest = max(graph.nodes, key=lambda node: node.kernel.cycles_per_frame)
    arrivals = np.arange(graph.nodes[0].kernel.input_layout.beats_per_frame, dtype=np.int64)
    for node in graph.nodes:
        arrivals = departures(node.kernel.schedule(), arrivals + stream_cycles) + stages[node.name]
    # The output stream has its register too.
    last = int(arrivals[-1]) + stream_cycles
    return Timing(slowest.kernel.cycles_per_frame, slowest.name, last + 1)


def departures(schedule: Schedule, arrivals: Cycles) -> Cycles:
    """The cycles at which a unit's steps write, given those at which its input beats are there.

    Step k runs at `t[k] = max(t[k - 1] + 1, arrival of the beat it reads)`; subtracting k turns
    that into a running maximum.
    """
    steps = np.arange(len(schedule.reads), dtype=np.int64)
    earliest = np.zeros(len(steps), np.int64)
    earliest[schedule.reads] = arrivals
    times = np.maximum.accumulate(earliest - steps) + steps
    return times[schedule.writes]
