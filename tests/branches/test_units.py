"""The units of these tests, each alone: units of several inputs and outputs in the benches of one kernel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.branches.duplicate import Duplicate
from tests.branches.plus import Plus
from tests.kernels.bench import make_bench
from tests.timing.runs import own_cycles, own_latency
from thresher_sim.streams import IntType, StreamLayout

FRAMES = 6
KERNELS = (
    Duplicate(StreamLayout(IntType(-3, 4), 6, 2, 2)),
    Plus(StreamLayout(IntType(0, 5), 3, 2, 3), StreamLayout(IntType(-4, 3), 3, 8, 3)),
    Plus(StreamLayout(IntType(-2, 5), 2, 3, 2), StreamLayout(IntType(0, 9), 2, 3, 2)),
)


def test_a_unit_of_several_streams_is_held_to_its_contract(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, KERNELS, np.random.default_rng(0), FRAMES)
    for types in ("bitint", "amd"):
        compared = bench.run_cpp(types)
        assert len(compared.streams) == 5
        assert compared.mismatches == 0
    units = bench.compile(300.0)
    assert bench.run_rtl(stall=40).comparison.mismatches == 0
    run = bench.run_rtl(stall=0)
    assert run.comparison.mismatches == 0
    for node, timing in zip(bench.nodes, run.timings, strict=True):
        schedule = node.kernel.schedule()
        assert timing.cycles_per_frame == node.kernel.cycles_per_frame == own_cycles(schedule)
        assert timing.latency_cycles == own_latency(schedule, units[node.name].stages)
