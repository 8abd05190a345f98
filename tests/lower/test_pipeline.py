"""Small random networks end to end: host, hardware and host again equal QONNX's executor exactly.

Scales are powers of two, so that no float product rounds and the oracle's integers are exact too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from tests.lower.helpers import Compiled, compile_proto
from tests.models import ModelBuilder, run_qonnx
from thresher.ir.integer import IntArgMax, IntMatMul
from thresher_sim.streams import IntType

SCALES = (0.25, 0.5, 1.0, 2.0)


@st.composite
def activation(draw: st.DrawFn, build: ModelBuilder, x: str) -> str:
    scale = draw(st.sampled_from(SCALES))
    if draw(st.booleans()):
        return build.bipolar(x, scale)
    zero, bits = draw(st.integers(-2, 3)), draw(st.integers(1, 4))
    return build.quant(x, scale, zero, bits, draw(st.booleans()), draw(st.booleans()))


@st.composite
def linear(draw: st.DrawFn, build: ModelBuilder, x: str, columns: int, rows: int) -> str:
    """A MatMul or Gemm, with one scale or one per row, a zero point, a bias, alpha and beta."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = np.asarray(draw(st.sampled_from(SCALES)), np.float32)
    if draw(st.booleans()):
        scale = rng.choice(SCALES, (1, rows)).astype(np.float32)
    if draw(st.booleans()):
        real = rng.normal(size=(columns, rows)).astype(np.float32)
        weights = build.bipolar(build.constant(real), scale)
    else:
        weights = build.weights(
            rng.integers(-3, 4, (columns, rows)), scale, bits=4, zero=draw(st.integers(-1, 1))
        )
    if draw(st.booleans()):
        return build.node("MatMul", x, weights)
    inputs: list[str | np.ndarray[Any, Any]] = [x, weights]
    if draw(st.booleans()):
        inputs[1] = build.node("Transpose", weights, perm=[1, 0])
    if draw(st.booleans()):
        inputs.append(rng.integers(-9, 9, (rows,)).astype(np.float32))
    factors: dict[str, Any] = {name: draw(st.sampled_from([0.5, 1.0, 2.0])) for name in ("alpha", "beta")}
    return build.node("Gemm", *inputs, transB=int(inputs[1] != weights), **factors)


@given(st.data())
def test_random_networks(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
    build = ModelBuilder((1, sizes[0]))
    x = "x"
    for columns, rows in pairwise(sizes):
        x = data.draw(activation(build, x))
        x = data.draw(linear(build, x, columns, rows))
        if data.draw(st.booleans()):
            gamma = rng.normal(size=rows) * rng.integers(0, 2, rows)
            x = build.batch_norm(x, gamma, rng.normal(size=rows), rng.normal(size=rows), rng.random(rows))
    proto = build.proto(x)
    frames = rng.integers(-20, 20, (50, sizes[0])).astype(np.float32) / 4

    compiled = compile_proto(proto)

    np.testing.assert_array_equal(compiled.predict(frames), run_qonnx(proto, frames)[x])


def one_layer(weights: Any, x: str = "x", **quant: Any) -> tuple[ModelBuilder, str]:
    build = ModelBuilder((1, len(weights)))
    return build, build.node("MatMul", build.quant(x, **quant), build.weights(weights))


def check(proto: onnx.ModelProto, frames: np.ndarray[Any, Any], **options: Any) -> Compiled:
    compiled = compile_proto(proto, **options)
    expected = run_qonnx(proto, frames.astype(np.float32))[proto.graph.output[0].name]
    np.testing.assert_array_equal(compiled.predict(frames), expected)
    return compiled


def test_layout_operators_move_weights_and_thresholds() -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 2, 3, 4))
    x = build.batch_norm("x", [1.0, -2.0], [0.5, 0.25], [1.0, 2.0], [1.0, 4.0])
    x = build.node("Transpose", build.quant(x, 0.5), perm=[0, 2, 3, 1])
    x = build.node("Mul", x, np.asarray(0.5, np.float32))
    x = build.node("Flatten", build.node("Transpose", x, perm=[0, 2, 1, 3]))
    x = build.node("MatMul", x, build.weights(rng.integers(-3, 4, (24, 5))))
    x = build.quant(build.node("Reshape", x, np.asarray([1, 5, 1])), 4.0)
    proto = build.proto(build.node("Transpose", x, perm=[0, 2, 1]))

    check(proto, rng.integers(-9, 9, (20, 2, 3, 4)), input_type=IntType(-9, 9), input_scale=1.0)
    check(proto, rng.integers(-9, 9, (20, 2, 3, 4)).astype(np.float32))


def test_an_output_in_another_order_than_the_stream() -> None:
    build = ModelBuilder((1, 2, 3))
    x = build.quant(build.node("Transpose", "x", perm=[0, 2, 1]), bits=3)
    rng = np.random.default_rng(0)

    compiled = check(
        build.proto(x), rng.integers(-9, 9, (20, 2, 3)), input_type=IntType(-9, 9), input_scale=1.0
    )

    assert compiled.lowered.output.order is not None
    assert compiled.lowered.output.to_stream(np.arange(6).reshape(1, 3, 2)).tolist() == [[[0, 2, 4, 1, 3, 5]]]


def test_integers_go_straight_into_a_matmul() -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    x = build.node("Mul", "x", np.asarray(0.5, np.float32))
    x = build.node("MatMul", x, build.weights(rng.integers(-3, 4, (6, 4))))
    proto = build.proto(build.quant(x, 8.0))

    check(proto, rng.integers(0, 256, (20, 6)), input_type=IntType(0, 255), input_scale=1.0)


