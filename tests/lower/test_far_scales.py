"""Sums of tensors whose scales lie far apart: as wide as was asked for, as near as is said, and no wider."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lower.helpers import Compiled, compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from tests.verification.helpers import held
from thresher.errors import UnsupportedModelError
from thresher.ir.integer import IntMatMul
from thresher.ir.integer_branches import IntAdd, IntConcat, IntRescale

EXTREME = (0.5, 2**-20, 2**-26, 1e-10, 2**-60, 1e10, 3.7)


def frames(channels: int = 4, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0, 40, (8, channels)).astype(np.float32)


def sum_of(op: str, scale: float, first: bool = False) -> tuple[ModelBuilder, str]:
    """A branch of scale 1, and one of `scale` behind a layer."""
    build = ModelBuilder((1, 4))
    one = build.quant("x", 1.0, 0.0, 8)
    other = build.quant(build.node("MatMul", one, build.weights(np.eye(4))), scale, 0.0, 8)
    both = (other, one) if first else (one, other)
    return build, build.node(op, *both) if op != "Concat" else build.node(op, *both, axis=1)


def check_near(build: ModelBuilder, output: str, x: Array, **options: Any) -> Compiled:
    proto = build.proto(output)
    compiled = compile_proto(proto, **options)
    want = run_qonnx(proto, x)[output].astype(np.float64)
    off = np.abs(compiled.predict(x) - want)
    stated = max((each.error for each in compiled.lowered.approximations), default=0.0)
    # Both sides round in float32, and a difference of two branches may be small.
    assert (off <= stated * 1.0001 + 2.0**-23 * np.maximum(np.abs(want), 512)).all()
    return compiled


@pytest.mark.parametrize("bits", [4, 8, 16, 32])
@pytest.mark.parametrize("scale", EXTREME)
@pytest.mark.parametrize("op", ["Add", "Sub"])
def test_a_sum_is_as_wide_as_its_bits(op: str, scale: float, bits: int) -> None:
    compiled = check_near(*sum_of(op, scale), frames(), add_bits=bits)
    made = compiled.lowered
    # Two terms of so many bits, or an exact sum of terms of 8 bits.
    assert made.output.type.element.bits <= max(32 if not made.approximations else min(32, bits + 1), 9)


def test_scales_a_power_of_two_apart_are_exact_up_to_32_bits() -> None:
    for scale, exact in ((2.0**-20, True), (2.0**-23, True), (2.0**-24, False)):
        made = compile_proto(sum_of("Add", scale)[0].proto(sum_of("Add", scale)[1])).lowered
        assert (made.approximations == ()) == exact
        assert made.output.type.element.bits <= 32


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("op", ["Add", "Sub"])
def test_a_branch_that_makes_no_difference_vanishes(op: str, first: bool) -> None:
    """Brevitas gives an activation that is always zero the scale 1e-10."""
    build, total = sum_of(op, 1e-10, first)
    compiled = check_near(build, total, frames())
    kinds = [type(node) for node in compiled.lowered.graph.nodes]
    assert IntAdd not in kinds
    assert IntMatMul not in kinds
    # Its negative has one bit more.
    assert compiled.lowered.output.type.element.bits <= 9
    (approximation,) = compiled.lowered.approximations
    assert approximation.error == pytest.approx(128e-10)


@pytest.mark.parametrize("constant", [0.0, 5.0])
def test_a_branch_that_is_constant_vanishes(constant: float) -> None:
    build = ModelBuilder((1, 4))
    one = build.quant("x", 0.5, 0.0, 4)
    layer = build.node("MatMul", one, build.weights(np.eye(4)))
    limited = build.node("Clip", layer, np.float32(constant), np.float32(constant))
    dead = build.quant(limited, 0.37, 0.0, 8)
    output = build.node("MatMul", build.quant(build.node("Add", one, dead), 0.5), build.weights(np.eye(4)))
    compiled = check_near(build, output, frames())
    assert compiled.lowered.approximations == ()
    assert IntAdd not in [type(node) for node in compiled.lowered.graph.nodes]


def test_a_sum_of_nothing_but_constants() -> None:
    build = ModelBuilder((1, 4))
    one = build.quant("x", 0.5, 0.0, 4)
    limits = [build.node("Clip", one, np.float32(limit), np.float32(limit)) for limit in (1.5, -0.25)]
    total = build.node("Add", *(build.quant(each, 0.25) for each in limits))
    check_near(build, build.node("MatMul", build.quant(total), build.weights(np.eye(4))), frames())


def test_three_branches_of_which_two_are_dead() -> None:
    build = ModelBuilder((1, 4))
    one = build.quant("x", 1.0, 0.0, 8)
    dead = [build.quant(one, scale, 0.0, 8) for scale in (1e-10, 1e-12)]
    total = build.node("Sum", dead[0], one, dead[1])
    product = build.node("MatMul", total, build.weights(np.eye(4)))
    compiled = compile_proto(build.proto(product))
    off = np.abs(compiled.predict(frames()) - run_qonnx(build.proto(product), frames())[product])
    assert off.max() <= 1e-4


@pytest.mark.parametrize("one_scale", [False, True])
@pytest.mark.parametrize("scale", EXTREME)
def test_a_concatenation(scale: float, one_scale: bool) -> None:
    build, both = sum_of("Concat", scale)
    weights = build.weights(np.random.default_rng(1).integers(-2, 3, (8, 3)))
    output = build.node("MatMul", both, weights) if one_scale else build.quant(both, 1.0)
    proto = build.proto(output)
    compiled = compile_proto(proto)
    want = run_qonnx(proto, frames())[output]
    stated = max((each.error for each in compiled.lowered.approximations), default=0.0)
    assert (np.abs(compiled.predict(frames()) - want) <= 16 * stated + 1e-5 * np.abs(want)).all()
    (joined,) = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntConcat)]
    assert joined.output_type.element.bits <= 24


def test_a_dead_channel_keeps_a_sum_exact() -> None:
    """Weights of nothing but zeros make a constant of a channel, whose scale may be any."""
    build = ModelBuilder((1, 4))
    one = build.quant("x", 0.5, 0.0, 4)
    layer = build.node("MatMul", one, build.weights(np.diag([1, 0, 1, 0])))
    scaled = build.node("Mul", layer, np.asarray([0.5, 1e-10, 1, 3e7], np.float32))
    total = build.node("Add", scaled, one)
    output = build.node("MatMul", build.quant(total, 0.25), build.weights(np.eye(4)))
    compiled = check_near(build, output, frames())
    assert compiled.lowered.approximations == ()


def test_an_output_that_the_host_cannot_take() -> None:
    build = ModelBuilder((1, 8))
    wide = build.quant("x", 1.0, 0.0, 20)
    product = build.node("MatMul", wide, build.weights(np.full((8, 2), 2**15 - 1), bits=16), name="wide")
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(product))
    assert str(caught.value) == (
        "lower: node 'wide': its integers have 38 bits, and leave for a host that takes 32; quantise what it "
        "reads to fewer bits, or what it gives"
    )


def test_only_what_changes_is_rescaled() -> None:
    compiled = compile_proto(sum_of("Add", 0.5)[0].proto(sum_of("Add", 0.5)[1]))
    rescaled = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntRescale)]
    assert [node.multipliers[0, 0] for node in rescaled] == [2]


def test_a_segment_that_no_integers_reach_is_no_error() -> None:
    """Behind the greater of unsigned integers and a positive number, -x is negative: Relu leaves nothing."""
    build = ModelBuilder((1, 5))
    least = np.asarray([[1.25, 0.75, 2.75, 3.5, -2.5]], np.float32)
    x = build.node("Max", build.quant("x", 0.25, signed=False), least)
    x = build.node("Relu", build.node("Neg", x))
    output = build.node("Add", x, x)

    compiled = check_near(build, output, frames(5))

    assert compiled.lowered.approximations == ()
    assert held(build.proto(output)).mismatches == 0
