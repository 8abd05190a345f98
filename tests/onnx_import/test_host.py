"""The parts that stay on the host: self-contained, standard, and the same for every batch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.lower.helpers import compile_proto
from tests.models import QONNX_DOMAIN, Array, ModelBuilder, run_qonnx
from thresher.errors import UnsupportedModelError
from thresher.onnx_import import Imported, import_model, parse_model
from thresher.onnx_import.host import HostModel, make_epilogue, make_part, make_prologue

NO_OFFSET = np.zeros((), np.float32)
ONE, ZERO = np.ones((), np.float32), np.zeros((), np.int64)


def imported(proto: onnx.ModelProto) -> Imported:
    return import_model(parse_model(proto.SerializeToString(), "m.onnx"))


def assert_standard(data: bytes) -> None:
    proto = onnx.load_from_string(data)
    onnx.checker.check_model(proto, full_check=True)
    assert {opset.domain for opset in proto.opset_import} == {""}
    assert not any(node.domain for node in proto.graph.node)
    assert len(proto.graph.input) == 1


def one_by_one(model: HostModel, frames: Array) -> Array:
    return np.concatenate([model.run(frame[None]) for frame in frames])


@pytest.mark.parametrize("opset", [9, 13, 20])
def test_a_prologue_of_many_operators(opset: int) -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder(("n", 2, 3, 4), opset=opset)
    x = build.batch_norm("x", rng.normal(size=2), rng.normal(size=2), rng.normal(size=2), rng.random(2))
    x = build.node("Dropout", build.node("Transpose", x, perm=[0, 2, 3, 1]))
    x = build.node("Reshape", x, np.asarray([1, -1]))
    x = build.node(
        "Div", build.node("Sub", x, rng.random(24).astype(np.float32)), np.asarray([0.3], np.float32)
    )
    y = build.quant(x, rng.random(24) + 0.1, zero=1, bits=5, signed=False)
    proto = build.proto(y)
    frames = rng.normal(size=(300, 2, 3, 4)).astype(np.float32)

    data = make_prologue(imported(proto), y)
    model = HostModel(data)

    assert_standard(data)
    assert model.input_shape == (1, 2, 3, 4)
    quantiser = imported(proto).graph.nodes[-1]
    levels = model.run(frames)
    assert levels.dtype == np.int32
    expected = run_qonnx(proto, frames)
    np.testing.assert_array_equal(levels, quantiser.levels(expected[quantiser.input]))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(one_by_one(model, frames), levels)


def test_a_prologue_with_what_only_the_host_knows_runs_frame_by_frame() -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    x = build.node("MatMul", "x", rng.normal(size=(6, 5)).astype(np.float32))
    y = build.quant(build.node("Tanh", x), 0.125)
    proto = build.proto(y)
    frames = rng.normal(size=(40, 6)).astype(np.float32)

    data = make_prologue(imported(proto), y)

    assert onnx.load_from_string(data).graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    expected = np.concatenate([run_qonnx(proto, frame[None])[y] for frame in frames])
    np.testing.assert_array_equal(HostModel(data).run(frames) * np.float32(0.125), expected)


def test_integers_in_a_prologue_stay_integers() -> None:
    build = ModelBuilder((1, 6))
    x = build.node("Cast", "x", to=TensorProto.INT64)
    x = build.node("Cast", build.node("Add", x, np.asarray([3], np.int64)), to=TensorProto.FLOAT)
    y = build.quant(x, bits=6)

    model = HostModel(make_prologue(imported(build.proto(y)), y))

    assert model.run(np.asarray([[0.9, 1.1, -0.9, 7, 8, -9]], np.float32)).tolist() == [[3, 4, 3, 10, 11, -6]]


@pytest.mark.parametrize("beta", [0.0, 1.0, 0.5])
def test_an_epilogue_in_the_middle_of_a_gemm(beta: float) -> None:
    """The product is the hardware's, scaling and bias the host's."""
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    bias = rng.normal(size=5).astype(np.float32)
    weights = build.weights(rng.integers(-3, 4, (6, 5)), 0.5)
    x = build.node("Gemm", build.quant("x"), weights, bias, alpha=0.5, beta=beta, name="fc")
    proto = build.proto(build.node("Softmax", x, axis=1))
    model = imported(proto)
    product = next(node for node in model.graph.nodes if node.name == "fc")

    data = make_epilogue(model, product.output, np.full(5, 0.5, np.float32), ZERO, NO_OFFSET)

    assert_standard(data)
    frames = rng.integers(-8, 8, (20, 6)).astype(np.float32)
    levels = frames @ rng_weights(model)
    expected = run_qonnx(proto, frames)[model.graph.outputs[0]]
    np.testing.assert_allclose(HostModel(data).run(levels.astype(np.int32)), expected, rtol=1e-6)


def rng_weights(model: Imported) -> Array:
    """The weights as the file holds them, in steps of their scale."""
    proto = model.scope.source.model.proto
    quantiser = next(node for node in proto.graph.node if node.domain == QONNX_DOMAIN)
    tensor = next(each for each in proto.graph.initializer if each.name == quantiser.input[0])
    return np.asarray(onnx.numpy_helper.to_array(tensor)) * 2


def test_an_epilogue_with_nothing_but_a_scale() -> None:
    build = ModelBuilder((1, 4))
    y = build.quant("x")
    model = imported(build.proto(y))

    data = make_epilogue(model, y, np.asarray([1, 2, 3, 4], np.float32), np.asarray([0, 1, 0, 1]), NO_OFFSET)

    assert_standard(data)
    assert HostModel(data).run(np.asarray([[5, 5, 5, 5]])).tolist() == [[5, 8, 15, 16]]


def test_the_same_model_gives_the_same_bytes() -> None:
    build = ModelBuilder((1, 4))
    y = build.quant(build.node("Mul", "x", np.asarray(2, np.float32)))
    proto = build.proto(y)

    assert make_prologue(imported(proto), y) == make_prologue(imported(proto), y)
    assert make_epilogue(imported(proto), y, ONE, ZERO, NO_OFFSET) == make_epilogue(
        imported(proto), y, ONE, ZERO, NO_OFFSET
    )


def test_what_onnxruntime_refuses_is_said_in_one_line() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        HostModel(b"no model")

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("host: the float part of the model: onnxruntime refuses it (")
    assert str(caught.value).endswith(
        "); export the model with operators and in an opset that onnxruntime knows"
    )


@pytest.mark.parametrize(("bits", "signed"), [(25, False), (26, True), (32, True), (32, False)])
def test_a_first_quantiser_whose_ends_no_float32_is(bits: int, signed: bool) -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x", 0.25, bits=bits, signed=signed, name="q")
    proto = build.proto(build.node("MatMul", x, build.weights(np.eye(4))))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(proto)
    assert str(caught.value) == (
        f"lower: node 'q': it gives {bits} bits, whose ends {low} and {high} no float32 is; "
        "quantise the input to at most 24 bits"
    )


def test_a_first_quantiser_of_as_many_bits_as_float32_holds_saturates() -> None:
    build = ModelBuilder((1, 2))
    x = build.quant("x", 1.0, bits=25, name="q")
    proto = build.proto(build.node("MatMul", x, build.weights(np.eye(2))))
    frames = np.array([[3e8, -3e8], [1.5, 2.0**24]], np.float32)
    compiled = compile_proto(proto)
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]
    np.testing.assert_array_equal(compiled.predict(frames), expected)


MODES = ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN", "HALF_EVEN"]


@pytest.mark.parametrize("opset", [9, 20])
@pytest.mark.parametrize(("bits", "scale"), [(4, 0.25), (8, 0.3), (20, 1e-3), (26, 1e-6), (32, 1e-8)])
@pytest.mark.parametrize("mode", MODES)
def test_quantisers_on_the_host_are_standard(mode: str, bits: int, scale: float, opset: int) -> None:
    build = ModelBuilder((1, 6), opset=opset)
    x = build.quant("x", scale, zero=1, bits=bits, narrow=True, rounding=mode)
    y = build.bipolar(x, 0.5)
    frames = values_at_edges(np.random.default_rng(bits), scale)
    check_in_standard_operators(build, y, frames)
    check_in_standard_operators(build, x, frames)


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL"])
def test_truncation_on_the_host_is_standard(mode: str) -> None:
    build = ModelBuilder((1, 6))
    x = build.quant("x", 0.25, bits=8)
    operands = [np.asarray(each, np.float32) for each in (0.25, 0, 8, 5)]
    y = build.node("Trunc", x, *operands, domain=build.domain, rounding_mode=mode)
    check_in_standard_operators(build, y, values_at_edges(np.random.default_rng(0), 0.25))


def values_at_edges(random: np.random.Generator, scale: float) -> Array:
    """Whole steps, halves, what lies beside these, and what is beyond all limits."""
    steps = random.integers(-40, 40, (200, 6)) / np.float32(2) * np.float32(scale)
    beside = np.nextafter(steps, random.choice([-9, 9], steps.shape).astype(np.float32))
    large = random.normal(size=(100, 6)) * scale * 2.0 ** random.integers(1, 34, (100, 6))
    return np.concatenate([steps, beside, large]).astype(np.float32)


def check_in_standard_operators(build: ModelBuilder, output: str, frames: Array) -> None:
    proto = build.proto(output)
    data = make_part(imported(proto), output)
    assert_standard(data)
    np.testing.assert_array_equal(HostModel(data).run(frames), run_qonnx(proto, frames)[output])


@pytest.mark.parametrize("mode", ["ROUND", "CEIL", "HALF_UP"])
def test_a_layer_that_the_host_computes_for_its_scale_is_standard(mode: str) -> None:
    """XNOR-Net's K, which no integers have, leaves the layer and its quantiser to the host."""
    random = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    x = build.quant("x", 0.25, rounding=mode)
    layer = build.node("MatMul", x, build.weights(random.integers(-3, 4, (6, 6)), 0.125))
    scale = build.node("ReduceMean", build.node("Abs", "x"), axes=[1], keepdims=1)
    scaled = build.quant(build.node("Mul", layer, scale), 0.25, rounding=mode)
    proto = build.proto(build.node("MatMul", scaled, build.weights(random.integers(-3, 4, (6, 4)), 0.125)))
    frames = random.normal(size=(50, 6)).astype(np.float32)

    compiled = compile_proto(proto)

    np.testing.assert_array_equal(
        compiled.predict(frames), run_qonnx(proto, frames)[proto.graph.output[0].name]
    )
