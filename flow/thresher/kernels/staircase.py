"""Tables of thresholds, shared by the kernels that end in a staircase (`hls/thresher/staircase.hpp`)."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from thresher.ir.integer import IntThreshold
from thresher.ir.kernel import Table, divide_up, tile_rows
from thresher.kernels.arithmetic import counted
from thresher.kernels.memories import MERGED_WORDS
from thresher.kernels.parts import Parts
from thresher.kernels.tables import depth_class, table_parts

Ints = npt.NDArray[np.int64]

_SHORT_BITS = 6
_WORDS_OF_COMPARATOR = 8
"""Words that a comparator's look-up tables have room for beside two bits of each number."""


def threshold_table(
    levels: Ints, descending: npt.NDArray[np.bool_], bits: int, pe: int, groups: int = 1
) -> Table:
    """Pack `levels[channel, level]` for `pe` lanes, a word for each tile of channels.

    Where some channel descends, one more bit on top of each word says whether it does. Where all
    tiles of every lane are alike, one word stands for all.
    """
    fields, bits = with_direction(levels, descending, bits)
    return Table.of_fields(deal(fields, pe, groups), bits)


def with_direction(fields: Ints, descending: npt.NDArray[np.bool_], bits: int) -> tuple[Ints, int]:
    """`fields[channel, ..., field]` and their bits, with the direction of each channel if any descends.

    The fields are then single bits, and on top is the one that says whether the channel descends.
    """
    if not descending.any():
        return fields, bits
    planes = ((fields[..., None] >> np.arange(bits)) & 1).reshape(*fields.shape[:-1], -1)
    places = descending.astype(np.int64).reshape(-1, *[1] * (fields.ndim - 1))
    return np.concatenate([planes, np.broadcast_to(places, (*planes.shape[:-1], 1))], axis=-1), 1


def deal(fields: Ints, pe: int, groups: int = 1) -> Ints:
    """As `tile_rows`, but one tile stands for all where all channels are alike."""
    alike = np.all(fields == fields[:1])
    return np.repeat(fields[:1][None], pe, axis=0) if alike else tile_rows(fields, pe, groups)


def output_base(threshold: IntThreshold) -> int:
    """The code that a beat holds where no threshold is reached: 0 for bipolar, the lowest level else."""
    return 0 if threshold.output_type.element.bipolar else threshold.base


@cache
def staircase_parts(lanes: int, levels: int, bits: int, words: int) -> Parts:
    """Comparators of `bits` with thresholds in tables of so many words, and the count of those reached."""
    compared = lanes * levels * bits
    count = counted(levels, 0, gated=False)
    reached = {"reached": lanes * (count.groups + count.adders)}
    registers = {"compared": lanes * levels, **reached}
    if words > MERGED_WORDS:
        table = table_parts(lanes, levels * bits, words)
        return Parts.all(Parts({"compared": compared, **reached}, registers), table)
    if words > _WORDS_OF_COMPARATOR:
        return Parts({"compared": compared, "compared_words": compared, **reached}, registers)
    if words == 1:
        constants = lanes * levels * divide_up(bits, 6) / 2
        return Parts({"compared_one": constants, **reached}, registers)
    # Few bits and a word's address are a function of few inputs.
    kind = "short" if bits <= _SHORT_BITS else depth_class(words)
    return Parts({f"compared_{kind}": compared, **reached}, registers)
