"""Where inputs first meet quantisers: on the host, or in the hardware, behind nothing or one layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from thresher.host import Host
from thresher.ir.graph import Array
from thresher.ir.integer import Flags, IntCustom, IntThreshold, count_reached
from thresher.saturation import Misfit, find_misfit

# Behind a layer quantisers of few levels cut off much of what they get: that is their activation function.
_REACH_BEHIND = 8
# Of fewer frames it may be the scene that they are alike; and so near its ends nothing parts a type sensibly.
_FEWEST_FRAMES = 8
_MANY_LEVELS = 64
_EDGE = 0.07
# Images have pixels of 8 bits.
_PIXEL = 255


@dataclass(frozen=True, eq=False)
class Meeting:
    """Values that meet a quantiser: their `positions` among its levels, see `find_misfit`.

    `takes` is the range of its levels and `gets` that of the values, both in the same units; None where
    it is not the inputs themselves that meet it. Without `judges_alike` values may be alike, as those of a
    single dark image are, unless there are so many levels that no image stays on two.
    """

    positions: Array
    low: int
    high: int
    two: bool
    common: Flags
    takes: tuple[float, float] | None = None
    gets: tuple[float, float] | None = None
    reach: int = 1
    judges_alike: bool = True

    @property
    def behind(self) -> bool:
        """Whether a layer lies in front of it."""
        return self.reach > 1

    def misfit(self, sure: bool = False) -> Misfit | None:
        """What is wrong; None: they fit. With `sure` it is known that values are not alike by chance."""
        found = find_misfit(self.positions, self.low, self.high, self.two, self.common, self.reach)
        by_chance = not (sure or self.judges_alike) and self.high - self.low < _MANY_LEVELS
        return None if found is not None and found.alike and by_chance else found


def find_meetings(host: Host, frames: Array) -> Iterator[Meeting]:
    """Where the frames first meet quantisers: on the host, and in hardware behind nothing or one layer."""
    if host.prologue is not None:
        positions = host.prologue.positions(frames)
        if positions is not None:
            yield _on_host(host, frames, np.nan_to_num(positions).astype(np.float64))
        return
    integers = host.encode(frames)
    for node, values, direct in _first_thresholds(host, integers):
        meeting = _in_hardware(node, values.reshape(-1, node.input_type.channels), direct)
        if meeting is not None:
            yield meeting


def _on_host(host: Host, frames: Array, positions: Array) -> Meeting:
    end = host.lowered.input
    element = end.type.element
    common = _commonest(frames if frames.size == positions.size else positions).reshape(positions.shape)
    takes = gets = None
    if end.scale.size == 1 and end.zero.size == 1:
        scale, zero = float(end.scale.reshape(())), int(end.zero.reshape(()))
        takes = ((element.lo - zero) * scale, (element.hi - zero) * scale)
        gets = ((float(positions.min()) - zero) * scale, (float(positions.max()) - zero) * scale)
    two = element.bipolar or element.hi - element.lo == 1
    sure = len(frames) >= _FEWEST_FRAMES
    return Meeting(positions, element.lo, element.hi, two, common, takes, gets, judges_alike=sure)


def _first_thresholds(host: Host, integers: Array) -> Iterator[tuple[IntThreshold, Array, bool]]:
    """The first quantisers on each way from the input, what reaches them, and whether it is the input."""
    entry = host.lowered.input.tensor
    known = {entry: integers}
    for node in host.lowered.graph.nodes:
        if not all(name in known for name in node.inputs) or isinstance(node, IntCustom):
            continue
        if isinstance(node, IntThreshold):
            yield node, known[node.input], node.input == entry
            continue
        known.update(zip(node.outputs, node.evaluate(*(known[name] for name in node.inputs)), strict=True))


def _in_hardware(node: IntThreshold, values: Array, direct: bool) -> Meeting | None:
    """Integers `[..., channels]` among the thresholds; of a layer's sums only where all levels are met."""
    first, last = node.thresholds[:, 0], node.thresholds[:, -1]
    levels = node.thresholds.shape[1]
    if not direct:
        met = (values.min(axis=0) <= first) & (values.max(axis=0) >= last)
        if levels == 1 or met.mean() < 0.5:
            return None
        values, first, last = values[:, met], first[met], last[met]
        positions = _positions(values, first, last, levels)
        none = np.zeros(values.shape, np.bool_)
        return Meeting(positions, 0, levels, False, none, reach=_REACH_BEHIND)
    common = _commonest(values)
    if levels == 1:
        return Meeting(values - first, 0, 1, True, common, judges_alike=_at_the_edge(node))
    positions = _positions(values, first, last, levels)
    inside = (values >= first) & (values < last)
    positions = np.where(inside, count_reached(values, node.thresholds), positions)
    takes = (float(first.min()) - 1, float(last.max()))
    return Meeting(positions, 0, levels, False, common, takes)


def _at_the_edge(node: IntThreshold) -> bool:
    """Whether what parts two levels lies at an end of the type: other inputs are on one level by chance."""
    low, high = node.input_type.element.lo, node.input_type.element.hi
    place = float(np.median(node.thresholds) - low) / (high - low)
    return not _EDGE < place < 1 - _EDGE


def _positions(values: Array, first: Array, last: Array, levels: int) -> Array:
    """Where integers lie among levels, by the mean distance of thresholds, which lie below whole numbers."""
    step = (last - first + 1) / levels
    below, above = 0.5 + (values - first + 1) / step, levels - 0.5 + (values - last) / step
    between = 0.5 + (values - first) / step
    return np.where(values < first, below, np.where(values >= last, above, between))


def _commonest(values: Array) -> Flags:
    """Where the commonest of all values stands, as the black of an image does."""
    different, counts = np.unique(values, return_counts=True)
    result: Flags = values == different[np.argmax(counts)]
    return result


def are_images(frames: Array) -> bool:
    """Whether they look like pixels of 8 bits."""
    return 16 < float(np.abs(frames).max()) <= _PIXEL and bool((frames == np.rint(frames)).all())
