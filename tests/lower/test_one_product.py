"""Sums of a single product: float32 has one result, and golden has its level, edge or not.

Each row's quantiser has an edge on the very value that the model has for one of the integers: half of twice
that value, which rounds to even, so to 0; a unit in the last place more would be 1. The oracle is QONNX's
executor, and that there is an edge is known from float32 arithmetic in numpy.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.helpers import compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from tests.verification.helpers import held

ROWS = 64
LAYERS = ("matrix", "sparse matrix", "pointwise", "depthwise", "sparse windows")
BETWEEN = ("nothing", "relu", "pool", "bias", "falling")


CASES = [
    (layer, between) for layer in LAYERS for between in BETWEEN if between != "pool" or "matrix" not in layer
]


@pytest.mark.parametrize(("layer", "between"), CASES)
def test_golden_has_the_level_of_the_one_value(layer: str, between: str) -> None:
    random = np.random.default_rng([LAYERS.index(layer), BETWEEN.index(between)])
    build, x = network(random, layer, between)
    proto = build.proto(x)
    frames = random.uniform(-2, 2, (20, *build.input_shape[1:])).astype(np.float32)  # type: ignore[arg-type]

    golden = compile_proto(proto).predict(frames)

    np.testing.assert_array_equal(golden, run_qonnx(proto, frames)[x].reshape(golden.shape))
    result = held(proto)
    assert [(each.ties, each.mismatches) for each in result.tensors] == [(0, 0)] * len(result.tensors)


@pytest.mark.parametrize("behind", ["sum", "layer", "average"])
@pytest.mark.parametrize("scale", [0.1, 0.25])
def test_what_is_computed_of_such_sums_is_no_fault(behind: str, scale: float) -> None:
    """Frames are drawn at the sums too, and not all of these are multiples of the weight."""
    random = np.random.default_rng(0)
    build = ModelBuilder((1, 4, 3, 3))
    x = build.quant("x", scale)
    kernels = build.weights(np.array([5, -3, 7, 0]).reshape(4, 1, 1, 1), scale)
    sums = build.node("Conv", x, kernels, group=4)
    if behind == "sum":
        other = build.node("Conv", x, build.weights(random.integers(-3, 4, (4, 4, 1, 1)), 0.07))
        sums = build.node("Add", sums, other)
    elif behind == "layer":
        sums = build.node("Conv", sums, build.weights(random.integers(-3, 4, (4, 4, 3, 3)), scale))
    else:
        sums = build.node("GlobalAveragePool", sums)
    result = held(build.proto(build.quant(sums, scale)))
    assert result.mismatches == 0
    # A sum of fixed point and an average of nine round in float32 whatever the scale.
    assert scale == 0.1 or behind != "layer" or not result.ties


def test_a_class_index_of_exact_sums_stays_in_hardware() -> None:
    build = ModelBuilder((1, 4))
    weights = np.array([[3, 0, 0, 0], [1, 2, -1, 1]]).T
    x = build.node("MatMul", build.quant("x", 0.25), build.weights(weights, 0.5))
    compiled = compile_proto(build.proto(x), argmax=True)
    frames = np.random.default_rng(0).uniform(-2, 2, (50, 4)).astype(np.float32)
    expected = run_qonnx(build.proto(x), frames)[x].argmax(axis=1)
    np.testing.assert_array_equal(compiled.predict(frames).reshape(-1), expected)


def network(random: np.random.Generator, layer: str, between: str) -> tuple[ModelBuilder, str]:
    """A layer of `ROWS` rows of one product each, what is `between`, and a quantiser with an edge on each."""
    weights = random.choice([-7, -6, -5, -3, 3, 5, 6, 7], ROWS)
    q = (random.choice([3, 5, 6, 7], ROWS) * np.sign(weights)).astype(np.float32)
    x_scale, w_scale, edge = draw_scales(random, q, weights.astype(np.float32))
    flat = "matrix" in layer
    channels = {"matrix": 1, "sparse matrix": 5, "pointwise": 1, "depthwise": ROWS, "sparse windows": 3}[
        layer
    ]
    build = ModelBuilder((1, channels) if flat else (1, channels, 4, 4))
    x = build.quant("x", x_scale, bits=4)
    if flat:
        matrix = np.zeros((channels, ROWS))
        matrix[random.integers(channels, size=ROWS), np.arange(ROWS)] = weights
        x = build.node("MatMul", x, build.weights(matrix, w_scale))
    else:
        kernel = (2, 2) if layer == "sparse windows" else (1, 1)
        part = 1 if layer == "depthwise" else channels
        kernels = np.zeros((ROWS, part * kernel[0] * kernel[1]))
        kernels[np.arange(ROWS), random.integers(kernels.shape[1], size=ROWS)] = weights
        shaped = build.weights(kernels.reshape(ROWS, part, *kernel), w_scale)
        x = build.node("Conv", x, shaped, group=ROWS if layer == "depthwise" else 1)
    across = (1, ROWS) if flat else (1, ROWS, 1, 1)
    if between == "relu":
        x = build.node("Relu", x)
    elif between == "pool":
        x = build.node("MaxPool", x, kernel_shape=[2, 2])
    elif between == "bias":
        bias = random.uniform(0, 1, ROWS).astype(np.float32)
        x, edge = build.node("Add", x, bias.reshape(across)), edge + bias
    elif between == "falling":
        x = build.node("Mul", x, np.asarray(-1, np.float32))
    return build, build.quant(x, (2 * edge).reshape(across), bits=3)


def draw_scales(
    random: np.random.Generator, q: Array, weights: Array
) -> tuple[np.float32, np.float32, Array]:
    """Scales of inputs and weights, and the products, of which some are not the exact ones rounded."""
    while True:
        x_scale, w_scale = random.uniform(0.05, 0.2, 2).astype(np.float32)
        products: Array = (q * x_scale) * (weights * w_scale)
        if (products != (q * weights * (np.float64(x_scale) * w_scale)).astype(np.float32)).any():
            return x_scale, w_scale, products
