"""Timing of the whole from the kernels' schedules: cycles per frame, latency, and FIFO depths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thresher.hardware.graph import INPUT_STREAM, HwGraph
from thresher.kernels import Schedule

Cycles = npt.NDArray[np.int64]

MIN_DEPTH = 2
# Frames beyond those that fill the pipeline, over which a FIFO's fill level repeats.
_SETTLED_FRAMES = 3


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


def fifo_cycles(depth: int) -> int:
    """Cycles from a beat's going into the FIFO on a stream to its earliest coming out (`rtl/fifo.sv`)."""
    return 1 if depth == MIN_DEPTH else 2


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


def size_fifos(graph: HwGraph, stages: Mapping[str, int], period: int) -> dict[str, int]:
    """Depths at which no FIFO slows the network down.

    A frame enters every `period` cycles, the units run as their beats arrive, and nothing ever holds
    them up; the depth of a FIFO is the most beats that it then holds. With such depths this is one
    legal run at full rate, and a network that waits for nothing but beats and space is never slower
    than a legal run of it.
    """
    first = graph.nodes[0].kernel.input_layout.beats_per_frame
    single = np.arange(first, dtype=np.int64)
    for node in graph.nodes:
        single = departures(node.kernel.schedule(), single + 2) + stages[node.name]
    frames = int(single[-1]) // period + 1 + _SETTLED_FRAMES
    arrivals = (np.arange(frames)[:, None] * period + np.arange(first)).ravel()
    depths = {INPUT_STREAM: MIN_DEPTH}
    for node in graph.nodes:
        schedule = _repeat(node.kernel.schedule(), frames)
        times = step_times(schedule, arrivals + 2)
        depths[node.input] = max(MIN_DEPTH, _most_held(arrivals, times[schedule.reads]))
        arrivals = times[schedule.writes] + stages[node.name]
        depths[node.output] = MIN_DEPTH
    # The input comes when it is asked for: what waits there waits outside.
    return depths | {INPUT_STREAM: MIN_DEPTH}


def departures(schedule: Schedule, arrivals: Cycles) -> Cycles:
    """The cycles at which a unit's steps write, given those at which its input beats are there."""
    return step_times(schedule, arrivals)[schedule.writes]


def step_times(schedule: Schedule, arrivals: Cycles) -> Cycles:
    """The cycle of every step, given those at which the input beats are there.

    Step k runs at `t[k] = max(t[k - 1] + 1, arrival of the beat it reads)`; subtracting k turns
    that into a running maximum.
    """
    steps = np.arange(len(schedule.reads), dtype=np.int64)
    earliest = np.zeros(len(steps), np.int64)
    earliest[schedule.reads] = arrivals
    return np.maximum.accumulate(earliest - steps) + steps


def _repeat(schedule: Schedule, frames: int) -> Schedule:
    return Schedule(np.tile(schedule.reads, frames), np.tile(schedule.writes, frames))


def _most_held(put: Cycles, taken: Cycles) -> int:
    """The most beats in a FIFO in any cycle; one taken in a cycle still has its place in it."""
    gone = np.searchsorted(taken, put, side="left")
    return int((np.arange(1, len(put) + 1) - gone).max())
