"""Signs and steps in standard operators, in the forms that exporters give them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.lower.helpers import compile_proto, import_proto
from tests.models import Array, ModelBuilder
from tests.onnx_import.standard import assert_exact, layered, run_onnxruntime, signs
from thresher.errors import UnsupportedModelError
from thresher.ir.integer import IntMatMul
from thresher.ir.quantisers import Binariser
from thresher.lower import lower
from thresher.lower.explain import explain
from thresher.onnx_import.standard import run_model
from thresher_sim.streams import BIPOLAR, IntType

Activation = Callable[[ModelBuilder, str], str]

ZERO, ONE, TWO, THREE = (np.asarray(value, np.float32) for value in (0, 1, 2, 3))
UNSIGNED = IntType(0, 1)
COMPARING = {"Sign", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Where", "Not", "Round"}


def sign_and_where(build: ModelBuilder, x: str) -> str:
    """`torch.where(x == 0, torch.ones_like(x), torch.sign(x))`."""
    ones = np.ones((1, 8 if x == "x" else 6), np.float32)
    return build.node("Where", build.node("Equal", x, ZERO), ones, build.node("Sign", x))


def expanded(build: ModelBuilder, x: str) -> str:
    """The same with ones of a shape that is taken from x when the model runs."""
    shape = build.node("Shape", x)
    value = build.node("ConstantOfShape", shape)
    ones = build.node("Expand", ONE, shape)
    return build.node("Where", build.node("Equal", x, value), ones, build.node("Sign", x))


def masked_sign(build: ModelBuilder, x: str) -> str:
    """`y = x.sign(); y[y == 0] = 1`."""
    y = build.node("Sign", x)
    mask = build.node("Cast", build.node("Equal", y, ZERO), to=9)
    return build.node("Where", mask, ONE, y)


def written_by_places(build: ModelBuilder, x: str) -> str:
    """`y = x.sign(); y[y == 0] = 1` from the dynamo exporter."""
    y = build.node("Sign", x)
    mask = build.node("Equal", y, ZERO)
    flat = build.node("Reshape", mask, np.asarray([-1], np.int64))
    count = build.node("ReduceSum", build.node("Cast", flat, to=7), keepdims=1)
    ones = build.node("Reshape", build.node("Expand", ONE, count), np.asarray([-1], np.int64))
    places = build.node("Transpose", build.node("NonZero", mask), perm=[1, 0])
    return build.node("ScatterND", y, places, ones)


def larq(build: ModelBuilder, x: str) -> str:
    return build.node("Sign", build.node("Add", build.node("Sign", x), np.float32(0.1)))


def comparison(op: str, when: float, otherwise: float, first: bool = False) -> Activation:
    def build_it(build: ModelBuilder, x: str) -> str:
        compared = build.node(op, ZERO, x) if first else build.node(op, x, ZERO)
        return build.node("Where", compared, np.float32(when), np.float32(otherwise))

    return build_it


def negated(build: ModelBuilder, x: str) -> str:
    mask = build.node("Not", build.node("GreaterOrEqual", x, ZERO))
    return build.node("Where", mask, np.float32(-1), np.float32(1))


def cast_and_scaled(build: ModelBuilder, x: str) -> str:
    """`(x >= 0).float() * 2 - 1`."""
    y = build.node("Cast", build.node("GreaterOrEqual", x, ZERO), to=1)
    return build.node("Sub", build.node("Mul", y, TWO), ONE)


def scaled(build: ModelBuilder, x: str) -> str:
    """A learned scale behind the sign."""
    return build.node("Mul", larq(build, x), np.float32(0.25))


def step(build: ModelBuilder, x: str) -> str:
    return build.node("Cast", build.node("Greater", x, ZERO), to=1)


def heaviside(build: ModelBuilder, x: str) -> str:
    """As the dynamo exporter writes `torch.heaviside(x, 1)`."""
    y = build.node("Where", build.node("Less", x, ZERO), ZERO, ONE)
    return build.node("Where", build.node("Equal", x, ZERO), ONE, y)


def falling(build: ModelBuilder, x: str) -> str:
    return build.node("Cast", build.node("LessOrEqual", x, ZERO), to=1)


def keras_binary_tanh(build: ModelBuilder, x: str) -> str:
    """`2 * round(hard_sigmoid(x)) - 1`: a half rounds to zero."""
    half = build.node("Clip", build.node("Div", build.node("Add", x, ONE), TWO), ZERO, ONE)
    return build.node("Sub", build.node("Mul", build.node("Round", half), TWO), ONE)


ACTIVATIONS: dict[str, tuple[Activation, IntType]] = {
    "sign and where": (sign_and_where, BIPOLAR),
    "expanded": (expanded, BIPOLAR),
    "masked": (masked_sign, BIPOLAR),
    "places": (written_by_places, BIPOLAR),
    "larq": (larq, BIPOLAR),
    "ge": (comparison("GreaterOrEqual", 1, -1), BIPOLAR),
    "gt": (comparison("Greater", 1, -1), BIPOLAR),
    "lt swapped": (comparison("Less", -1, 1), BIPOLAR),
    "le swapped": (comparison("LessOrEqual", -1, 1), BIPOLAR),
    "constant first": (comparison("LessOrEqual", 1, -1, first=True), BIPOLAR),
    "falling": (comparison("Less", 1, -1), BIPOLAR),
    "not": (negated, BIPOLAR),
    "cast": (cast_and_scaled, BIPOLAR),
    "scaled": (scaled, BIPOLAR),
    "step": (step, UNSIGNED),
    "heaviside": (heaviside, UNSIGNED),
    "falling step": (falling, UNSIGNED),
    "binary tanh": (keras_binary_tanh, BIPOLAR),
}


def frames(rng: np.random.Generator, count: int = 50, size: int = 8) -> Array:
    """Random frames with many zeros of either sign."""
    x = rng.normal(size=(count, size)).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = 0.0
    x[rng.random(x.shape) < 0.2] = -0.0
    return x


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_form_of_a_binary_activation(name: str) -> None:
    """The second layer sees integers with many zeros among them."""
    activation, element = ACTIVATIONS[name]
    rng = np.random.default_rng(len(name))
    proto = layered(activation, rng).proto("last_y")

    x = frames(rng)

    compiled = assert_exact(proto, x)

    expected = run_onnxruntime(proto, x)["last_y"][:, 0]
    np.testing.assert_array_equal(run_model(compiled.imported, x), expected)
    made = [node for node in compiled.imported.graph.nodes if isinstance(node, Binariser)]
    assert [node.element for node in made] == [element, element]
    taken = {each for node in made for each in node.onnx_nodes}
    pointwise = {node.name for node in proto.graph.node if node.op_type in COMPARING}
    assert pointwise and pointwise <= taken


@pytest.mark.parametrize("op", ["GreaterOrEqual", "Greater", "Less", "LessOrEqual"])
@pytest.mark.parametrize("shape", [(), (1, 6)], ids=["one", "per channel"])
def test_thresholds_that_integers_meet(op: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    build = ModelBuilder((1, 8))
    x = build.node("MatMul", larq(build, "x"), signs(rng, 8, 6))
    thresholds = (rng.integers(-2, 3, shape) * 2).astype(np.float32)
    x = build.node("Where", build.node(op, x, thresholds), np.float32(1), np.float32(-1))
    proto = build.proto(build.node("MatMul", x, signs(rng, 6, 5)))

    assert_exact(proto, frames(rng))


def test_signs_of_each_channels_own_scale_and_direction() -> None:
    """A scale for each channel, negative ones too, is the quantiser's own, behind the last layer."""
    rng = np.random.default_rng(4)
    build = ModelBuilder((1, 8))
    x = build.node("MatMul", larq(build, "x"), signs(rng, 8, 6))
    alpha = np.asarray([1.0, -0.5, 0.25, -2.0, 3.0, 0.75], np.float32)
    proto = build.proto(build.node("Mul", larq(build, x), alpha))

    assert_exact(proto, frames(rng))


