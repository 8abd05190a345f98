"""Folding by target and by file, against brute force and by whole messages."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from tests.networks import binary_network
from thresher.errors import UsageError
from thresher.hardware.cheapest import cheapest_chain
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_as_told, fold_to_target, parse_folding, read_folding
from thresher.hardware.select import Layer, select_kernels
from thresher.kernels import Folding, Kernel, Resources
from thresher.kernels.base import LUT_PER_BRAM36, LUT_PER_DSP


@pytest.fixture(scope="module")
def layers() -> tuple[Layer, ...]:
    return select_kernels(binary_network([24, 12, 10, 6]))


def test_a_threshold_goes_into_the_unit_before_it(layers: tuple[Layer, ...]) -> None:
    assert [layer.name for layer in layers] == ["mvu0", "mvu1", "mvu2"]


@pytest.mark.parametrize("target", [1, 2, 7, 24, 100, 288])
def test_no_layer_is_slower_than_the_target(layers: tuple[Layer, ...], target: int) -> None:
    folded = fold_to_target(layers, target)
    assert max(layer.kernel.cycles_per_frame for layer in folded) <= target


def test_each_layer_could_not_be_smaller_alone(layers: tuple[Layer, ...]) -> None:
    """With one layer there are no converters: the choice is the cheapest of all foldings."""
    only = layers[:1]
    for target in (3, 24, 60):
        chosen = fold_to_target(only, target)[0].kernel
        every = [only[0].kernel.fold(Folding(pe, simd)) for pe in range(1, 13) for simd in range(1, 25)]
        best = min(_cost(kernel) for kernel in every if kernel.cycles_per_frame <= target)
        assert _cost(chosen) == best


def test_the_cheapest_chain_is_that_of_an_exhaustive_search(layers: tuple[Layer, ...]) -> None:
    foldings = [Folding(pe, simd) for pe, simd in product((1, 2, 3, 5), (1, 2, 4, 5))]
    candidates = [[layer.kernel.fold(folding) for folding in foldings] for layer in layers]
    chosen = cheapest_chain(layers, candidates)
    costs = []
    for kernels in product(*candidates):
        chain = tuple(Layer(layer.name, kernel, ()) for layer, kernel in zip(layers, kernels, strict=True))
        costs.append(_chain_cost(chain))
    assert _chain_cost(chosen) == pytest.approx(min(costs))


def test_layers_that_the_file_leaves_out_keep_up(layers: tuple[Layer, ...]) -> None:
    folded = fold_as_told(layers, {"mvu0": Folding(4, 8)})
    assert folded[0].kernel.folding == Folding(4, 8)
    assert max(layer.kernel.cycles_per_frame for layer in folded[1:]) <= 9


def test_a_target_beyond_full_unrolling_is_refused() -> None:
    layers = select_kernels(binary_network([24, 12, 10, 6]))
    with pytest.raises(UsageError) as caught:
        fold_to_target(layers, 0)
    assert str(caught.value) == (
        "hardware: layer 'mvu0': takes 1 cycles per frame when unrolled in full, above the target of 0; "
        "ask for fewer frames per second"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"mvu9": {"pe": 1, "simd": 1}},
            "folding: layer 'mvu9': there is no such layer; the layers are mvu0, mvu1, mvu2",
        ),
        ({"mvu0": {"pe": 0, "simd": 1}}, "folding: layer 'mvu0': pe is 0; it must be from 1 to 12"),
        ({"mvu0": {"pe": 1, "simd": 25}}, "folding: layer 'mvu0': simd is 25; it must be from 1 to 24"),
        ({"mvu0": {"pe": "4"}}, "folding: layer 'mvu0': pe is '4'; it must be a whole number"),
        ({"mvu0": {"pe": True}}, "folding: layer 'mvu0': pe is True; it must be a whole number"),
        ({"mvu0": {"pe": 2.5}}, "folding: layer 'mvu0': pe is 2.5; it must be a whole number"),
        (
            {"mvu0": {"rows": 2}},
            "folding: layer 'mvu0': expected an object with 'pe' and, for an mvu, 'simd', got {'rows': 2}",
        ),
        ([1], 'folding: expected an object such as {"mvu0": {"pe": 16, "simd": 49}}'),
    ],
)
def test_illegal_foldings_are_refused(layers: tuple[Layer, ...], content: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        fold_as_told(layers, parse_folding(content))
    assert str(caught.value) == message


def test_a_folding_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    path.write_text(json.dumps({"mvu0": {"pe": 3, "simd": 4}, "mvu1": {"pe": 2}}))
    assert read_folding(path) == {"mvu0": Folding(3, 4), "mvu1": Folding(2, 1)}


def test_a_missing_folding_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_folding(tmp_path / "none.json")
    assert str(caught.value) == (
        f"folding: file '{tmp_path / 'none.json'}' does not exist; give the path of a JSON file"
    )


def test_a_folding_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    path.write_text("pe = 1")
    with pytest.raises(UsageError) as caught:
        read_folding(path)
    assert str(caught.value) == (
        f"folding: file '{path}' is not readable as JSON (Expecting value: line 1 column 1 (char 0))"
    )


def _chain_cost(layers: tuple[Layer, ...]) -> float:
    return sum(_cost(node.kernel) for node in connect(layers).nodes)


def _cost(kernel: Kernel) -> float:
    cost: Resources = kernel.resources()
    return cost.lut + 0.25 * cost.ff + LUT_PER_BRAM36 * cost.bram36 + LUT_PER_DSP * cost.dsp
