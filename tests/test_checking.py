"""`check` down to the units of the hardware: what takes each node, what stands in the way, as JSON too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.lower.helpers import import_proto
from tests.models import Array, ModelBuilder
from tests.small_models import save_small_model, small_model
from thresher.checking import Checked, check_graph
from thresher.cli import main
from thresher.lower.explain import NodeReport
from thresher.report.check import check_summary

EYE = np.eye(4)


def checked(proto: onnx.ModelProto) -> Checked:
    return check_graph("test.onnx", import_proto(proto, keep_going=True).graph, None, None)


def units(result: Checked) -> dict[str, tuple[str, ...]]:
    return {report.node: report.units for report in result.reports}


def test_units_are_those_that_a_build_makes(tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    assert main(["build", str(model), "-o", str(tmp_path / "out")]) == 0
    layers = json.loads((tmp_path / "out" / "project.json").read_text())["layers"]

    result = checked(small_model())

    made: dict[str, tuple[str, ...]] = {}
    for layer in layers:
        for node in layer["onnx_nodes"]:
            made[node] = (*made.get(node, ()), layer["name"])
    assert {node: names for node, names in units(result).items() if names} == made
    assert result.counts == {"hardware": 6, "host": 3, "constant": 0, "unused": 0, "problem": 0}


def conv(build: ModelBuilder, x: str, name: str) -> str:
    weights = build.quant(build.constant(np.ones((2, 2, 3, 3), np.float32)), bits=2, name=f"{name}_w")
    return build.node("Conv", x, weights, name=name)


def test_a_window_and_its_products_are_two_units() -> None:
    build = ModelBuilder((1, 2, 8, 8))
    x = build.quant(conv(build, build.quant("x", name="entry"), "conv"), bits=4, name="act")
    x = build.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], name="pool")

    taken = units(checked(build.proto(x)))

    assert taken["entry"] == ()
    assert (taken["conv"], taken["act"], taken["pool"]) == (("swg0", "mvu0"), ("mvu0",), ("swg1", "pool0"))


def test_what_follows_a_problem_is_looked_at_too() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x"), build.weights(EYE), name="fc1")
    x = build.node("Sin", build.quant(x), name="wave")
    x = build.node("MatMul", build.quant(x, name="act"), build.weights(EYE), name="fc2")

    result = checked(build.proto(x))

    problems = {report.node: report.reason for report in result.reports if report.role == "problem"}
    assert problems == {"wave": "operator Sin is not supported, and quantised layers follow"}
    assert not result.can_be_built
    taken = units(result)
    assert (taken["fc1"], taken["wave"], taken["fc2"]) == (("mvu0",), (), ("mvu1",))


def test_an_operator_that_no_kernel_takes_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.hardware.select.available_kernels", lambda: ())
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x"), build.weights(EYE), name="fc")

    result = checked(build.proto(x))

    report = next(report for report in result.reports if report.node == "fc")
    assert (report.role, report.reason) == ("problem", "no kernel takes IntMatMul of this shape")
    assert report.remedy.startswith("kernels: ")


def test_all_of_it_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = ModelBuilder((1, 4))
    x = build.node("Add", build.quant("x", name="entry"), np.ones(4, np.float32), name="add")
    x = build.node("MatMul", x, build.weights(EYE), name="fc")
    onnx.save(build.proto(x), tmp_path / "m.onnx")
    path = tmp_path / "check.json"

    assert main(["check", str(tmp_path / "m.onnx"), "--json", str(path)]) == 3

    content = json.loads(path.read_text())
    assert (content["model"], content["can_be_built"]) == ("m.onnx", False)
    assert content["counts"] == {"hardware": 0, "host": 2, "constant": 1, "unused": 0, "problem": 1}
    assert content["nodes"][0] == {
        "node": "entry",
        "operator": "Quant",
        "role": "host",
        "taken_by": "host prologue",
        "units": [],
        "output": "int4, 4, scale 1 per tensor",
        "reason": "",
        "remedy": "",
    }
    fc = next(node for node in content["nodes"] if node["node"] == "fc")
    assert fc["reason"] == "it needs a quantiser between node 'add' and itself"
    assert fc["remedy"] == "quantise its input, as Brevitas' QuantIdentity does"
    assert "1 problem" in capsys.readouterr().out


def test_float_layers_can_be_checked_as_they_would_be_quantised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", "x", EYE.astype(np.float32), name="first")
    x = build.node("MatMul", build.quant(x, name="act"), build.weights(EYE), name="fc")
    onnx.save(build.proto(x), tmp_path / "m.onnx")
    samples: Array = np.ones((2, 4), np.float32)
    np.save(tmp_path / "x.npy", samples)
    path = tmp_path / "check.json"
    options = ["--quantize-float", "8", "--samples", str(tmp_path / "x.npy"), "--json", str(path)]

    assert main(["check", str(tmp_path / "m.onnx"), *options]) == 0

    nodes = {node["node"]: node for node in json.loads(path.read_text())["nodes"]}
    assert nodes["first"]["units"] == ["mvu0"]
    assert nodes["first"]["output"].startswith("uint15, 4, scale ")
    assert "in hardware, 0 on the host" in capsys.readouterr().out


def test_a_summary_of_one() -> None:
    counts = Checked("m", (NodeReport("a", "Relu", None), NodeReport("b", "Shape", "constant"))).counts

    assert check_summary(counts) == "2 nodes: 0 in hardware, 0 on the host, 1 constant, 1 problem"
