"""A build is held to its model: what is right passes, what is wrong is named, and ties are proven."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import thresher
from tests.models import Array, ModelBuilder, run_qonnx
from tests.onnx_import.test_input_scale import frames as xnor_frames
from tests.onnx_import.test_input_scale import xnor_network
from tests.small_models import small_model
from tests.verification.helpers import (
    by_tensor,
    held,
    held_on,
    prepared,
    with_lowered,
    with_node,
)
from thresher.building import hold_to_model
from thresher.float_layers import host_of
from thresher.ir.graph import interpret
from thresher.ir.integer import IntMatMul, IntThreshold
from thresher.verification import VerificationError
from thresher_sim.streams import IntType


def test_a_right_build_has_no_difference_in_any_tensor() -> None:
    result = held(small_model())
    assert result.mismatches == 0 and result.frames == 128
    assert [each.tensor for each in result.tensors] == ["q", "m0", "a0", "m1", "y", "matmul1_out"]
    assert result.to_json() == {
        "done": True,
        "frames": 128,
        "tensors": 6,
        "mismatches": 0,
        "ties": {},
        "seconds": round(result.seconds, 3),
    }


def higher(node: IntThreshold) -> IntThreshold:
    """The thresholds of one channel, one too high."""
    return replace(node, thresholds=node.thresholds + (np.arange(len(node.thresholds)) == 3)[:, None])


def test_a_wrong_threshold_is_named_with_its_node_and_channel() -> None:
    made = with_node(prepared(small_model()), "threshold0", higher)

    result = hold_to_model(made)

    wrong = [each.tensor for each in result.tensors if each.mismatches]
    assert wrong == ["a0"]
    first = by_tensor(result)["a0"].first
    assert first is not None and first.channel == 3 and {first.got, first.wanted} == {-1, 1}
    with pytest.raises(VerificationError) as failed:
        result.check()
    assert failed.value.exit_code == 1
    assert str(failed.value) == (
        "verification: node 'layer_act': the hardware would not compute its output 'a0' as the model does, "
        f"in {by_tensor(result)['a0'].mismatches} of 1,152 elements of 128 frames; channel 3: golden has "
        f"{first.got:g}, the model {first.wanted:g} (frame {first.frame}); this is a fault of Thresher, "
        "please report it with the model"
    )


def other_weight(node: IntMatMul) -> IntMatMul:
    weights = node.weights.copy()
    weights[2, 7] = -weights[2, 7]
    return replace(node, weights=weights)


@pytest.mark.parametrize("name, tensor", [("matmul0", "m0"), ("matmul1", "m1")])
def test_a_wrong_weight_is_found_where_it_is(name: str, tensor: str) -> None:
    result = hold_to_model(with_node(prepared(small_model()), name, other_weight))
    first = next(each for each in result.tensors if each.mismatches)
    assert first.tensor == tensor and first.first is not None and first.first.channel == 2


@pytest.mark.parametrize("part", ["scale", "zero", "offset"])
def test_a_wrong_meaning_of_the_output_is_found(part: str) -> None:
    made = prepared(small_model())
    lowered = made.design.lowered
    end = replace(lowered.output, **{part: getattr(lowered.output, part) + 1})
    wrong = with_lowered(made, replace(lowered, output=end))
    # The host's epilogue is cut out of the model with what the output means.
    result = hold_to_model(wrong)
    assert [each.tensor for each in result.tensors if each.mismatches] == ["y"]


def test_other_host_models_are_found() -> None:
    made, other = prepared(small_model()), small_model()
    step = next(tensor for tensor in other.graph.initializer if tensor.name == "step")
    step.CopyFrom(onnx.numpy_helper.from_array(np.asarray(0.26, np.float32), "step"))
    bias = next(tensor for tensor in other.graph.initializer if tensor.name == "bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(np.zeros(5, np.float32), "bias"))
    changed = prepared(other).design
    entry = hold_to_model(replace(made, design=replace(made.design, prologue=changed.prologue)))
    assert [each.tensor for each in entry.tensors if each.mismatches] == ["q"]
    end = hold_to_model(replace(made, design=replace(made.design, epilogue=changed.epilogue)))
    assert [each.tensor for each in end.tensors if each.mismatches] == ["y"]


def sums_of_tenths(rows: int = 64) -> onnx.ModelProto:
    """Signs times 0.1 are added up; sums of zero have any sign in float32, which a sign then shows."""
    random = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    signs = build.bipolar("x", 0.1, name="in")
    total = build.node(
        "MatMul", signs, build.weights(random.integers(0, 2, (6, rows)) * 2 - 1, 1.0, 2), name="sum"
    )
    return build.proto(build.bipolar(total, name="out"))


def test_ties_are_counted_by_tensor_and_are_no_mismatch() -> None:
    proto = sums_of_tenths()
    frames = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    model = run_qonnx(proto, frames)
    exact = np.rint(model["sum_y"].astype(np.float64) / 0.1)
    # Where the exact sum is zero, golden takes it for zero and gives +1.
    expected = int(((exact == 0) & (model["out_y"] < 0)).sum())

    result = held_on(proto, frames)

    assert expected > 50
    assert result.mismatches == 0
    assert result.ties == {"out_y": expected}


def test_what_is_no_tie_is_a_mismatch_though_sums_are_inexact() -> None:
    """A threshold that is two higher is beyond what any order of additions gives."""
    made = with_node(
        prepared(sums_of_tenths()), "threshold0", lambda node: replace(node, thresholds=node.thresholds + 2)
    )
    assert hold_to_model(made).mismatches > 0


def test_where_sums_are_exact_nothing_is_a_tie() -> None:
    """Halves round to even. A threshold one higher rounds them up, and rounding decides nothing here."""
    build = ModelBuilder((1, 4))
    total = build.node("MatMul", build.quant("x", 1.0, name="q"), build.weights(np.eye(4), 0.5), name="m")
    proto = build.proto(build.quant(total, 1.0, bits=3, name="out"))
    assert held(proto).mismatches == 0
    made = with_node(
        prepared(proto), "threshold0", lambda node: replace(node, thresholds=node.thresholds - 1)
    )
    result = hold_to_model(made)
    assert result.mismatches > 0 and not result.ties


def test_one_tie_does_not_spoil_what_follows() -> None:
    random = np.random.default_rng(2)
    build = ModelBuilder((1, 6))
    x = build.bipolar("x", 0.1, name="in")
    for index in range(3):
        rows = random.integers(0, 2, (6, 6)) * 2 - 1
        x = build.bipolar(build.node("MatMul", x, build.weights(rows, 1.0, 2)), 0.1, name=f"out{index}")
    result = held_on(build.proto(x), np.random.default_rng(3).normal(size=(200, 6)).astype(np.float32))
    assert result.mismatches == 0 and set(result.ties) == {"out0_y", "out1_y", "out2_y"}


def test_what_is_multiplied_by_zero_is_no_tie() -> None:
    build = ModelBuilder((1, 6))
    nothing = build.node("Mul", build.quant("x", 0.25), np.zeros((), np.float32))
    weights = np.random.default_rng(0).integers(-3, 4, (6, 4))
    x = build.quant(build.node("MatMul", nothing, build.weights(weights, 0.125)), 0.5, bits=3)
    result = held(build.proto(build.node("MatMul", x, build.weights(weights[:4], 0.125))))
    assert result.mismatches == 0 and not result.ties


@pytest.mark.parametrize("scale", [1e-45, 1e-40])
def test_scales_below_the_normal_numbers_of_float32_are_no_fault(scale: float) -> None:
    random = np.random.default_rng(0)
    build = ModelBuilder((1, 6))
    x = build.quant("x", 0.25)
    x = build.node("MatMul", x, build.weights(random.integers(-3, 4, (6, 4)), 0.125))
    x = build.quant(x, scale, bits=3)
    x = build.node("MatMul", x, build.weights(random.integers(-3, 4, (4, 4)), 0.125))
    assert held(build.proto(x)).mismatches == 0


def residual(scale: float) -> onnx.ModelProto:
    """A sum of two quantisers whose scales have no common grid, a quantiser, and a layer."""
    random = np.random.default_rng(4)
    build = ModelBuilder((1, 8))
    left = build.quant("x", 0.25, name="left")
    product = build.node("MatMul", left, build.weights(random.integers(-3, 4, (8, 8)), 0.11), name="m")
    right = build.quant(product, scale, name="right")
    total = build.quant(build.node("Add", left, right, name="add"), 0.4, bits=4, name="last")
    return build.proto(build.node("MatMul", total, build.weights(random.integers(-3, 4, (8, 3))), name="end"))


@pytest.mark.parametrize("bits", [6, 10, 16])
def test_fixed_point_is_held_to_the_error_that_is_stated(bits: int) -> None:
    made = prepared(residual(0.3), add_bits=bits)
    (stated,) = made.design.lowered.approximations

    result = hold_to_model(made)

    assert result.mismatches == 0
    total = by_tensor(result)["add_y"]
    assert total.error is not None and total.bound is not None
    # float32 adds its own rounding in the model, 2**-22 of a sum of integers up to 8 of 0.25 and of 0.3.
    assert stated.own_error <= total.bound <= stated.own_error + 2.0**-22 * 4.5
    assert 0 < total.error <= stated.own_error
    less = [
        replace(each, own_error=0.9 * total.error) if each.own_error else each
        for each in made.design.lowered.checkpoints
    ]
    again = hold_to_model(with_lowered(made, replace(made.design.lowered, checkpoints=tuple(less))))
    assert [each.tensor for each in again.tensors if each.mismatches] == ["add_y"]


def test_behind_fixed_point_the_model_goes_on_from_it() -> None:
    """With few bits the quantiser behind the sum gives other integers than the model's own sum would."""
    proto, frames = residual(0.3), np.random.default_rng(5).normal(size=(100, 8)).astype(np.float32)
    made = prepared(proto, add_bits=5)
    plain = run_qonnx(proto, frames)["last_y"]
    host = host_of(made.design)
    lowered = made.design.lowered
    golden = interpret(lowered.graph, {lowered.input.tensor: host.encode(frames)})
    point = next(each for each in lowered.checkpoints if each.onnx_tensor == "last_y")
    assert (point.real(golden[point.tensor]) != plain).any()
    assert held_on(proto, frames, add_bits=5).mismatches == 0


