"""The fastest choice of foldings whose resources a part has."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from thresher.hardware.cheapest import Picks, cheapest, costs_to_go
from thresher.hardware.choices import RESOURCES, Choices, Floats, Ints
from thresher.hardware.parts import PartSize
from thresher.ir.kernel import LUT_PER_BRAM36, LUT_PER_DSP

# Flip-flops come two to a LUT, so they are not what runs out.
_LIMITED = [RESOURCES.index(name) for name in ("lut", "bram36", "dsp")]
_LUTS_EACH = np.array([1.0, LUT_PER_BRAM36, LUT_PER_DSP])
# In how many parts a scale is cut from one resource alone to another alone; see `_Bounds`.
_SHARES = 4
# Weighted sums are rounded; what is left out because of them misses by more than this.
_ROUNDING = 1 + 1e-9


def fastest_fit(choices: Choices, size: PartSize) -> Picks | None:
    """The candidates with the least cycles per frame whose LUTs, block RAMs and DSPs are within `size`.

    What meets a number of cycles per frame also meets a larger one, since the candidates and joints that
    do so only become more; so whether anything fits changes once along the rates that can be, and
    halving finds where. None where nothing fits.
    """
    rates = choices.rates
    place = bisect_left(rates, True, key=lambda cycles: _fits(choices, cycles, size))
    return best_fit(choices, rates[place], size) if place < len(rates) else None


def _fits(choices: Choices, cycles_per_frame: int, size: PartSize) -> bool:
    """Whether anything fits; where there is room to spare, what is cheapest in some weighting does."""
    for weights in _weightings(size).T:
        picks = cheapest(choices, cycles_per_frame, weights)
        if picks is None or size.holds(choices.cost(picks)):
            return picks is not None
    return _search(choices, cycles_per_frame, size) is not None


def _weightings(size: PartSize) -> Floats:
    """Ways to add up resources as shares of the part, one alone or several: `[resource, weighting]`."""
    shares = [each for each in product(range(_SHARES + 1), repeat=len(_LIMITED)) if sum(each) == _SHARES]
    weights = np.zeros((len(RESOURCES), len(shares)))
    weights[_LIMITED] = np.array(shares).T / np.maximum(_whole(size), 1.0)[:, None]
    return weights


def _whole(size: PartSize) -> Floats:
    return np.array([size.lut, size.bram36, size.dsp], np.float64)


def cheapest_fit(choices: Choices, size: PartSize, least_cycles: int) -> Picks | None:
    """As `fastest_fit`, but only the cheapest of all candidates that meet a rate are tried.

    Quicker, and not exact: other candidates may fit where these do not.
    """
    rates = [least_cycles, *(cycles for cycles in choices.rates if cycles > least_cycles)]

    def fits(cycles: int) -> bool:
        picks = cheapest(choices, cycles)
        return picks is not None and size.holds(choices.cost(picks))

    place = bisect_left(rates, True, key=fits)
    return cheapest(choices, rates[place]) if place < len(rates) else None


def best_fit(choices: Choices, cycles_per_frame: int, size: PartSize) -> Picks | None:
    """The candidates within `size`, none taking more than `cycles_per_frame`; None where nothing fits.

    The cheapest of all where they fit. Otherwise those that fit and take least, flip-flops not counted.
    """
    picks = cheapest(choices, cycles_per_frame)
    if picks is None or size.holds(choices.cost(picks)):
        return picks
    return _search(choices, cycles_per_frame, size)


@dataclass(frozen=True, eq=False)
class _Ways:
    """Ways through the first layers: what each has `used[way, resource]` and the port where it has come to.

    `pick[way]` is its candidate for the last of these layers and `before[way]` the way there in the
    layer before. `port` is an output port, or between two layers an input port of the next.
    """

    used: Floats
    port: Ints
    pick: Ints
    before: Ints

    def only(self, which: npt.NDArray[np.bool_] | Ints) -> _Ways:
        return _Ways(self.used[which], self.port[which], self.pick[which], self.before[which])


def _search(choices: Choices, cycles_per_frame: int, size: PartSize) -> Picks | None:
    """As `best_fit`, by following all ways from the first layer on.

    One is given up only where another one at the same port uses no more of anything, or where what it
    has used and the least that must follow exceed the part. So the search is exact.
    """
    choices = choices.at(cycles_per_frame)
    bounds = _Bounds(choices, cycles_per_frame, size)
    stage = choices.stages[0]
    every = np.arange(len(stage.kernels))
    ways = _Ways(stage.costs[:, _LIMITED], stage.targets, every, every)
    ways = _undominated(ways.only(bounds.may_end(0, every, np.zeros_like(ways.used))))
    trail = [ways]
    for position in range(1, len(choices.stages)):
        ways = _enter(choices, position, cycles_per_frame, ways, bounds)
        if not len(ways.port):
            return None
        ways = _pass(choices, position, ways, bounds)
        trail.append(ways)
    return _picks(trail) if len(ways.port) else None


class _Bounds:
    """The least that must still follow, in several weightings of the resources.

    Each weighting adds up shares of the part: what fits uses no more than the whole part in any of
    them. The ends of the scale bound one resource alone, and what lies between bounds what can be
    traded for one another.
    """

    def __init__(self, choices: Choices, cycles_per_frame: int, size: PartSize) -> None:
        weights = _weightings(size)
        self._weights = weights[_LIMITED]
        self._most = (_whole(size) @ self._weights) * _ROUNDING
        self._ahead = costs_to_go(choices, cycles_per_frame, weights)
        self._entering = [
            stage.least_by_source(ahead) for stage, ahead in zip(choices.stages, self._ahead, strict=True)
        ]

    def may_end(self, position: int, picks: Ints, used: Floats) -> npt.NDArray[np.bool_]:
        """Whether candidate `picks[i]` of a layer may follow what has `used[i]` without it."""
        return self._within(used, self._ahead[position][picks])

    def may_enter(self, position: int, ports: Ints, used: Floats) -> npt.NDArray[np.bool_]:
        """Whether what has `used[i]` may go on from input port `ports[i]` of a layer."""
        return self._within(used, self._entering[position][ports])

    def _within(self, used: Floats, ahead: Floats) -> npt.NDArray[np.bool_]:
        within: npt.NDArray[np.bool_] = np.all(used @ self._weights + ahead <= self._most, axis=1)
        return within


def _enter(choices: Choices, position: int, cycles_per_frame: int, ways: _Ways, bounds: _Bounds) -> _Ways:
    """Follow `ways` from the outputs of the layer before to the inputs of layer `position`."""
    joint = choices.joints[position - 1]
    way, port = np.nonzero((joint.cycles <= cycles_per_frame)[ways.port])
    used = ways.used[way] + joint.costs[ways.port[way], port][:, _LIMITED]
    entered = _Ways(used, port, ways.pick[way], way)
    return _undominated(entered.only(bounds.may_enter(position, port, used)))


def _pass(choices: Choices, position: int, ways: _Ways, bounds: _Bounds) -> _Ways:
    """Follow `ways` through the candidates of layer `position`."""
    stage = choices.stages[position]
    passed = []
    for port in np.unique(ways.port):
        here = np.flatnonzero(ways.port == port)
        candidates = np.flatnonzero(stage.sources == port)
        way, pick = np.repeat(here, len(candidates)), np.tile(candidates, len(here))
        fits = bounds.may_end(position, pick, ways.used[way])
        way, pick = way[fits], pick[fits]
        used = ways.used[way] + stage.costs[pick][:, _LIMITED]
        passed.append(_Ways(used, stage.targets[pick], pick, ways.before[way]))
    return _undominated(_joined(passed))


def _joined(parts: list[_Ways]) -> _Ways:
    return _Ways(
        np.concatenate([part.used for part in parts]),
        np.concatenate([part.port for part in parts]),
        np.concatenate([part.pick for part in parts]),
        np.concatenate([part.before for part in parts]),
    )


def _undominated(ways: _Ways) -> _Ways:
    """Without those that use no less of anything than another way at the same port with as many DSPs."""
    lut, bram36, dsp = ways.used.T
    order = np.lexsort((lut, bram36, dsp, ways.port))
    ways = ways.only(order)
    lut, _, dsp = ways.used.T
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(ways.port) != 0) | (np.diff(dsp) != 0)
    # Block RAMs rise within a group; lowering each group below those before it makes one running
    # minimum of LUTs serve for all.
    lowered = lut - np.cumsum(fresh) * (lut.max(initial=0) + 1)
    least = np.minimum.accumulate(lowered)
    fewer = np.ones(len(order), np.bool_)
    fewer[1:] = lowered[1:] < least[:-1]
    return ways.only(fewer)


def _picks(trail: list[_Ways]) -> Picks:
    """The candidates of the cheapest of the ways that have come to the end."""
    way = int(np.argmin(trail[-1].used @ _LUTS_EACH))
    picks: list[int] = []
    for ways in reversed(trail):
        picks.append(int(ways.pick[way]))
        way = int(ways.before[way])
    return tuple(picks[::-1])