def batch_norm(build: ModelBuilder, x: str, rng: np.random.Generator, channels: int) -> str:
    return build.batch_norm(
        x,
        rng.normal(size=channels),
        rng.normal(size=channels),
        rng.normal(size=channels) * 3,
        np.ones(channels),
    )


def test_a_plain_sign_where_zero_cannot_occur() -> None:
    """Behind a batch norm no integer gives zero, and sign(0) does not matter."""
    rng = np.random.default_rng(5)
    build = ModelBuilder((1, 8))
    x = build.node("MatMul", larq(build, "x"), signs(rng, 8, 6))
    x = build.node("Sign", batch_norm(build, x, rng, 6), name="plain")
    proto = build.proto(build.node("MatMul", x, signs(rng, 6, 5)))

    compiled = assert_exact(proto, frames(rng))

    assert "plain" in compiled.lowered.graph.nodes[1].onnx_nodes


@pytest.mark.parametrize("branch", [False, True])
def test_a_plain_sign_of_sums_that_are_odd(branch: bool) -> None:
    """An odd number of signs adds up to no zero; an even number of such sums does."""
    rng = np.random.default_rng(5)
    build = ModelBuilder((1, 9))
    x = larq(build, "x")
    y = build.node("MatMul", x, signs(rng, 9, 7))
    if branch:
        y = build.node("Add", y, build.node("MatMul", x, signs(rng, 9, 7)))
    proto = build.proto(build.node("MatMul", build.node("Sign", y, name="plain"), signs(rng, 7, 5)))

    if branch:
        with pytest.raises(UnsupportedModelError, match="a third value beside -1 and"):
            compile_proto(proto)
    else:
        assert_exact(proto, frames(rng, size=9))


