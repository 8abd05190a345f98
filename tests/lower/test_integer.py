"""The integer operators against plain Python integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.ir.integer import IntThreshold, TensorType, count_reached, exact_factor, exact_matmul
from thresher_sim.streams import BIPOLAR, IntType


@given(
    st.lists(st.lists(st.integers(-300, 300), min_size=3, max_size=3), min_size=1, max_size=5),
    st.lists(st.lists(st.integers(-300, 300), min_size=4, max_size=4), min_size=3, max_size=3),
    st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.int64]),
)
def test_count_reached(frames: list[list[int]], thresholds: list[list[int]], dtype: type[np.integer]) -> None:
    limits = np.iinfo(dtype)
    x = np.clip(np.asarray(frames), limits.min, limits.max).astype(dtype)

    counts = count_reached(x[:, None, :], np.asarray(thresholds, np.int64))

    expected = [
        [sum(t <= int(value) for t in row) for value, row in zip(frame, thresholds, strict=True)]
        for frame in x
    ]
    np.testing.assert_array_equal(counts[:, 0], expected)


@pytest.mark.parametrize("bits", [1, 7, 8, 9])
@pytest.mark.parametrize("signed", [False, True])
def test_a_threshold_has_room_for_all_its_levels(bits: int, signed: bool) -> None:
    low = -(1 << (bits - 1)) if signed else 0
    element = IntType(low, low + (1 << bits) - 1)
    levels = np.arange(1, 1 << bits, dtype=np.int64)
    kind = TensorType(IntType(0, 1000), 1, 2)
    node = IntThreshold(
        name="t",
        input="x",
        output="y",
        input_type=kind,
        output_type=TensorType(element, 1, 2),
        onnx_nodes=(),
        thresholds=np.stack([levels, levels]),
        descending=np.asarray([False, True]),
    )
    x = np.repeat(np.arange(1 << bits)[:, None, None], 2, axis=2)

    (y,) = node.evaluate(x)

    np.testing.assert_array_equal(y[:, 0, 0], np.arange(element.lo, element.hi + 1))
    np.testing.assert_array_equal(y[:, 0, 1], np.arange(element.lo, element.hi + 1)[::-1])


@pytest.mark.parametrize("largest", [1, 1 << 11, 1 << 25, 1 << 30])
def test_exact_matmul_at_every_precision(largest: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-largest, largest + 1, (7, 1, 50))
    weights = rng.integers(-largest, largest + 1, (4, 50))
    expected = (x.astype(object) @ weights.T.astype(object)).astype(np.int64)

    np.testing.assert_array_equal(
        exact_matmul(x, exact_factor(weights, IntType(-largest, largest))), expected
    )


def test_exact_matmul_of_signs() -> None:
    x = np.asarray([[[-1, 1, 1]]], np.int8)

    assert exact_matmul(x, exact_factor(np.asarray([[1, 1, -1], [-1, 1, 1]]), BIPOLAR)).tolist() == [
        [[-1, 3]]
    ]
