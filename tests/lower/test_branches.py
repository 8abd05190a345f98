"""Networks with branches: the integer network equals QONNX's executor, or is as near to it as it says.

Scales are powers of two where equality is asked for, so that no float rounds and the oracle is exact too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lower.helpers import compile_proto
from tests.lower.random_branches import MAP, conv, random_network
from tests.models import ModelBuilder, run_qonnx
from thresher.errors import UnsupportedModelError
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale, IntSelect, IntUpsample

FRAMES = 6


def frames(shape: tuple[int, ...], seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 2, (FRAMES, *shape[1:])).astype(np.float32)


def scalar(value: float) -> npt.NDArray[np.float32]:
    return np.asarray(value, np.float32)


def column(*values: float) -> npt.NDArray[np.float32]:
    """One value per channel of a map."""
    return np.asarray(values, np.float32).reshape(-1, 1, 1)


def kinds(compiled: Any) -> list[str]:
    return [type(node).__name__ for node in compiled.lowered.graph.nodes]


def check_equal(build: ModelBuilder, output: str, x: npt.NDArray[np.float32]) -> Any:
    proto = build.proto(output)
    compiled = compile_proto(proto)
    assert np.array_equal(compiled.predict(x), run_qonnx(proto, x)[output])
    assert compiled.lowered.approximations == ()
    return compiled


@pytest.mark.parametrize("op", ["Add", "Sub"])
@pytest.mark.parametrize("other", [0.25, 0.5, 0.75, 0.0625])
def test_a_residual_block_is_exact_where_scales_have_a_common_grid(op: str, other: float) -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.25)
    y = build.quant(conv(build, x, 4, 4, 1), other)
    total = build.node(op, y, x)
    compiled = check_equal(build, conv(build, build.quant(total, 0.5), 3, 4, 2), frames(MAP))
    assert ("IntRescale" in kinds(compiled)) == (op == "Sub" or other != 0.25)


def test_sums_of_accumulators_with_their_biases_are_exact() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.25)
    one = build.node("Add", conv(build, x, 4, 4, 1), column(0.5, -0.3, 0.1, 2))
    two = build.node("Sub", conv(build, x, 4, 4, 2), column(0.1, 0.7, 0.2, 1))
    total = build.node("Add", one, two)
    compiled = check_equal(build, build.quant(total, 2.0, 0.0, 4), frames(MAP))
    assert kinds(compiled).count("IntAdd") == 1
    assert "IntRescale" not in kinds(compiled)


def test_channels_that_are_switched_off_keep_a_sum_exact() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.25)
    y = build.node("Mul", build.quant(conv(build, x, 4, 4, 1), 0.5), column(1, 0, 0.5, 0))
    z = build.node("Mul", x, column(1, 1, 0, 0))
    total = build.node("Add", y, z)
    check_equal(build, conv(build, build.quant(total, 0.5), 3, 4, 2), frames(MAP))


def test_zero_points_and_three_terms() -> None:
    build = ModelBuilder((1, 12))
    parts = [build.quant("x", 0.5, -1.0, 4, False)]
    parts += [build.quant(parts[0], 0.5, zero, 3) for zero in (-1.0, -2.0)]
    total = build.node("Sum", *parts)
    random = np.random.default_rng(0)
    product = build.node("MatMul", total, build.weights(random.integers(-3, 4, (12, 5))))
    compiled = check_equal(build, product, frames((1, 12)))
    assert kinds(compiled).count("IntAdd") == 2


@pytest.mark.parametrize("join", ["Add", "Concat"])
def test_the_largest_of_a_join_that_meets_no_quantiser(join: str) -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.25)
    y = build.quant(conv(build, x, 4, 4, 1), 0.25)
    both = build.node(join, x, y) if join == "Add" else build.node(join, x, y, axis=1)
    pooled = build.node("MaxPool", both, kernel_shape=[2, 2], strides=[2, 2])
    compiled = check_equal(build, conv(build, pooled, 3, 4 if join == "Add" else 8, 2), frames(MAP))
    assert "IntPool" in kinds(compiled)


@settings(max_examples=12)
@given(st.data())
def test_random_branches_are_exact(data: st.DataObject) -> None:
    build = ModelBuilder(MAP)
    output = random_network(build, lambda options: data.draw(st.sampled_from(options)))
    check_equal(build, output, frames(MAP))


def test_channels_of_another_order_are_selected_for_a_grouped_convolution() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.5)
    folded = build.node("Reshape", x, np.array([1, 2, 2, 4, 6]))
    moved = build.node("Transpose", folded, perm=[0, 2, 1, 3, 4])
    shuffled = build.node("Reshape", moved, np.array([1, 4, 4, 6]))
    compiled = check_equal(build, conv(build, shuffled, 4, 2, 1, group=2), frames(MAP))
    (select,) = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntSelect)]
    assert select.channels.tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize("op", ["Resize", "Upsample"])
@pytest.mark.parametrize("factors", [(2, 2), (1, 3), (3, 1)])
def test_upsampling_to_the_nearest(op: str, factors: tuple[int, int]) -> None:
    build = ModelBuilder(MAP, opset=13 if op == "Resize" else 9)
    x = build.quant("x", 0.5)
    scales = np.asarray([1, 1, *factors], np.float32)
    if op == "Resize":
        large = build.node(
            op, x, "", scales, mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )  # fmt: skip
    else:
        large = build.node(op, x, scales, mode="nearest")
    compiled = check_equal(build, conv(build, large, 3, 4, 1), frames(MAP))
    (made,) = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntUpsample)]
    assert (made.vertical, made.horizontal) == factors


def test_concatenated_channels_keep_their_scales_for_a_quantiser() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.25)
    both = build.node("Concat", x, build.quant(conv(build, x, 4, 4, 1), 0.7), axis=1)
    compiled = check_equal(build, conv(build, build.quant(both, 0.5), 3, 8, 2), frames(MAP))
    assert "IntRescale" not in kinds(compiled)


def test_channels_last_maps_concatenate() -> None:
    build = ModelBuilder((1, 4, 6, 3))
    x = build.node("Transpose", build.quant("x", 0.5), perm=[0, 3, 1, 2])
    one, two = (
        build.node("Transpose", build.quant(conv(build, x, 4, 3, seed), 1.0), perm=[0, 2, 3, 1])
        for seed in (1, 2)
    )
    both = build.node("Concat", one, two, axis=-1)
    last = conv(build, build.node("Transpose", both, perm=[0, 3, 1, 2]), 2, 8, 3)
    compiled = check_equal(build, last, frames((1, 4, 6, 3)))
    assert any(isinstance(node, IntConcat) for node in compiled.lowered.graph.nodes)


ACTIVATIONS = ["none", "relu", "prelu", "clip", "norm"]


@pytest.mark.parametrize("bits", [6, 10, 16, 24])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fixed_point_is_as_near_as_it_says(activation: str, bits: int) -> None:
    random = np.random.default_rng(bits)
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.37)
    y = conv(build, x, 4, 4, 1)
    gamma, beta = random.normal(0, 1, 4), random.normal(0, 1, 4)
    y = build.batch_norm(y, gamma, beta, random.normal(0, 1, 4), random.uniform(0.5, 2, 4))
    for _ in range(2):
        if activation == "relu":
            y = build.node("Relu", y)
        elif activation == "prelu":
            y = build.node("PRelu", y, random.uniform(-0.3, 0.6, (4, 1, 1)).astype(np.float32))
        elif activation == "clip":
            y = build.node("Clip", y, scalar(-1.1), scalar(1.7))
        elif activation == "norm":
            y = build.node("Mul", y, random.normal(0, 1, (4, 1, 1)).astype(np.float32))
        y = build.node("Add", y, x)
    proto = build.proto(y)
    compiled = compile_proto(proto, add_bits=bits)
    inputs = frames(MAP)
    off = np.abs(compiled.predict(inputs).astype(np.float64) - run_qonnx(proto, inputs)[y])
    stated = compiled.lowered.approximations[-1].error
    # Both sides are float32 themselves: values are below 64, and a handful of operations round them.
    assert off.max() <= stated + 64 * 2.0**-21
    assert off.max() > stated / 50
    # Each term is rounded once, and so is its multiplier of 18 bits.
    assert bits > 16 or all(each.own_error <= 2 * each.step for each in compiled.lowered.approximations)


def test_a_linear_term_of_one_scale_stays_exact_in_fixed_point() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.37)
    scales = np.random.default_rng(0).uniform(0.1, 1, (4, 1, 1)).astype(np.float32)
    y = build.node("Mul", conv(build, x, 4, 4, 1), scales)
    compiled = compile_proto(build.proto(build.node("Add", y, x)))
    rescalings = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntRescale)]
    assert [node.shift for node in rescalings if node.input_type.element.bits == 4] == [0]
    assert isinstance(compiled.lowered.graph.nodes[-1], IntAdd)


@pytest.mark.parametrize("constants", ["per channel", "expanded", "per pixel"])
def test_a_bias_and_a_slope_in_front_of_a_sum(constants: str) -> None:
    """PyTorch exports `bias.expand_as(x)` as a constant with an element for every pixel."""
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.5)
    bias, slope = np.asarray([0.5, -1, 0, 2]), np.asarray([0.25, 0.5, 1, 0])
    bias, slope = (np.reshape(each, (4, 1, 1)).astype(np.float32) for each in (bias, slope))
    if constants != "per channel":
        bias, slope = (np.broadcast_to(each, (1, *MAP[1:])).copy() for each in (bias, slope))
    if constants == "per pixel":
        bias += np.arange(24, dtype=np.float32).reshape(4, 6) / 8
    activated = build.node(
        "PRelu", build.node("Add", conv(build, x, 4, 4, 1), bias), slope[0] if slope.ndim > 3 else slope
    )
    total = build.quant(build.node("Add", activated, x), 1.0)
    check_equal(
        build, build.quant(total) if constants == "per pixel" else conv(build, total, 3, 4, 2), frames(MAP)
    )


def refusal(build: ModelBuilder, output: str) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(output))
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_a_sum_of_host_and_hardware() -> None:
    build = ModelBuilder((1, 4))
    total = build.node("Add", build.quant("x"), "x", name="sum")
    output = build.node("MatMul", build.quant(total), build.weights(np.eye(4)))
    assert refusal(build, output) == (
        "lower: node 'sum': it joins what the host computes with what the hardware does, and quantised "
        "layers follow; quantise once, ahead of where the branches part"
    )


def test_two_quantisers_of_one_float_tensor() -> None:
    build = ModelBuilder((1, 4))
    total = build.node("Add", build.quant("x"), build.quant("x", 0.5, name="second"))
    output = build.node("MatMul", build.quant(total), build.weights(np.eye(4)))
    assert refusal(build, output) == (
        "lower: node 'second': it is a second way into the hardware; let the input meet one quantiser first, "
        "ahead of any branches"
    )


def test_a_sum_of_what_is_not_linear() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x", 0.5, 0.0, 4, False)
    product = build.node("MatMul", x, build.weights(np.eye(4)))
    inverse = build.node("Div", scalar(1), build.node("Add", product, scalar(1)), name="inverse")
    total = build.node("Add", inverse, x, name="sum")
    output = build.node("MatMul", build.quant(total), build.weights(np.eye(4)))
    assert refusal(build, output) == (
        "lower: node 'sum': what node 'inverse' gives it is no piecewise linear function of integers; "
        "quantise that first, as Brevitas' QuantIdentity does"
    )


def test_maps_concatenated_along_their_width() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.5)
    both = build.node("Concat", x, build.quant(conv(build, x, 4, 4, 1)), axis=3, name="wide")
    assert refusal(build, conv(build, build.quant(both), 3, 4, 2)) == (
        "lower: node 'wide': it concatenates along axis 3, and only channels lie side by side; concatenate "
        "maps along their channels"
    )


def test_pixels_that_are_left_out() -> None:
    build = ModelBuilder(MAP)
    x = build.quant("x", 0.5)
    cropped = build.node("Slice", x, np.array([1]), np.array([4]), np.array([3]), name="crop")
    assert refusal(build, conv(build, cropped, 3, 4, 2)) == (
        "lower: node 'crop': it does not pick the same channels of every pixel, or repeat whole pixels; "
        "slice along channels, or upsample by whole factors"
    )


def test_an_output_that_needs_several_tensors_of_the_hardware() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x")
    one, two = (build.node("MatMul", x, build.weights(np.eye(4))) for _ in range(2))
    output = build.node("Mul", build.node("Sin", one), build.node("Cos", two), name="mix")
    assert refusal(build, output) == (
        f"lower: node 'mix': the host would need several tensors of the hardware, '{two}' and '{one}'; join "
        "them by quantised layers"
    )


def test_a_sum_of_which_every_term_is_less_than_half_a_step_keeps_them() -> None:
    """One channel is so large that all others vanish beside it, in a pool that adds up what is limited."""
    build = ModelBuilder((1, 2, 1, 4))
    levels, scale = (np.array(each).reshape(2, 1, 1, 1) for each in ([3, 2], [1e-5, 8e5]))
    weights = build.weights(levels, scale, bits=4)
    product = build.node("Conv", build.quant("x", 1.0, bits=2), weights, group=2, kernel_shape=[1, 1])
    limited = build.node("Max", product, np.array([-1e-6, 3e8], np.float32).reshape(1, 2, 1, 1))
    pooled = build.node("AveragePool", limited, kernel_shape=[1, 1], strides=[1, 3])
    proto = build.proto(build.quant(pooled, 340728.8, bits=4, signed=False))
    frames = np.random.default_rng(0).integers(-2, 2, (20, 2, 1, 4)).astype(np.float32)
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compile_proto(proto).predict(frames), expected)


def test_the_host_may_read_several_names_of_what_leaves() -> None:
    """A slice of everything is the same stream; the host adds a rounding of it to the sum itself."""
    build = ModelBuilder((1, 3))
    product = build.node("MatMul", build.quant("x", 0.5), build.weights(np.array([[3, 1], [-2, 1], [4, -1]])))
    ends = (np.array([0]), np.array([2**31]), np.array([1]), np.array([1]))
    halves = build.node("Mul", build.node("Slice", product, *ends), np.float32(0.5))
    proto = build.proto(build.node("Add", product, build.node("Round", halves)))
    frames = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) * 3
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compile_proto(proto).predict(frames), expected)


def test_forty_additions_in_a_row_have_two_to_the_forty_ways_through() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x", 1.0, 0.0, 4)
    for _ in range(40):
        x = build.quant(build.node("Add", x, build.node("Relu", x)), 1.0, 0.0, 4)
    inputs = np.arange(-8, 8, dtype=np.float32).reshape(4, 4)

    expected = run_qonnx(build.proto(x), inputs)[x]
    assert np.array_equal(compile_proto(build.proto(x)).predict(inputs), expected)
