"""Every kernel is held to the same contract, on random shapes, types and foldings.

Golden equals plain integer arithmetic; the C++ of both type sets equals golden; the SystemVerilog that
hlsc makes of it equals golden, with and without stalls, at the stated cycles per frame and latency.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.kernels.bench import make_bench
from tests.kernels.branches import joined_by_hand
from tests.kernels.cases import KERNELS
from tests.kernels.values import random_frames
from tests.kernels.windows import by_hand
from tests.timing.runs import own_cycles, own_latency
from thresher.errors import UsageError
from thresher.kernels import Folding, Kernel, Lookahead, all_kernels
from thresher.kernels.argmax import Argmax
from thresher.kernels.global_pool import GlobalPool
from thresher.kernels.mvu import Mvu
from thresher.kernels.pool import Pool
from thresher.kernels.swg import Swg
from thresher.kernels.threshold import Threshold
from thresher.kernels.vvu import Vvu
from thresher.lower.integer import EdgeCorrections, IntMatMul, Ints, IntThreshold
from thresher.share import share_dir
from thresher_sim.compare import Comparison
from thresher_sim.streams import IntType

FRAMES = 6
# Kernels in one program and one Verilator model.
BATCH = 42


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
    random = np.random.default_rng(seed)
    inputs = [random_frames(random, layout, 2) for layout in unit.input_layouts]
    assert np.array_equal(unit.golden(*inputs), _by_hand(unit, *inputs))


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


def _by_hand(kernel: Kernel, frames: Ints, *others: Ints) -> Ints:
    """The kernel's meaning in Python's own integers, element by element."""
    values, threshold = frames, None
    match kernel:
        case Mvu():
            values, threshold = _matrix_by_hand(kernel.matmul, frames), kernel.threshold
        case Swg():
            values = by_hand(kernel, frames)
        case Vvu():
            values, threshold = _filters_by_hand(kernel, frames), kernel.threshold
        case Pool():
            channels, taps = kernel.pool.output_type.channels, kernel.pool.taps
            windows = _windows_by_hand(frames, channels, taps, kernel.input_tile)
            values = _largest_by_hand(windows, kernel.pool.reversed, kernel.input_layout.element)
        case GlobalPool() if kernel.pool.largest:
            values = _largest_by_hand(frames[:, None], kernel.pool.reversed, kernel.input_layout.element)
        case GlobalPool():
            sums = [[sum(channel) for channel in zip(*frame, strict=True)] for frame in frames.tolist()]
            values, threshold = np.array(sums)[:, None], kernel.threshold
        case Threshold():
            threshold = kernel.threshold
        case Argmax():
            flat = [frame.reshape(-1).tolist() for frame in frames]
            values = np.array([frame.index(max(frame)) for frame in flat])
        case _:
            values, threshold = joined_by_hand(kernel, frames, *others)
    if threshold is not None:
        values = _staircase(threshold, values)
    return values.reshape(-1, kernel.output_layout.vectors, kernel.output_layout.channels)


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


def _filters_by_hand(kernel: Vvu, frames: Ints) -> Ints:
    filters = kernel.filters
    channels, taps = filters.weights.shape
    lacks = _lacks_by_hand(filters.corrections, filters.output_type.vectors, channels)
    sums = [
        [
            [
                sum(int(w) * window[tap][channel] for tap, w in enumerate(filters.weights[channel]))
                + lacks[index][channel]
                for channel in range(channels)
            ]
            for index, window in enumerate(windows)
        ]
        for windows in _windows_by_hand(frames, channels, taps, kernel.input_tile).tolist()
    ]
    return np.array(sums)


def _windows_by_hand(frames: Ints, channels: int, taps: int, tile: int) -> Ints:
    """Windows `[frame, window, tap, channel]` of a stream, element by element."""
    lanes = tile or channels
    tiles = -(-channels // lanes)
    flat = frames.reshape(len(frames), -1)
    windows = np.zeros((len(frames), flat.shape[1] // (tiles * taps * lanes), taps, channels), np.int64)
    for frame, window, tap, channel in np.ndindex(windows.shape):
        place = ((window * tiles + channel // lanes) * taps + tap) * lanes + channel % lanes
        windows[frame, window, tap, channel] = flat[frame, place]
    return windows


def _largest_by_hand(windows: Ints, mirrored: npt.NDArray[np.bool_], element: IntType) -> Ints:
    """Of `[frame, window, tap, channel]`, with the values of the type in a line and its mirror image."""
    line = [-1, 1] if element.bipolar else list(range(element.lo, element.hi + 1))
    result = np.zeros((len(windows), windows.shape[1], windows.shape[3]), np.int64)
    for frame, window, channel in np.ndindex(result.shape):
        place = line.index(max(windows[frame, window, :, channel].tolist()))
        result[frame, window, channel] = line[::-1][place] if mirrored[channel] else line[place]
    return result


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
