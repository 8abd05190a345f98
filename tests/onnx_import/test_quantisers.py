"""Quantisers against QONNX's own functions, bit for bit, on activations and on the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.quant import quant

from tests.models import ModelBuilder
from thresher.ir.quantisers import Quantiser
from thresher.onnx_import import Imported, import_model, parse_model
from thresher.onnx_import.host import HostModel, make_prologue

QONNX_ROUNDINGS = ("ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")


def imported(proto: onnx.ModelProto) -> Imported:
    return import_model(parse_model(proto.SerializeToString(), "test.onnx"))


def hard_values(scale: float) -> np.ndarray[Any, Any]:
    """Every half step, what lies one rounding beside it, and random values."""
    steps = np.arange(-40, 41).astype(np.float32) * np.float32(0.5) * np.float32(scale)
    beside = [np.nextafter(steps, np.float32(end)) for end in (-np.inf, np.inf)]
    rng = np.random.default_rng(0)
    return np.concatenate([steps, *beside, rng.normal(size=500).astype(np.float32) * np.float32(8 * scale)])


@given(
    scale=st.sampled_from([1.0, 0.5, 0.1, 1 / 255, 3.7]),
    zero=st.integers(-5, 5),
    bits=st.integers(1, 8),
    signed=st.booleans(),
    narrow=st.booleans(),
    rounding=st.sampled_from(QONNX_ROUNDINGS),
)
def test_quant_equals_qonnx(
    scale: float, zero: int, bits: int, signed: bool, narrow: bool, rounding: str
) -> None:
    x = hard_values(scale)
    build = ModelBuilder((1, x.size))
    y = build.quant("x", scale, zero, bits, signed, narrow, rounding, name="q")
    model = imported(build.proto(y))
    parts = [np.asarray(part, np.float32) for part in (scale, zero, bits)]
    expected = quant(x[None], *parts, signed, narrow, rounding)

    (node,) = model.graph.nodes
    host = HostModel(make_prologue(model, y)).run(x[None])

    assert isinstance(node, Quantiser)
    np.testing.assert_array_equal(node.apply(x[None]), expected)
    levels = node.levels(x[None])
    assert node.element.lo <= levels.min() and levels.max() <= node.element.hi
    np.testing.assert_array_equal(host, levels)


@pytest.mark.parametrize("scale", [1.0, 0.37])
def test_bipolar_quant_equals_qonnx(scale: float) -> None:
    x = np.concatenate([hard_values(1.0), np.asarray([0.0, -0.0, 1e-45, -1e-45], np.float32)])
    build = ModelBuilder((1, x.size))
    y = build.bipolar("x", scale)
    model = imported(build.proto(y))

    (node,) = model.graph.nodes
    host = HostModel(make_prologue(model, y)).run(x[None])

    np.testing.assert_array_equal(node.apply(x[None]), binary_quant(x[None], np.float32(scale)))
    np.testing.assert_array_equal(host, np.where(x[None] >= 0, 1, -1))


def test_per_channel_scales_and_zero_points() -> None:
    x = np.stack([hard_values(0.3), hard_values(0.7)]).astype(np.float32)
    scale, zero = np.asarray([[0.3], [0.7]], np.float32), np.asarray([[1], [-2]], np.float32)
    build = ModelBuilder((1, *x.shape))
    y = build.quant("x", scale, zero, 4)
    model = imported(build.proto(y))
    expected = quant(x[None], scale, zero, np.float32(4), True, False, "ROUND")

    (node,) = model.graph.nodes
    host = HostModel(make_prologue(model, y)).run(x[None])

    np.testing.assert_array_equal(node.apply(x[None]), expected)
    np.testing.assert_array_equal((host.astype(np.float32) - zero) * scale, expected)
