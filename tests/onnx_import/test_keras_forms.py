"""Binary layers in the form that tf2onnx gives to Keras, TFMOT and Larq models, held to onnxruntime.

Frames are `[N, height, width, channels]`, with a Transpose around each convolution; `SAME` is asymmetric
pads or a Pad node; flattening is in that order.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.lower.helpers import compile_proto
from tests.models import Array, ModelBuilder
from tests.onnx_import.standard import assert_exact, run_onnxruntime, signs
from thresher.errors import UnsupportedModelError
from thresher.ir.integer import IntMatMul, IntWindow
from thresher.onnx_import.standard import run_model
from thresher_sim.streams import BIPOLAR

TO_MAPS, FROM_MAPS = [0, 3, 1, 2], [0, 2, 3, 1]
SIDE = 8


def larq(build: ModelBuilder, x: str) -> str:
    return build.node("Sign", build.node("Add", build.node("Sign", x), np.float32(0.1)))


def norm(build: ModelBuilder, x: str, rng: np.random.Generator, channels: int) -> str:
    """A batch norm that tf2onnx has folded to a Mul and an Add behind the Transpose."""
    gamma = rng.normal(size=channels).astype(np.float32)
    return build.node("Add", build.node("Mul", x, gamma), rng.normal(size=channels).astype(np.float32))


def normalised(build: ModelBuilder, x: str, rng: np.random.Generator, channels: int) -> str:
    parts = (rng.normal(size=channels), rng.normal(size=channels), rng.normal(size=channels) * 3)
    return build.batch_norm(x, *parts, np.ones(channels))


def images(rng: np.random.Generator, channels: int = 3, count: int = 50) -> Array:
    return rng.normal(size=(count, SIDE, SIDE, channels)).astype(np.float32)


def test_a_binary_network_with_channels_last() -> None:
    """A float first layer, SAME convolutions with stride, a pool, and a layer on the flattened map."""
    rng = np.random.default_rng(1)
    build = ModelBuilder(("unk__1", SIDE, SIDE, 3))
    x = build.node("Transpose", "x", perm=TO_MAPS)
    x = build.node("Conv", x, rng.normal(size=(6, 3, 3, 3)).astype(np.float32), pads=[1, 1, 1, 1])
    x = larq(build, normalised(build, x, rng, 6))
    x = build.node("Conv", x, signs(rng, 8, 6, 3, 3), pads=[0, 0, 1, 1], strides=[2, 2], auto_pad="NOTSET")
    x = norm(build, build.node("Transpose", x, perm=FROM_MAPS), rng, 8)
    x = build.node("Transpose", larq(build, x), perm=TO_MAPS)
    x = build.node("Conv", x, signs(rng, 8, 8, 3, 3), auto_pad="SAME_UPPER")
    x = build.node("MaxPool", normalised(build, x, rng, 8), kernel_shape=[2, 2], strides=[2, 2])
    x = build.node("Transpose", larq(build, x), perm=FROM_MAPS)
    x = build.node("Reshape", x, np.asarray([-1, 32], np.int64))
    x = norm(build, build.node("MatMul", x, signs(rng, 32, 16)), rng, 16)
    x = build.node("MatMul", larq(build, x), signs(rng, 16, 10))
    proto = build.proto(norm(build, x, rng, 10))
    frames = images(rng)

    compiled = compile_proto(proto)

    expected = run_onnxruntime(proto, frames)[proto.graph.output[0].name][:, 0]
    np.testing.assert_array_equal(compiled.predict(frames), expected)
    np.testing.assert_array_equal(run_model(compiled.imported, frames), expected)
    layers = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul)]
    assert [layer.weight_type for layer in layers] == [BIPOLAR] * 4


def test_everything_with_channels_last() -> None:
    """Quantisers, batch norms and pools between transposes: each quantiser's integers are compared."""
    rng = np.random.default_rng(2)
    build = ModelBuilder((1, SIDE, SIDE, 3))
    x = larq(build, "x")
    for channels, rows in ((3, 6), (6, 5)):
        x = build.node("Transpose", x, perm=TO_MAPS)
        x = build.node("Conv", x, signs(rng, rows, channels, 3, 3), pads=[0, 0, 1, 1], strides=[2, 2])
        x = norm(build, build.node("Transpose", x, perm=FROM_MAPS), rng, rows)
        x = larq(build, x)
    x = build.node("Reshape", x, np.asarray([-1, 20], np.int64))
    proto = build.proto(build.node("MatMul", x, signs(rng, 20, 7)))

    assert_exact(proto, images(rng), last=True)


def padded_network(value: float, transposed: bool, opset: int = 13) -> onnx.ModelProto:
    """A Pad of `value` in front of the second convolution, before its Transpose or after it."""
    rng = np.random.default_rng(3)
    build = ModelBuilder((1, SIDE, SIDE, 3), opset)
    x = build.node("Transpose", larq(build, "x"), perm=TO_MAPS)
    x = build.node("Conv", x, signs(rng, 6, 3, 3, 3))
    x = larq(build, norm(build, build.node("Transpose", x, perm=FROM_MAPS), rng, 6))
    pads = [0, 0, 1, 0, 0, 2, 1, 0]
    if not transposed:
        x, pads = build.node("Transpose", x, perm=TO_MAPS), [0, 0, 0, 1, 0, 0, 2, 1]
    if opset < 11:
        x = build.node("Pad", x, pads=pads, value=value, mode="constant", name="pad")
    else:
        x = build.node("Pad", x, np.asarray(pads, np.int64), np.float32(value), name="pad")
    if transposed:
        x = build.node("Transpose", x, perm=TO_MAPS)
    x = build.node("Conv", x, signs(rng, 5, 6, 3, 3), name="second")
    x = larq(build, norm(build, build.node("Transpose", x, perm=FROM_MAPS), rng, 5))
    x = build.node("Reshape", x, np.asarray([-1, 180], np.int64))
    return build.proto(build.node("MatMul", x, signs(rng, 180, 4)))


