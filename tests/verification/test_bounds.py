"""Bounds of float32: they hold every order of additions, and are tight where there is but one result."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import onnx
import pytest

from tests.lower.helpers import import_proto
from tests.models import Array, ModelBuilder
from thresher.verification.bounds import Bounds, bounds_of, enclosing, levels_between


def dense(weights: Array, scale: float) -> onnx.ModelProto:
    build = ModelBuilder((1, len(weights)))
    return build.proto(
        build.node("MatMul", build.quant("x", 1.0, name="q"), build.weights(weights, scale), name="m")
    )


def bounds(proto: onnx.ModelProto, tensor: str, given: Array) -> Bounds:
    found = bounds_of(import_proto(proto).graph, tensor, {"q_y": enclosing(given)})
    assert found is not None
    return found


def in_order(terms: Sequence[np.float32], order: Sequence[int]) -> np.float32:
    total = np.float32(0)
    for place in order:
        total = np.float32(total + terms[place])
    return total


@pytest.mark.parametrize("scale", [0.1, 1 / 3, 1e-6, 7e5])
def test_every_order_of_additions_lies_between_them(scale: float) -> None:
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (40, 3))
    x = (random.integers(-8, 8, (1, 40)) * np.float32(0.3)).astype(np.float32)
    found = bounds(dense(weights, scale), "m_y", x)
    real = (weights.astype(np.float32) * np.float32(scale)).astype(np.float32)

    assert (found.low < found.high).all()
    for row in range(3):
        terms = (x[0] * real[:, row]).astype(np.float32)
        sums = [in_order(terms, random.permutation(40).tolist()) for _ in range(50)]
        assert len(set(sums)) > 1
        assert found.low[0, row] <= min(sums) and max(sums) <= found.high[0, row]
        exact = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(x[0], real[:, row], strict=True))
        assert found.low[0, row] <= exact <= found.high[0, row]


def test_a_sum_that_no_order_rounds_has_no_width() -> None:
    random = np.random.default_rng(1)
    weights, x = random.integers(-7, 8, (30, 4)), random.integers(-8, 8, (5, 30)).astype(np.float32)
    found = bounds(dense(weights, 0.125), "m_y", x)
    np.testing.assert_array_equal(found.low, x @ (weights * np.float32(0.125)))
    np.testing.assert_array_equal(found.high, found.low)


def test_sums_beyond_24_bits_have_width() -> None:
    weights, x = np.full((4, 1), 127), np.full((1, 4), 2.0**20 + 1, np.float32)
    found = bounds(dense(weights, 1.0), "m_y", x)
    assert found.low[0, 0] < 4 * 127 * (2**20 + 1) < found.high[0, 0]


def test_elementwise_operators_round_once_each_and_turn_bounds_with_their_sign() -> None:
    build = ModelBuilder((1, 2))
    q = build.quant("x", 1.0, name="q")
    product = build.node("MatMul", q, build.weights(np.array([[3, 5], [7, -1]]), 0.1), name="m")
    falling = build.node("Mul", product, np.float32(-0.7), name="f")
    relu = build.node("Relu", build.node("Add", falling, np.float32(2)), name="r")
    proto = build.proto(relu)
    x = np.array([[5, -3]], np.float32)
    inner, outer = bounds(proto, "m_y", x), bounds(proto, "f_y", x)
    np.testing.assert_array_equal(outer.low, inner.high * np.float32(-0.7))
    np.testing.assert_array_equal(outer.high, inner.low * np.float32(-0.7))
    behind = bounds(proto, "r_y", x)
    np.testing.assert_array_equal(behind.low, np.maximum(outer.low + np.float32(2), 0))


def test_levels_between_reach_over_the_edge_that_bounds_reach_over() -> None:
    build = ModelBuilder((1, 3))
    graph = import_proto(build.proto(build.quant("x", 1.0, bits=4))).graph
    (quantiser,) = graph.nodes
    edge = np.float32(2.5)
    above = np.nextafter(edge, np.float32(3))
    low = np.array([[edge, above, 2.0]], np.float32)
    high = np.array([[above, above, edge]], np.float32)
    lowest, highest = levels_between(quantiser, Bounds(low, high))  # type: ignore[arg-type]
    # 2.5 itself rounds to 2, which is even.
    assert lowest.tolist() == [[2, 3, 2]] and highest.tolist() == [[3, 3, 2]]


def test_a_sign_between_bounds_around_its_threshold_can_be_either() -> None:
    build = ModelBuilder((1, 2))
    where = build.node(
        "Where", build.node("GreaterOrEqual", "x", np.float32(0)), np.float32(1), np.float32(-1)
    )
    (quantiser,) = import_proto(build.proto(where)).graph.nodes
    ends = Bounds(np.array([[-1e-9, 1e-9]], np.float32), np.array([[1e-9, 1e-9]], np.float32))
    lowest, highest = levels_between(quantiser, ends)  # type: ignore[arg-type]
    assert lowest.tolist() == [[-1, 1]] and highest.tolist() == [[1, 1]]


def test_an_operator_of_the_host_has_no_bounds() -> None:
    build = ModelBuilder((1, 2))
    proto = build.proto(build.node("Sigmoid", build.quant("x", 1.0, name="q"), name="s"))
    assert bounds_of(import_proto(proto).graph, "s_y", {"q_y": enclosing(np.zeros((1, 2)))}) is None


def test_sums_on_the_way_may_be_larger_than_at_the_end() -> None:
    """2**24 + 1 is rounded to 2**24 before that is taken off again; the exact sum is 1."""
    build = ModelBuilder((1, 2))
    q = build.quant("x", 1.0, name="q")
    far = build.node("Mul", q, np.asarray(2.0**24, np.float32), name="far")
    total = build.node("Sub", build.node("Add", far, q), far, name="total")
    found = bounds(build.proto(total), "total_y", np.array([[1.0, 2.0]], np.float32))
    # On the way the sum lies between 2**24 and the next float32, which is 2 farther (4 for the second).
    assert found.low.tolist() == [[0.0, 0.0]] and found.high.tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize("scale", [1e-45, 1e-41, 1e-39])
def test_products_below_the_normal_numbers_of_float32_lie_between_them(scale: float) -> None:
    random = np.random.default_rng(0)
    weights, x = random.integers(-7, 8, (8, 3)), random.integers(-8, 8, (1, 8)) * np.float32(0.125)
    found = bounds(dense(weights, scale), "m_y", x)
    real = weights.astype(np.float32) * np.float32(scale)
    for row in range(3):
        terms = (x[0] * real[:, row]).astype(np.float32)
        exact = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(x[0], real[:, row], strict=True))
        for value in (in_order(terms, range(8)), exact):
            assert found.low[0, row] <= value <= found.high[0, row]


def test_a_single_product_is_that_rounded_once_or_exact() -> None:
    x = np.array([[7], [3]], np.float32) * np.float32(0.1)
    found = bounds(dense(np.array([[5, -3, 0]]), 0.3), "m_y", x)
    rounded = x @ (np.array([[5, -3, 0]], np.float32) * np.float32(0.3))
    real = x.astype(np.float64) @ (np.array([[5, -3, 0]]) * np.float64(np.float32(0.3)))
    below = np.where(real.astype(np.float32) > real, np.nextafter(real.astype(np.float32), -9), real)
    above = np.where(real.astype(np.float32) < real, np.nextafter(real.astype(np.float32), 9), real)
    np.testing.assert_array_equal(found.low, np.minimum(rounded, below.astype(np.float32)))
    np.testing.assert_array_equal(found.high, np.maximum(rounded, above.astype(np.float32)))