def refusal(build: ModelBuilder, output: str) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(output))
    return str(caught.value)


def test_a_plain_sign_that_zero_reaches() -> None:
    rng = np.random.default_rng(6)
    build = ModelBuilder((1, 8))
    x = build.node("MatMul", larq(build, "x"), signs(rng, 8, 6))
    x = build.node("Sign", x, name="plain")

    assert refusal(build, build.node("MatMul", x, signs(rng, 6, 5))) == (
        "lower: node 'plain': ONNX's Sign gives 0 for 0, a third value beside -1 and +1, and the integers "
        "before it reach that value (in channel 0): binary layers map it to +1; binarise by torch.where(x == "
        "0, 1, torch.sign(x)), or by Brevitas' QuantIdentity with CommonActQuant"
    )


def test_a_plain_sign_as_the_first_quantiser() -> None:
    rng = np.random.default_rng(7)
    build = ModelBuilder((1, 8))
    x = build.node("Sign", "x", name="plain")
    output = build.node("MatMul", x, signs(rng, 8, 6))
    message = (
        "lower: node 'plain': ONNX's Sign gives 0 for 0, a third value beside -1 and +1, and it is the first "
        "quantiser, whose floats may hold it: binary layers map it to +1; binarise by torch.where(x == 0, 1, "
        "torch.sign(x)), or by Brevitas' QuantIdentity with CommonActQuant"
    )

    assert refusal(build, output) == message
    reports = {entry.node: entry for entry in explain(import_proto(build.proto(output)).graph)}
    assert f"lower: node 'plain': {reports['plain'].reason}; {reports['plain'].remedy}" == message


def test_a_plain_sign_of_integers_that_the_hardware_takes() -> None:
    """Zero occurs among integers that have it, and not among odd ones."""
    rng = np.random.default_rng(8)
    build = ModelBuilder((1, 8))
    x = build.node("Sign", build.node("Sub", "x", np.float32(0.5)), name="plain")
    graph = import_proto(build.proto(build.node("MatMul", x, signs(rng, 8, 6)))).graph

    assert len(lower(graph, IntType(0, 255), 1.0).graph.nodes) == 2
    with pytest.raises(UnsupportedModelError, match=r"ONNX's Sign gives 0 for 0, .* \(in channel 0\)"):
        lower(graph, IntType(0, 255), 0.5)


