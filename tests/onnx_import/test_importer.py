"""The imported network computes what QONNX's executor computes, in the dialects that are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.models import Array, ModelBuilder, run_qonnx
from thresher.ir.graph import interpret
from thresher.ir.quant import HostOnly, Linear, Reshape
from thresher.ir.quantisers import Quantiser
from thresher.onnx_import import Imported, import_model, parse_model


def imported(proto: onnx.ModelProto) -> Imported:
    return import_model(parse_model(proto.SerializeToString(), "m.onnx"))


def assert_equal_to_qonnx(proto: onnx.ModelProto, frames: Array) -> Imported:
    """Every tensor that both have is the same, to the last bit."""
    model = imported(proto)
    expected = run_qonnx(proto, frames)
    tensors = interpret(model.graph, {model.graph.inputs[0]: frames})
    common = set(tensors) & set(expected)
    assert set(model.graph.outputs) <= common
    for name in common:
        np.testing.assert_array_equal(tensors[name], expected[name], err_msg=name)
    return model


@pytest.mark.parametrize("name", ["TFC_1W1A", "TFC_2W2A"])
def test_zoo_networks(name: str, shared_models: Path) -> None:
    frames = np.random.default_rng(0).random((20, 1, 28, 28), np.float32)

    model = assert_equal_to_qonnx(onnx.load(shared_models / f"{name}.onnx"), frames)

    kinds = [type(node) for node in model.graph.nodes]
    assert (kinds.count(Linear), kinds.count(Quantiser), kinds.count(Reshape)) == (4, 4, 1)
    assert {node.op for node in model.graph.onnx if node.role == "folded"} >= {"Shape", "Gather", "Concat"}


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 20])
@pytest.mark.parametrize("domain", ["onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general"])
def test_opsets_and_domains(opset: int, domain: str) -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 2, 3), opset=opset, domain=domain)
    x = build.node("Dropout", build.node("Identity", "x"))
    x = build.quant(build.node("Flatten", x), 0.5, bits=3)
    weights = build.weights(rng.integers(-3, 4, (6, 5)), scale=0.25)
    x = build.node("MatMul", x, weights)
    if opset < 11:
        x = build.node("Clip", x, min=-2.0, max=3.0)
    else:
        x = build.node("Clip", x, "", np.asarray(3, np.float32))
    x = build.batch_norm(x, rng.normal(size=5), rng.normal(size=5), rng.normal(size=5), rng.random(5))
    proto = build.proto(build.bipolar(x, 0.5))

    assert_equal_to_qonnx(proto, rng.normal(size=(30, 2, 3)).astype(np.float32))


@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, 2.0)])
def test_gemm(trans_b: int, with_bias: bool, alpha: float, beta: float) -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    shape = (5, 6) if trans_b else (6, 5)
    inputs: list[Any] = [build.quant("x"), build.weights(rng.integers(-3, 4, shape))]
    if with_bias:
        inputs.append(rng.integers(-3, 4, (5,)).astype(np.float32))
    x = build.node("Gemm", *inputs, transB=trans_b, alpha=alpha, beta=beta)

    assert_equal_to_qonnx(build.proto(x), rng.normal(size=(30, 6)).astype(np.float32) * 4)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Min", "Max"])
@pytest.mark.parametrize("constant_first", [False, True])
def test_operands_in_both_orders(op: str, constant_first: bool) -> None:
    rng = np.random.default_rng(0)
    build = ModelBuilder((1, 3))
    constant = np.asarray([0.3, -1.7, 5.0], np.float32)
    x = build.quant("x", 0.1, zero=0.0, bits=1, signed=True)
    x = build.node(op, *([constant, x] if constant_first else [x, constant]))

    assert_equal_to_qonnx(build.proto(x), rng.normal(size=(30, 3)).astype(np.float32))


def test_shapes_computed_from_the_input_are_folded() -> None:
    build = ModelBuilder(("batch", 2, 3))
    shape = build.node("Shape", "x")
    batch = build.node("Gather", shape, np.asarray(0), axis=0)
    target = build.node("Concat", build.node("Unsqueeze", batch, np.asarray([0])), np.asarray([-1]), axis=0)
    x = build.node("Reshape", "x", target)
    proto = build.proto(build.quant(x))

    model = imported(proto)

    assert [type(node) for node in model.graph.nodes] == [Reshape, Quantiser]
    assert model.graph.shapes[model.graph.outputs[0]] == (1, 6)


def test_weights_pass_layout_operators_as_integers() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(-3, 4, (5, 6))
    scale = rng.choice([0.25, 0.5, 1.0], (5, 1)).astype(np.float32)
    build = ModelBuilder((1, 6))
    weights = build.weights(levels, scale, bits=3)
    weights = build.node("Transpose", build.node("Identity", weights), perm=[1, 0])
    weights = build.node("Reshape", weights, np.asarray([6, 5]))
    proto = build.proto(build.node("MatMul", build.quant("x"), weights, name="fc"))

    model = assert_equal_to_qonnx(proto, rng.integers(-9, 9, (30, 6)).astype(np.float32))

    linear = model.graph.nodes[-1]
    assert isinstance(linear, Linear)
    np.testing.assert_array_equal(linear.weights, levels)
    np.testing.assert_array_equal(linear.scale, scale[:, 0])
    assert linear.onnx_nodes == ("Quant_0", "Identity_1", "Transpose_2", "Reshape_3", "fc")


def test_nodes_without_names_and_with_equal_ones() -> None:
    build = ModelBuilder((1, 4))
    proto = build.proto(build.quant(build.node("Relu", build.node("Relu", build.quant("x")))))
    for node, name in zip(proto.graph.node, ["", "same", "same", "Quant_0"], strict=True):
        node.name = name

    names = [node.name for node in imported(proto).graph.nodes]

    assert names == ["Quant_0_", "Relu_1", "Relu_2", "Quant_0"]


def test_initialisers_listed_as_inputs_are_no_inputs() -> None:
    build = ModelBuilder((1, 4))
    proto = build.proto(build.quant("x"))
    for tensor in proto.graph.initializer:
        proto.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))

    assert imported(proto).graph.inputs == ("x",)


def test_the_mask_of_a_dropout_leaves_it_to_the_host() -> None:
    build = ModelBuilder((1, 4))
    build.nodes.append(helper.make_node("Dropout", ["x"], ["same", "mask"], "drop"))
    x = build.node("Where", "mask", build.quant("same"), "same")

    kinds = [type(node) for node in imported(build.proto(x)).graph.nodes]

    assert kinds == [HostOnly, Quantiser, HostOnly]
