"""Cycles per frame and latency, from the cycles in which frames began and ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .project import Stream

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