def test_the_models_own_argmax_and_an_added_one() -> None:
    random = np.random.default_rng(6)
    build = ModelBuilder((1, 5))
    scores = build.node(
        "MatMul", build.quant("x", 1.0, bits=2, name="q"), build.weights(random.integers(-1, 2, (5, 4)))
    )
    plain = build.proto(scores)
    assert held(plain, argmax=True).mismatches == 0
    chosen = build.node("ArgMax", scores, axis=1, keepdims=0, name="best")
    own = build.proto(chosen, output_type=onnx.TensorProto.INT64)
    assert held(own).mismatches == 0
    made = with_node(prepared(own), "matmul0", other_weight_of_scores)
    result = hold_to_model(made)
    assert [each.tensor for each in result.tensors if each.mismatches][-1] == "best_y"


def other_weight_of_scores(node: IntMatMul) -> IntMatMul:
    return replace(node, weights=-node.weights)


def test_integers_that_enter_directly_and_a_prologue_in_hardware() -> None:
    build = ModelBuilder((1, 6))
    x = build.quant(build.node("Sub", build.node("Mul", "x", np.float32(2)), np.float32(1)), 0.25, name="q")
    proto = build.proto(
        build.node("MatMul", x, build.weights(np.random.default_rng(7).integers(-3, 4, (6, 3))))
    )
    result = held(proto, input_type=None)
    assert result.mismatches == 0
    direct = held(proto, input_type=IntType(0, 255), input_scale=1 / 255)
    assert direct.mismatches == 0 and direct.tensors[0].tensor == "q_y"


