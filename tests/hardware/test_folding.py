"""Folding by target and by file, against brute force and by whole messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hardware.chains import ALL, convolutional_layers, every_way, way_of
from tests.networks import binary_network
from thresher.errors import UsageError
from thresher.hardware.folding import fold_to_target
from thresher.hardware.select import Layer, select_kernels
from thresher.hardware.told import fold_as_told, parse_folding, read_folding
from thresher.kernels import Folding


@pytest.fixture(scope="module")
def layers() -> tuple[Layer, ...]:
    return select_kernels(binary_network([24, 12, 10, 6]))


def test_a_threshold_goes_into_the_unit_before_it(layers: tuple[Layer, ...]) -> None:
    assert [layer.name for layer in layers] == ["mvu0", "mvu1", "mvu2"]


@pytest.mark.parametrize("target", [1, 2, 7, 24, 100, 288])
def test_no_layer_is_slower_than_the_target(layers: tuple[Layer, ...], target: int) -> None:
    assert way_of(fold_to_target(layers, target)).cycles <= target


def test_lanes_that_waste_nothing_are_enough_for_one_layer(layers: tuple[Layer, ...]) -> None:
    """Without neighbours there are no converters: the choice is the cheapest of all foldings."""
    only = layers[:1]
    every = [only[0].kernel.fold(Folding(pe, simd)) for pe in range(1, 13) for simd in range(1, 25)]
    ways = every_way(only, [every])
    for target in (3, 24, 60):
        assert way_of(fold_to_target(only, target)).luts == min(
            way.luts for way in ways if way.cycles <= target
        )


def test_layers_that_the_file_leaves_out_keep_up(layers: tuple[Layer, ...]) -> None:
    folded = fold_as_told(layers, {"mvu0": Folding(4, 8)})
    assert folded[0].kernel.folding == Folding(4, 8)
    assert max(layer.kernel.cycles_per_frame for layer in folded[1:]) <= 9


def test_windows_and_pools_keep_up_with_the_layers_that_the_file_names() -> None:
    layers = convolutional_layers()
    folded = fold_as_told(layers, {"mvu0": Folding(4, 4), "mvu1": Folding(1, 4)})
    assert [folded[place].kernel.folding for place in (1, 4)] == [Folding(4, 4), Folding(1, 4)]
    ways = every_way(
        layers,
        [layer.kernel.candidates(ALL) for layer in layers[:1]]
        + [
            [folded[1].kernel],
            *(layer.kernel.candidates(ALL) for layer in layers[2:4]),
            [folded[4].kernel],
        ],
    )
    fastest = min(way.cycles for way in ways)
    assert way_of(folded).cycles == fastest
    assert way_of(folded).luts == min(way.luts for way in ways if way.cycles == fastest)


def test_a_whole_folding_is_taken_as_it_is() -> None:
    for depthwise in (False, True):
        layers = fold_to_target(convolutional_layers(depthwise=depthwise), 150)
        spec = {layer.name: layer.kernel.folding for layer in layers}
        again = fold_as_told(convolutional_layers(depthwise=depthwise), spec)
        assert {layer.name: layer.kernel.folding for layer in again} == spec


def test_foldings_that_exclude_each_other_are_refused() -> None:
    layers = convolutional_layers()
    with pytest.raises(UsageError) as caught:
        fold_as_told(layers, {"swg1": Folding(1, 2), "pool0": Folding(1, 1)})
    assert str(caught.value) == (
        "folding: layer 'pool0': it cannot read what 'swg1' writes, for they cut windows into different "
        "tiles of channels; leave out one of the two"
    )


def test_a_folding_that_a_kernel_refuses_is_named_with_its_layer() -> None:
    with pytest.raises(UsageError) as caught:
        fold_as_told(convolutional_layers(), {"pool0": Folding(2, 2)})
    assert str(caught.value) == (
        "folding: layer 'pool0': a pool of 4 channels cannot take pe 2 with simd 2: taps arrive together "
        "only where all channels do; use simd 1, or pe 4"
    )


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
            "folding: layer 'mvu0': expected an object with 'pe' and, for an mvu, 'simd' and 'ram_style', "
            "got {'rows': 2}",
        ),
        (
            {"mvu0": {"pe": 1, "ram_style": "uram"}},
            "folding: layer 'mvu0': ram_style is 'uram'; choose of auto, block, distributed",
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
        f"folding: file '{path}' cannot be read (it is not JSON: Expecting value: line 1 column 1 (char 0)); "
        'give a JSON file such as {"mvu0": {"pe": 16, "simd": 49}}'
    )
