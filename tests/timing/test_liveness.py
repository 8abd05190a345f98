"""Networks that fork and join: depths that are called safe never let units wait for ever, others may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.branches.networks import SHORT, branching_network
from tests.timing.graphs import random_branches
from tests.timing.runs import simulate
from thresher.ir.hardware import stream_layouts
from thresher.kernels import Schedule
from thresher.timing.liveness import Liveness
from thresher.timing.network import token_graph
from thresher.timing.simulator import UNLIMITED, DeadlockError, Supply, TimedUnit, TokenGraph
from thresher.timing.sizing import size_fifos

FRAMES = 12


def lives(graph: TokenGraph, depths: dict[str, int], supply: Supply) -> bool:
    """Whether a run comes to its end."""
    try:
        simulate(graph, depths, supply)
    except DeadlockError:
        return False
    return True


@pytest.mark.parametrize("seed", range(6))
def test_no_timing_stops_what_is_called_safe(seed: int) -> None:
    """Units of any number of stages, and frames that come at any rate."""
    random = np.random.default_rng(seed)
    safe = unsafe = 0
    for _ in range(60):
        graph = random_branches(random, most=16)
        depths = {name: int(random.integers(2, 6)) for name in graph.streams}
        if not lives(graph, dict.fromkeys(graph.streams, UNLIMITED), Supply(FRAMES, endless=True)):
            continue  # a buffer too small for its own unit
        with Liveness(graph) as liveness:
            holds = liveness.holds(depths)
        safe, unsafe = safe + holds, unsafe + (not holds)
        for _ in range(3 if holds else 0):
            units = tuple(replace(unit, stages=int(random.integers(1, 9))) for unit in graph.units)
            supply = Supply(FRAMES, endless=True, period=int(random.integers(0, 60)))
            assert lives(replace(graph, units=units), depths, supply)
    assert safe >= 5
    assert unsafe >= 2


@pytest.mark.parametrize("seed", range(4))
def test_the_depths_that_are_chosen_are_safe(seed: int) -> None:
    random = np.random.default_rng(seed)
    sized = 0
    for _ in range(10):
        graph = random_branches(random)
        widths = {name: int(random.integers(1, 20)) for name in graph.streams}
        slowest = max(len(unit.schedule.writes) for unit in graph.units)
        try:
            sizing = size_fifos(graph, widths, slowest)
        except DeadlockError:
            continue  # a buffer too small for its own unit
        sized += 1
        with Liveness(graph) as liveness:
            assert liveness.holds(sizing.depths)
    assert sized >= 3


def test_only_a_branch_that_is_too_shallow_stops() -> None:
    """The first join waits for a row and a pixel of windows, and the short branch has to keep its pixels."""
    network = branching_network()
    graph = token_graph(network, {node.name: 3 for node in network.nodes})
    widths = {name: layout.width for name, layout in stream_layouts(network).items()}
    depths = dict(size_fifos(graph, widths, 576).depths)

    # Windows of the first pixel need the first ten of rows of eight. One is in the register ahead of it.
    assert depths[SHORT] in (9, 10, 11)
    lowest = dict.fromkeys(graph.streams, 2) | {"copy2": 64, "pooled": 64}
    assert lives(graph, lowest | {SHORT: 10}, Supply(FRAMES))
    with pytest.raises(DeadlockError) as caught:
        simulate(graph, lowest | {SHORT: 5}, Supply(FRAMES))
    assert str(caught.value) == (
        "timing: nothing comes out any more by cycle 25, with 's_axis', 'copy1' full and 'copy0', 'copy2', "
        "'windows', 'sums', 'squares', 'pooled', 'added', 'm_axis' empty; mend the schedule of a unit beside "
        "these streams"
    )


def test_a_fifo_has_the_room_that_a_branch_needs_and_no_more() -> None:
    """One branch takes all 16 beats of a frame before it gives any; the other must keep them."""
    steps = np.arange(32)
    gathers = Schedule(steps < 16, steps >= 16)
    every = np.ones(16, np.bool_)
    units = (
        TimedUnit(Schedule(every, every), 2, ("a",), ("b", "c")),
        TimedUnit(gathers, 4, ("b",), ("d",)),
        TimedUnit(Schedule(np.stack([every, every]), every), 3, ("d", "c"), ("e",)),
    )
    graph = TokenGraph(units, "a", 16, "e", 16)
    sizing = size_fifos(graph, dict.fromkeys("abcde", 8), 32)
    with Liveness(graph) as liveness:
        safe = [depth for depth in range(2, 40) if liveness.holds({**sizing.depths, "c": depth})]

    assert sizing.run.cycles_per_frame == 32
    assert safe[0] == 15
    assert safe[0] <= sizing.depths["c"] <= 20
    assert {name: sizing.depths[name] for name in "abde"} == dict.fromkeys("abde", 2)
