"""Thresholds against a scan of every integer with QONNX's quantiser and onnxruntime's operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lower.helpers import compile_proto
from tests.models import ModelBuilder, run_qonnx
from thresher.ir.integer import IntThreshold
from thresher_sim.streams import IntType

ROUNDINGS = ("ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")


@st.composite
def numbers(draw: st.DrawFn, count: int, low: float, high: float) -> np.ndarray[Any, Any]:
    """Random floats, with whole and half numbers among them so that ties happen."""
    each = st.one_of(
        st.floats(low, high, width=32), st.integers(int(low) * 2, int(high) * 2).map(lambda n: n / 2)
    )
    return np.asarray(draw(st.lists(each, min_size=count, max_size=count)), np.float32)


@st.composite
def step(draw: st.DrawFn, build: ModelBuilder, x: str, channels: int) -> str:
    """One more elementwise operator."""
    op = draw(
        st.sampled_from(["Add", "Sub", "RSub", "Mul", "Div", "Relu", "Clip", "BN", "PRelu", "Neg", "Max"])
    )
    constant = draw(numbers(draw(st.sampled_from([1, channels])), -4.0, 4.0))
    if op == "BN":
        gamma, beta, mean = (draw(numbers(channels, -9.0, 9.0)) for _ in range(3))
        variance = np.abs(draw(numbers(channels, -60.0, 60.0))) + np.float32(1e-3)
        return build.batch_norm(x, gamma, beta, mean, variance, epsilon=1e-5)
    operands: dict[str, list[str | np.ndarray[Any, Any]]] = {
        "RSub": [constant, x],
        "Div": [x, np.where(constant == 0, np.float32(0.5), constant)],
        "Relu": [x],
        "Neg": [x],
        "Clip": [x, *np.sort(draw(numbers(2, -30.0, 30.0)))],
        "PRelu": [x, np.abs(constant)],
    }
    return build.node(op.replace("RSub", "Sub"), *operands.get(op, [x, constant]))


@st.composite
def quantiser(draw: st.DrawFn, build: ModelBuilder, x: str, channels: int) -> str:
    """Any quantiser, with one scale or one per channel."""
    scales = st.sampled_from([1.0, 0.5, 0.25, 0.1, 1 / 3, 2.0])
    scale = draw(st.one_of(scales, st.lists(scales, min_size=channels, max_size=channels)))
    if draw(st.booleans()):
        return build.bipolar(x, scale)
    return build.quant(
        x,
        scale,
        zero=draw(st.integers(-3, 3)),
        bits=draw(st.integers(1, 5)),
        signed=draw(st.booleans()),
        narrow=draw(st.booleans()),
        rounding=draw(st.sampled_from(ROUNDINGS)),
    )


@given(st.data())
def test_thresholds_equal_a_scan_of_all_integers(data: st.DataObject) -> None:
    """The model's input is the integer, so every one that can occur is fed to the oracle."""
    channels = data.draw(st.integers(1, 4))
    low = data.draw(st.integers(-150, 0))
    high = data.draw(st.integers(low, 150))
    build = ModelBuilder((1, channels))
    x = "x"
    for _ in range(data.draw(st.integers(0, 4))):
        x = data.draw(step(build, x, channels))
    proto = build.proto(data.draw(quantiser(build, x, channels)))

    assert_scan_equal(proto, low, high)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("sign", [1, -1])
def test_ties_fall_where_the_model_has_them(rounding: str, sign: int) -> None:
    """Halves of integers: every other value lies between two levels."""
    build = ModelBuilder((1, 1))
    proto = build.proto(
        build.quant(build.node("Mul", "x", np.asarray(sign * 0.5, np.float32)), rounding=rounding)
    )

    assert_scan_equal(proto, -20, 20)


def test_zero_is_positive_and_gamma_may_be_zero_or_negative() -> None:
    build = ModelBuilder((1, 5))
    gamma, beta, mean = [1.0, -1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, -1e-9, 3.0], [2.0, 2.0, 0.0, 0.0, 0.0]
    proto = build.proto(build.bipolar(build.batch_norm("x", gamma, beta, mean, np.ones(5))))

    threshold = assert_scan_equal(proto, -10, 10)

    np.testing.assert_array_equal(threshold.thresholds[:, 0], [2, 3, -10, 11, -10])
    np.testing.assert_array_equal(threshold.descending, [False, True, False, False, False])


def test_a_threshold_that_hangs_on_float32_is_counted() -> None:
    """3 * (1/3) is 1 in float32, and just above 1 with the same constant in float64."""
    build = ModelBuilder((1, 1))
    third = np.asarray(1 / 3, np.float32)
    proto = build.proto(build.quant(build.node("Mul", "x", third), bits=4, rounding="CEIL"))

    threshold = assert_scan_equal(proto, -20, 20)

    assert threshold.ties > 0


def test_powers_of_two_have_no_such_threshold() -> None:
    build = ModelBuilder((1, 1))
    proto = build.proto(build.quant(build.node("Mul", "x", np.asarray(0.25, np.float32)), bits=4))

    assert assert_scan_equal(proto, -20, 20).ties == 0


@pytest.mark.parametrize(("scale", "ties"), [(0.5, 0), (0.1, 2)])
def test_sums_whose_rounding_decides_a_sign_are_counted(scale: float, ties: int) -> None:
    """A sum of six times 0.1 or -0.1 can be zero in exact arithmetic, and then has any sign in float32."""
    build = ModelBuilder((1, 6))
    weights = np.random.default_rng(0).integers(0, 2, (6, 2)) * 2 - 1
    summed = build.node("MatMul", build.bipolar("x", scale), build.weights(weights, 1.0, bits=2))
    proto = build.proto(build.bipolar(summed))

    assert sum(compile_proto(proto).lowered.ties.values()) == ties


def assert_scan_equal(proto: onnx.ModelProto, low: int, high: int) -> IntThreshold:
    compiled = compile_proto(proto, input_type=IntType(low, high), input_scale=1.0)
    channels = compiled.lowered.input.type.channels
    scan = np.repeat(np.arange(low, high + 1)[:, None], channels, axis=1)
    expected = run_qonnx(proto, scan.astype(np.float32))[proto.graph.output[0].name]

    outputs = compiled.predict(scan)

    (threshold,) = compiled.lowered.graph.nodes
    assert isinstance(threshold, IntThreshold)
    np.testing.assert_array_equal(outputs, expected)
    assert (np.diff(threshold.thresholds, axis=1) >= 0).all()
    assert low <= threshold.thresholds.min(initial=low) and threshold.thresholds.max(initial=low) <= high + 1
    return threshold


def test_levels_that_mean_other_values_in_each_pixel() -> None:
    """The rounding is the same for all pixels, and what its integers mean is not."""
    build = ModelBuilder((1, 1, 2, 1))
    sums = build.node("Conv", build.quant("x", 0.68), build.weights(np.full((1, 1, 1, 1), -3)))
    x = build.quant(sums, 1.44, signed=False)
    x = build.node("Round", build.node("Mul", x, np.float32(0.0532)))
    signs = build.node("Neg", build.node("Clip", x, np.float32(-1), np.float32(1)))
    scales = np.asarray([-0.125, -1.5], np.float32).reshape(1, 1, 2, 1)
    proto = build.proto(build.node("Mul", signs, scales))
    frames = np.random.default_rng(0).uniform(-5, 5, (20, 1, 2, 1)).astype(np.float32)
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compile_proto(proto).predict(frames), expected)
