"""Networks with branches as units: what several read is forked, and foldings are the cheapest there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.lower.helpers import compile_proto
from tests.models import ModelBuilder
from thresher.hardware.cheapest import IN_LUTS, cheapest
from thresher.hardware.choices import choices
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_by_default, fold_to_fit, fold_to_target
from thresher.hardware.next_step import least_cost, next_step
from thresher.hardware.select import Layer, select_kernels
from thresher.ir.graph import interpret
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph
from thresher.ir.integer import IntGraph
from thresher.kernels import Resources
from thresher.kernels.fork import Fork

MAP = (1, 4, 3, 5)
SCALE = 0.5


def conv(build: ModelBuilder, x: str, rows: int, columns: int, seed: int, kernel: int = 3) -> str:
    weights = np.random.default_rng(seed).integers(-3, 4, (rows, columns, kernel, kernel))
    quantised = build.quant(build.constant(weights.astype(np.float32)), 1.0, 0.0, 4)
    return build.node("Conv", x, quantised, pads=[kernel // 2] * 4)


def six_readers(build: ModelBuilder) -> str:
    x = build.quant("x", SCALE)
    return build.node("Sum", *(build.quant(conv(build, x, 4, 4, seed), 8.0) for seed in range(6)))


def twice_itself(build: ModelBuilder) -> str:
    x = build.quant("x", SCALE)
    return conv(build, build.quant(build.node("Add", x, x), SCALE, 0.0, 5), 3, 4, 0)


def three_side_by_side(build: ModelBuilder) -> str:
    x = build.quant("x", SCALE)
    parts = [build.quant(conv(build, x, rows, 4, rows), SCALE) for rows in (2, 3, 4)]
    return conv(build, build.node("Concat", *parts, axis=1), 3, 9, 0)


def residual(build: ModelBuilder) -> str:
    x = build.quant("x", SCALE)
    y = build.quant(conv(build, x, 4, 4, 1, kernel=1), SCALE)
    return conv(build, build.quant(build.node("Add", y, x), 1.0, 0.0, 3), 2, 4, 2, kernel=1)


NETWORKS = [six_readers, twice_itself, three_side_by_side, residual]


def lowered(network: Callable[[ModelBuilder], str]) -> IntGraph:
    build = ModelBuilder(MAP)
    return compile_proto(build.proto(network(build))).lowered.graph


@pytest.mark.parametrize("network", NETWORKS)
def test_the_units_compute_what_the_operators_do(network: Callable[[ModelBuilder], str]) -> None:
    graph = lowered(network)
    (entry,), (exit_,) = graph.inputs, graph.outputs
    frames = np.random.default_rng(0).integers(-8, 8, (4, 15, 4))
    expected = interpret(graph, {entry: frames})[exit_]
    layers = select_kernels(graph)
    for folded in (
        fold_by_default(layers),
        fold_to_target(layers, 64),
        fold_to_fit(layers, "xc7z020clg400-1"),
    ):
        hardware = connect(folded)
        found = interpret(hardware, {INPUT_STREAM: frames})[OUTPUT_STREAM]
        assert np.array_equal(found.reshape(expected.shape), expected)


def test_more_readers_than_a_fork_has_outputs_get_theirs_from_several() -> None:
    layers = select_kernels(lowered(six_readers))
    forks = [layer for layer in layers if isinstance(layer.kernel, Fork)]
    assert [len(fork.outputs) for fork in forks] == [4, 3]
    assert forks[1].inputs == (forks[0].outputs[-1],)
    read = [name for layer in layers for name in layer.inputs]
    assert len(set(read)) == len(read)


def cost_in_luts(graph: HwGraph) -> float:
    cost: Resources = least_cost(graph)
    return float(np.array([cost.lut, cost.ff, cost.bram36, cost.dsp], np.float64) @ IN_LUTS)


def slowest(graph: HwGraph) -> int:
    return max(node.kernel.cycles_per_frame for node in graph.nodes)


def every_folding(layers: tuple[Layer, ...], found: tuple[Layer, ...]) -> list[tuple[int, float]]:
    """Cycles and cost of all foldings of the chains, the units that branch being as in `found`."""
    lists = [
        [chosen.kernel] if layer.kernel.branches else layer.kernel.candidates(1 << 40)
        for layer, chosen in zip(layers, found, strict=True)
    ]
    graphs = (
        connect(tuple(replace(layer, kernel=kernel) for layer, kernel in zip(layers, kernels, strict=True)))
        for kernels in product(*lists)
    )
    return [(slowest(graph), cost_in_luts(graph)) for graph in graphs]


@pytest.mark.parametrize("cycles", [15, 30, 60, 240])
def test_chains_between_branches_are_folded_as_cheaply_as_can_be(cycles: int) -> None:
    layers = select_kernels(lowered(residual))
    found = fold_to_target(layers, cycles)
    graph = connect(found)
    assert slowest(graph) <= cycles
    ways = [cost for taken, cost in every_folding(layers, found) if taken <= cycles]
    assert cost_in_luts(graph) == pytest.approx(min(ways))


def test_the_cost_of_a_choice_is_that_of_its_graph() -> None:
    layers = select_kernels(lowered(three_side_by_side))
    options = choices(layers, [layer.kernel.candidates(200) for layer in layers])
    picks = cheapest(options, 200)
    assert picks is not None
    assert options.cost(picks) == least_cost(connect(options.chosen(picks)))


def test_the_next_step_of_a_network_that_cannot_be_faster() -> None:
    layers = select_kernels(lowered(three_side_by_side))
    fastest = min(options for options in _rates(layers))
    assert next_step(fold_to_target(layers, fastest)) is None


def _rates(layers: tuple[Layer, ...]) -> list[int]:
    options = choices(layers, [layer.kernel.candidates(1 << 40) for layer in layers])
    return [rate for rate in options.rates if cheapest(options, rate) is not None]
