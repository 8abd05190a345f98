"""FIFOs between units: how deep, how slow, how dear."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thresher.hardware.graph import INPUT_STREAM, HwGraph
from thresher.hardware.steps import Cycles, departures, step_times
from thresher.kernels import Resources, Schedule
from thresher.kernels.base import divide_up

MIN_DEPTH = 2
# Frames beyond those that fill the pipeline, over which a FIFO's fill level repeats.
_SETTLED_FRAMES = 3


def fifo_cycles(depth: int) -> int:
    """Cycles from a beat's going into the FIFO on a stream to its earliest coming out (`rtl/fifo.sv`)."""
    return 1 if depth == MIN_DEPTH else 2


def fifo_resources(width: int, depth: int) -> Resources:
    """The cost of `rtl/fifo.sv`: two registers and a multiplexer a bit, or LUT RAM behind one register.

    LUT RAM holds 32 words of 6 bits in 4 LUTs (AMD UG474, RAM32M). Pointers and flags are as Yosys
    made them for a 7-series part: some 10 LUTs and 20 flip-flops.
    """
    if depth == MIN_DEPTH:
        return Resources(lut=width + 3, ff=2 * width + 2)
    return Resources(lut=4 * divide_up(width, 6) * divide_up(depth, 32) + 10, ff=width + 20)


def size_fifos(graph: HwGraph, stages: Mapping[str, int], period: int) -> dict[str, int]:
    """Depths at which no FIFO slows the network down.

    A frame enters every `period` cycles, the units run as their beats arrive, and nothing ever holds
    them up; the depth of a FIFO is the most beats that it then holds. With such depths this is one
    legal run at full rate, and a network that waits for nothing but beats and space is never slower
    than a legal run of it.
    """
    first = graph.nodes[0].kernel.input_layout.beats_per_frame
    # A FIFO that turns out to be of the least depth is faster than this, and never fuller for it.
    delay = fifo_cycles(MIN_DEPTH + 1)
    single = np.arange(first, dtype=np.int64)
    for node in graph.nodes:
        single = departures(node.kernel.schedule(), single + delay) + stages[node.name]
    frames = int(single[-1]) // period + 1 + _SETTLED_FRAMES
    arrivals = (np.arange(frames)[:, None] * period + np.arange(first)).ravel()
    depths = {}
    for node in graph.nodes:
        schedule = _repeat(node.kernel.schedule(), frames)
        times = step_times(schedule, arrivals + delay)
        depths[node.input] = max(MIN_DEPTH, _most_held(arrivals, times[schedule.reads]))
        arrivals = times[schedule.writes] + stages[node.name]
    # The input comes when it is asked for, and the output is taken at once: what waits waits outside.
    return depths | {INPUT_STREAM: MIN_DEPTH, graph.nodes[-1].output: MIN_DEPTH}


def _repeat(schedule: Schedule, frames: int) -> Schedule:
    return Schedule(np.tile(schedule.reads, frames), np.tile(schedule.writes, frames))


def _most_held(put: Cycles, taken: Cycles) -> int:
    """The most beats in a FIFO in any cycle; one taken in a cycle still has its place in it."""
    gone = np.searchsorted(taken, put, side="left")
    return int((np.arange(1, len(put) + 1) - gone).max())
