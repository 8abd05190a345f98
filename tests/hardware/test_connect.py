"""Layers joined by streams."""

from __future__ import annotations

import numpy as np
import pytest

from tests.hardware.chains import convolutional_network, grouped_network
from tests.networks import binary_network
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_to_target
from thresher.hardware.select import select_kernels
from thresher.hardware.told import fold_as_told
from thresher.ir.graph import interpret
from thresher.ir.hardware import HwGraph, HwNode, stream_layouts
from thresher.ir.integer import IntGraph
from thresher.kernels import Folding


def _graph() -> HwGraph:
    spec = {"mvu0": Folding(4, 8), "mvu1": Folding(5, 6), "mvu2": Folding(6, 5)}
    return connect(fold_as_told(select_kernels(binary_network([24, 12, 10, 6])), spec))


def test_converters_stand_where_lanes_differ() -> None:
    assert [node.name for node in _graph().nodes] == ["mvu0", "width_converter0", "mvu1", "mvu2"]
    assert list(stream_layouts(_graph())) == [
        "s_axis",
        "mvu0_out",
        "width_converter0_out",
        "mvu1_out",
        "m_axis",
    ]


def test_the_hardware_computes_what_the_integer_network_does() -> None:
    network = binary_network([24, 12, 10, 6])
    frames = np.random.default_rng(1).integers(0, 2, (50, 1, 24)) * 2 - 1
    expected = interpret(network, {"x": frames})[network.outputs[0]]
    assert np.array_equal(interpret(_graph(), {"s_axis": frames})["m_axis"], expected)


def test_a_stream_with_two_layouts_is_refused() -> None:
    first, second, *_ = _graph().nodes
    wrong = HwNode(second.name, second.inputs, second.outputs, (), first.kernel)
    with pytest.raises(ValueError, match=r"^hardware: 'width_converter0' reads 'mvu0_out' in another layout"):
        stream_layouts(HwGraph((first, wrong), ("s_axis",), second.outputs))


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("target", [36, 72, 1000])
def test_a_convolutional_network_is_computed_under_any_folding(target: int, depthwise: bool) -> None:
    network = convolutional_network(depthwise=depthwise)
    hardware = connect(fold_to_target(select_kernels(network), target))
    _compare(network, hardware, channels=2)


@pytest.mark.parametrize(
    ("kernel", "stride", "groups"), [(3, 1, 2), (2, 1, 3), (2, 2, 6), (1, 2, 2), (1, 1, 3)]
)
def test_windows_are_joined_with_a_product_in_groups(kernel: int, stride: int, groups: int) -> None:
    network = grouped_network(kernel, stride, groups)
    for target in (200, 100_000):
        _compare(network, connect(fold_to_target(select_kernels(network), target)), channels=6)


def _compare(network: IntGraph, hardware: HwGraph, channels: int) -> None:
    frames = np.random.default_rng(2).integers(0, 2, (20, 16, channels)) * 2 - 1
    expected = interpret(network, {"x": frames})[network.outputs[0]]
    assert np.array_equal(interpret(hardware, {"s_axis": frames})["m_axis"].reshape(expected.shape), expected)
