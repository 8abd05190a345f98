"""Small kernels of networks that branch, for proofs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thresher.ir.integer import IntThreshold, TensorType
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale, IntSelect, IntUpsample
from thresher.kernels.add import Add
from thresher.kernels.concat import Concat
from thresher.kernels.fork import Fork
from thresher.kernels.rescale import Rescale
from thresher.kernels.select import Select
from thresher.kernels.upsample import Upsample
from thresher_sim.streams import BIPOLAR, IntType

UINT2 = IntType(0, 3)
INT3 = IntType(-4, 3)


def forked(copies: int) -> Fork:
    """Beats of two bits."""
    return Fork(TensorType(UINT2, 1, 2), copies)


def sum_of(first: IntType, second: IntType) -> Add:
    """Three channels, two a beat, the sums as they are."""
    left, right = (TensorType(element, 1, 3) for element in (first, second))
    sums = replace(left, element=IntType(first.lo + second.lo, first.hi + second.hi))
    return Add(IntAdd("add", "x", "sum", (), left, sums, ("y",), (right,)), None, 2)


def levels_of_sum() -> Add:
    """Signed numbers and signs, to two bits by another staircase for each channel; one descends."""
    add = sum_of(INT3, BIPOLAR)
    steps, descending = np.array([[-2, 0, 2], [-3, -1, 3], [0, 1, 2]]), np.array([False, True, False])
    sums, target = add.join.output_type, replace(add.join.output_type, element=UINT2)
    return replace(add, threshold=IntThreshold("levels", "sum", "z", (), sums, target, steps, descending))


def joined() -> Concat:
    """Two channels and four, two a beat."""
    first, second, both = (TensorType(BIPOLAR, 2, channels) for channels in (2, 4, 6))
    return Concat(IntConcat("concat", "x", "xy", (), first, both, ("y",), (second,)), 2)


def joined_at_once() -> Concat:
    """The same, whole vectors a beat."""
    return replace(joined(), pe=6)


def selected(channels: list[int], pe: int, sources: int = 4) -> Select:
    """Some channels of two vectors."""
    source, target = (TensorType(BIPOLAR, 2, count) for count in (sources, len(channels)))
    return Select(IntSelect("select", "x", "y", (), source, target, np.array(channels)), pe)


def enlarged(vertical: int, horizontal: int) -> Upsample:
    """A row of two pixels of two channels, one a beat."""
    source = TensorType(BIPOLAR, 2, 2)
    target = replace(source, vectors=2 * vertical * horizontal)
    return Upsample(IntUpsample("upsample", "x", "y", (), source, target, 1, 2, vertical, horizontal), 1)


def rescaled() -> Rescale:
    """Two lines for each of three channels, two a beat, in halves."""
    source, target = TensorType(INT3, 1, 3), TensorType(IntType(-11, 10), 1, 3)
    lines = np.array([[3, 5], [-1, 2], [4, -3]]), np.array([[1, 0], [-9, 1], [0, 12]])
    starts = np.array([[0], [-2], [2]])
    return Rescale(IntRescale("rescale", "x", "y", (), source, target, starts, *lines, 1), 2)


def halved() -> Rescale:
    """Half of a number, rounded half up: no multiplier and no table."""
    source, target = TensorType(INT3, 1, 3), TensorType(IntType(-2, 2), 1, 3)
    none, ones = np.zeros((3, 0), np.int64), np.ones((3, 1), np.int64)
    return Rescale(IntRescale("rescale", "x", "y", (), source, target, none, 2 * ones, 2 * ones, 2), 2)
