"""What the units that keep the largest element need of a `Layer` (`hls/thresher/maximum.hpp`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from thresher.ir.kernel import Table, divide_up
from thresher.kernels.parts import Parts
from thresher.kernels.staircase import deal
from thresher.kernels.tables import table_parts
from thresher_sim.streams import IntType


def maximum_constants(
    element: IntType, mirrored: npt.NDArray[np.bool_], pe: int
) -> Mapping[str, int | bool | str]:
    """The type, and which of the channels give `lo + hi` less their largest."""
    return {
        "kBits": element.bits,
        "kSigned": element.signed,
        "kMirrors": bool(mirrored.any()),
        "kMirrorTiles": _mirror_fields(mirrored, pe).shape[1],
        # A bipolar element is its code, 0 or 1.
        "kMirrorEnd": 1 if element.bipolar else element.lo + element.hi,
    }


def maximum_tables(mirrored: npt.NDArray[np.bool_], pe: int) -> Mapping[str, Table]:
    """Which channels are mirrored, where any is."""
    return {"mirrored": Table.of_fields(_mirror_fields(mirrored, pe), 1)} if mirrored.any() else {}


def maximum_parts(element: IntType, mirrored: npt.NDArray[np.bool_], pe: int, simd: int) -> Parts:
    """A comparator and a multiplexer for each of `pe` x `simd` lanes, or an OR for one bit; a bit's table."""
    bits, lanes = pe * element.bits, pe * simd * element.bits
    kind = "any" if element.bits == 1 else "largest_short" if element.bits == 2 else "largest"
    registers = {"largest": bits, "taps": lanes}
    if not mirrored.any():
        return Parts({kind: lanes}, registers)
    # Mirrored bits are complements on the way in and out.
    return Parts.all(Parts({kind: lanes + bits}, registers), table_parts(pe, 1, divide_up(len(mirrored), pe)))


def _mirror_fields(mirrored: npt.NDArray[np.bool_], pe: int) -> npt.NDArray[np.int64]:
    return deal(mirrored.astype(np.int64)[:, None], pe)