@pytest.mark.parametrize("transposed", [True, False], ids=["before the transpose", "behind it"])
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 2.0])
def test_a_pad_in_front_of_a_convolution(value: float, transposed: bool) -> None:
    """Larq pads binary convolutions with ones: these are sent as such, and other values are corrected."""
    compiled = assert_exact(padded_network(value, transposed), images(np.random.default_rng(4)), last=True)

    windows = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntWindow)]
    layers = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul)]
    assert windows[1].window.padded
    assert (layers[1].corrections is None) == (abs(value) == 1)
    assert "pad" in layers[1].onnx_nodes


def test_a_pad_of_an_old_opset() -> None:
    assert_exact(padded_network(1.0, True, opset=9), images(np.random.default_rng(4)), last=True)


def test_a_pad_between_the_steps_of_the_input() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(padded_network(0.5, False))
    assert str(caught.value) == (
        "lower: node 'second': its input is padded with 0.5, which its input's scale has no integer for; pad "
        "with zeros, or with a value of its input's quantiser"
    )


@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool"])
def test_a_pad_in_front_of_a_pool(pool: str) -> None:
    """Of what is nowhere negative; an average counts the padded zeros."""
    rng = np.random.default_rng(5)
    build = ModelBuilder((1, 3, SIDE, SIDE))
    x = build.node("Clip", "x", np.float32(0), np.float32(1))
    x = build.node("Round", build.node("Mul", x, np.float32(7)))
    if pool == "MaxPool":
        x = build.node("Conv", x, signs(rng, 3, 3, 3, 3))
        x = build.node("Relu", norm_maps(build, x, rng, 3))
    pads = np.asarray([0, 0, 0, 1, 0, 0, 1, 1], np.int64)
    x = build.node("Pad", x, pads, np.float32(0))
    x = build.node(pool, x, kernel_shape=[2, 2], strides=[2, 2])
    x = build.node("Round", build.node("Clip", x, np.float32(0), np.float32(3)))
    x = build.node("Flatten", x)
    features = 36 if pool == "MaxPool" else 60
    proto = build.proto(build.node("MatMul", x, signs(rng, features, 5)))

    assert_exact(proto, rng.random((50, 3, SIDE, SIDE), np.float32))


def norm_maps(build: ModelBuilder, x: str, rng: np.random.Generator, channels: int) -> str:
    return normalised(build, x, rng, channels)


def test_a_pad_that_a_pool_cannot_take() -> None:
    """Zero is more than the -1 of a sign."""
    rng = np.random.default_rng(6)
    build = ModelBuilder((1, 3, SIDE, SIDE))
    x = build.node("Pad", larq(build, "x"), np.asarray([0, 0, 1, 1, 0, 0, 1, 1], np.int64), np.float32(0))
    x = build.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], name="pool")
    x = build.node("Conv", x, signs(rng, 5, 3, 3, 3))

    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(x))
    assert str(caught.value) == (
        "lower: node 'pool': its input is padded with 0, and may be less than that; let the pool pad by "
        "itself, or pool behind a ReLU"
    )


@pytest.mark.parametrize(
    ("pads", "mode"),
    [
        ([0, 1, 0, 0, 0, 0, 0, 0], "constant"),
        ([0, 0, -1, 0, 0, 0, 0, 0], "constant"),
        ([0, 0, 1, 0, 0, 0, 1, 0], "reflect"),
    ],
    ids=["channels", "crops", "reflects"],
)
def test_other_pads_between_layers(pads: list[int], mode: str) -> None:
    rng = np.random.default_rng(7)
    build = ModelBuilder((1, 3, SIDE, SIDE))
    x = build.node("Pad", larq(build, "x"), np.asarray(pads, np.int64), np.float32(0), mode=mode, name="pad")
    x = build.node("Conv", x, signs(rng, 5, 3 + pads[1], 3, 3))

    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(x))
    assert str(caught.value) == (
        "lower: node 'pad': Pad whose pixels no convolution or pool behind it takes as its own padding, and "
        "quantised layers follow; pad by a constant, and straight in front of a convolution or pool"
    )


def test_pads_of_the_host() -> None:
    """In front of a float layer, and behind the last quantised one."""
    rng = np.random.default_rng(8)
    build = ModelBuilder((1, SIDE, SIDE, 3))
    pads = np.asarray([0, 1, 1, 0, 0, 1, 1, 0], np.int64)
    x = build.node("Transpose", build.node("Pad", "x", pads, np.float32(0.5)), perm=TO_MAPS)
    x = build.node("Conv", x, rng.normal(size=(4, 3, 3, 3)).astype(np.float32))
    x = build.node("Sigmoid", build.node("Conv", larq(build, x), signs(rng, 5, 4, 3, 3)))
    x = build.node("Pad", x, np.asarray([0, 0, 1, 1, 0, 0, 1, 1], np.int64), np.float32(0))
    proto = build.proto(build.node("Conv", x, rng.normal(size=(2, 5, 3, 3)).astype(np.float32)))

    frames = images(rng)

    compiled = assert_exact(proto, frames, scores=1e-5)

    expected = run_onnxruntime(proto, frames)[proto.graph.output[0].name][:, 0]
    np.testing.assert_allclose(run_model(compiled.imported, frames), expected, rtol=0, atol=1e-5)
