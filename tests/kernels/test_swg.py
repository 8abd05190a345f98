"""The sliding window: order, buffer and pace against plain loops; C++ and SystemVerilog against golden."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.kernels.bench import make_bench
from tests.kernels.values import elements, random_frames
from tests.kernels.windows import by_hand, int_window, swgs, whole_swgs
from thresher.errors import UsageError
from thresher.ir.integer import (
    IntDepthwise,
    IntGlobalPool,
    IntMatMul,
    IntNode,
    IntPool,
    TensorType,
)
from thresher.ir.window import Window
from thresher.kernels import Folding, Lookahead, Schedule
from thresher.kernels.swg import Swg
from thresher_sim.compare import Comparison
from thresher_sim.streams import BIPOLAR, IntType

FRAMES = 6
# Frames until a unit that runs alone repeats itself, on maps as small as these.
SETTLED = 40
WINDOW = Window(4, 5, (3, 2), (1, 2), (1, 1), (1, 0), (4, 2))


def units(most_channels: int, each: int) -> st.SearchStrategy[list[Swg]]:
    """As many of either circuit."""
    some = (kernels(elements(), most_channels) for kernels in (swgs, whole_swgs))
    lists = (st.lists(one, min_size=each, max_size=each) for one in some)
    return st.tuples(*lists).map(lambda pair: [*pair[0], *pair[1]])


class StuckError(Exception):
    """Neither a beat is taken nor a step run, for ever."""


def ends_of_frames(schedule: Lookahead, frames: int) -> list[int]:
    """The cycle of each frame's last step, with an input that is always there and an output always taken."""
    needs, frees = schedule.needs.tolist(), schedule.frees.tolist()
    taken, freed, step, cycle = 0, frees[-1] - schedule.beats, 0, 0
    ends: list[int] = []
    while len(ends) < frames:
        takes, runs = taken - freed < schedule.capacity, taken >= needs[step]
        if not (takes or runs):
            raise StuckError(f"in frame {len(ends)} at step {step}")
        taken += takes
        if runs:
            freed, step = frees[step], step + 1
        if step == len(needs):
            ends.append(cycle)
            taken, freed, step = taken - schedule.beats, freed - schedule.beats, 0
        cycle += 1
    return ends


def pace(schedule: Lookahead) -> float:
    """Cycles per frame once it repeats itself, over a number of frames that many periods divide."""
    ends = ends_of_frames(schedule, SETTLED + 13)
    return (ends[-1] - ends[-13]) / 12


@settings(max_examples=50)
@given(kernel=swgs(elements()) | whole_swgs(elements()), seed=st.integers(0, 2**16))
def test_golden_is_every_window_in_order(kernel: Swg, seed: int) -> None:
    frames = random_frames(np.random.default_rng(seed), kernel.input_layout, 2)
    layout = kernel.output_layout

    assert kernel.golden(frames).shape == (2, layout.vectors, layout.channels)
    assert np.array_equal(kernel.golden(frames).reshape(2, -1), by_hand(kernel, frames))


@settings(max_examples=60)
@given(kernel=swgs(elements(), most_channels=6))
def test_the_schedule_takes_the_stated_cycles(kernel: Swg) -> None:
    schedule = lookahead(kernel)
    start = schedule.frees[-1] - schedule.beats

    assert schedule.beats == kernel.input_layout.beats_per_frame
    assert schedule.writes.sum() == len(schedule.writes) == kernel.output_layout.beats_per_frame
    assert schedule.needs.max() <= schedule.beats
    assert (np.diff([start, *schedule.frees]) >= 0).all()
    assert pace(schedule) == kernel.cycles_per_frame


@settings(max_examples=60)
@given(kernel=swgs(elements(), most_channels=6))
def test_an_overlapping_buffer_costs_no_cycle_and_no_word_too_many(kernel: Swg) -> None:
    kernel = replace(kernel, overlap=True)
    schedule = lookahead(kernel)
    smaller = replace(schedule, capacity=schedule.capacity - 1)

    assert kernel.cycles_per_frame == max(len(schedule.writes), schedule.beats)
    assert lookahead(replace(kernel, overlap=False)).capacity <= schedule.capacity
    with suppress(StuckError):
        assert pace(smaller) > kernel.cycles_per_frame


