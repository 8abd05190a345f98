"""The cheapest and the fastest foldings, against all that there are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from tests.hardware.chains import (
    ALL,
    Way,
    chained,
    convolutional_layers,
    every_way,
    priced_candidates,
    way_of,
)
from tests.networks import binary_network
from thresher.errors import UsageError
from thresher.hardware.cheapest import cheapest, fastest
from thresher.hardware.choices import Choices, choices
from thresher.hardware.fit import best_fit, cheapest_fit, fastest_fit
from thresher.hardware.folding import (
    DEFAULT_CYCLES_PER_FRAME,
    DEFAULT_SIZE,
    fold_by_default,
    fold_to_fit,
    fold_to_target,
)
from thresher.hardware.next_step import next_step
from thresher.hardware.parts import PartSize
from thresher.hardware.select import Layer, select_kernels
from thresher.kernels import Resources


@cache
def convolution(depthwise: bool) -> tuple[tuple[Layer, ...], list[Way]]:
    layers = convolutional_layers(depthwise=depthwise)
    return layers, every_way(layers)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("target", [36, 50, 72, 100, 144, 1000])
def test_a_target_is_met_at_the_least_cost(target: int, depthwise: bool) -> None:
    layers, ways = convolution(depthwise)

    folded = way_of(fold_to_target(layers, target))

    assert folded.cycles <= target
    assert folded.luts == min(way.luts for way in ways if way.cycles <= target)


@pytest.mark.parametrize("depthwise", [False, True])
def test_the_fastest_that_fits_is_found(depthwise: bool) -> None:
    layers, ways = convolution(depthwise)
    options = choices(layers, [layer.kernel.candidates(ALL) for layer in layers])
    costs = sorted(way.cost.lut for way in ways)
    for lut in [costs[0] - 1, *costs[:: len(costs) // 20]]:
        picks = fastest_fit(options, PartSize(lut, 10, 10))
        fitting = [way for way in ways if way.cost.lut <= lut]
        if not fitting:
            assert picks is None
            continue
        assert picks is not None
        found = way_of(options.chosen(picks))
        assert found.cost.lut <= lut
        assert found.cycles == min(way.cycles for way in fitting)


@pytest.mark.parametrize("seed", range(30))
def test_resources_that_are_traded_for_each_other(seed: int) -> None:
    candidates = priced_candidates(seed)
    layers = chained([kernels[0] for kernels in candidates])
    options, ways = choices(layers, candidates), every_way(layers, candidates)
    random = np.random.default_rng(seed)
    assert fastest(options) == min((way.cycles for way in ways), default=None)
    for _ in range(10):
        size, target = _any_size(random, ways), int(random.integers(1, 60))
        meeting = [way for way in ways if way.cycles <= target]
        fitting = [way for way in ways if size.holds(way.cost)]

        least = _way(options, cheapest(options, target))
        rate = _way(options, fastest_fit(options, size))
        best = _way(options, best_fit(options, target, size))

        assert (least and least.luts) == min((way.luts for way in meeting), default=None)
        assert (rate and rate.cycles) == min((way.cycles for way in fitting), default=None)
        both = [way for way in meeting if size.holds(way.cost)]
        assert (best is None) == (not both)
        if best is not None and least is not None:
            assert best.cycles <= target
            assert size.holds(best.cost)
            assert best.luts == least.luts or best.luts_alone == min(way.luts_alone for way in both)


def _any_size(random: np.random.Generator, ways: list[Way]) -> PartSize:
    """What some way takes, or a little less or more of each."""
    cost = ways[int(random.integers(len(ways)))].cost if ways else Resources(100, 0, 2.0, 2)
    lut, bram36, dsp = (
        int(value) + int(random.integers(-3, 4)) for value in (cost.lut, cost.bram36, cost.dsp)
    )
    return PartSize(lut, max(0, bram36), max(0, dsp))


def _way(options: Choices, picks: Sequence[int] | None) -> Way | None:
    return None if picks is None else way_of(options.chosen(picks))


def test_a_rate_that_needs_no_more_than_the_floor_is_not_exceeded() -> None:
    layers, ways = convolution(False)
    options = choices(layers, [layer.kernel.candidates(ALL) for layer in layers])

    picks = cheapest_fit(options, PartSize(10**6, 100, 100), least_cycles=100)

    found = _way(options, picks)
    assert found is not None
    assert found.luts == min(way.luts for way in ways if way.cycles <= 100)


def test_a_part_is_filled_as_far_as_its_size_allows() -> None:
    layers = select_kernels(binary_network([784, 256, 256, 10]))

    found = way_of(fold_to_fit(layers, "xc7z010clg400-1"))
    faster = next_step(fold_to_fit(layers, "xc7z010clg400-1"))

    assert found.cost.lut <= 17_600
    assert faster is not None
    assert found.cost.lut + faster.more.lut > 17_600


def test_what_fits_nowhere_is_refused() -> None:
    layers = select_kernels(binary_network([1024, 2048, 2048, 10]))
    least = way_of(fold_to_target(layers, 1 << 60)).cost
    with pytest.raises(UsageError) as caught:
        fold_to_fit(layers, "xc7a35tcpg236-1")
    assert str(caught.value) == (
        "hardware: no folding fits part 'xc7a35tcpg236-1', which has 20800 LUT, 50 BRAM36 and 90 DSP: the "
        f"cheapest takes {least.lut} LUT, {least.bram36:g} BRAM36 and 0 DSP; give a larger part"
    )


def test_a_small_network_takes_the_default_rate_at_the_least_cost() -> None:
    layers = select_kernels(binary_network([24, 12, 10, 6]))

    found = way_of(fold_by_default(layers))

    assert found == way_of(fold_to_target(layers, DEFAULT_CYCLES_PER_FRAME))


def test_a_larger_network_stays_within_the_default_size() -> None:
    layers = select_kernels(binary_network([1024, 512, 512, 10], vectors=64))

    found = way_of(fold_by_default(layers))

    assert found.cycles > DEFAULT_CYCLES_PER_FRAME
    assert DEFAULT_SIZE.holds(found.cost)


def test_what_has_more_weights_than_the_default_size_holds_may_take_twice_that() -> None:
    layers = select_kernels(binary_network([1024, 2048, 1024, 10]))

    found = way_of(fold_by_default(layers)).cost

    assert not DEFAULT_SIZE.holds(found)
    assert PartSize(2 * DEFAULT_SIZE.lut, 2 * DEFAULT_SIZE.bram36, 2 * DEFAULT_SIZE.dsp).holds(found)


@pytest.mark.parametrize("depthwise", [False, True])
def test_the_next_step_is_the_cheapest_that_is_faster(depthwise: bool) -> None:
    layers, ways = convolution(depthwise)
    present = fold_to_target(layers, max(way.cycles for way in ways))
    before = way_of(present)

    step = next_step(present)

    faster = [way for way in ways if way.cycles < before.cycles]
    cheapest_way = min(faster, key=lambda way: way.luts)
    assert step is not None
    assert Way(step.cycles_per_frame, before.cost + step.more).luts == cheapest_way.luts
    assert step.layers
    assert set(step.layers) <= {layer.name for layer in layers}


def test_there_is_no_step_beyond_the_fastest() -> None:
    layers, ways = convolution(False)

    assert next_step(fold_to_target(layers, min(way.cycles for way in ways))) is None
