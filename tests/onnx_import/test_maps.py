"""Convolutions and pools whose geometry cannot be: an error that names the node and what would work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.models import ModelBuilder
from thresher.errors import UnsupportedModelError
from thresher.onnx_import import import_model, parse_model


def refusal(sizes: tuple[int, ...], weights: tuple[int, ...], op: str = "Conv", **attributes: Any) -> str:
    """What importing one convolution by quantised weights, or one pool, says."""
    model = ModelBuilder((1, *sizes))
    x = model.quant("x", name="q")
    operands = [x, model.weights(np.ones(weights))] if op == "Conv" else [x]
    proto = model.proto(model.node(op, *operands, name="conv1", **attributes))
    with pytest.raises(UnsupportedModelError) as caught:
        import_model(parse_model(proto.SerializeToString(), "m.onnx"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_window_that_is_larger_than_the_padded_map() -> None:
    assert refusal((2, 4, 6), (1, 2, 3, 3), dilations=[3, 1], pads=[1, 0, 1, 0]) == (
        "import: node 'conv1': its window of 7 x 3 is larger than the padded map of 6 x 6; use a smaller "
        "kernel or dilation, or more padding"
    )


def test_an_output_without_elements() -> None:
    assert refusal((2, 2), (1, 2, 3)) == (
        "import: node 'conv1': its window of 3 is larger than the padded map of 2; use a smaller kernel or "
        "dilation, or more padding"
    )


def test_groups_that_do_not_divide_the_input_channels() -> None:
    assert refusal((8, 4, 4), (6, 2, 3, 3), group=3) == (
        "import: node 'conv1': its 3 groups do not divide its 8 input channels; use a number of groups that "
        "divides both"
    )


def test_groups_that_do_not_divide_the_output_channels() -> None:
    assert refusal((8, 4, 4), (6, 2, 3, 3), group=4) == (
        "import: node 'conv1': its 4 groups do not divide its 6 output channels; use a number of groups that "
        "divides both"
    )


def test_weights_for_other_channels() -> None:
    assert refusal((8, 4, 4), (6, 3, 3, 3), group=2) == (
        "import: node 'conv1': its weights are for 2 groups of 3 input channels, and its input has 8; mend "
        "the export"
    )


def test_three_dimensions() -> None:
    assert refusal((2, 4, 4, 4), (1, 2, 3, 3, 3)) == (
        "import: node 'conv1': it convolves over 3 dimensions; use convolutions over 1 or 2 dimensions"
    )


def test_strides_that_do_not_move() -> None:
    assert refusal((2, 4, 4), (1, 2, 3, 3), strides=[0, 1]) == (
        "import: node 'conv1': its strides are [0, 1], where 2 numbers of at least 1 are needed; export the "
        "model again"
    )


def test_padding_that_crops() -> None:
    assert refusal((2, 4, 4), (1, 2, 3, 3), pads=[0, -1, 0, 0]) == (
        "import: node 'conv1': its pads are [0, -1, 0, 0], where 4 numbers of at least 0 are needed; export "
        "the model again"
    )


def test_a_pool_with_windows_of_nothing_but_padding() -> None:
    assert refusal((2, 4, 4), (), "MaxPool", kernel_shape=[2, 2], pads=[2, 0, 0, 0]) == (
        "import: node 'conv1': some of its windows hold nothing but padding; use less padding than its "
        "kernel covers"
    )


def test_same_padding_that_would_crop() -> None:
    assert refusal((2, 9, 4), (1, 2, 1, 3), auto_pad="SAME_UPPER", strides=[5, 2]) == (
        "import: node 'conv1': its auto_pad SAME_UPPER with strides [5, 2] cuts pixels off before its window "
        "of 1 x 3; export it with pads of its own instead of auto_pad"
    )
