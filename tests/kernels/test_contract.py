"""Every kernel is held to the same contract, on random shapes, types and foldings.

Golden equals plain integer arithmetic; the C++ of both type sets equals golden; the SystemVerilog that
hlsc makes of it equals golden, with and without stalls, after any reset, at the stated cycles per frame and
latency.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.kernels.bench import make_bench
from tests.kernels.by_hand import by_hand
from tests.kernels.cases import KERNELS, batches
from tests.kernels.extremes import stimulus
from tests.timing.runs import own_cycles, own_latency
from thresher.errors import UsageError
from thresher.kernels import Folding, Kernel, Lookahead, all_kernels
from thresher.kernels.pool import Pool
from thresher.kernels.vvu import Vvu
from thresher.share import share_dir
from thresher_sim.compare import Comparison

# Of the frames up to two thirds reach bounds. In C++ that is room for all, up to 20 rows at both ends.
FRAMES = 9
FRAMES_IN_CPP = 60


def test_every_kernel_has_cases() -> None:
    assert set(all_kernels()) == set(KERNELS)


@pytest.mark.parametrize("kernel", all_kernels())
def test_a_kernel_is_two_files_of_one_name(kernel: type[Kernel]) -> None:
    header = share_dir("hls") / "thresher" / f"{kernel.kernel_name()}.hpp"
    assert f"class {kernel.unit_class()}" in header.read_text()


@pytest.mark.parametrize("kernel", all_kernels())
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_golden_equals_plain_arithmetic(kernel: type[Kernel], data: st.DataObject, seed: int) -> None:
    unit = data.draw(KERNELS[kernel]())
    random = np.random.default_rng(seed)
    inputs = stimulus(random, unit, 4)
    assert np.array_equal(unit.golden(*inputs), by_hand(unit, *inputs))


@pytest.mark.parametrize("kernel", all_kernels())
@given(data=st.data())
def test_the_schedule_moves_every_beat(kernel: type[Kernel], data: st.DataObject) -> None:
    unit = data.draw(KERNELS[kernel]())
    schedule = unit.schedule()
    taken = [schedule.beats] if isinstance(schedule, Lookahead) else schedule.reads_by_input.sum(axis=1)
    assert own_cycles(schedule) == unit.cycles_per_frame
    assert list(taken) == [layout.beats_per_frame for layout in unit.input_layouts]
    assert schedule.writes.sum() == unit.output_layout.beats_per_frame


@given(data=st.data())
@pytest.mark.parametrize("kernel", [Vvu, Pool])
def test_several_taps_of_some_channels_are_refused(kernel: type[Kernel], data: st.DataObject) -> None:
    unit = data.draw(KERNELS[kernel]())
    limit = unit.folding_limit
    assume(limit.pe > 1 and limit.simd > 1)
    message = (
        f"folding: a {kernel.kernel_name()} of {limit.pe} channels cannot take pe {limit.pe - 1} with simd "
        f"2: taps arrive together only where all channels do; use simd 1, or pe {limit.pe}"
    )
    with pytest.raises(UsageError) as refused:
        unit.fold(Folding(limit.pe - 1, 2))
    assert str(refused.value) == message


@settings(max_examples=2, phases=[Phase.generate])
@given(kernels=batches(), seed=st.integers(0, 2**16))
def test_cpp_of_both_type_sets_equals_golden(kernels: list[Kernel], seed: int) -> None:
    # Hypothesis begins with the simplest units of all, which show little.
    assume(seed != 0)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES_IN_CPP)
        for types in ("bitint", "amd"):
            assert _wrong(bench.run_cpp(types)) == []


@pytest.mark.parametrize("clock_mhz", [50.0, 300.0])
@settings(max_examples=1, phases=[Phase.generate])
@given(kernels=batches(), seed=st.integers(0, 2**16))
def test_rtl_equals_golden_and_takes_the_stated_cycles(
    clock_mhz: float, kernels: list[Kernel], seed: int
) -> None:
    # Hypothesis begins with the simplest units of all, which show little.
    assume(seed != 0)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES)
        units = bench.compile(clock_mhz)
        warnings = [warning for unit in units.values() for warning in unit.warnings]
        said = ("holds anything in hardware", "no step ")
        assert [warning for warning in warnings if any(words in warning for words in said)] == []
        assert _wrong(bench.run_rtl(stall=40).comparison) == []
        assert _wrong(bench.run_rtl(stall=20, resets=25, seed=seed).comparison) == []
        run = bench.run_rtl(stall=0)
        assert _wrong(run.comparison) == []
        for node, timing in zip(bench.nodes, run.timings, strict=True):
            schedule = node.kernel.schedule()
            assert timing.cycles_per_frame == node.kernel.cycles_per_frame, node
            assert timing.latency_cycles == own_latency(schedule, units[node.name].stages), node


def _wrong(comparison: Comparison) -> list[str]:
    return [f"{stream.name}: {stream.describe()}" for stream in comparison.streams if stream.wrong]
