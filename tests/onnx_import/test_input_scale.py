"""XNOR-Net's K, a scale of a layer's own input: the host's, refused, or left out on request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.lower.helpers import Compiled
from tests.models import Array, ModelBuilder
from tests.onnx_import.standard import run_onnxruntime, signs
from thresher.cli import main
from thresher.errors import UnsupportedModelError
from thresher.ir.integer import IntMatMul
from thresher.lower import lower
from thresher.lower.explain import explain
from thresher.onnx_import import Imported, import_model, parse_model

SHAPE = (1, 3, 8, 8)


def xnor_network(scaled: bool, averaged_by: str = "Conv") -> onnx.ModelProto:
    """Two convolutions and a matrix of signs on signs, each times its alpha and, if `scaled`, its K."""
    rng = np.random.default_rng(1)
    build = ModelBuilder(SHAPE)
    x = "x"
    for index, (channels, rows) in enumerate(((3, 6), (6, 4))):
        weights = signs(rng, rows, channels, 3, 3) * rng.uniform(0.1, 2, (rows, 1, 1, 1)).astype(np.float32)
        y = build.node("Conv", _sign(build, x), weights, pads=[1, 1, 1, 1], name=f"conv{index}")
        if scaled:
            y = build.node("Mul", y, _map_scale(build, x, averaged_by, index), name=f"scale{index}")
        parts = (rng.normal(size=rows), rng.normal(size=rows), rng.normal(size=rows) * 3, np.ones(rows))
        x = build.batch_norm(y, *parts)
    x = build.node("Flatten", x)
    y = build.node("MatMul", _sign(build, x), signs(rng, 256, 5), name="fc")
    if scaled:
        magnitude = build.node("Abs", x, name="abs2")
        y = build.node("Mul", build.node("ReduceMean", magnitude, axes=[1], keepdims=1), y, name="scale2")
    return build.proto(build.node("Add", y, rng.normal(size=5).astype(np.float32)))


def _sign(build: ModelBuilder, x: str) -> str:
    positive = build.node("GreaterOrEqual", x, np.float32(0))
    return build.node("Where", positive, np.float32(1), np.float32(-1))


def _map_scale(build: ModelBuilder, x: str, averaged_by: str, index: int) -> str:
    mean = build.node("ReduceMean", build.node("Abs", x, name=f"abs{index}"), axes=[1], keepdims=1)
    if averaged_by == "Conv":
        return build.node("Conv", mean, np.full((1, 1, 3, 3), 1 / 9, np.float32), pads=[1, 1, 1, 1])
    return build.node("AveragePool", mean, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)


def imported(proto: onnx.ModelProto, keep_going: bool = False, drop: bool = False) -> Imported:
    model = parse_model(proto.SerializeToString(), "m.onnx")
    return import_model(model, keep_going, drop_input_scale=drop)


def frames(count: int = 50) -> Array:
    return np.random.default_rng(2).normal(size=(count, *SHAPE[1:])).astype(np.float32)


@pytest.mark.parametrize("averaged_by", ["Conv", "AveragePool"])
def test_without_the_scale_it_is_the_network_without_it(averaged_by: str) -> None:
    model = imported(xnor_network(True, averaged_by), drop=True)
    compiled = Compiled(model, lower(model.graph))

    assert model.dropped == ("scale0", "scale1", "scale2")
    bare = xnor_network(False)
    expected = run_onnxruntime(bare, frames())[bare.graph.output[0].name][:, 0]
    np.testing.assert_array_equal(compiled.predict(frames()), expected)


REASON = (
    "it multiplies a layer by a scale that is computed from the layer's own input at run time (XNOR-Net's K, "
    "from node 'abs{}' on), which no integers have"
)
REMEDY = "build with --drop-input-scale and measure the accuracy without it, or train without K"
NOTHING_LEFT = f"lower: node 'scale2': {REASON.format(2)}, so nothing is left for hardware; {REMEDY}"


def test_a_network_of_such_layers_leaves_nothing_to_build() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        lower(imported(xnor_network(True)).graph)
    assert str(caught.value) == NOTHING_LEFT


def mixed_network(places: str) -> onnx.ModelProto:
    """Three layers of signs in a row, scaled by their input where `places` has a K."""
    rng = np.random.default_rng(4)
    build = ModelBuilder((1, 8))
    x = "x"
    for index, place in enumerate(places):
        y = build.node("MatMul", _sign(build, x), signs(rng, 8, 8), name=f"fc{index}")
        if place == "K":
            magnitude = build.node("Abs", x, name=f"abs{index}")
            mean = build.node("ReduceMean", magnitude, axes=[1], keepdims=1)
            y = build.node("Mul", y, mean, name=f"scale{index}")
        parts = (rng.normal(size=8), rng.normal(size=8), rng.normal(size=8) * 3, np.ones(8))
        x = build.batch_norm(y, *parts)
    return build.proto(x)


@pytest.mark.parametrize(("places", "layers"), [("K--", 2), ("--K", 2), ("KK-", 1), ("K-K", 1)])
def test_ahead_of_the_hardware_and_behind_it_the_host_scales(places: str, layers: int) -> None:
    proto = mixed_network(places)
    model = imported(proto)
    compiled = Compiled(model, lower(model.graph))
    x = np.random.default_rng(5).normal(size=(50, 8)).astype(np.float32)

    made = compiled.lowered.graph.nodes
    assert sum(isinstance(node, IntMatMul) for node in made) == layers
    expected = run_onnxruntime(proto, x)[proto.graph.output[0].name][:, 0]
    np.testing.assert_array_equal(compiled.predict(x), expected)
    assert model.dropped == ()


def test_between_quantised_layers_it_is_refused() -> None:
    graph = imported(mixed_network("-K-")).graph
    message = f"lower: node 'scale1': {REASON.format(1)}, and quantised layers follow; {REMEDY}"

    with pytest.raises(UnsupportedModelError) as caught:
        lower(graph)
    assert str(caught.value) == message
    reports = {entry.node: entry for entry in explain(graph)}
    assert f"lower: node 'scale1': {reports['scale1'].reason}; {reports['scale1'].remedy}" == message


def test_check_tells_what_is_left_out() -> None:
    dropped = explain(imported(xnor_network(True), keep_going=True, drop=True).graph)

    taken = {entry.node: entry.taken_by for entry in dropped}
    assert taken["scale1"] == "dropped"
    assert taken["abs1"] == "unused"
    assert not any(entry.reason for entry in dropped)


def test_the_option_of_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "m.onnx")
    onnx.save(xnor_network(True), path)

    assert main(["check", path]) == 3
    assert main(["check", path, "--drop-input-scale"]) == 0
    capsys.readouterr()
    assert main(["build", path, "-o", str(tmp_path / "refused")]) == 3
    assert capsys.readouterr().err == f"thresher: error: {NOTHING_LEFT}\n"
    built, samples = tmp_path / "built", frames()
    labels = np.random.default_rng(4).integers(0, 5, len(samples))
    files = {"samples": samples, "labels": labels}
    for name, array in files.items():
        np.save(tmp_path / f"{name}.npy", array)
    given = [word for name in files for word in (f"--{name}", str(tmp_path / f"{name}.npy"))]
    assert main(["build", path, "-o", str(built), "--drop-input-scale", *given]) == 0
    right = []
    for proto in (xnor_network(True), xnor_network(False)):
        scores = run_onnxruntime(proto, samples)[proto.graph.output[0].name]
        right.append(float((scores.reshape(len(labels), -1).argmax(axis=1) == labels).mean()))
    measured = json.loads((built / "reports" / "report.json").read_text())["accuracy"]
    assert [measured["onnx"], measured["golden"]] == right
    assert "3 scales that layers compute from their inputs" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("other", ["another input", "another tensor"])
def test_other_products_of_two_tensors_are_no_such_scale(other: str) -> None:
    """The magnitude must be of what the layer binarises, and must be averaged by equal weights."""
    rng = np.random.default_rng(3)
    build = ModelBuilder(SHAPE)
    y = build.node("Conv", _sign(build, "x"), signs(rng, 4, 3, 3, 3), pads=[1, 1, 1, 1])
    source = build.node("Neg", "x") if other == "another input" else "x"
    mean = build.node("ReduceMean", build.node("Abs", source), axes=[1], keepdims=1)
    weights = np.ones((1, 1, 3, 3), np.float32)
    weights[0, 0, 1, 1] += other == "another tensor"
    scale = build.node("Conv", mean, weights, pads=[1, 1, 1, 1])
    proto = build.proto(build.node("Mul", y, scale, name="product"))

    assert imported(proto, drop=True).dropped == ()
