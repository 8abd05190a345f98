"""Float layers as layers of N bits, held to the same network with explicit Quant nodes under QONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import thresher
from tests.float_ends import Trained
from tests.lower.helpers import Compiled, import_proto
from tests.models import QONNX_DOMAIN, Array, ModelBuilder, run_qonnx
from tests.small_models import save_small_model
from thresher.cli import main
from thresher.errors import UsageError
from thresher.lower import lower
from thresher.onnx_import.quantize import QuantisedFloats, QuantisedLayer, quantize_float
from thresher.onnx_import.quantize.calibrate import calibrate
from thresher.onnx_import.standard import run_model
from thresher_sim.streams import IntType

EYE = np.eye(4)


def quantised(
    proto: onnx.ModelProto, bits: int, samples: Array, **options: Any
) -> tuple[QuantisedFloats, Compiled]:
    """The network with its float layers quantised, and lowered."""
    quantised = quantize_float(import_proto(proto), bits, samples, "input_type" in options)
    return quantised, Compiled(quantised.imported, lower(quantised.imported.graph, **options))


def with_quant_nodes(proto: onnx.ModelProto, layers: tuple[QuantisedLayer, ...]) -> onnx.ModelProto:
    """The same network written as QONNX: a Quant on every weight and every input that was quantised."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    constants = {tensor.name: tensor for tensor in copy.graph.initializer}
    for layer in layers:
        index, node = next((i, n) for i, n in enumerate(copy.graph.node) if n.name == layer.node)
        if layer.weight_scales is not None:
            weights = numpy_helper.to_array(constants[node.input[1]])
            rows_last = node.op_type == "MatMul"
            shape = (1, -1) if rows_last else (-1, *[1] * (weights.ndim - 1))
            scale = layer.weight_scales.reshape(shape)
            assert layer.weight_bits is not None
            quant = quant_node(copy, node.input[1], f"{layer.node}/w", scale, layer.weight_bits, True, True)
            node.input[1] = quant.output[0]
            copy.graph.node.insert(index, quant)
        if layer.input_type is not None:
            signed, bits = layer.input_type.signed, layer.input_type.bits
            name = f"{node.input[0]}/q"
            if not any(name in other.output for other in copy.graph.node):
                quant = quant_node(
                    copy, node.input[0], name, np.float32(layer.input_scale), bits, signed, False
                )
                copy.graph.node.insert(index, quant)
            node.input[0] = name
    return copy


def quant_node(
    proto: onnx.ModelProto, source: str, name: str, scale: Any, bits: int, signed: bool, narrow: bool
) -> onnx.NodeProto:
    parts = {f"{name}/scale": scale, f"{name}/zero": np.float32(0), f"{name}/bits": np.float32(bits)}
    proto.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in parts.items()
    )
    attributes: Any = {"signed": int(signed), "narrow": int(narrow), "rounding_mode": "ROUND"}
    return helper.make_node("Quant", [source, *parts], [name], name, domain=QONNX_DOMAIN, **attributes)


def levels(values: Array, scale: Any) -> Array:
    """The integers of real values that are multiples of `scale`."""
    return np.rint(values.astype(np.float64) / np.asarray(scale, np.float64)).astype(np.int64)


def to_stream(maps: Array) -> Array:
    """`[N, channels, height, width]` as `[N, pixels, channels]`."""
    return maps.transpose(0, 2, 3, 1).reshape(len(maps), -1, maps.shape[1])


