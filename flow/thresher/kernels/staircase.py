"""Tables of thresholds, shared by the kernels that end in a staircase (`hls/thresher/staircase.hpp`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thresher.kernels.base import Table, tile_rows
from thresher.lower.integer import IntThreshold

Ints = npt.NDArray[np.int64]


def threshold_table(levels: Ints, descending: npt.NDArray[np.bool_], bits: int, pe: int) -> Table:
    """Pack `levels[channel, level]` for `pe` lanes, a word for each tile of channels.

    Where some channel descends, one more bit on top of each word says whether it does. Where all
    tiles of every lane are alike, one word stands for all.
    """
    fields = levels
    if descending.any():
        direction = descending.astype(np.int64)[:, None]
        planes = ((levels[..., None] >> np.arange(bits)) & 1).reshape(len(levels), -1)
        fields, bits = np.concatenate([planes, direction], axis=1), 1
    repeated = np.all(fields == fields[:1])
    if repeated:
        return Table.of_fields(np.repeat(fields[:1][None], pe, axis=0), bits)
    return Table.of_fields(tile_rows(fields, pe), bits)


def output_base(threshold: IntThreshold) -> int:
    """The code that a beat holds where no threshold is reached: 0 for bipolar, the lowest level else."""
    return 0 if threshold.output_type.element.bipolar else threshold.base
