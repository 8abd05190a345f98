"""Models that make no sense, or that are of another kind, are refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.models import ModelBuilder
from thresher.errors import ThresherError, UnsupportedModelError, UsageError
from thresher.onnx_import import import_model, parse_model

EYE = np.eye(4)


def refusal(proto: onnx.ModelProto, kind: type[ThresherError] = UnsupportedModelError) -> str:
    with pytest.raises(kind) as caught:
        import_model(parse_model(proto.SerializeToString(), "m.onnx"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def network(shape: tuple[int | str, ...] = (1, 4), **quant: Any) -> ModelBuilder:
    build = ModelBuilder(shape)
    build.node("MatMul", build.quant("x", name="q", **quant), build.weights(EYE), name="fc")
    return build


def test_a_float_model() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", "x", np.eye(4, dtype=np.float32))

    assert refusal(build.proto(x)) == (
        "import: model 'm.onnx': nothing in it quantises an activation (Quant, BipolarQuant, a sign, Round): "
        "it is a float model; train it with Brevitas' quantised layers and export it with "
        "brevitas.export.export_qonnx, or binarise activations by torch.where(x >= 0, 1.0, -1.0)"
    )


def test_qcdq() -> None:
    build = ModelBuilder((1, 4))
    scale, zero = np.asarray(0.5, np.float32), np.asarray(0, np.int8)
    x = build.node("QuantizeLinear", "x", scale, zero, name="in")

    assert refusal(build.proto(build.node("DequantizeLinear", x, scale, zero))) == (
        "import: model 'm.onnx': node 'in' is a QuantizeLinear: the model is QCDQ, and QONNX is needed; "
        "export it with brevitas.export.export_qonnx"
    )


def test_a_dynamic_dimension() -> None:
    assert refusal(network(("n", "width")).proto("fc_y")) == (
        "import: model 'm.onnx': input 'x', dimension 1: the size 'width' is dynamic; export the model "
        "with a fixed input shape"
    )


def test_a_batch() -> None:
    assert refusal(network((8, 4)).proto("fc_y")) == (
        "import: model 'm.onnx': input 'x', dimension 0: the batch is 8; export the model with a batch of 1"
    )


def test_no_shape() -> None:
    proto = network().proto("fc_y")
    proto.graph.input[0].type.tensor_type.ClearField("shape")

    assert refusal(proto) == (
        "import: model 'm.onnx': input 'x' has no shape; export the model with a fixed input shape"
    )


def test_an_input_that_is_not_float32() -> None:
    assert refusal(network().proto("fc_y", input_type=TensorProto.INT64)) == (
        "import: model 'm.onnx': input 'x' is not of type float32; export the model with a float32 input"
    )


def test_several_outputs() -> None:
    assert refusal(network().proto("fc_y", "q_y")) == (
        "import: model 'm.onnx': it has 2 outputs ('fc_y', 'q_y'), where one is supported; split it, or "
        "drop those that are not needed"
    )


def test_several_inputs() -> None:
    proto = network().proto("fc_y")
    proto.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))

    assert refusal(proto) == (
        "import: model 'm.onnx': it has 2 inputs ('x', 'other'), where one is supported; split it, or "
        "drop those that are not needed"
    )


@pytest.mark.parametrize(
    ("scale", "what"),
    [(np.nan, "NaN or infinity"), (np.inf, "NaN or infinity"), (0.0, "zero"), (-1.0, "a negative number")],
)
def test_a_scale_that_makes_no_sense(scale: float, what: str) -> None:
    assert refusal(network(scale=scale).proto("fc_y")) == (
        f"import: node 'q': its scale holds {what}, where positive numbers are needed; train the model "
        "again, or mend the export"
    )


def test_a_weight_scale_that_makes_no_sense() -> None:
    build = ModelBuilder((1, 4))
    weights = build.bipolar(build.constant(EYE.astype(np.float32)), np.nan, name="w")
    x = build.node("MatMul", build.quant("x"), weights)

    assert refusal(build.proto(x)) == (
        "import: node 'w': its scale holds NaN or infinity, where positive numbers are needed; train the "
        "model again, or mend the export"
    )


def test_a_zero_point_between_integers() -> None:
    assert refusal(network(zero=0.5).proto("fc_y")) == (
        "import: node 'q': its zero point is not an integer; export the model again"
    )


@pytest.mark.parametrize("bits", [0, 2.5, 33, np.nan])
def test_a_bit_width_that_is_none(bits: float) -> None:
    assert "bit width" in refusal(network(bits=bits).proto("fc_y"))


def test_a_bit_width_that_is_a_fraction() -> None:
    assert refusal(network(bits=2.5).proto("fc_y")) == (
        "import: node 'q': its bit width is 2.5, where one integer from 1 to 32 is needed; train with a "
        "fixed bit width"
    )


def test_an_unknown_rounding_mode() -> None:
    assert refusal(network(rounding="DPU").proto("fc_y")) == (
        "import: node 'q': its rounding mode 'DPU' is not known; use one of ROUND, HALF_EVEN, CEIL, FLOOR, "
        "UP, DOWN, ROUND_TO_ZERO, HALF_UP, HALF_DOWN"
    )


def test_a_scale_that_is_computed() -> None:
    build = ModelBuilder((1, 4))
    scale = build.node("Abs", "x")
    width = np.asarray(4, np.float32)
    x = build.node("Quant", "x", scale, np.zeros((), np.float32), width, name="q", domain=build.domain)

    assert refusal(build.proto(x)) == (
        "import: node 'q': its scale is not a constant; export the model with a constant scale"
    )


def test_weights_that_hold_nan() -> None:
    build = ModelBuilder((1, 4))
    weights = build.quant(build.constant(np.full((4, 4), np.nan, np.float32)), name="w")

    assert refusal(build.proto(build.node("MatMul", build.quant("x"), weights))) == (
        "import: node 'w': the constant that it quantises holds NaN or infinity; train the model again, or "
        "mend the export"
    )


def test_weight_scales_per_input_channel() -> None:
    build = ModelBuilder((1, 4))
    weights = build.weights(EYE, scale=np.asarray([[1.0], [2.0], [1.0], [1.0]]))

    assert refusal(build.proto(build.node("MatMul", build.quant("x"), weights, name="fc"))) == (
        "import: node 'fc': the scale of its weights differs between input channels; use one scale per "
        "tensor or per output channel"
    )


def test_batch_norm_of_a_negative_variance() -> None:
    build = ModelBuilder((1, 4))
    ones = np.ones(4)
    x = build.batch_norm(build.quant("x"), ones, ones, ones, -ones, name="bn")

    assert refusal(build.proto(x)) == (
        "import: node 'bn': its variance plus epsilon is not positive, or its statistics overflow float32; "
        "train the model again, or mend the export"
    )


def test_batch_norm_in_training() -> None:
    build = ModelBuilder((1, 4), opset=14)
    ones = np.ones(4)
    x = build.batch_norm(build.quant("x"), ones, ones, ones, ones, training_mode=1, name="bn")

    assert refusal(build.proto(x)) == (
        "import: node 'bn': it is in training mode; call model.eval() before the export"
    )


def test_division_by_zero() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Div", build.quant("x"), np.asarray([1, 0, 1, 1], np.float32), name="div")

    assert refusal(build.proto(x)) == (
        "import: node 'div': it divides by zero; train the model again, or mend the export"
    )


def test_a_transpose_that_moves_the_batch_axis() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Transpose", build.quant("x"), name="t")

    assert refusal(build.proto(x)) == (
        "import: node 't': it permutes the axes as [1, 0], which moves the batch axis; keep the batch axis "
        "first"
    )


def test_a_reshape_that_moves_the_batch_axis() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Reshape", build.quant("x"), np.asarray([4, 1]), name="r")

    assert refusal(build.proto(x)) == (
        "import: node 'r': it reshapes [1, 4] to [4, 1], which has no batch axis of 1 in front; keep the "
        "batch axis first"
    )


def test_a_reshape_that_does_not_fit() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Reshape", build.quant("x"), np.asarray([1, 5]), name="r")

    assert refusal(build.proto(x)) == "import: node 'r': [1, 4] does not reshape to [1, 5]; mend the export"


@pytest.mark.parametrize("shape", [(3,), (2, 1), (1, 3, 1)])
def test_constants_that_do_not_fit(shape: tuple[int, ...]) -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Add", build.quant("x"), np.zeros(shape, np.float32), name="add")

    assert refusal(build.proto(x)) == (
        "import: node 'add': its constants do not fit an input of shape [1, 4]; mend the export"
    )


def test_scales_that_do_not_fit() -> None:
    assert refusal(network(scale=[1.0, 2.0, 3.0]).proto("fc_y")) == (
        "import: node 'q': its constants do not fit an input of shape [1, 4]; mend the export"
    )


def test_an_old_opset() -> None:
    build = network()
    build.opset = 8

    assert refusal(build.proto("fc_y")) == (
        "import: model 'm.onnx': it is in opset 8, where 9 is the oldest that is supported; export the "
        "model again"
    )


def test_an_operator_that_nobody_knows() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MultiThreshold", build.quant("x"), domain="finn.custom_op.general", name="mt")

    assert refusal(build.proto(x)).startswith(
        "import: node 'mt': operator MultiThreshold is not supported (of domain 'finn.custom_op.general', "
        "which the host does not know either); supported are Add, "
    )


def test_an_output_that_hangs_on_nothing() -> None:
    build = network()

    assert refusal(build.proto(build.node("Abs", np.ones(4, np.float32))), UsageError) == (
        "import: model 'm.onnx': output 'Abs_3_y' does not depend on the input; export the model again"
    )


def test_nodes_in_no_order() -> None:
    proto = network().proto("fc_y")
    nodes = list(proto.graph.node)[::-1]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)

    assert refusal(proto, UsageError) == (
        "import: node 'fc': it reads 'q_y' before it is written, so the file is not valid ONNX; export the "
        "model again"
    )


def test_an_initialiser_of_the_wrong_size() -> None:
    proto = network().proto("fc_y")
    proto.graph.initializer[-1].dims[:] = [1000]

    assert refusal(proto, UsageError).startswith("import: model 'm.onnx': initialiser '")


def test_a_name_with_a_line_break_stays_in_one_line() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x", scale=-1.0, name="a\n\x1b[31mb")

    assert refusal(build.proto(x)) == (
        r"import: node 'a\n\x1b[31mb': its scale holds a negative number, where positive numbers are needed; "
        "train the model again, or mend the export"
    )