def test_a_dropped_scale_is_left_out_of_the_reference_too() -> None:
    result = held(xnor_network(True), xnor_frames(6), drop_input_scale=True)
    assert result.mismatches == 0 and result.frames == 134


def float_layers(transposed: bool) -> onnx.ModelProto:
    random = np.random.default_rng(8)
    build = ModelBuilder((1, 2, 6, 6))
    x = build.node(
        "Conv", "x", random.normal(size=(4, 2, 3, 3)).astype(np.float32), pads=[1, 1, 1, 1], name="conv"
    )
    x = build.node("Flatten", build.bipolar(build.node("Relu", x), name="sign"))
    x = build.node("MatMul", x, build.weights(random.integers(0, 2, (144, 6)) * 2 - 1, 1.0, 2), name="inner")
    x = build.node("Relu", x)
    weights, bias = random.normal(size=(6, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)
    if transposed:
        return build.proto(
            build.node("Gemm", x, np.ascontiguousarray(weights.T), bias, transB=1, name="last")
        )
    return build.proto(build.node("MatMul", x, weights, name="last"))


@pytest.mark.parametrize("transposed", [False, True])
def test_float_layers_are_quantised_in_the_reference_as_in_the_build(transposed: bool) -> None:
    samples = np.random.default_rng(9).normal(size=(12, 2, 6, 6)).astype(np.float32)
    made = prepared(float_layers(transposed), quantize_float=4, samples=samples)
    assert len(made.layers) == 2
    result = hold_to_model(made, samples)
    assert result.mismatches == 0
    assert "x/quantised" in by_tensor(result)
    assert held_on(float_layers(transposed), samples, quantize_float=4, samples=samples).mismatches == 0
    wrong = with_node(made, "matmul1", other_weight_of_scores)
    assert hold_to_model(wrong).mismatches > 0


def test_a_bias_within_a_product_at_the_end_is_held_by_bounds() -> None:
    """The file shows no product without its bias, so the sum is compared behind it."""
    random = np.random.default_rng(10)
    build = ModelBuilder((1, 30))
    weights = build.quant(build.constant(random.normal(size=(30, 4)).astype(np.float32)), 0.07, bits=4)
    bias = random.normal(size=4).astype(np.float32)
    proto = build.proto(build.node("Gemm", build.quant("x", 0.1, name="q"), weights, bias, name="end"))
    assert held(proto).mismatches == 0
    made = with_node(prepared(proto), "matmul0", other_weight_of_scores)
    assert next(each.tensor for each in hold_to_model(made).tensors if each.mismatches) == "end_y"


def test_extremes_are_among_what_is_drawn() -> None:
    """A threshold that only the largest sum reaches is wrong, and random frames do not reach it."""
    random = np.random.default_rng(11)
    build = ModelBuilder((1, 60))
    weights = build.weights(random.integers(0, 2, (60, 2)) * 2 - 1, 1.0, 2)
    total = build.node("MatMul", build.bipolar("x", name="in"), weights, name="m")
    proto = build.proto(build.bipolar(build.node("Sub", total, np.float32(59)), name="out"))
    made = prepared(proto)

    def never(node: IntThreshold) -> IntThreshold:
        return replace(node, thresholds=np.full_like(node.thresholds, 61))

    result = hold_to_model(with_node(made, "threshold0", never))
    assert by_tensor(result)["out_y"].mismatches > 0
    frames = random.normal(size=(500, 60)).astype(np.float32)
    assert (run_qonnx(proto, frames)["out_y"] == -1).all()


def test_samples_alone_are_taken_by_a_build(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(small_model(), path)
    samples: Array = np.random.default_rng(12).normal(size=(5, 12)).astype(np.float32)
    built = thresher.build(path, tmp_path / "p", samples=samples)
    assert built.report()["verification"]["frames"] == 133


@pytest.mark.parametrize("options", [{}, {"argmax": True}])
def test_a_network_without_a_float_end(options: dict[str, Any]) -> None:
    build = ModelBuilder((1, 4))
    q = build.quant("x", 1.0, bits=3, name="q")
    proto = build.proto(build.quant(build.node("MatMul", q, build.weights(np.eye(4))), 1.0, bits=3, name="y"))
    assert held(proto, **options).mismatches == 0


@pytest.mark.parametrize("op", ["Identity", "Dropout"])
@pytest.mark.parametrize("scale", [0.43823, 0.25])
def test_another_name_of_the_output_is_held_as_the_output_is(op: str, scale: float) -> None:
    build = ModelBuilder((1, 3))
    weights = build.quant(build.constant(np.full((3, 2), 5.66, np.float32)), 0.7021816, bits=4)
    bias = np.array([0.3, -7.7], np.float32)
    product = build.node("Gemm", build.quant("x", scale, name="q"), weights, bias, name="m")
    assert held(build.proto(build.node(op, product, name="end"))).mismatches == 0


def test_a_sign_that_the_file_computes_of_another_sign() -> None:
    """Both are read as signs of the same tensor, so no other integers are put between them."""
    build = ModelBuilder((1, 4))
    q = build.quant("x", 0.5, name="q")
    positive = build.node("GreaterOrEqual", q, np.zeros((), np.float32))
    sign = build.node("Where", positive, np.ones((), np.float32), -np.ones((), np.float32), name="sign")
    twice = build.node("Add", sign, sign, name="twice")
    proto = build.proto(build.node("Sum", sign, twice, name="end"))
    result = held(proto)
    assert result.mismatches == 0 and {"sign_y", "twice_y", "end_y"} <= set(by_tensor(result))


def test_a_reader_of_integers_of_its_own_may_read_another_name_of_the_tensor() -> None:
    build = ModelBuilder((1, 1, 1))
    moved = build.node("Sub", build.quant("x", 0.5), np.asarray(-3, np.float32))
    average = build.node("AveragePool", build.node("Identity", moved), kernel_shape=[1])
    result = held(build.proto(build.quant(average, 0.5)))
    assert result.mismatches == 0 and not result.ties