def test_signs_and_roundings_behind_the_last_layer_stay_with_the_host() -> None:
    """Of floats that only the host has, or with a third value: it is no error where no layer follows."""
    rng = np.random.default_rng(9)
    for tail in ("Sigmoid", "Sign", "Round"):
        build = ModelBuilder((1, 8))
        x = build.node(tail, build.node("MatMul", larq(build, "x"), signs(rng, 8, 6)), name="tail")
        decided = written_by_places(build, build.node("Sub", x, np.float32(0.5)))
        proto = build.proto(build.node("Add", x, decided) if tail == "Sigmoid" else x)
        inputs = frames(rng)

        compiled = compile_proto(proto)

        expected = run_onnxruntime(proto, inputs)[proto.graph.output[0].name][:, 0]
        np.testing.assert_array_equal(compiled.predict(inputs), expected)
        assert [type(node) for node in compiled.lowered.graph.nodes] == [IntMatMul]


def test_a_sign_that_is_read_twice_is_one_quantiser() -> None:
    """What one reader does with it is not part of it: the other reads the sign itself."""
    rng = np.random.default_rng(10)
    build = ModelBuilder((1, 8))
    x = build.node("MatMul", larq(build, "x"), signs(rng, 8, 6))
    sign = larq(build, x)
    scaled = build.node("Mul", sign, np.float32(0.5))
    left = build.node("MatMul", sign, signs(rng, 6, 5))
    right = build.node("MatMul", scaled, signs(rng, 6, 5))

    graph = import_proto(build.proto(build.node("Add", left, right))).graph

    assert sum(isinstance(node, Binariser) for node in graph.nodes) == 2


def rounded(build: ModelBuilder, x: str) -> str:
    """Rounded to quarters in front of the limits."""
    whole = build.node("Round", build.node("Mul", x, np.float32(4)))
    return build.node("Div", whole, np.float32(4))


def limited(build: ModelBuilder, x: str) -> str:
    whole = build.node("Round", build.node("Clip", build.node("Mul", x, THREE), ZERO, THREE))
    return build.node("Div", whole, THREE)


def estimated(quantise: Activation, limits: bool = False) -> Activation:
    """`x + (quantise(x) - x).detach()`."""

    def build_it(build: ModelBuilder, x: str) -> str:
        x = build.node("Clip", x, np.float32(-1), ONE) if limits else x
        return build.node("Add", x, build.node("Sub", quantise(build, x), x))

    return build_it


@pytest.mark.parametrize(
    "activation",
    [estimated(larq), estimated(step), estimated(sign_and_where), estimated(rounded, limits=True)],
    ids=["sign", "step", "where", "rounded"],
)
def test_a_straight_through_estimator_that_is_exact(activation: Activation) -> None:
    """Of all sizes of x: the sums are compared to the last bit."""
    rng = np.random.default_rng(12)
    build = layered(activation, rng)
    x = frames(rng) * np.exp2(rng.uniform(-30, 20, (50, 8))).astype(np.float32)

    assert_exact(build.proto("last_y"), x)


@pytest.mark.parametrize("first", [True, False], ids=["first quantiser", "between layers"])
@pytest.mark.parametrize("quantise", [scaled, limited])
def test_a_straight_through_estimator_that_rounds(quantise: Activation, first: bool) -> None:
    rng = np.random.default_rng(11)
    build = ModelBuilder((1, 8))
    x = "x" if first else build.node("MatMul", larq(build, "x"), signs(rng, 8, 8))
    residue = build.node("Sub", quantise(build, x), x)
    x = build.node("Add", x, residue, name="estimator")

    assert refusal(build, build.node("MatMul", x, signs(rng, 8, 5))) == (
        "lower: node 'estimator': it is part of x + (q(x) - x), a straight-through estimator, which float32 "
        "rounds to values beside those of the quantiser q, and quantised layers follow; let forward return "
        "q(x) in eval mode, or write the estimator as a torch.autograd.Function"
    )
