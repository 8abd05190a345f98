"""Depths of FIFOs: against every choice of depths by hand, and what they promise on the cells told again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, product
from math import ceil

import numpy as np
import pytest

from tests.networks import binary_network
from tests.timing.graphs import random_lookahead, random_schedule
from tests.timing.reference import run_reference
from tests.timing.runs import own_cycles
from thresher.hardware.connect import connect
from thresher.hardware.select import select_kernels
from thresher.hardware.told import fold_as_told
from thresher.kernels import Folding, Lookahead, Schedule
from thresher.timing.network import time_graph
from thresher.timing.simulator import DeadlockError, TimedUnit, TokenGraph
from thresher.timing.sizing import size_fifos

WIDTHS = {"a": 8, "b": 16, "c": 4, "d": 8}
# Frames for the reference to settle, and those by which its rate is taken.
SETTLING, MEASURED = 30, 12


def chain(random: np.random.Generator, beats: list[int], kinds: str) -> TokenGraph:
    """Units between streams a, b, ...: `s` in step, `l` reading ahead."""
    units = []
    for kind, counts, ends in zip(kinds, pairwise(beats), pairwise(WIDTHS), strict=False):
        make = random_schedule if kind == "s" else random_lookahead
        units.append(TimedUnit(make(random, *counts), int(random.integers(1, 4)), *_each(ends)))
    return TokenGraph(tuple(units), "a", beats[0], units[-1].outputs[0], beats[-1])


def _each(ends: Iterable[str]) -> Iterator[tuple[str]]:
    """The streams before and behind a unit, of which it has one each."""
    return ((name,) for name in ends)


def measured_cycles(graph: TokenGraph, depths: dict[str, int]) -> float | None:
    """Cycles per frame of the reference, over frames in which rates of whole periods show."""
    run = run_reference(graph, depths, SETTLING + MEASURED)
    return None if run is None else (run.ends[-1] - run.ends[-1 - MEASURED]) / MEASURED


def mvu(beats: int) -> Schedule:
    """As many outputs as inputs, one after each pass over the inputs; they are read in the first pass."""
    steps = np.arange(beats * beats)
    return Schedule(steps < beats, steps % beats == beats - 1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kinds", ["sss", "lsl", "sls"])
def test_no_choice_of_depths_is_faster(kinds: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    graph = chain(random, [int(each) for each in random.integers(2, 7, 4)], kinds)
    choices = ({**dict.fromkeys("ad", 2), "b": b, "c": c} for b, c in product((2, 3, 4, 6, 9, 14), repeat=2))
    rates = [rate for depths in choices if (rate := measured_cycles(graph, depths)) is not None]
    slowest = max(ceil(own_cycles(unit.schedule)) for unit in graph.units) if rates else 1
    if not rates:
        with pytest.raises(DeadlockError):
            size_fifos(graph, WIDTHS, slowest)
        return
    sizing = size_fifos(graph, WIDTHS, slowest)
    depths = dict(sizing.depths)
    run = run_reference(graph, depths, sizing.run.begun + SETTLING)
    assert run is not None
    assert measured_cycles(graph, depths) == pytest.approx(min(rates))
    assert run.occupancy == sizing.run.occupancy
    assert all(depths[name] <= max(2, run.occupancy[name] + 1) for name in depths)


def test_two_bursty_units_at_the_same_rate_need_depth() -> None:
    """The second takes 16 beats in 16 cycles and rests for 240; the first gives one in 16 cycles."""
    units = tuple(TimedUnit(mvu(16), 5, *_each(ends)) for ends in ("ab", "bc"))
    graph = TokenGraph(units, "a", 16, "c", 16)

    assert measured_cycles(graph, {"a": 2, "b": 2, "c": 2}) == 436
    sizing = size_fifos(graph, WIDTHS, 256)
    assert sizing.depths == {"a": 2, "b": 16, "c": 2}
    assert measured_cycles(graph, dict(sizing.depths)) == 256


def test_the_least_depth_is_taken_where_it_does() -> None:
    faster = Schedule(np.ones(4, np.bool_), np.ones(4, np.bool_))
    units = (TimedUnit(mvu(4), 5, ("a",), ("b",)), TimedUnit(faster, 3, ("b",), ("c",)))
    graph = TokenGraph(units, "a", 4, "c", 4)

    sizing = size_fifos(graph, WIDTHS, 16)
    assert sizing.depths == {"a": 2, "b": 2, "c": 2}
    assert sizing.run.cycles_per_frame == 16


def test_units_that_no_depth_can_save_are_an_error() -> None:
    """The step needs three beats, and the buffer holds two."""
    stuck = Lookahead(4, 2, np.array([3]), np.array([True]), np.array([4]))
    units = (TimedUnit(mvu(4), 2, ("a",), ("b",)), TimedUnit(stuck, 2, ("b",), ("c",)))
    with pytest.raises(DeadlockError) as caught:
        size_fifos(TokenGraph(units, "a", 4, "c", 1), WIDTHS, 16)
    assert str(caught.value) == (
        "timing: nothing comes out any more by cycle 32, with 'a', 'b' full and 'c' empty; "
        "mend the schedule of a unit beside these streams"
    )


def test_the_slowest_layer_sets_the_rate() -> None:
    spec = {"mvu0": Folding(4, 8), "mvu1": Folding(5, 6), "mvu2": Folding(6, 5)}
    graph = connect(fold_as_told(select_kernels(binary_network([24, 12, 10, 6])), spec))
    timing = time_graph(graph, {node.name: 3 for node in graph.nodes})
    assert (timing.cycles_per_frame, timing.bottleneck) == (9, "mvu0")
