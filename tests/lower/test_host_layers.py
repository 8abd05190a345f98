"""Linear layers on the host are named with their share of the work, by hand-counted multiply-accumulates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.lower.helpers import import_proto
from tests.models import Array, ModelBuilder
from thresher.checking import check_graph
from thresher.cli import main
from thresher.lower import HostLayer
from thresher_sim.streams import IntType

# A convolution from 2 channels to 3, with 3 x 3 taps, on 4 x 4 pixels, then matrices of 48 x 5 and of 5 x 4.
CONV, MIDDLE, LAST = 3 * 2 * 9 * 16, 48 * 5, 5 * 4
TOTAL = CONV + MIDDLE + LAST

CALIBRATE = "build with --quantize-float 8 --samples X.npy"
FRONT = "a QuantIdentity(bit_width=8) in front of it"


def network(entry: bool = True, first: bool = True, last: bool = True, between: str = "") -> onnx.ModelProto:
    """Three layers; of the input, the first layer's weights and the last one's some are not quantised.

    The operator `between`, which only the host has, follows the first layer.
    """
    build, random = ModelBuilder((1, 2, 4, 4)), np.random.default_rng(0)

    def weights(shape: tuple[int, ...], quantised: bool) -> str:
        if not quantised:
            return build.constant(random.normal(size=shape).astype(np.float32))
        return build.quant(build.constant(random.integers(-3, 4, shape).astype(np.float32)))

    x = build.quant("x", 0.25) if entry else "x"
    x = build.node("Conv", x, weights((3, 2, 3, 3), first), pads=[1, 1, 1, 1], name="first")
    x = build.node(between, x, name="between") if between else x
    x = build.node("Reshape", build.quant(x, 2.0), np.asarray([1, 48]))
    x = build.node("MatMul", x, weights((48, 5), True), name="middle")
    x = build.quant(x, 4.0) if last else build.node("Relu", x)
    return build.proto(build.node("MatMul", x, weights((5, 4), last), name="last"))


def found(proto: onnx.ModelProto, input_type: IntType | None = None) -> tuple[HostLayer, ...]:
    checked = check_graph("m", import_proto(proto, keep_going=True).graph, input_type, None)
    assert checked.can_be_built
    return checked.host_layers


def test_a_network_all_in_hardware_has_none() -> None:
    assert found(network()) == ()
    assert found(network(entry=False), IntType(0, 255)) == ()


def test_a_layer_without_a_quantiser_of_its_input_is_named() -> None:
    (layer,) = found(network(entry=False))
    assert (layer.node, layer.operator, layer.macs_per_frame) == ("first", "Conv", CONV)
    assert layer.share == CONV / TOTAL
    assert layer.sentence == (
        f"layer 'first' stays on the host with {100 * CONV / TOTAL:.1f} % of the multiply-accumulates: its "
        f"input is not quantised; put {FRONT}, on the model's input, or build with --input-type and "
        f"--input-scale, such as uint8 and 1/255, or {CALIBRATE}"
    )
    assert layer.unintended


def test_a_layer_of_floats_behind_the_hardware_is_named() -> None:
    (layer,) = found(network(last=False))
    assert layer.sentence == (
        f"layer 'last' stays on the host with {100 * LAST / TOTAL:.1f} % of the multiply-accumulates: its "
        f"weights and its input are floats; make it a QuantLinear with a weight_quant and put {FRONT}, or "
        f"{CALIBRATE}"
    )
    assert not layer.unintended


def test_a_layer_of_floats_ahead_of_it_is_named() -> None:
    layers = found(network(entry=False, first=False, last=False))
    assert [(layer.node, layer.macs_per_frame) for layer in layers] == [("first", CONV), ("last", LAST)]
    assert layers[0].reason == "its weights and its input are floats"
    assert layers[0].remedy == f"make it a QuantConv2d with a weight_quant and put {FRONT}, or {CALIBRATE}"
    # Together they are most of the network.
    assert [layer.unintended for layer in layers] == [True, True]


def test_what_the_host_alone_computes_between_is_named() -> None:
    (layer,) = found(network(entry=False, first=False, between="Tanh"))
    assert layer.reason == "node 'between', which has no unit, lies between it and the quantised layers"
    assert layer.remedy == "leave that out, or move it to the other side of the layer"


def test_check_and_build_say_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    model, out = tmp_path / "m.onnx", tmp_path / "out"
    onnx.save(network(entry=False, last=False), model)
    first, last = (layer.sentence for layer in found(network(entry=False, last=False)))
    commands: list[list[Any]] = [
        ["check", model, "--json", tmp_path / "check.json"],
        ["build", model, "-o", out, "--no-verify"],
    ]
    for command in commands:
        assert main([str(word) for word in command]) == 0
        captured = capsys.readouterr()
        assert captured.err == f"thresher: warning: {first}\n"
        assert last in captured.out.splitlines() and first not in captured.out
    listed = json.loads((tmp_path / "check.json").read_text())["host_layers"]
    report = json.loads((out / "reports" / "report.json").read_text())
    assert [layer["node"] for layer in listed] == ["first", "last"]
    assert (report["host_layers"], report["warnings"]) == (listed, [first])


def test_quantised_float_layers_are_not_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "m.onnx"
    onnx.save(network(entry=False, first=False, last=False), model)
    samples: Array = np.random.default_rng(1).random((8, 2, 4, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", samples)
    options = ["--quantize-float", "8", "--samples", str(tmp_path / "x.npy")]
    assert main(["check", str(model), *options, "--json", str(tmp_path / "c.json")]) == 0
    assert json.loads((tmp_path / "c.json").read_text())["host_layers"] == []
    assert capsys.readouterr().err == ""
