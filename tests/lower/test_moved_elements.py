"""What moves, repeats or picks elements between a layer and its quantiser, held to QONNX's executor."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.helpers import compile_proto, import_proto
from tests.models import Array, ModelBuilder, run_qonnx
from thresher.errors import UnsupportedModelError
from thresher.ir.integer import IntNode, IntPool, IntThreshold
from thresher.ir.integer_branches import IntUpsample
from thresher.lower.forms import Pending
from thresher.lower.lowering import Lowering
from thresher_sim.streams import IntType

MAP = (1, 2, 4, 4)


def frames(shape: tuple[int, ...] = MAP, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(-7, 8, (5, *shape[1:])).astype(np.float32)


def scalar(value: float) -> Array:
    return np.asarray(value, np.float32)


def conv(build: ModelBuilder, x: str, columns: int, rows: int = 4, kernel: tuple[int, int] = (1, 1)) -> str:
    weights = np.random.default_rng(7).integers(-2, 3, (rows, columns, *kernel))
    return build.node("Conv", x, build.weights(weights))


def resize(build: ModelBuilder, x: str, *factors: int) -> str:
    how = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    return build.node("Resize", x, "", np.asarray(factors, np.float32), mode="nearest", **how)


def check(build: ModelBuilder, output: str, x: Array) -> tuple[IntNode, ...]:
    proto = build.proto(output)
    compiled = compile_proto(proto)
    np.testing.assert_array_equal(compiled.predict(x), run_qonnx(proto, x)[output])
    assert compiled.lowered.approximations == ()
    return compiled.lowered.graph.nodes


@pytest.mark.parametrize("waiting", ["factor", "factor per channel", "bias", "relu", "average"])
@pytest.mark.parametrize("quantised", [True, False])
def test_what_waits_in_front_of_upsampling_at_the_end(waiting: str, quantised: bool) -> None:
    build = ModelBuilder(MAP)
    x = conv(build, build.quant("x"), 2)
    x = build.quant(x, 1.0) if quantised else x
    if waiting == "factor":
        x = build.node("Mul", x, scalar(0.125))
    elif waiting == "factor per channel":
        x = build.node("Mul", x, np.asarray([1, -0.5, 2, 0.25], np.float32).reshape(4, 1, 1))
    elif waiting == "bias":
        x = build.node("Add", x, np.asarray([1, -0.5, 2, 0.25], np.float32).reshape(4, 1, 1))
    elif waiting == "relu":
        x = build.node("Relu", x)
    else:
        x = build.node("AveragePool", x, kernel_shape=[2, 2])
    check(build, resize(build, x, 1, 1, 2, 3), frames())


def test_upsampling_is_done_behind_the_quantiser() -> None:
    build = ModelBuilder(MAP)
    large = resize(build, build.node("Relu", conv(build, build.quant("x"), 2)), 1, 1, 2, 2)
    nodes = check(build, conv(build, build.quant(large, 1.0), 4), frames())
    kinds = [type(node) for node in nodes]
    assert kinds.index(IntThreshold) < kinds.index(IntUpsample)


def test_upsampling_of_channels_last() -> None:
    build = ModelBuilder((1, 4, 4, 2))
    x = build.node("Transpose", build.quant("x"), perm=[0, 3, 1, 2])
    x = build.node("Transpose", build.quant(conv(build, x, 2)), perm=[0, 2, 3, 1])
    large = build.node("Transpose", build.quant(resize(build, x, 1, 2, 3, 1)), perm=[0, 3, 1, 2])
    check(build, conv(build, large, 4), frames((1, 4, 4, 2)))


@pytest.mark.parametrize("how", ["slice", "split", "gather", "resize"])
@pytest.mark.parametrize("again", [True, False])
def test_height_and_width_exchanged_behind_picked_elements(how: str, again: bool) -> None:
    build = ModelBuilder((1, 4, 3, 5))
    x, channels = build.quant("x"), 2
    if how == "slice":
        ends = [np.array([end]) for end in (-1, -100, 1, -2)]
        x = build.node("Slice", x, *ends)
    elif how == "split":
        x = build.node("Split", x, np.array([2, 2]), axis=1)
        build.nodes[-1].output.append("other")
        x = "other"
    elif how == "gather":
        x = build.node("Gather", x, np.array([3, 3, 0]), axis=1)
        channels = 3
    else:
        x, channels = resize(build, x, 1, 1, 2, 1), 4
    x = build.quant(x) if again else x
    turned = build.node("Transpose", x, perm=[0, 1, 3, 2])
    check(build, build.quant(conv(build, turned, channels, 3, (3, 1)), 1.0, 0.0, 8), frames((1, 4, 3, 5)))


def test_pixels_that_would_have_to_change_their_order() -> None:
    build = ModelBuilder(MAP)
    x = build.quant(conv(build, build.quant("x"), 2))
    turned = build.node("Transpose", x, perm=[0, 1, 3, 2])
    weights = build.weights(np.ones((3, 4, 3, 1)))
    output = build.node("Conv", turned, weights, name="last")
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(output))
    assert str(caught.value) == (
        "lower: node 'last': its input does not arrive pixel by pixel; do not reshape or transpose the map "
        "before it"
    )


def test_pixel_shuffle_between_a_layer_and_its_quantiser() -> None:
    build = ModelBuilder(MAP)
    shuffled = build.node("DepthToSpace", conv(build, build.quant("x"), 2), blocksize=2)
    flat = build.node("Flatten", build.quant(shuffled, 1.0))
    check(build, build.node("MatMul", flat, build.weights(np.eye(64)[:, :5])), frames())


def test_pixel_shuffle_in_front_of_a_convolution() -> None:
    build = ModelBuilder(MAP)
    shuffled = build.node("DepthToSpace", conv(build, build.quant("x"), 2), blocksize=2)
    output = build.node("Conv", build.quant(shuffled), build.weights(np.ones((2, 1, 1, 1))), name="last")
    with pytest.raises(UnsupportedModelError) as caught:
        compile_proto(build.proto(output))
    assert str(caught.value) == (
        "lower: node 'last': its input does not arrive pixel by pixel; do not reshape or transpose the map "
        "before it"
    )


def test_pixels_that_are_left_out_at_the_end_are_the_hosts() -> None:
    build = ModelBuilder(MAP)
    x = conv(build, build.quant("x"), 2)
    check(build, build.node("Slice", x, np.array([1]), np.array([3]), np.array([3])), frames())


def test_both_halves_of_a_split_have_readers() -> None:
    build = ModelBuilder(MAP)
    x = build.node("Relu", build.node("Add", conv(build, build.quant("x"), 2), scalar(0.5)))
    first = build.node("Split", x, np.array([2, 2]), axis=1)
    build.nodes[-1].output.append("second")
    total = build.node("Add", build.quant(first, 0.5), build.quant("second", 1.0))
    check(build, conv(build, build.quant(total, 1.0), 2), frames())


def test_a_map_of_one_channel_transposed() -> None:
    build = ModelBuilder((1, 1, 3, 5))
    x = build.node("Transpose", conv(build, build.quant("x"), 1, 1), perm=[0, 3, 2, 1])
    total = build.node("Add", x, build.quant(x, 0.5))
    check(build, build.quant(total, 1.0), frames((1, 1, 3, 5)))


POOLS = ["max-pool", "global", "global without axes"]
FRONTS = ["none", "norm", "bias, relu"]
BETWEEN = ["flatten", "flatten, norm", "flatten, norm, relu", "unsqueeze", "transpose, flatten"]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("between", BETWEEN)
def test_a_reshape_between_a_pool_and_its_quantiser(pool: str, front: str, between: str) -> None:
    build = ModelBuilder(MAP)
    x, random = conv(build, build.quant("x"), 2), np.random.default_rng(3)
    if front == "norm":
        x = build.batch_norm(x, [1, -0.5, 0, 2], [0.5, 1, 3, -1], [1, 0, 2, 1], [0.75] * 4, epsilon=0.25)
    elif front == "bias, relu":
        x = build.node("Relu", build.node("Add", x, np.asarray([1, -0.5, 2, 3], np.float32).reshape(4, 1, 1)))
    shape: tuple[int, ...]
    if pool == "max-pool":
        x, count, shape = build.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), 16, (1, 4, 2, 2)
    elif pool == "global":
        x, count, shape = build.node("GlobalMaxPool", x), 4, (1, 4, 1, 1)
    else:
        x, count, shape = build.node("ReduceMax", x, axes=[2, 3], keepdims=0), 4, (1, 4)
    if between == "unsqueeze":
        x = build.node("Squeeze", build.node("Unsqueeze", x, np.array([1])), np.array([1]))
    elif between == "transpose, flatten" and len(shape) == 4:
        x = build.node("Flatten", build.node("Transpose", x, perm=[0, 2, 3, 1]))
    else:
        x = build.node("Flatten", x)
    if "norm" in between:
        gamma = random.choice([1, -1, 0.5, 0], count)
        means = random.integers(-4, 5, count)
        x = build.batch_norm(x, gamma, means / 2, -means, [0.75] * count, epsilon=0.25)
    if "relu" in between:
        x = build.node("Relu", x)
    x = build.bipolar(x) if "relu" not in between else build.quant(x, 1.0, 0.0, 3)
    flat = x if between != "unsqueeze" else build.node("Flatten", x)
    output = build.node("MatMul", flat, build.weights(random.integers(-2, 3, (count, 5))))
    nodes = check(build, output, frames())
    pools = [node for node in nodes if isinstance(node, IntPool)]
    if pools and "norm" not in between:
        assert pools[0].output_type.element.bits <= 3


def test_padding_of_a_pool_of_sums_is_never_the_largest() -> None:
    build = ModelBuilder(MAP)
    x = build.node("Sub", conv(build, build.quant("x", 1.0, 0.0, 3, False), 2), scalar(40))
    pooled = build.node("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    flat = build.node("Flatten", pooled)
    random = np.random.default_rng(0)
    norm = build.batch_norm(
        flat, random.choice([1, -1], 16), random.integers(30, 50, 16), [0] * 16, [0.75] * 16, epsilon=0.25
    )
    check(build, build.node("MatMul", build.bipolar(norm), build.weights(np.eye(16))), np.abs(frames()))


def test_the_integers_of_every_form_mean_their_tensor() -> None:
    """What `Pending` promises, and a verification relies on."""
    build = ModelBuilder(MAP)
    x = build.node("Mul", conv(build, build.quant("x"), 2), scalar(0.5))
    large = resize(build, build.node("Relu", x), 1, 1, 2, 1)
    pooled = build.node("MaxPool", large, kernel_shape=[2, 2], strides=[2, 2])
    some = build.node("Slice", build.node("Neg", pooled), np.array([1]), np.array([4]), np.array([1]))
    small = build.quant(build.node("Add", some, build.quant(some, 0.5)), 0.5)
    mean = build.node("AveragePool", resize(build, small, 1, 1, 2, 2), kernel_shape=[2, 2], strides=[2, 2])
    output = build.node("Flatten", build.quant(mean, 0.5))
    proto = build.proto(output)
    imported, lowering, tensors = import_proto(proto), None, run_qonnx(proto, frames())
    lowering = Lowering(imported.graph)
    lowering.begin(IntType(-8, 7), 1.0)
    for node in imported.graph.nodes:
        lowering.take(node)
    entry = lowering.entry
    assert entry is not None
    stream = np.empty((5, entry.size), np.int64)
    stream[:, entry.index.reshape(-1)] = frames().reshape(5, -1)
    values = {entry.tensor: stream.reshape(5, entry.vectors, entry.channels)}
    for made in lowering.nodes:
        values.update(zip(made.outputs, made.evaluate(*(values[name] for name in made.inputs)), strict=True))
    seen = 0
    for form in lowering.forms.values():
        if not isinstance(form, Pending) or (form.steps and form.steps[0].output == form.onnx_tensor):
            continue
        channel = form.index % form.channels
        integers = values[form.tensor].reshape(5, -1)[:, form.index.reshape(-1)].reshape(5, *form.index.shape)
        real = form.scale[channel] * (integers - form.zero[channel])
        real += 0.0 if form.offset is None else form.offset[channel]
        np.testing.assert_array_equal(real, tensors[form.onnx_tensor])
        seen += 1
    assert seen > 12