@settings(max_examples=60)
@given(kernel=swgs(elements(), most_channels=6))
def test_a_step_reads_words_that_are_there_and_not_given_up(kernel: Swg) -> None:
    """Every tap on the map lies within what is held when it is read: words are numbered by plain loops."""
    window, schedule = kernel.windows.window, lookahead(kernel)
    words = -(-kernel.windows.input_type.channels // kernel.simd)
    tile_words = -(-(kernel.output_tile or words * kernel.simd) // kernel.simd)
    freed = schedule.frees[-1] - schedule.beats
    step = 0
    for oy, ox in np.ndindex(window.output):
        for tile in range(0, words, tile_words):
            for ky, kx in np.ndindex(window.kernel):
                y = oy * window.stride[0] - window.before[0] + ky * window.dilation[0]
                x = ox * window.stride[1] - window.before[1] + kx * window.dilation[1]
                for word in range(tile, tile + tile_words):
                    if 0 <= y < window.height and 0 <= x < window.width:
                        number = (y * window.width + x) * words + word
                        assert freed <= number == schedule.needs[step] - 1
                    else:
                        assert schedule.needs[step] == (1 if step == 0 else -schedule.beats)
                    freed = schedule.frees[step]
                    step += 1


@settings(max_examples=50)
@given(kernel=whole_swgs(elements()))
def test_a_whole_window_comes_with_its_last_pixel(kernel: Swg) -> None:
    """Windows that end below the map or behind a row's end come as if pixels went on there."""
    window, schedule = kernel.windows.window, kernel.schedule()
    assert isinstance(schedule, Schedule)
    ends = []
    for oy, ox in np.ndindex(window.output):
        y = oy * window.stride[0] - window.before[0] + (window.kernel[0] - 1) * window.dilation[0]
        x = ox * window.stride[1] - window.before[1] + (window.kernel[1] - 1) * window.dilation[1]
        ends.append(y * window.width + x)

    assert np.flatnonzero(schedule.writes).tolist() == ends
    assert np.flatnonzero(schedule.reads).tolist() == list(range(window.pixels))
    assert kernel.cycles_per_frame == len(schedule.writes) == max(window.pixels, ends[-1] + 1)


@settings(max_examples=1, phases=[Phase.generate])
@given(kernels=units(most_channels=33, each=6), seed=st.integers(1, 2**16))
def test_cpp_of_both_type_sets_equals_golden(kernels: list[Swg], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES)
        for types in ("bitint", "amd"):
            assert wrong(bench.run_cpp(types)) == []


@pytest.mark.parametrize("clock_mhz", [50.0, 300.0])
@settings(max_examples=1, phases=[Phase.generate])
@given(kernels=units(most_channels=9, each=7), seed=st.integers(1, 2**16))
def test_rtl_equals_golden_at_the_stated_pace(clock_mhz: float, kernels: list[Swg], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES)
        bench.compile(clock_mhz)
        assert wrong(bench.run_rtl(stall=40).comparison) == []
        run = bench.run_rtl(stall=0)
        assert wrong(run.comparison) == []
        for kernel, timing in zip(kernels, run.timings, strict=True):
            assert timing.cycles_per_frame == pace_of_bench(kernel), kernel


def pace_of_bench(kernel: Swg) -> float:
    """The mean over the frames that a bench measures: some of them may still fill the buffer."""
    schedule = kernel.schedule()
    if isinstance(schedule, Schedule):
        return len(schedule.writes)
    ends = ends_of_frames(schedule, FRAMES)
    return (ends[-1] - ends[2]) / (FRAMES - 3)


def lookahead(kernel: Swg) -> Lookahead:
    schedule = kernel.schedule()
    assert isinstance(schedule, Lookahead)
    return schedule


def wrong(comparison: Comparison) -> list[str]:
    return [f"{stream.name}: {stream.describe()}" for stream in comparison.streams if stream.wrong]


def behind(kind: str, channels: int) -> IntNode:
    """An operator on the windows of `WINDOW`."""
    source = TensorType(BIPOLAR, WINDOW.count, WINDOW.taps * channels)
    target = TensorType(IntType(-99, 99), WINDOW.count, channels)
    names = ("node", "windows", "y", ())
    match kind:
        case "dense":
            return IntMatMul(*names, source, target, np.ones((channels, source.channels), np.int64), BIPOLAR)
        case "grouped":
            weights = np.ones((channels, source.channels // 2), np.int64)
            return IntMatMul(*names, source, target, weights, BIPOLAR, groups=2, taps=WINDOW.taps)
        case "depthwise":
            return IntDepthwise(*names, source, target, np.ones((channels, WINDOW.taps), np.int64), BIPOLAR)
        case "pool":
            return IntPool(*names, source, target, WINDOW.taps, np.zeros(channels, np.bool_))
    return IntGlobalPool(*names, source, target, True, np.zeros(channels, np.bool_))


@pytest.mark.parametrize(
    ("kind", "tiles"),
    [
        ("dense", {1: 0, 2: 0, 5: 0, 6: 0}),
        ("grouped", {1: 3, 3: 3}),
        ("depthwise", {1: 1, 2: 2, 4: 4, 6: 0}),
        ("pool", {1: 1, 5: 5, 6: 0}),
        ("other", {1: 0, 6: 0}),
    ],
)
def test_the_order_is_that_of_the_operator_behind(kind: str, tiles: dict[int, int]) -> None:
    window = int_window(WINDOW, BIPOLAR, 6, -1)
    taken = Swg.take([window, behind(kind, 6)])

    assert taken is not None
    kernel, count = taken
    assert count == 1
    assert {simd: kernel.fold(Folding(1, simd)).output_tile for simd in tiles} == tiles


def test_a_window_may_be_the_last() -> None:
    taken = Swg.take([int_window(WINDOW, BIPOLAR, 6, -1)])
    assert taken is not None
    assert taken[0].output_tile == 0
    assert Swg.take([behind("dense", 6)]) is None


REACHED = replace(WINDOW, before=(1, 1), output=(4, 3))
TOO_WIDE = replace(WINDOW, before=(1, 2), output=(4, 3))


@pytest.mark.parametrize(
    ("kernel", "most", "simd", "message"),
    [
        (
            Swg(int_window(WINDOW, BIPOLAR, 24, -1), tile=12),
            12,
            5,
            "folding: swg: simd is 5, which does not divide the 12 channels of a group; "
            "what works is 1, 2, 3, 4, 6, 12",
        ),
        (
            Swg(int_window(REACHED, BIPOLAR, 4, -1)),
            24,
            8,
            "folding: swg: simd is 8, more than the 4 channels of a pixel and not a whole window; "
            "what works is 1 to 4, and 24",
        ),
        (
            Swg(int_window(TOO_WIDE, BIPOLAR, 4, -1)),
            4,
            24,
            "folding: swg: simd is 24, but windows with more padding than their kernel reaches come pixel by "
            "pixel; what works is 1 to 4",
        ),
    ],
)
def test_foldings_that_cannot_be_are_refused(kernel: Swg, most: int, simd: int, message: str) -> None:
    assert kernel.folding_limit == Folding(1, most)
    with pytest.raises(UsageError) as refusal:
        kernel.fold(Folding(1, simd))
    assert str(refusal.value) == message
