"""Constants on a grid of integers: found channel by channel, and floats left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lower.helpers import compile_proto
from tests.models import Array, ModelBuilder
from tests.onnx_import.standard import assert_exact, signs
from thresher.ir.integer import IntDepthwise, IntMatMul
from thresher.onnx_import.weight_grids import weights_on_grid
from thresher_sim.streams import BIPOLAR, IntType


def within_two_ulps(weights: Array, given: Array) -> bool:
    largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    misfit = np.abs(weights.astype(np.float64) - given).reshape(len(weights), -1).max(axis=1)
    return bool((misfit <= 2 * np.spacing(largest)).all())


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 20), st.integers(4, 40))
def test_integers_times_a_scale_for_each_channel(seed: int, bits: int, rows: int, columns: int) -> None:
    """The smallest integers are found, whose common divisor the scale takes; some channels are zeros."""
    rng = np.random.default_rng(seed)
    most = 2 ** (bits - 1) - 1 if bits > 1 else 1
    whole = rng.integers(-most, most + 1, (rows, columns))
    if bits == 1:
        whole[whole == 0] = 1
    whole[rng.random(rows) < 0.2] = 0
    whole[0] = np.where(np.arange(columns) % 2, most, -most)
    scales = np.exp2(rng.uniform(-20, 20, (rows, 1))).astype(np.float32)
    weights = (whole * scales).astype(np.float32)
    if np.count_nonzero(weights) < 4 * rows:
        return

    found = weights_on_grid(weights)

    assert found is not None
    assert within_two_ulps(weights, found.levels * found.scale.astype(np.float64))
    divisors = np.maximum(1, np.gcd.reduce(whole, axis=1))
    kept = whole.any(axis=1)
    np.testing.assert_array_equal(found.levels[kept], (whole // divisors[:, None])[kept])
    assert (found.scale > 0)[kept].all()


def test_a_channel_of_zeros_leaves_the_others_their_one_bit() -> None:
    rng = np.random.default_rng(1)
    weights = signs(rng, 4, 9) * np.asarray([[0.5], [0], [3], [0.1]], np.float32)

    found = weights_on_grid(weights)

    assert found is not None
    assert set(np.unique(found.levels)) == {-1, 1}
    np.testing.assert_array_equal(found.scale[:, 0], np.asarray([0.5, 0, 3, 0.1], np.float32))


def test_columns_as_channels() -> None:
    rng = np.random.default_rng(2)
    weights = signs(rng, 9, 4) * rng.uniform(0.1, 2, 4).astype(np.float32)

    found = weights_on_grid(weights, axis=1)

    assert found is not None
    np.testing.assert_array_equal(found.levels, np.sign(weights))
    assert weights_on_grid(weights) is None


@pytest.mark.parametrize("shape", [(64, 2), (32, 3), (16, 1), (8, 64), (6, 2, 3, 3), (4, 1, 3, 3), (1, 3)])
def test_floats_are_not_taken_for_integers(shape: tuple[int, ...]) -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        assert weights_on_grid(rng.normal(size=shape).astype(np.float32)) is None


@pytest.mark.parametrize(
    "weights",
    [np.zeros((4, 9)), np.full((4, 9), np.nan), np.ones((4, 1)), np.ones(9), np.zeros((0, 9)), np.eye(4)],
    ids=["zeros", "nan", "one each", "a vector", "nothing", "identity"],
)
def test_constants_that_tell_nothing(weights: Array) -> None:
    assert weights_on_grid(weights) is None


def test_integers_of_more_than_8_bits_are_floats() -> None:
    whole = np.tile(np.arange(-150, 150, 7), (3, 1)).astype(np.float32)
    assert weights_on_grid(whole * np.float32(0.01)) is None
    whole = np.tile(np.arange(-128, 128), (3, 1)).astype(np.float32)
    found = weights_on_grid(whole * np.float32(0.01))
    assert found is not None
    np.testing.assert_array_equal(found.levels, whole)
    assert weights_on_grid(whole * np.float32(-0.01)) is None


def test_layers_of_such_constants() -> None:
    """A grouped and a depthwise convolution and a matrix, none behind a quantiser node."""
    rng = np.random.default_rng(3)
    build = ModelBuilder((1, 4, 6, 6))
    one, minus = np.float32(1), np.float32(-1)

    def binary(x: str) -> str:
        return build.node("Where", build.node("GreaterOrEqual", x, np.float32(0)), one, minus)

    grouped = signs(rng, 6, 2, 3, 3) * rng.uniform(0.1, 2, (6, 1, 1, 1)).astype(np.float32)
    x = build.node("Conv", binary("x"), grouped, group=2, pads=[1, 1, 1, 1])
    x = build.batch_norm(x, rng.normal(size=6), rng.normal(size=6), rng.normal(size=6), np.ones(6))
    ternary = rng.integers(-1, 2, (6, 1, 3, 3)) * rng.uniform(0.1, 2, (6, 1, 1, 1))
    x = build.node("Conv", binary(x), ternary.astype(np.float32), group=6)
    x = build.batch_norm(x, rng.normal(size=6), rng.normal(size=6), rng.normal(size=6), np.ones(6))
    x = build.node("Flatten", binary(x))
    nibbles = rng.integers(-7, 8, (96, 5)) * rng.uniform(0.1, 2, 5)
    proto = build.proto(build.node("MatMul", x, nibbles.astype(np.float32)))

    compiled = assert_exact(proto, rng.normal(size=(50, 4, 6, 6)).astype(np.float32), scores=1e-6)

    kinds = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul | IntDepthwise)]
    assert [node.weight_type for node in kinds] == [BIPOLAR, IntType(-1, 1), IntType(-7, 7)]


def test_weights_beside_their_grid_make_ties() -> None:
    """Weights that are -1 and 1 but for a rounding: a sum of zero may be on either side of zero."""
    rng = np.random.default_rng(4)
    exact = signs(rng, 8, 6)
    beside = np.nextafter(exact, np.where(rng.random(exact.shape) < 0.5, exact, 0), dtype=np.float32)
    found = []
    for weights in (exact, beside):
        build = ModelBuilder((1, 8))
        x = build.node("Where", build.node("Less", "x", np.float32(0)), np.float32(-1), np.float32(1))
        x = build.node("MatMul", x, weights)
        x = build.node("Where", build.node("Less", x, np.float32(0)), np.float32(-1), np.float32(1))
        lowered = compile_proto(build.proto(build.node("MatMul", x, signs(rng, 6, 5)))).lowered
        found.append(sum(lowered.ties.values()))
    assert found == [0, 6]
