"""The token simulator against the cells' SystemVerilog told again in Python, and by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.timing.graphs import random_branches, random_depths, random_graph
from tests.timing.reference import run_reference
from tests.timing.runs import simulate
from thresher.timing.simulator import DeadlockError, Supply, TokenGraph

FRAMES = 12


@pytest.mark.parametrize("make", [random_graph, random_branches])
@pytest.mark.parametrize("seed", range(12))
def test_every_cycle_is_that_of_the_cells(
    make: Callable[[np.random.Generator], TokenGraph], seed: int
) -> None:
    random = np.random.default_rng(seed)
    locked = 0
    for _ in range(25):
        graph = make(random)
        depths = random_depths(random, graph)
        period = int(random.integers(0, 40)) if random.random() < 0.5 else 0
        expected = run_reference(graph, depths, FRAMES, period)
        if expected is None:
            locked += 1
            with pytest.raises(DeadlockError):
                simulate(graph, depths, Supply(FRAMES, period=period))
            continue
        run = simulate(graph, depths, Supply(FRAMES, period=period))
        assert run.begins.tolist() == expected.begins
        assert run.ends.tolist() == expected.ends
        assert run.occupancy == expected.occupancy
        assert run.refused == expected.refused
    assert locked < 25
