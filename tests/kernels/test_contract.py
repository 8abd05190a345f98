"""Every kernel is held to the same contract, on random shapes, types and foldings.

Golden equals plain integer arithmetic; the C++ of both type sets equals golden; the SystemVerilog that
hlsc makes of it equals golden, with and without stalls, at the stated cycles per frame and latency.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.kernels.bench import make_bench
from tests.kernels.cases import KERNELS, random_frames
from thresher.kernels import Kernel, Lookahead, all_kernels
from thresher.kernels.argmax import Argmax
from thresher.kernels.mvu import Mvu
from thresher.kernels.threshold import Threshold
from thresher.lower.integer import EdgeCorrections, IntMatMul, Ints, IntThreshold
from thresher.share import share_dir
from thresher.timing.alone import own_cycles, own_latency
from thresher_sim.compare import Comparison

FRAMES = 6
# Kernels in one program and one Verilator model.
BATCH = 32


def batches() -> st.SearchStrategy[list[Kernel]]:
    """As many of each kernel."""
    each = BATCH // len(KERNELS)
    lists = [st.lists(make(), min_size=each, max_size=each) for make in KERNELS.values()]
    return st.tuples(*lists).map(lambda parts: [kernel for part in parts for kernel in part])


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
    frames = random_frames(np.random.default_rng(seed), unit.input_layout, 2)
    assert np.array_equal(unit.golden(frames), _by_hand(unit, frames))


@pytest.mark.parametrize("kernel", all_kernels())
@given(data=st.data())
def test_the_schedule_moves_every_beat(kernel: type[Kernel], data: st.DataObject) -> None:
    unit = data.draw(KERNELS[kernel]())
    schedule = unit.schedule()
    taken = schedule.beats if isinstance(schedule, Lookahead) else schedule.reads.sum()
    assert own_cycles(schedule) == unit.cycles_per_frame
    assert taken == unit.input_layout.beats_per_frame
    assert schedule.writes.sum() == unit.output_layout.beats_per_frame


@settings(max_examples=2, phases=[Phase.generate])
@given(kernels=batches(), seed=st.integers(0, 2**16))
def test_cpp_of_both_type_sets_equals_golden(kernels: list[Kernel], seed: int) -> None:
    # Hypothesis begins with the simplest units of all, which show little.
    assume(seed != 0)
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES)
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
        assert _wrong(bench.run_rtl(stall=40).comparison) == []
        run = bench.run_rtl(stall=0)
        assert _wrong(run.comparison) == []
        for node, timing in zip(bench.nodes, run.timings, strict=True):
            schedule = node.kernel.schedule()
            assert timing.cycles_per_frame == node.kernel.cycles_per_frame, node
            assert timing.latency_cycles == own_latency(schedule, units[node.name].stages), node


def _wrong(comparison: Comparison) -> list[str]:
    return [f"{stream.name}: {stream.describe()}" for stream in comparison.streams if stream.wrong]


def _by_hand(kernel: Kernel, frames: Ints) -> Ints:
    """The kernel's meaning in Python's own integers, element by element."""
    if isinstance(kernel, Mvu):
        values = _matrix_by_hand(kernel.matmul, frames)
        values = _staircase(kernel.threshold, values) if kernel.threshold else values
        return values.reshape(-1, kernel.output_layout.vectors, kernel.output_layout.channels)
    if isinstance(kernel, Threshold):
        return _staircase(kernel.threshold, frames)
    if isinstance(kernel, Argmax):
        flat = [frame.reshape(-1).tolist() for frame in frames]
        return np.array([frame.index(max(frame)) for frame in flat]).reshape(-1, 1, 1)
    return frames


def _matrix_by_hand(matmul: IntMatMul, frames: Ints) -> Ints:
    """Sums of vectors in the order of the stream: every window is one for each group."""
    rows = len(matmul.weights) // matmul.groups
    lacks = _lacks_by_hand(matmul.corrections, matmul.output_type.vectors, len(matmul.weights))
    sums = [
        [
            [
                sum(w * x for w, x in zip(weights, frame[window * matmul.groups + row // rows], strict=True))
                + lacks[window][row]
                for row, weights in enumerate(matmul.weights.tolist())
            ]
            for window in range(matmul.output_type.vectors)
        ]
        for frame in frames.tolist()
    ]
    return np.array(sums)


def _lacks_by_hand(corrections: EdgeCorrections | None, windows: int, channels: int) -> list[list[int]]:
    if corrections is None:
        return [[0] * channels] * windows
    places = [(row, column) for row in corrections.row_classes for column in corrections.column_classes]
    return [corrections.values[row, column].tolist() for row, column in places]


def _staircase(threshold: IntThreshold, values: Ints) -> Ints:
    element = threshold.output_type.element
    ladder = [-1, 1] if element.bipolar else list(range(element.lo, element.hi + 1))
    result = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        channel = place[-1]
        steps = sorted(threshold.thresholds[channel].tolist())
        reached = sum(1 for step in steps if values[place] >= step)
        if threshold.descending[channel]:
            reached = len(steps) - reached
        result[place] = ladder[reached]
    return result
