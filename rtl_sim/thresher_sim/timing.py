"""Cycles per frame and latency, from the cycles in which frames began and ended; and what is amiss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .project import Project, Stream

# No FIFO is of less depth.
LEAST_DEPTH = 2

Cycles = npt.NDArray[np.uint64]


def read_frame_cycles(folder: Path, stream: Stream) -> Cycles:
    """The cycles of each frame's first and last beat on `stream`, as recorded: `[frames, 2]`."""
    return np.fromfile(folder / f"{stream.name}.cycles", "<u8").reshape(-1, 2)


def cycles_per_frame(output: Cycles) -> float | None:
    """The mean number of cycles between the ends of frames on the output, over the later half of them.

    The earlier half is left out, for there the pipeline fills. None for a single frame, which has no rate.
    """
    ends = output[:, 1].astype(np.int64)
    if len(ends) < 2:
        return None
    later = ends[(len(ends) - 1) // 2 :]
    return float(later[-1] - later[0]) / (len(later) - 1)


def latency_cycles(source: Cycles, output: Cycles) -> int:
    """Cycles from the first frame's first beat in to its last beat out, both of these included."""
    return int(output[0, 1]) - int(source[0, 0]) + 1


def find_shortfalls(
    project: Project, frames: int, cycles: float | None, occupancy: Mapping[str, int]
) -> tuple[str, ...]:
    """What a run of `frames` frames without stalls shows to be worse than stated, or dearer than need be.

    - `cycles`, those between the later half of the frames, are more than stated.
    - A FIFO is deeper than the most beats it held, which `occupancy` has by its stream, and one.

    Nothing is said of a run too short to reach the steady state.
    """
    settled, stated = project.estimate.settled_frames, project.estimate.cycles_per_frame
    found = []
    if settled and frames >= 2 * settled and stated and cycles and cycles > stated:
        found.append(f"a frame takes {cycles:,g} cycles, more than the {stated:,} stated")
    if settled and frames >= settled:
        for stream in project.streams:
            most = occupancy.get(stream.name)
            if most is not None and stream.depth is not None and stream.depth > max(LEAST_DEPTH, most + 1):
                held = f"{most} beat{'' if most == 1 else 's'}"
                found.append(f"the FIFO on '{stream.name}' has depth {stream.depth} and holds at most {held}")
    return tuple(found)
