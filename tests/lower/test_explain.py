"""`check` says of every ONNX node what takes it, and does not stop at the first problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tests.lower.helpers import import_proto
from tests.models import ModelBuilder
from thresher.lower import NodeReport, explain
from thresher_sim.streams import IntType

EYE = np.eye(4)


def reports(proto: onnx.ModelProto, **options: Any) -> list[NodeReport]:
    listed = list(explain(import_proto(proto, keep_going=True).graph, **options))
    assert [report.node for report in listed[: len(proto.graph.node)]] == [n.name for n in proto.graph.node]
    return listed


def test_a_network_that_is_taken(shared_models: Path) -> None:
    listed = reports(onnx.load(shared_models / "TFC_1W1A.onnx"))

    taken = {report.node: (report.taken_by, report.form) for report in listed}
    assert taken["Shape_0"] == ("constant", "")
    assert taken["Mul_7"] == ("host prologue", "float (host)")
    assert taken["BipolarQuant_11"] == ("host prologue", "bipolar, 784, scale 1 per tensor")
    assert taken["BipolarQuant_14"] == ("matmul0", "bipolar weights, 64x784, scale 1 per tensor")
    assert taken["MatMul_16"] == ("matmul0", "int11, 64, scale 1 per tensor")
    assert taken["BatchNormalization_17"] == ("threshold0", "pending: BatchNormalization on int11")
    assert taken["BipolarQuant_19"] == ("threshold0", "bipolar, 64, scale 1 per tensor")
    assert taken["Add_46"] == ("host epilogue", "float (host)")
    assert all(report.taken_by for report in listed)


def test_integer_inputs_and_a_class_index(shared_models: Path) -> None:
    options = {"input_type": IntType(0, 255), "input_scale": 1 / 255, "argmax": True}

    taken = {r.node: r.taken_by for r in reports(onnx.load(shared_models / "TFC_1W1A.onnx"), **options)}

    assert taken["Mul_7"] == taken["BipolarQuant_11"] == "threshold0"
    assert taken["Sub_41"] == taken["Add_46"] == "argmax0"


def test_every_problem_is_reported() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x", name="q1"), build.weights(EYE), name="fc1")
    x = build.node("Relu", build.node("Sin", x, name="wave"), name="relu")
    x = build.node("MatMul", build.quant(x, name="q2"), np.eye(4, dtype=np.float32), name="fc2")
    x = build.node("MatMul", build.quant(x, name="q3"), build.weights(EYE), name="fc3")
    x = build.node("Add", build.quant(x, scale=-1.0, name="q4"), np.ones(4, np.float32), name="add")
    x = build.node("MatMul", build.quant(x, name="q5"), build.weights(EYE), name="fc4")
    build.node("Relu", x, name="dead")

    listed = reports(build.proto(x))

    problems = {report.node: (report.reason, report.remedy) for report in listed if report.taken_by is None}
    assert set(problems) == {"wave", "fc2", "add", "q4"}
    assert problems["wave"][0] == "operator Sin is not supported, and quantised layers follow"
    reason = "its weights are floats, which no unit multiplies, and quantised layers follow"
    assert problems["fc2"][0] == reason
    assert problems["add"] == ("it follows node 'q4', which is not taken", "mend that first")
    assert problems["q4"][0] == "its scale holds a negative number, where positive numbers are needed"
    taken = {report.node: report.taken_by for report in listed}
    assert (taken["fc4"], taken["dead"]) == ("matmul2", "unused")


def test_a_problem_of_the_whole_comes_last() -> None:
    build = ModelBuilder((1, 4))
    x = build.node("MatMul", build.quant("x"), build.weights(EYE), name="fc")
    x = build.node("Mul", x, np.arange(1, 5, dtype=np.float32), name="mul")

    last = reports(build.proto(x), argmax=True)[-1]

    assert (last.node, last.op, last.taken_by, last.remedy) == (
        "mul_y",
        "output",
        None,
        "build without argmax",
    )
    assert last.reason.startswith("lower: the class index: the largest of its outputs cannot be told ")


def test_the_form_of_each_tensor() -> None:
    build = ModelBuilder((1, 2, 4, 4))
    scales = np.array([0.5, 0.25, 1.0], np.float32).reshape(3, 1, 1, 1)
    x = build.quant("x", scale=0.125, zero=3, bits=4, signed=False, name="entry")
    weights = build.quant(build.constant(np.ones((3, 2, 3, 3), np.float32)), scales, name="weights")
    x = build.node("Conv", x, weights, np.ones(3, np.float32), name="conv")
    x = build.node("Relu", build.batch_norm(x, *np.ones((4, 3)), name="norm"), name="relu")
    act = np.array([0.5, 0.25, 1.0], np.float32).reshape(1, 3, 1, 1)
    x = build.quant(x, scale=act, bits=3, signed=False, name="act")
    x = build.node("Flatten", x, name="flat")

    forms = {report.node: report.form for report in reports(build.proto(x))}

    # Each weight is 1, which is 2, 4 and 1 times the scale of its channel.
    assert forms == {
        "entry": "uint4, 4x4x2, scale 0.125 per tensor, zero point 3",
        "weights": "uint3 weights, 3x2x3x3, scale per channel",
        "conv": "pending: Add on uint11",
        "norm": "pending: Add, BatchNormalization on uint11",
        "relu": "pending: Add, BatchNormalization, Relu on uint11",
        "act": "uint3, 2x2x3, scale per channel",
        "flat": "uint3, 12, scale per channel",
    }


def test_what_waits_for_a_sum_is_in_hardware() -> None:
    build = ModelBuilder((1, 4))
    x = build.quant("x", name="entry")
    y = build.node("MatMul", x, build.weights(EYE), name="fc1")
    y = build.node("Add", y, np.ones(4, np.float32), name="bias")
    x = build.quant(build.node("Add", y, x, name="skip"), name="act")
    x = build.node("MatMul", x, build.weights(EYE), name="fc2")

    listed = {report.node: report for report in reports(build.proto(x))}

    assert listed["bias"].role == "hardware"
    assert listed["bias"].form.startswith("pending: Add on ")
    assert listed["skip"].form.startswith("int5, 4, scale 1 per tensor")
