"""Convolutions and pools of any geometry: the integer network equals QONNX's executor on every output."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lower.helpers import Compiled, compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from thresher.ir.integer import (
    EdgeCorrections,
    IntDepthwise,
    IntGlobalPool,
    IntMatMul,
    IntNode,
    IntPool,
    IntThreshold,
    IntWindow,
)

FRAMES = 3
WEIGHTS = ("bipolar", "ternary", "int4", "zero point")
INPUTS = ("bipolar", "uint2", "int4", "zero point")


def quantise_input(model: ModelBuilder, kind: str) -> str:
    match kind:
        case "bipolar":
            return model.bipolar("x", name="q_in")
        case "uint2":
            return model.quant("x", 1.0, 0.0, 2, signed=False, name="q_in")
        case "int4":
            return model.quant("x", 1.0, 0.0, 4, name="q_in")
    return model.quant("x", 1.0, 3.0, 3, signed=False, name="q_in")


def weights_of(model: ModelBuilder, kind: str, shape: tuple[int, ...], random: np.random.Generator) -> str:
    match kind:
        case "bipolar":
            return model.bipolar(model.constant(random.choice([-1.0, 1.0], shape).astype(np.float32)))
        case "ternary":
            return model.weights(random.integers(-1, 2, shape), bits=2)
        case "int4":
            return model.weights(random.integers(-8, 8, shape), bits=4)
    return model.weights(random.integers(-8, 8, shape), bits=4, zero=2.0)


def check(model: ModelBuilder, output: str, seed: int) -> Compiled:
    """The network's output is QONNX's, to the last bit; all values are small integers, or quantised."""
    shape = (FRAMES, *(int(size) for size in model.input_shape[1:]))
    frames = np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)
    proto = model.proto(output)
    compiled = compile_proto(proto)
    np.testing.assert_array_equal(compiled.predict(frames), run_qonnx(proto, frames)[output])
    return compiled


def kinds(compiled: Compiled) -> list[type[IntNode]]:
    return [type(node) for node in compiled.lowered.graph.nodes]


def numbers(low: int, high: int, count: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), min_size=count, max_size=count)


@st.composite
def geometries(draw: st.DrawFn, pool: bool = False) -> dict[str, Any]:
    """A map and the attributes of a convolution, or of a `pool`, that fits it."""
    rank = draw(st.sampled_from([1, 2, 2, 2]))
    kernel = draw(numbers(1, 5, rank))
    strides = draw(numbers(1, 3, rank))
    dilations = [1] * rank if pool else draw(numbers(1, 2, rank))
    # Windows of a pool hold an element of the map.
    pads = [draw(st.integers(0, size - 1 if pool else 4)) for size in kernel * 2]
    sizes = []
    for axis in range(rank):
        least = (kernel[axis] - 1) * dilations[axis] + 1 - pads[axis] - pads[axis + rank]
        sizes.append(max(1, least) + draw(st.integers(0, 6)))
    attributes = {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads}
    return {"sizes": sizes, "attributes": attributes}


@settings(max_examples=60)
@given(
    geometry=geometries(),
    groups=st.sampled_from([1, 1, 1, 2, 3]),
    part=st.integers(1, 5),
    rows=st.integers(1, 4),
    weights=st.sampled_from(WEIGHTS),
    source=st.sampled_from(INPUTS),
    levels=st.sampled_from([0, 1, 2]),
    seed=st.integers(0, 1000),
)
def test_convolutions(
    geometry: dict[str, Any],
    groups: int,
    part: int,
    rows: int,
    weights: str,
    source: str,
    levels: int,
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    model = ModelBuilder((1, groups * part, *geometry["sizes"]))
    shape = (groups * rows, part, *geometry["attributes"]["kernel_shape"])
    operands = [quantise_input(model, source), weights_of(model, weights, shape, random)]
    if seed % 2:
        operands.append(model.constant(random.integers(-3, 4, groups * rows).astype(np.float32)))
    output = model.node("Conv", *operands, group=groups, **geometry["attributes"])
    if levels:
        gamma, beta, mean = random.normal(0, 1, (3, groups * rows))
        output = model.batch_norm(output, gamma, beta, mean, random.random(groups * rows) * 20 + 0.1)
        output = model.bipolar(output) if levels == 1 else model.quant(output, 0.25, 0.0, 3)
    compiled = check(model, output, seed)
    depthwise = part == 1 and rows == 1 and groups > 1
    assert (IntDepthwise if depthwise else IntMatMul) in kinds(compiled)


@settings(max_examples=30)
@given(
    geometry=geometries(pool=True),
    channels=st.integers(1, 6),
    source=st.sampled_from(INPUTS),
    ceil=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_max_pools(geometry: dict[str, Any], channels: int, source: str, ceil: bool, seed: int) -> None:
    attributes = geometry["attributes"]
    model = ModelBuilder((1, channels, *geometry["sizes"]))
    output = model.node("MaxPool", quantise_input(model, source), ceil_mode=int(ceil), **attributes)
    compiled = check(model, output, seed)
    assert kinds(compiled) == [IntWindow, IntPool]


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_a_pool_in_front_of_falling_functions_is_done_behind_their_quantiser(pads: list[int]) -> None:
    """Batch norms with gammas of either sign: some channels take what becomes the smallest level."""
    random = np.random.default_rng(3)
    for levels in (1, 2):
        model = ModelBuilder((1, 4, 7, 6))
        sums = model.node(
            "Conv", model.bipolar("x"), weights_of(model, "bipolar", (6, 4, 3, 3), random), pads=pads
        )
        largest = model.node("MaxPool", sums, kernel_shape=[2, 2], strides=[2, 2], pads=pads)
        gamma = np.array([1.0, -1.0, 0.5, -2.0, 0.0, 3.0])
        normed = model.batch_norm(largest, gamma, random.normal(0, 2, 6), random.normal(0, 3, 6), np.ones(6))
        output = model.bipolar(normed) if levels == 1 else model.quant(normed, 1.0, 0.0, 3)
        compiled = check(model, output, 5)
        assert kinds(compiled) == [IntWindow, IntMatMul, IntThreshold, IntWindow, IntPool]


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"])
def test_pools_of_integers_that_the_model_has_scaled(op: str) -> None:
    random = np.random.default_rng(23)
    model = ModelBuilder((1, 3, 6, 5))
    scaled = model.node("Mul", model.quant("x"), np.asarray(0.25, np.float32))
    sizes: dict[str, Any] = {} if op.startswith("Global") else {"kernel_shape": [2, 2]}
    pooled = model.node(op, scaled, **sizes)
    if "Average" in op:
        pooled = model.quant(pooled, 0.125, 0.0, 5)
    check(model, model.node("Conv", pooled, weights_of(model, "int4", (2, 3, 1, 1), random)), 24)


def test_a_global_maximum_in_front_of_a_quantiser() -> None:
    random = np.random.default_rng(4)
    model = ModelBuilder((1, 3, 5, 4))
    sums = model.node("Conv", model.quant("x"), weights_of(model, "int4", (5, 3, 2, 2), random))
    largest = model.node("GlobalMaxPool", sums)
    scaled = model.node("Mul", largest, np.array([1, -1, 0.5, -0.5, 2], np.float32).reshape(1, 5, 1, 1))
    compiled = check(model, model.quant(scaled, 4.0, 0.0, 4), 6)
    assert kinds(compiled) == [IntWindow, IntMatMul, IntThreshold, IntGlobalPool]


@pytest.mark.parametrize("source", INPUTS)
@pytest.mark.parametrize("taps", [2, 3])
def test_average_pools_become_sums(source: str, taps: int) -> None:
    model = ModelBuilder((1, 5, 7, 8))
    pooled = model.node(
        "AveragePool",
        quantise_input(model, source),
        kernel_shape=[taps, taps],
        strides=[2, 2],
        pads=[1, 0, 1, 1],
        count_include_pad=1,
    )
    compiled = check(model, model.quant(pooled, 0.5, 0.0, 4), taps)
    assert kinds(compiled) == [IntWindow, IntDepthwise, IntThreshold]


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("op", ["GlobalAveragePool", "ReduceMean", "ReduceMax", "GlobalMaxPool"])
def test_global_pools(op: str, keep: int) -> None:
    model = ModelBuilder((1, 5, 4, 6))
    attributes: dict[str, Any] = {} if op.startswith("Global") else {"axes": [2, 3], "keepdims": keep}
    pooled = model.node(op, quantise_input(model, "int4"), **attributes)
    output = model.quant(pooled, 0.5, 0.0, 4) if "Max" not in op else pooled
    compiled = check(model, output, keep)
    assert kinds(compiled)[0] is IntGlobalPool


@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool", "ReduceMean"])
def test_an_average_that_nothing_follows(op: str) -> None:
    """What leaves the hardware are its sums; the host divides them."""
    model = ModelBuilder((1, 3, 4, 8))
    attributes: dict[str, Any] = {"kernel_shape": [2, 4]} if op == "AveragePool" else {}
    if op == "ReduceMean":
        attributes = {"axes": [2, 3], "keepdims": 0}
    averages = model.node(op, quantise_input(model, "int4"), **attributes)
    check(model, averages, 24)
    check(model, model.node("Mul", averages, np.asarray(0.5, np.float32)), 25)


def residual_sum(model: ModelBuilder, random: np.random.Generator, bent: bool) -> str:
    """A shortcut around a binary convolution whose scales are no multiples of one, or a PRelu behind it."""
    stem = model.quant("x", 0.125, 0.0, 8)
    weights = weights_of(model, "bipolar", (3, 3, 3, 3), random)
    sums = model.node("Conv", model.bipolar(stem), weights, pads=[1, 1, 1, 1])
    statistics = (random.normal(0, 0.3, 3), random.normal(0, 1, 3), random.normal(0, 4, 3), np.ones(3))
    total = model.node("Add", stem, model.batch_norm(sums, *statistics))
    if not bent:
        return total
    return model.node("PRelu", total, np.array([0.25, 0.5, 0.1], np.float32).reshape(3, 1, 1))


@pytest.mark.parametrize("bent", [False, True], ids=["sum", "PRelu"])
@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool"])
def test_an_average_of_a_sum_in_fixed_point(op: str, bent: bool) -> None:
    """The sum carries a constant per channel into the average; behind a PRelu the host averages."""
    random = np.random.default_rng(26)
    model = ModelBuilder((1, 3, 4, 4))
    sizes: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]} if op == "AveragePool" else {}
    pooled = model.node(op, residual_sum(model, random, bent), **sizes)
    output = model.node("Mul", pooled, np.asarray(3, np.float32))
    proto = model.proto(output)
    frames = random.normal(0, 3, (FRAMES, 3, 4, 4)).astype(np.float32)
    compiled = compile_proto(proto)

    difference = np.abs(compiled.predict(frames) - run_qonnx(proto, frames)[output])

    (stated,) = compiled.lowered.approximations
    assert difference.max() <= 3 * stated.error + 1e-5
    assert (len({IntGlobalPool, IntDepthwise}.intersection(kinds(compiled))) == 1) is not bent


@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool"])
def test_an_average_behind_a_prelu_that_a_quantised_layer_follows(op: str) -> None:
    """What the PRelu gives is put on a grid of its own to be added up."""
    random = np.random.default_rng(27)
    model = ModelBuilder((1, 3, 4, 4))
    sizes: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]} if op == "AveragePool" else {}
    pooled = model.node(op, residual_sum(model, random, bent=True), **sizes)
    step = 0.0625
    output = model.quant(pooled, step, 0.0, 8)
    proto = model.proto(output)
    frames = random.normal(0, 3, (FRAMES, 3, 4, 4)).astype(np.float32)
    compiled = compile_proto(proto)

    expected = run_qonnx(proto, frames)
    difference = compiled.predict(frames) - expected[output]

    bound = compiled.lowered.approximations[-1].error + 1e-5
    places = expected[pooled] / step
    from_edge = np.abs(places - np.floor(places) - 0.5) * step
    assert set(np.unique(np.abs(difference))) <= {0, step}
    assert (difference[from_edge > bound] == 0).all()
    assert (from_edge > bound).mean() > 0.8


@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool"])
def test_an_average_behind_a_relu_is_exact(op: str) -> None:
    random = np.random.default_rng(28)
    model = ModelBuilder((1, 3, 4, 4))
    weights = weights_of(model, "int4", (3, 3, 3, 3), random)
    sums = model.node("Conv", model.quant("x"), weights, pads=[1, 1, 1, 1])
    sizes: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]} if op == "AveragePool" else {}
    pooled = model.node(op, model.node("Relu", sums), **sizes)
    compiled = check(model, model.quant(pooled, 2.0, 0.0, 4), 29)
    assert compiled.lowered.approximations == ()


@pytest.mark.parametrize("rounding", ["FLOOR", "ROUND"])
def test_truncation_behind_an_average(rounding: str) -> None:
    """As QONNX defines its first version, in the domain of which every node of the test is."""
    model = ModelBuilder((1, 4, 4, 4))
    quantised = model.quant("x", 0.5, 0.0, 4, signed=False)
    pooled = model.node("AveragePool", quantised, kernel_shape=[2, 2], strides=[2, 2])
    summed = model.node("Mul", pooled, np.asarray(4, np.float32))
    operands = [np.asarray(value, np.float32) for value in (0.5, 0.0, 6.0, 4.0)]
    output = model.node("Trunc", summed, *operands, domain=model.domain, rounding_mode=rounding)
    compiled = check(model, output, 2)
    assert kinds(compiled) == [IntWindow, IntDepthwise, IntThreshold]


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
def test_flatten_in_the_order_of_either_framework(last: bool) -> None:
    """A map becomes a vector channel by channel, or, behind a transpose, pixel by pixel."""
    random = np.random.default_rng(8)
    model = ModelBuilder((1, 3, 6, 5))
    sums = model.node("Conv", model.bipolar("x"), weights_of(model, "bipolar", (4, 3, 3, 3), random))
    signs = model.bipolar(sums)
    if last:
        signs = model.node("Transpose", signs, perm=[0, 2, 3, 1])
    flat = model.node("Flatten", signs, axis=1)
    output = model.node("MatMul", flat, weights_of(model, "bipolar", (48, 7), random))
    check(model, output, 9)


def test_maps_that_come_with_their_channels_last() -> None:
    """As exporters of channels-last frameworks write it: a transpose on either side of a convolution."""
    random = np.random.default_rng(10)
    model = ModelBuilder((1, 6, 5, 3))
    first = model.node("Transpose", model.quant("x"), perm=[0, 3, 1, 2])
    sums = model.node("Conv", first, weights_of(model, "int4", (4, 3, 3, 3), random), pads=[0, 1, 2, 1])
    back = model.node("Transpose", sums, perm=[0, 2, 3, 1])
    scaled = model.node("Mul", back, np.array([0.5, 1, 2, 0.25], np.float32))
    quantised = model.quant(scaled, 2.0, 0.0, 4)
    again = model.node("Transpose", quantised, perm=[0, 3, 1, 2])
    largest = model.node("MaxPool", again, kernel_shape=[2, 2], strides=[2, 2])
    compiled = check(model, model.node("Transpose", largest, perm=[0, 2, 3, 1]), 11)
    assert compiled.lowered.input.order is None


def test_weights_that_reach_the_convolution_transposed() -> None:
    random = np.random.default_rng(12)
    model = ModelBuilder((1, 3, 6, 5))
    weights = model.node("Transpose", weights_of(model, "int4", (3, 3, 3, 4), random), perm=[3, 2, 0, 1])
    check(model, model.node("Conv", model.quant("x"), weights), 13)


def test_constants_that_differ_from_pixel_to_pixel() -> None:
    """They cannot share thresholds, so each element of the map gets its own."""
    random = np.random.default_rng(14)
    model = ModelBuilder((1, 2, 4, 3))
    sums = model.node(
        "Conv", model.quant("x"), weights_of(model, "int4", (3, 2, 3, 3), random), pads=[1, 1, 1, 1]
    )
    moved = model.node("Add", sums, random.integers(-9, 9, (1, 3, 4, 3)).astype(np.float32))
    compiled = check(model, model.quant(moved, 4.0, 0.0, 4), 15)
    threshold = compiled.lowered.graph.nodes[-1]
    assert isinstance(threshold, IntThreshold)
    assert threshold.thresholds.shape == (36, 15)


def corrections_of(compiled: Compiled) -> EdgeCorrections | None:
    return next(node.corrections for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul))


@pytest.mark.parametrize("source", INPUTS)
def test_only_types_without_a_zero_need_corrections(source: str) -> None:
    """A quantiser with a zero point pads with it; only -1 and +1 leave nothing to pad with."""
    model = ModelBuilder((1, 2, 4, 4))
    weights = weights_of(model, "bipolar", (3, 2, 3, 3), np.random.default_rng(16))
    output = model.node("Conv", quantise_input(model, source), weights, pads=[1, 1, 1, 1])
    corrections = corrections_of(check(model, output, 17))
    assert (corrections is not None) == (source == "bipolar")


def test_zero_points_that_no_padding_can_have() -> None:
    """One per channel, and one outside of the type: both are corrected."""
    for zero in ([[[0.0]], [[2.0]]], 9.0):
        model = ModelBuilder((1, 2, 4, 4))
        quantised = model.quant("x", 1.0, np.array(zero), 3, signed=False)
        weights = weights_of(model, "int4", (3, 2, 3, 3), np.random.default_rng(18))
        compiled = check(model, model.node("Conv", quantised, weights, pads=[1, 1, 1, 1]), 19)
        assert corrections_of(compiled) is not None


def test_without_the_corrections_padding_would_be_wrong() -> None:
    model = ModelBuilder((1, 4, 6, 6))
    weights = weights_of(model, "bipolar", (5, 4, 3, 3), np.random.default_rng(20))
    output = model.node("Conv", model.bipolar("x"), weights, pads=[1, 1, 1, 1])
    compiled = check(model, output, 21)
    window, product = compiled.lowered.graph.nodes
    assert isinstance(product, IntMatMul)
    bare = replace(product, corrections=None)
    frames = np.random.default_rng(22).choice([-1, 1], (2, 36, 4))
    padded = window.evaluate(frames)[0]
    wrong: Array = bare.evaluate(padded)[0] != product.evaluate(padded)[0]
    edge = np.ones((6, 6), np.bool_)
    edge[1:-1, 1:-1] = False
    # Each of the 20 windows at the edge sums differently, and none of the others does.
    assert (wrong.any(axis=(0, 2)) == edge.reshape(-1)).all()


def turned_to_channels(network: str) -> onnx.ModelProto:
    """A map of one channel whose width becomes its channels, which arrive in that order."""
    build = ModelBuilder((1, 1, 1, 4))
    q = build.quant("x", 0.5, name="q")
    turned = build.node("Transpose", q, perm=[0, 3, 2, 1])
    if network == "layer":
        weights = np.array([[3, -2, 1, 4], [1, 1, -1, 2]])[..., None, None]
        return build.proto(build.node("Conv", turned, build.weights(weights), kernel_shape=[1, 1]))
    if network == "sum":
        return build.proto(build.node("Add", turned, build.quant(turned, 0.25)))
    pooled = build.node("MaxPool", turned, kernel_shape=[1, 1])
    return build.proto(build.quant(build.node("Mul", pooled, np.float32(0.3)), 0.5))


@pytest.mark.parametrize("network", ["layer", "sum", "pool"])
def test_a_width_may_become_the_channels(network: str) -> None:
    proto = turned_to_channels(network)
    frames = np.random.default_rng(0).normal(size=(50, 1, 1, 4)).astype(np.float32) * 3
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compile_proto(proto).predict(frames), expected)
