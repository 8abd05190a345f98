"""What cannot be built is refused in one line that names the node and says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from tests.lower.helpers import compile_proto, import_proto
from tests.models import ModelBuilder
from thresher.errors import UnsupportedModelError, UsageError
from thresher.lower import lower
from thresher_sim.streams import IntType

EYE = np.eye(4)


def refusal(proto: onnx.ModelProto, **options: Any) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(proto, **options)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    return str(caught.value)


def layer(build: ModelBuilder, x: str, name: str, **quant: Any) -> str:
    return build.node("MatMul", build.quant(x, name=f"{name}_quant", **quant), build.weights(EYE), name=name)


def test_an_unsupported_operator_between_layers() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Sin", layer(build, "x", "fc1"), name="wave")

    assert refusal(build.proto(layer(build, x, "fc2"))) == (
        "lower: node 'wave': operator Sin is not supported, and quantised layers follow; supported are "
        "Add, ArgMax, AveragePool, BatchNormalization, BipolarQuant, Ceil, Clip, Concat, Constant, Conv, "
        "DepthToSpace, Div, Dropout, Equal, Flatten, Floor, Gather, Gemm, GlobalAveragePool, "
        "GlobalMaxPool, Greater, GreaterOrEqual, Identity, LeakyRelu, Less, LessOrEqual, MatMul, Max, "
        "MaxPool, Min, Mul, Neg, PRelu, Pad, Quant, ReduceMax, ReduceMean, Relu, Reshape, Resize, Round, "
        "Sign, Slice, SpaceToDepth, Split, Squeeze, Sub, Sum, TopK, Transpose, Trunc, Unsqueeze, "
        "Upsample, Where"
    )


def test_an_unsupported_operator_on_the_way_of_integer_inputs() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Sin", "x", name="wave")
    proto = build.proto(layer(build, x, "fc1"))

    assert refusal(proto, input_type=IntType(0, 255), input_scale=1.0).startswith(
        "lower: node 'wave': operator Sin is not supported, and quantised layers follow; supported are "
    )


def test_float_weights() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x"), np.eye(4, dtype=np.float32), name="fc")

    assert refusal(build.proto(layer(build, build.quant(x), "fc2"))) == (
        "lower: node 'fc': its weights are floats, which no unit multiplies, and quantised layers follow; "
        "quantise them, as Brevitas' QuantLinear or QuantConv2d with a weight_quant does, or build with "
        "--quantize-float 8"
    )


def test_no_quantiser_in_front_of_a_layer() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Relu", layer(build, "x", "fc1"), name="relu")
    x = build.node("MatMul", x, build.weights(EYE), name="fc2")

    assert refusal(build.proto(x)) == (
        "lower: node 'fc2': it needs a quantiser between node 'relu' and itself; quantise its input, as "
        "Brevitas' QuantIdentity does"
    )


def test_scales_per_input_channel() -> None:
    build = ModelBuilder((1, 4))
    proto = build.proto(layer(build, "x", "fc", scale=[1.0, 2.0, 1.0, 1.0]))

    assert refusal(proto) == (
        "lower: node 'fc': per-channel input scales need a multiplier for every input, which no unit has; "
        "try one scale for the whole tensor in the quantiser before it"
    )


def test_a_branch_around_the_hardware() -> None:
    build = ModelBuilder((1, 4))
    x = layer(build, "x", "fc")

    assert refusal(build.proto(build.node("Add", x, "x", name="skip"))) == (
        "lower: node 'skip': it reads the model's input past the hardware; let all that it reads "
        "pass through quantised layers"
    )


def test_two_quantisers_of_the_input() -> None:
    build = ModelBuilder((1, 4))
    left, right = layer(build, "x", "left"), layer(build, "x", "right")

    assert refusal(build.proto(build.node("Add", left, right))) == (
        "lower: node 'right_quant': it is a second way into the hardware; let the input meet one "
        "quantiser first, ahead of any branches"
    )


def test_frames_of_several_vectors() -> None:
    build = ModelBuilder((1, 2, 4))

    assert refusal(build.proto(layer(build, "x", "fc"))) == (
        "lower: node 'fc': its input has frames of shape [2, 4], not one vector of 4; flatten its input "
        "to one vector"
    )


def test_too_many_bits() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant(layer(build, "x", "fc"), bits=9, name="wide")

    assert refusal(build.proto(x)) == (
        "lower: node 'wide': it gives 9 bits, which would take 511 thresholds per channel; quantise "
        "activations to at most 8 bits"
    )


def test_a_function_that_turns_round() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("LeakyRelu", layer(build, "x", "fc"), alpha=-0.5, name="vee")

    assert refusal(build.proto(build.quant(x, name="q"))) == (
        "lower: node 'q': the function before it rises and falls (by node 'vee'), as no thresholds do; "
        "use an activation that rises everywhere, such as ReLU or HardTanh"
    )


def test_a_function_that_could_turn_round_but_does_not() -> None:
    """The quantiser sees no difference between the two sides."""
    build = ModelBuilder((1, 4))
    x = build.node("LeakyRelu", layer(build, "x", "fc"), alpha=-0.01)

    compile_proto(build.proto(build.quant(x)))


def test_nothing_to_build() -> None:
    build = ModelBuilder((1, 4))
    proto = build.proto(build.quant(build.node("Sin", "x")))

    assert refusal(proto) == (
        "lower: the model: no quantised layer follows a quantiser of its input, so there is nothing to "
        "build; quantise activations and weights, as Brevitas' QuantIdentity and QuantLinear do"
    )


def test_argmax_of_differing_functions() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Mul", layer(build, "x", "fc"), np.arange(1, 5, dtype=np.float32))

    assert refusal(build.proto(x), argmax=True) == (
        "lower: the class index: the largest of its outputs cannot be told from the integers before them: "
        "from 'fc_y' on, they are not one rising function for all classes; build without argmax"
    )


def test_argmax_after_the_host() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Softmax", layer(build, "x", "fc"), name="soft")

    assert refusal(build.proto(x), argmax=True) == (
        "lower: the class index: the largest of its outputs cannot be told from the integers before them: "
        "node 'soft' is computed on the host; build without argmax"
    )


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e-50, 1e50])
def test_an_input_scale_that_is_none(scale: float) -> None:
    build = ModelBuilder((1, 4))
    graph = import_proto(build.proto(layer(build, "x", "fc"))).graph

    with pytest.raises(UsageError) as caught:
        lower(graph, IntType(0, 255), scale)

    assert str(caught.value) == (
        f"lower: the input scale: {scale} is not a positive number of float32; give one, such as 1/255"
    )


def test_an_input_scale_without_a_type() -> None:
    build = ModelBuilder((1, 4))
    graph = import_proto(build.proto(layer(build, "x", "fc"))).graph

    with pytest.raises(UsageError) as caught:
        lower(graph, None, 0.5)

    assert str(caught.value) == (
        "lower: the input scale: there is no input type that it belongs to; give both"
    )
