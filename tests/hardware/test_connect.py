"""Layers joined by streams."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks import binary_network
from thresher.graph import interpret
from thresher.hardware.connect import connect
from thresher.hardware.folding import fold_as_told
from thresher.hardware.graph import HwGraph, HwNode, stream_layouts
from thresher.hardware.select import select_kernels
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
    wrong = HwNode(second.name, second.input, second.output, (), first.kernel)
    with pytest.raises(ValueError, match=r"^hardware: 'width_converter0' reads 'mvu0_out' in another layout"):
        stream_layouts(HwGraph((first, wrong), ("s_axis",), (second.output,)))
