"""Every kernel is held to the same contract, on random shapes, types and foldings.

Golden equals plain integer arithmetic; the C++ of both type sets equals golden; the SystemVerilog that
hlsc makes of it equals golden, with and without stalls, at the stated cycles per frame and latency.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.bench import KernelBench, make_bench
from tests.kernels.cases import RANDOM_KERNELS, random_frames
from thresher.hardware.timing import departures
from thresher.kernels import Kernel, all_kernels
from thresher.kernels.argmax import Argmax
from thresher.kernels.mvu import Mvu
from thresher.kernels.threshold import Threshold
from thresher.lower.integer import Ints, IntThreshold
from thresher.share import share_dir

FRAMES = 6
CASES_PER_KERNEL = 10


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> KernelBench:
    random = np.random.default_rng(2026)
    kernels = [make(random) for make in RANDOM_KERNELS.values() for _ in range(CASES_PER_KERNEL)]
    return make_bench(tmp_path_factory.mktemp("kernels"), kernels, random, FRAMES)


def test_every_kernel_has_cases() -> None:
    assert set(all_kernels()) == set(RANDOM_KERNELS)


@pytest.mark.parametrize("kernel", all_kernels())
def test_a_kernel_is_two_files_of_one_name(kernel: type[Kernel]) -> None:
    header = share_dir("hls") / "thresher" / f"{kernel.kernel_name()}.hpp"
    assert f"class {kernel.unit_class()}" in header.read_text()


@pytest.mark.parametrize("kernel", all_kernels())
@pytest.mark.parametrize("seed", range(20))
def test_golden_equals_plain_arithmetic(kernel: type[Kernel], seed: int) -> None:
    random = np.random.default_rng(seed)
    unit = RANDOM_KERNELS[kernel](random)
    frames = random_frames(random, unit.input_layout, 3)
    assert np.array_equal(unit.golden(frames), _by_hand(unit, frames))


@pytest.mark.parametrize("types", ["bitint", "amd"])
def test_cpp_equals_golden(bench: KernelBench, types: str) -> None:
    comparison = bench.run_cpp(types)
    assert [stream.describe() for stream in comparison.streams if stream.wrong] == []
    assert comparison.frames == FRAMES


@pytest.mark.parametrize("clock_mhz", [50.0, 300.0])
def test_rtl_equals_golden_and_takes_the_stated_cycles(
    bench: KernelBench, clock_mhz: float, tmp_path: Path
) -> None:
    units = bench.compile(clock_mhz)
    for stall in (0, 40):
        run = bench.run_rtl(stall)
        assert [stream.describe() for stream in run.comparison.streams if stream.wrong] == []
        if stall:
            continue
        for node, timing in zip(bench.nodes, run.timings, strict=True):
            assert timing.cycles_per_frame == node.kernel.cycles_per_frame, node
            schedule = node.kernel.schedule()
            arrivals = np.arange(node.kernel.input_layout.beats_per_frame)
            stated = int(departures(schedule, arrivals)[-1]) + units[node.name].stages + 1
            assert timing.latency_cycles == stated, node


def _by_hand(kernel: Kernel, frames: Ints) -> Ints:
    """The kernel's meaning in Python's own integers, element by element."""
    if isinstance(kernel, Mvu):
        weights = kernel.matmul.weights.tolist()
        sums = [
            [[sum(w * x for w, x in zip(row, vector, strict=True)) for row in weights] for vector in frame]
            for frame in frames.tolist()
        ]
        values = np.array(sums)
        return _staircase(kernel.threshold, values) if kernel.threshold else values
    if isinstance(kernel, Threshold):
        return _staircase(kernel.threshold, frames)
    if isinstance(kernel, Argmax):
        flat = [frame.reshape(-1).tolist() for frame in frames]
        return np.array([frame.index(max(frame)) for frame in flat]).reshape(-1, 1, 1)
    return frames


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