@pytest.mark.parametrize("bits", [8, 4])
def test_a_trained_network_equals_its_quant_nodes_under_qonnx(float_ends: Trained, bits: int) -> None:
    proto = onnx.load(float_ends.model)
    frames = float_ends.test_x[:64]

    done, compiled = quantised(proto, bits, float_ends.train_x)

    first, last = done.layers
    assert (first.weight_bits, last.weight_bits) == (bits, bits)
    assert first.input_type == IntType(0, 2**bits - 1)
    assert last.input_type == IntType(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert last.weight_scales is not None and last.input_scale is not None
    theirs = run_qonnx(with_quant_nodes(proto, done.layers), frames)
    ours = compiled.trace(frames)
    signs = [theirs[node.output[0]] for node in proto.graph.node if "act_quant" in node.name]
    features, scores = last_product(proto)
    equal(ours["input"], to_stream(levels(theirs[f"{proto.graph.input[0].name}/q"], first.input_scale)))
    equal(ours["pool0_out"], to_stream(signs[0]))
    equal(ours["threshold1_out"], to_stream(signs[1]))
    equal(ours["threshold2_out"][:, 0], levels(theirs[f"{features}/q"], last.input_scale))
    bias = numpy_helper.to_array(next(t for t in proto.graph.initializer if t.name == "13.bias"))
    sums = levels(theirs[scores] - bias, last.weight_scales * np.float64(last.input_scale))
    equal(ours[compiled.lowered.output.tensor][:, 0], sums)


def last_product(proto: onnx.ModelProto) -> tuple[str, str]:
    """What the last matrix of the network reads and writes."""
    node = proto.graph.node[-1]
    assert node.op_type == "Gemm"
    return node.input[0], node.output[0]


def equal(ours: Array, theirs: Array) -> None:
    np.testing.assert_array_equal(ours, theirs)


def test_accuracy_hardly_changes(float_ends: Trained) -> None:
    source = import_proto(onnx.load(float_ends.model))

    _, compiled = quantised(onnx.load(float_ends.model), 8, float_ends.train_x)

    frames, labels = float_ends.test_x, float_ends.test_y
    before = (run_model(source, frames).argmax(axis=1) == labels).mean()
    after = (compiled.predict(frames).argmax(axis=1) == labels).mean()
    assert before > 0.9
    assert abs(after - before) <= 0.02


def float_maps(seed: int) -> onnx.ModelProto:
    """Float convolutions, one of them depthwise, of inputs of both signs, and a float matrix behind."""
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> Array:
        return random.normal(size=shape).astype(np.float32)

    build = ModelBuilder((1, 3, 6, 6))
    x = build.node("Conv", "x", normal(4, 3, 3, 3), normal(4), name="conv", pads=[1, 1, 1, 1])
    x = build.node("Relu", x)
    x = build.node("Conv", x, normal(4, 1, 3, 3), name="depthwise", group=4)
    x = build.batch_norm(x, normal(4), normal(4), normal(4), random.uniform(0.5, 2, 4))
    x = build.node("MaxPool", build.quant(x, 0.25, bits=4, name="act"), kernel_shape=[2, 2], strides=[2, 2])
    x = build.node("MatMul", build.node("Flatten", x), normal(16, 5), name="fc")
    return build.proto(x)


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_convolutions_in_a_row(bits: int) -> None:
    proto, random = float_maps(bits), np.random.default_rng(7)
    samples, frames = random.normal(size=(2, 40, 3, 6, 6)).astype(np.float32)

    done, compiled = quantised(proto, bits, samples)

    # What the matrix reads are integers already.
    assert [(layer.node, layer.input_type) for layer in done.layers] == [
        ("conv", IntType(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)),
        ("depthwise", IntType(0, 2**bits - 1)),
        ("fc", None),
    ]
    theirs = run_qonnx(with_quant_nodes(proto, done.layers), frames)
    ours = compiled.trace(frames)
    _, second, third = done.layers
    assert third.weight_scales is not None
    equal(ours["threshold0_out"], to_stream(levels(theirs["Relu_1_y/q"], second.input_scale)))
    equal(ours["pool0_out"], to_stream(levels(theirs["MaxPool_5_y"], 0.25)))
    sums = levels(theirs[proto.graph.output[0].name], third.weight_scales * 0.25)
    equal(compiled.lowered.output.from_stream(ours[compiled.lowered.output.tensor]), sums)


def test_integers_that_enter_need_no_quantiser() -> None:
    proto, random = float_maps(1), np.random.default_rng(8)
    pixels = random.integers(0, 256, (40, 3, 6, 6))
    real = pixels.astype(np.float32) / np.float32(255)

    done, compiled = quantised(proto, 8, real, input_type=IntType(0, 255), input_scale=1 / 255)

    assert done.layers[0].input_type is None
    assert compiled.lowered.prologue is None
    theirs = run_qonnx(with_quant_nodes(proto, done.layers), real)
    ours = compiled.trace(pixels)
    equal(ours["threshold0_out"], to_stream(levels(theirs["Relu_1_y/q"], done.layers[1].input_scale)))
    equal(ours["pool0_out"], to_stream(levels(theirs["MaxPool_5_y"], 0.25)))


def test_binary_layers_of_floats_get_a_quantiser() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", "x", build.weights(EYE), name="fc1")
    x = build.node("MatMul", build.node("Relu", x), np.eye(4, dtype=np.float32), name="fc2")
    samples = np.random.default_rng(9).normal(size=(16, 4)).astype(np.float32)

    done, _ = quantised(build.proto(build.quant(x)), 6, samples)

    assert [(layer.node, layer.weight_bits) for layer in done.layers] == [("fc1", None), ("fc2", 6)]
    assert [layer.input_type for layer in done.layers] == [IntType(-32, 31), IntType(0, 63)]


def test_all_that_reads_a_quantised_tensor_reads_its_integers() -> None:
    random = np.random.default_rng(12)
    first, second = random.normal(size=(2, 4, 4)).astype(np.float32)
    build = ModelBuilder((1, 4))
    x = build.node("Relu", build.node("MatMul", "x", first, name="fc1"), name="relu")
    y = build.node("MatMul", x, second, name="fc2")
    x = build.quant(build.node("Add", y, x, name="skip"), 0.5, name="act")
    samples = random.normal(size=(64, 4)).astype(np.float32)

    done, compiled = quantised(build.proto(x), 8, samples)

    # The sum is in fixed point, whose error the lowering states: beyond it no level may differ.
    one, two = done.layers
    assert one.input_scale is not None and two.input_scale is not None
    real = np.clip(np.rint(samples / one.input_scale), -128, 127) * one.input_scale
    hidden = np.maximum(real @ rounded(first, one), 0)
    hidden = np.clip(np.rint(hidden / two.input_scale), 0, 255) * two.input_scale
    total = hidden @ rounded(second, two) + hidden
    (approximation,) = compiled.lowered.approximations
    ours = compiled.trace(samples)[compiled.lowered.output.tensor][:, 0]
    low, high = (
        np.clip(np.rint((total + sign * (approximation.error + 1e-5)) / 0.5), -8, 7) for sign in (-1, 1)
    )
    assert ((low <= ours) & (ours <= high)).all()
    assert len(np.unique(ours)) > 4


def rounded(matrix: Array, layer: QuantisedLayer) -> Array:
    """A matrix `[columns, rows]` with the weights of `layer`."""
    assert layer.weight_scales is not None
    result: Array = np.rint(matrix / layer.weight_scales) * layer.weight_scales
    return result


def test_layers_beyond_a_host_operator_stay_there() -> None:
    build = ModelBuilder((1, 4))
    matrix = np.eye(4, dtype=np.float32)
    x = build.node("Sin", build.node("MatMul", "x", matrix, name="before"), name="wave")
    x = build.node("MatMul", x, matrix, name="inside")
    x = build.node("MatMul", build.quant(x), build.weights(EYE), name="fc")
    x = build.node("Sigmoid", x, name="gate")
    proto = build.proto(build.node("MatMul", x, matrix, name="behind"))
    frames = np.random.default_rng(10).normal(size=(16, 4)).astype(np.float32)

    done, compiled = quantised(proto, 8, frames)

    assert [layer.node for layer in done.layers] == ["inside"]
    assert done.left == (("before", "wave"), ("behind", "gate"))
    theirs = run_qonnx(with_quant_nodes(proto, done.layers), frames)
    np.testing.assert_allclose(compiled.predict(frames), theirs[proto.graph.output[0].name], rtol=1e-6)


def test_scales_are_where_the_error_is_least() -> None:
    values = np.random.default_rng(11).normal(size=4096)
    values[0] = 8.0

    grid = calibrate(values, 2)

    def error(scale: float) -> float:
        return float(np.square(np.clip(np.rint(values / scale), -2, 1) * scale - values).mean())

    # Not where the one value that lies far out says, 8 / 1; no other scale of a fine search is much better.
    assert grid.element == IntType(-2, 1)
    assert error(float(grid.scale)) < 1.01 * min(error(scale) for scale in np.linspace(0.1, 8.0, 400))


@pytest.mark.parametrize(
    ("values", "bits", "element", "scale"),
    [
        ([0.0, 3.0, 16.0], 8, IntType(0, 255), 0.125),
        ([0.0, 1.0, 15.0], 4, IntType(0, 15), 1.0),
        ([-1.0, 0.5], 3, IntType(-4, 3), 0.5),
        ([0.0, 0.0], 5, IntType(0, 31), 1.0),
    ],
)
def test_small_integers_are_exact(values: list[float], bits: int, element: IntType, scale: float) -> None:
    grid = calibrate(np.array(values, np.float32), bits)

    assert (grid.element, float(grid.scale)) == (element, scale)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--quantize-float", "8"],
            "build: quantising float layers takes samples of the model's input, to choose scales by; give "
            "--samples X.npy, or samples=... from Python",
        ),
        (
            ["--quantize-float", "9", "--samples", "x.npy"],
            "build: float layers cannot be quantised to 9 bits; give 2 to 8",
        ),
        (
            ["--quantize-float", "1", "--samples", "x.npy"],
            "build: float layers cannot be quantised to 1 bits; give 2 to 8",
        ),
        (
            ["--samples", "short.npy"],
            "samples: the array has shape [5, 3]; the model takes [N, 12]",
        ),
        (
            ["--labels", "y.npy"],
            "build: labels belong to samples; give those too, with --samples X.npy",
        ),
        (
            ["--quantize-float", "8", "--samples", "short.npy"],
            "samples: the array has shape [5, 3]; the model takes [N, 12]",
        ),
        (
            ["--quantize-float", "8", "--samples", "x.npy"],
            "build: the model has no float layers to quantise; build without quantising float layers",
        ),
        (
            ["--quantize-float", "8", "--samples", "none.npy"],
            "samples: file 'none.npy' does not exist; give the path of a .npy file",
        ),
    ],
)
def test_bad_requests_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    save_small_model(tmp_path / "ok.onnx")
    np.save("x.npy", np.zeros((5, 12), np.float32))
    np.save("y.npy", np.zeros(5, np.int64))
    np.save("short.npy", np.zeros((5, 3), np.float32))

    code = main(["build", "ok.onnx", "-o", "out", *options])

    assert (code, capsys.readouterr().err) == (2, f"thresher: error: {message}\n")
    assert not (tmp_path / "out").exists()