@pytest.mark.parametrize("pixels", [0.25, 1 / 255])
def test_every_pixel_value_means_what_dividing_it_means(pixels: float) -> None:
    values = np.arange(256)
    build = ModelBuilder((1, 256))
    proto = build.proto(build.quant(build.node("Mul", "x", np.asarray(2, np.float32)), 2.0 / 15, bits=5))
    real = values.astype(np.float32) / np.float32(1 / pixels)

    compiled = compile_proto(proto, input_type=IntType(0, 255), input_scale=pixels)

    expected = run_qonnx(proto, real[None])[proto.graph.output[0].name]
    np.testing.assert_array_equal(compiled.predict(values[None]), expected)


def test_falling_rows_are_negated_where_the_weights_have_room() -> None:
    weights = np.asarray([[1, 1, -2], [-1, -2, 0]])
    build, x = one_layer(weights, bits=3)
    x = build.batch_norm(x, [-1.0, -1.0, -1.0], np.zeros(3), np.zeros(3), np.ones(3))
    frames = np.stack(np.meshgrid(np.arange(-4, 4), np.arange(-4, 4)), -1).reshape(-1, 2)

    product, threshold = check(
        build.proto(build.quant(x, bits=3)), frames.astype(np.float32)
    ).lowered.graph.nodes

    assert isinstance(product, IntMatMul)
    np.testing.assert_array_equal(product.weights, [[-1, 1], [1, -2], [-2, 0]])
    np.testing.assert_array_equal(getattr(threshold, "descending"), [False, True, True])  # noqa: B009
    assert product.weight_type == IntType(-2, 1)
    assert threshold.input_type == product.output_type


def test_the_models_own_argmax_is_hardware_where_it_is_exact() -> None:
    rng = np.random.default_rng(0)
    build, x = one_layer(rng.integers(-3, 4, (6, 5)), bits=2)
    x = build.node("Mul", x, np.asarray(0.3, np.float32))
    proto = build.proto(build.node("ArgMax", x, axis=1, keepdims=1), output_type=TensorProto.INT64)

    compiled = check(proto, rng.integers(-3, 3, (200, 6)).astype(np.float32))

    assert isinstance(compiled.lowered.graph.nodes[-1], IntArgMax)
    assert compiled.lowered.epilogue is None


def test_the_models_own_argmax_stays_on_the_host_where_it_is_not() -> None:
    rng = np.random.default_rng(0)
    build, x = one_layer(rng.integers(-3, 4, (6, 5)), bits=2)
    x = build.node("Mul", x, rng.random(5).astype(np.float32))
    proto = build.proto(build.node("ArgMax", x, axis=1, keepdims=0), output_type=TensorProto.INT64)

    compiled = check(proto, rng.integers(-3, 3, (200, 6)).astype(np.float32))

    assert isinstance(compiled.lowered.graph.nodes[-1], IntMatMul)


def test_top_k_of_one_index_is_an_argmax() -> None:
    rng = np.random.default_rng(0)
    build, x = one_layer(rng.integers(-1, 2, (6, 5)), bits=2)
    build.nodes.append(
        onnx.helper.make_node("TopK", [x, build.constant(np.asarray([1]))], ["best", "index"], "top")
    )

    compiled = check(
        build.proto("index", output_type=TensorProto.INT64), rng.integers(-3, 3, (200, 6)).astype(np.float32)
    )

    assert isinstance(compiled.lowered.graph.nodes[-1], IntArgMax)


def test_what_only_the_host_can_do_stays_there() -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    x = build.quant(build.node("Sin", "x"), 0.25)
    x = build.node("MatMul", x, build.weights(rng.integers(-3, 4, (6, 5))))
    proto = build.proto(build.node("Softmax", x, axis=1))

    compiled = compile_proto(proto)

    frames = rng.normal(size=(50, 6)).astype(np.float32)
    np.testing.assert_allclose(
        compiled.predict(frames), run_qonnx(proto, frames)[proto.graph.output[0].name], rtol=1e-6
    )


@pytest.mark.parametrize("seed", range(4))
def test_scales_as_training_leaves_them(seed: int) -> None:
    """Float products round here, but so little that no integer of a few thousand moves."""
    rng = np.random.default_rng(seed)
    build = ModelBuilder((1, 300))
    x = build.quant("x", rng.uniform(0.05, 0.3), bits=8)
    for columns, rows in ((300, 64), (64, 32)):
        weights = build.weights(
            rng.integers(-7, 8, (columns, rows)), rng.uniform(0.01, 0.1, (1, rows)), bits=4
        )
        x = build.node("Gemm", x, weights, rng.normal(size=rows).astype(np.float32))
        x = build.batch_norm(
            x, rng.normal(size=rows), rng.normal(size=rows), rng.normal(size=rows), rng.random(rows) + 0.1
        )
        x = build.quant(build.node("Relu", x), rng.uniform(0.05, 0.3), bits=4, signed=False)

    check(build.proto(x), rng.normal(size=(100, 300)).astype(np.float32))


def test_floats_may_follow_what_only_the_host_can_do() -> None:
    rng = np.random.default_rng(0)
    build, x = one_layer(rng.integers(-3, 4, (6, 5)))
    x = build.node("MatMul", build.node("Sigmoid", x), rng.normal(size=(5, 2)).astype(np.float32))
    proto = build.proto(x)

    compiled = compile_proto(proto)

    frames = rng.normal(size=(50, 6)).astype(np.float32)
    np.testing.assert_allclose(compiled.predict(frames), run_qonnx(proto, frames)[x], rtol=1e-5)
