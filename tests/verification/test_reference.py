"""The reference against QONNX's executor and onnxruntime, which is what it stands for."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.quant import quant
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

from tests.lower.helpers import import_proto
from tests.models import QONNX_DOMAIN, Array, ModelBuilder, run_qonnx
from tests.verification.helpers import held
from thresher.errors import NodeError, UnsupportedModelError
from thresher.onnx_import.reference import Reference
from thresher.onnx_import.reference_changes import change_model, copy_name
from thresher.onnx_import.reference_operators import apply_qonnx
from thresher.onnx_import.source import SourceNode

ROUNDINGS = ("ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")
# Halves, quarters and their neighbours in float32, far values, and both zeros.
VALUES = np.concatenate(
    [
        np.arange(-80, 81, dtype=np.float32) / 8,
        np.nextafter(np.arange(-20, 21, dtype=np.float32) / 2, np.float32(np.inf)),
        np.nextafter(np.arange(-20, 21, dtype=np.float32) / 2, np.float32(-np.inf)),
        np.array([0.0, -0.0, 1e30, -1e30, 1e-30], np.float32),
    ]
)


def source_node(op: str, inputs: int, **attributes: Any) -> SourceNode:
    names = tuple(f"i{place}" for place in range(inputs))
    proto = helper.make_node(op, list(names), ["y"], "n", domain=QONNX_DOMAIN, **attributes)
    read = {each.name: helper.get_attribute_value(each) for each in proto.attribute}
    return SourceNode("n", op, names, ("y",), read, proto)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_quant_is_what_qonnx_computes(rounding: str) -> None:
    for scale, zero, bits, signed, narrow in itertools.product(
        (0.25, 0.1, 3.0), (0.0, 2.0, -3.0), (1, 2, 4, 8), (0, 1), (0, 1)
    ):
        parts = [np.asarray(each, np.float32) for each in (scale, zero, bits)]
        node = source_node("Quant", 4, signed=signed, narrow=narrow, rounding_mode=rounding)
        expected = quant(VALUES, *parts, signed, narrow, rounding)
        np.testing.assert_array_equal(apply_qonnx(node, [VALUES, *parts]), expected)


def test_attributes_that_are_left_out_are_as_the_specification_says() -> None:
    """`signed` is 1 then, `narrow` 0 and the rounding mode ROUND (docs/qonnx-custom-ops/intquant_v1.md)."""
    parts = [np.asarray(each, np.float32) for each in (0.5, 0.0, 4)]
    expected = quant(VALUES, *parts, signed=1, narrow=0, rounding_mode="ROUND")
    np.testing.assert_array_equal(apply_qonnx(source_node("Quant", 4), [VALUES, *parts]), expected)
    build = ModelBuilder((1, 1))
    parts_of_node = [np.asarray(each, np.float32) for each in (0.5, 0.0, 4)]
    proto = build.proto(build.node("Quant", "x", *parts_of_node, domain=QONNX_DOMAIN))
    (quantiser,) = import_proto(proto).graph.nodes
    np.testing.assert_array_equal(quantiser.apply(VALUES), expected)


def test_bipolar_quant_is_what_qonnx_computes() -> None:
    scale = np.asarray(0.3, np.float32)
    got = apply_qonnx(source_node("BipolarQuant", 2), [VALUES, scale])
    np.testing.assert_array_equal(got, binary_quant(VALUES, scale))


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_both_versions_of_trunc_are_what_qonnx_computes(rounding: str) -> None:
    for scale, zero, narrow, signed in itertools.product((0.25, 0.1), (0.0, 4.0), (0, 1), (0, 1)):
        first = [np.asarray(each, np.float32) for each in (scale, zero, 8, 6)]
        node = source_node("Trunc", 5, rounding_mode=rounding)
        np.testing.assert_array_equal(apply_qonnx(node, [VALUES, *first]), trunc_v1(VALUES, *first, rounding))
        second = [np.asarray(each, np.float32) for each in (scale, zero, 8, 4 * scale, 4)]
        node = source_node("Trunc", 6, rounding_mode=rounding, narrow=narrow, signed=signed)
        x, s, z, b, out, bits = VALUES, *second
        expected = trunc_v2(x, s, z, b, narrow, signed, out, bits, rounding)
        np.testing.assert_array_equal(apply_qonnx(node, [VALUES, *second]), expected)


def test_an_unknown_rounding_mode_and_missing_inputs_are_refused() -> None:
    one = np.ones((), np.float32)
    with pytest.raises(NodeError) as refused:
        apply_qonnx(source_node("Quant", 4, rounding_mode="ODD"), [VALUES, one, one, one + 1])
    assert str(refused.value) == (
        "verification: node 'n': its rounding mode 'ODD' is not known; use one of ROUND, HALF_EVEN, CEIL, "
        "FLOOR, UP, DOWN, ROUND_TO_ZERO, HALF_UP, HALF_DOWN"
    )
    with pytest.raises(NodeError) as refused:
        apply_qonnx(source_node("Quant", 2), [VALUES, one])
    assert str(refused.value) == (
        "verification: node 'n': it has 2 inputs, where 4 are needed; export the model again"
    )


def branching() -> onnx.ModelProto:
    """Two convolutions that are added, quantisers all around, and weights that are a computed constant."""
    random = np.random.default_rng(0)
    build = ModelBuilder((1, 2, 5, 5))
    x = build.quant("x", 0.25, name="first")
    weights = build.node("Transpose", random.normal(size=(3, 3, 4, 2)).astype(np.float32), perm=[2, 3, 0, 1])
    left = build.node("Conv", x, build.quant(weights, 0.5, name="wl"), pads=[1, 1, 1, 1], name="left")
    right = build.node("Conv", x, build.weights(random.integers(-3, 4, (4, 2, 1, 1))), name="right")
    total = build.node(
        "Add", build.quant(left, 0.5, name="ql"), build.quant(right, 0.5, name="qr"), name="add"
    )
    return build.proto(build.quant(total, 1.0, bits=3, name="last"))


def computed(proto: onnx.ModelProto, frames: Array, cuts: tuple[str, ...], *wanted: str) -> dict[str, Array]:
    """The tensors `wanted` by the reference, step by step."""
    imported = import_proto(proto)
    reference = change_model(imported, (), ()).reference(cuts, wanted)
    values: dict[str, list[Array]] = {"x": [frame[None] for frame in frames]}
    for step in reference.steps:
        for row in range(len(frames)):
            for name, value in step.run({name: values[name][row] for name in step.reads}).items():
                values.setdefault(name, []).append(value)
    return {name: np.concatenate(values[name]) for name in wanted}


@pytest.mark.parametrize("cuts", [(), ("ql_y",), ("first_y", "left_y", "add_y")])
def test_steps_compute_what_the_whole_model_does_wherever_they_are_cut(cuts: tuple[str, ...]) -> None:
    proto = branching()
    frames = np.random.default_rng(1).normal(size=(4, 2, 5, 5)).astype(np.float32) * 2
    names = ("first_y", "ql_y", "qr_y", "add_y", "last_y")

    expected = run_qonnx(proto, frames)

    for name, value in computed(proto, frames, cuts, *names).items():
        np.testing.assert_array_equal(value, expected[name])


def test_a_node_that_onnxruntime_refuses_is_named() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x", name="q")
    product = build.node("MatMul", x, 1 - 2 * np.eye(4), name="m")  # Of float64, beside float32.
    proto = build.proto(build.quant(product, name="last"))
    with pytest.raises(UnsupportedModelError) as caught:
        held(proto)
    assert str(caught.value).startswith("verification: node 'm': onnxruntime refuses it (")


def test_what_no_wanted_tensor_hangs_on_is_not_computed() -> None:
    proto = branching()
    source = import_proto(proto).scope.source
    reference = Reference(source, source.nodes, (), ("ql_y",))
    computed = {node.name for step in reference.steps for node in step.nodes}
    assert computed == {"first", "left", "ql"}


def test_one_reader_may_have_a_copy_of_a_tensor() -> None:
    changed = change_model(import_proto(branching()), (), [("first_y", "right")])
    (right,) = (node for node in changed.nodes if node.name == "right")
    assert right.inputs[0] == copy_name("first_y", "right") == "first_y/read by right"
    (left,) = (node for node in changed.nodes if node.name == "left")
    assert left.inputs[0] == "first_y"
