"""`Round`, `Floor` and `Ceil` as quantisers of a scale of 1, held to onnxruntime."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from tests.lower.helpers import compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from tests.onnx_import.standard import assert_exact, layered, signs
from thresher.errors import UnsupportedModelError
from thresher.ir.integer import IntThreshold
from thresher.ir.quantisers import Rounding
from thresher_sim.streams import IntType

ZERO, ONE, THREE = (np.asarray(value, np.float32) for value in (0, 1, 3))


def frames(seed: int) -> Array:
    """Random frames with many ties: multiples of a sixth."""
    x = np.random.default_rng(seed).normal(0, 1, (50, 8))
    return (np.rint(x * 6) / 6).astype(np.float32)


def dorefa(build: ModelBuilder, x: str) -> str:
    x = build.node("Mul", build.node("Clip", x, ZERO, ONE), THREE)
    return build.node("Div", build.node("Round", x), THREE)


def by_min_and_max(build: ModelBuilder, x: str) -> str:
    x = build.node("Min", build.node("Max", x, ZERO), ONE)
    return build.node("Div", build.node("Round", build.node("Mul", x, THREE)), THREE)


def learned_step(build: ModelBuilder, x: str) -> str:
    """A step size that was learned: rounded first, and limited behind it."""
    step = np.float32(0.37)
    x = build.node("Clip", build.node("Round", build.node("Div", x, step)), np.float32(-4), THREE)
    return build.node("Mul", x, step)


def learned_unsigned(build: ModelBuilder, x: str) -> str:
    x = build.node("Relu", build.node("Round", build.node("Mul", x, np.float32(2))))
    return build.node("Clip", x, "", np.float32(7))


def of_a_sigmoid(op: str) -> Callable[[ModelBuilder, str], str]:
    def build_it(build: ModelBuilder, x: str) -> str:
        x = build.node("Tanh", x) if x == "x" else build.node("Clip", x, np.float32(-1), ONE)
        return build.node(op, build.node("Mul", x, np.float32(6.5)))

    return build_it


ACTIVATIONS: dict[str, tuple[Callable[[ModelBuilder, str], str], IntType]] = {
    "DoReFa-Net": (dorefa, IntType(0, 3)),
    "Min and Max": (by_min_and_max, IntType(0, 3)),
    "a learned step": (learned_step, IntType(-4, 3)),
    "a learned unsigned step": (learned_unsigned, IntType(0, 7)),
    "Round of Tanh": (of_a_sigmoid("Round"), IntType(-6, 6)),
    "Floor of Tanh": (of_a_sigmoid("Floor"), IntType(-7, 6)),
    "Ceil of Tanh": (of_a_sigmoid("Ceil"), IntType(-6, 7)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_form_of_a_rounded_activation(name: str) -> None:
    activation, element = ACTIVATIONS[name]
    rng = np.random.default_rng(len(name))

    compiled = assert_exact(layered(activation, rng).proto("last_y"), frames(1), scores=1e-6)

    assert compiled.lowered.input.type.element == element


def test_the_range_follows_from_the_integers_in_front() -> None:
    """Nothing limits the rounding but its input, whose sums go from -8 to 8 steps of 0.75."""
    rng = np.random.default_rng(2)
    build = ModelBuilder((1, 8))
    x = build.node("Where", build.node("Less", "x", ZERO), np.float32(-1), ONE)
    x = build.node("Mul", build.node("MatMul", x, signs(rng, 8, 6)), np.float32(0.75))
    proto = build.proto(build.node("MatMul", build.node("Round", x), signs(rng, 6, 5)))

    compiled = assert_exact(proto, frames(2))

    stairs = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntThreshold)]
    assert [node.output_type.element for node in stairs] == [IntType(-6, 6)]


def refusal(build: ModelBuilder, output: str) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(output))
    return str(caught.value)


def test_a_rounding_of_floats_that_nothing_limits() -> None:
    rng = np.random.default_rng(3)
    build = ModelBuilder((1, 8))
    x = build.node("Round", build.node("Mul", "x", np.float32(4)), name="round")

    assert refusal(build, build.node("MatMul", x, signs(rng, 8, 6))) == (
        "lower: node 'round': it rounds floats that nothing limits, so its integers have no width; clamp its "
        "input, or its output, to a fixed range"
    )


def test_a_rounding_to_too_many_bits() -> None:
    rng = np.random.default_rng(4)
    build = ModelBuilder((1, 8))
    x = build.node("Where", build.node("Less", "x", ZERO), np.float32(-1), ONE)
    x = build.node("Mul", build.node("MatMul", x, signs(rng, 8, 6)), np.float32(100))
    x = build.node("Round", x, name="round")

    assert refusal(build, build.node("MatMul", x, signs(rng, 6, 5))) == (
        "lower: node 'round': it gives 11 bits, which would take 1600 thresholds per channel; quantise "
        "activations to at most 8 bits"
    )


def test_limits_that_are_no_whole_numbers_are_their_own_step() -> None:
    rng = np.random.default_rng(5)
    build = ModelBuilder((1, 8))
    x = build.node("Round", build.node("Clip", "x", np.float32(-2), np.float32(2)))
    x = build.node("MatMul", build.node("Mul", x, ONE), signs(rng, 8, 6))
    x = build.node("Clip", build.node("Round", x), np.float32(-2.5), np.float32(2.5))
    x = build.node("Round", x)
    graph = assert_exact(build.proto(build.node("MatMul", x, signs(rng, 6, 5))), frames(5)).imported.graph

    elements = [node.element for node in graph.nodes if isinstance(node, Rounding)]
    assert elements[0] == IntType(-2, 2)
    assert elements[2] == IntType(-2, 2)


def check_equal(proto: onnx.ModelProto) -> None:
    x = frames(0)
    want = run_qonnx(proto, x)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compile_proto(proto).predict(x), want)


LIMITS = [
    ("0..3", 0, 3),
    ("-8..7", -8, 7),
    ("-3..-1", -3, -1),
    ("3..3", 3, 3),
    ("0..0", 0, 0),
    ("none", None, None),
]


@pytest.mark.parametrize(("low", "high"), [each[1:] for each in LIMITS], ids=[each[0] for each in LIMITS])
@pytest.mark.parametrize("offset", [-50, -0.7, 0.4, 2, 50])
@pytest.mark.parametrize("op", ["Round", "Floor", "Ceil"])
def test_a_rounding_whose_output_is_constant(
    op: str, offset: float, low: float | None, high: float | None
) -> None:
    """Its one integer may be a limit, beyond which a type of two levels would reach."""
    build = ModelBuilder((1, 8))
    product = build.node("MatMul", build.quant("x"), build.weights(np.eye(8)))
    x = build.node("Add", build.node("Mul", product, np.float32(0.0009765625)), np.float32(offset))
    x = build.node(op, x)
    if low is not None:
        x = build.node("Clip", x, np.float32(low), np.float32(high))
    proto = build.proto(build.node("MatMul", x, build.weights(np.ones((8, 3)))))
    check_equal(proto)


@pytest.mark.parametrize("limit", [0, 3, -2])
def test_a_rounding_that_is_the_first_quantiser_and_constant(limit: float) -> None:
    build = ModelBuilder((1, 8))
    x = build.node("Clip", build.node("Round", "x"), np.float32(limit), np.float32(limit))
    proto = build.proto(build.node("MatMul", x, build.weights(np.ones((8, 3)))))
    check_equal(proto)