def test_nothing_but_layers_beyond_a_host_operator() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x"), build.weights(EYE), name="fc")
    x = build.node("Sigmoid", x, name="gate")
    proto = build.proto(build.node("MatMul", x, np.eye(4, dtype=np.float32), name="behind"))

    with pytest.raises(UsageError) as caught:
        quantise_float_of(proto)

    assert str(caught.value) == (
        "build: no float layer can be quantised: 'behind' stays on the host because of node 'gate'; build "
        "without quantising float layers"
    )


def quantise_float_of(proto: onnx.ModelProto) -> QuantisedFloats:
    return quantize_float(import_proto(proto), 8, np.zeros((2, 4), np.float32))


def test_a_build_reports_what_was_done(
    float_ends: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", float_ends.test_x)
    np.save(tmp_path / "y.npy", float_ends.test_y)
    project = tmp_path / "out"
    files = ["--samples", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy")]

    assert main(["build", str(float_ends.model), "-o", str(project), "--quantize-float", "8", *files]) == 0

    printed = " ".join(capsys.readouterr().out.split())
    report = json.loads((project / "reports" / "report.json").read_text())
    content = report["float_layers"]
    accelerator = thresher.load(project)
    source = import_proto(onnx.load(float_ends.model))
    onnx_right = (run_model(source, float_ends.test_x).argmax(axis=1) == float_ends.test_y).mean()
    golden_right = (accelerator.predict(float_ends.test_x).argmax(axis=1) == float_ends.test_y).mean()
    assert report["accuracy"] == {
        "dataset": "samples",
        "images": 450,
        "onnx": onnx_right,
        "golden": golden_right,
    }
    assert [layer["node"] for layer in content["layers"]] == ["/0/Conv", "/13/Gemm"]
    assert [layer["input_type"] for layer in content["layers"]] == ["uint8", "int8"]
    assert [len(layer["weight_scales"]) for layer in content["layers"]] == [16, 10]
    assert (content["samples"], content["left_on_host"]) == (256, [])
    assert f"accuracy on 450 images: ONNX model {onnx_right:.2%}, golden model {golden_right:.2%}" in printed
    run = accelerator.csim(float_ends.test_x[:16])
    assert run.mismatches == 0


def test_integer_samples_are_what_the_hardware_takes(tmp_path: Path) -> None:
    random = np.random.default_rng(13)
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", "x", random.normal(size=(4, 6)).astype(np.float32), name="fc1")
    x = build.quant(build.node("Relu", x), 0.25, bits=3, signed=False, name="act")
    x = build.node("MatMul", x, random.normal(size=(6, 3)).astype(np.float32), name="fc2")
    onnx.save(build.proto(x), tmp_path / "m.onnx")
    pixels, labels = random.integers(0, 16, (50, 4)), random.integers(0, 3, 50)
    options: Any = {"input_type": "uint4", "input_scale": 1 / 15, "quantize_float": 8, "samples": pixels}

    accelerator = thresher.build(tmp_path / "m.onnx", tmp_path / "out", labels=labels, **options)

    report = accelerator.report()
    scores = run_qonnx(build.proto(x), pixels.astype(np.float32) / np.float32(15))[x]
    assert report["accuracy"]["onnx"] == (scores.argmax(axis=1) == labels).mean()
    assert report["accuracy"]["golden"] == (accelerator.predict(pixels).argmax(axis=1) == labels).mean()
    assert [layer["input_type"] for layer in report["float_layers"]["layers"]] == [None, None]
    with pytest.raises(UsageError) as caught:
        thresher.build(tmp_path / "m.onnx", tmp_path / "out", labels=labels[:9], **options)
    assert str(caught.value) == (
        "labels: the array has shape [9] and dtype int64; give one whole number per frame, [50]"
    )


def test_float_ends_stay_on_the_host_by_default(float_ends: Trained) -> None:
    source = import_proto(onnx.load(float_ends.model))

    compiled = Compiled(source, lower(source.graph))

    assert (compiled.lowered.prologue, compiled.lowered.epilogue) != (None, None)
    frames = float_ends.test_x[:32]
    theirs = run_qonnx(onnx.load(float_ends.model), frames)["47"]
    np.testing.assert_allclose(compiled.predict(frames), theirs, rtol=1e-5, atol=1e-5)
