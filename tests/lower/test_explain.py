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
    assert taken["Mul_7"] == ("host prologue", "float on the host")
    assert taken["BipolarQuant_11"] == ("host prologue", "bipolar")
    assert taken["BipolarQuant_14"] == taken["MatMul_16"] == ("matmul0", "int11[-784..784]")
    assert taken["BatchNormalization_17"] == ("threshold0", "pending on int11[-784..784]")
    assert taken["BipolarQuant_19"] == ("threshold0", "bipolar")
    assert taken["Add_46"] == ("host epilogue", "pending on int8[-64..64]")
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
    x = build.quant(build.node("Add", x, np.ones(4, np.float32), name="add"), scale=-1.0, name="q3")
    x = build.node("MatMul", build.quant(x, name="q4"), build.weights(EYE), name="fc3")
    build.node("Relu", x, name="dead")

    listed = reports(build.proto(x))

    problems = {report.node: (report.reason, report.remedy) for report in listed if report.taken_by is None}
    assert set(problems) == {"wave", "fc2", "add", "q3"}
    assert problems["wave"][0] == "operator Sin is not supported, and quantised layers follow"
    assert problems["fc2"][0] == "its weights are floats, which no unit multiplies"
    assert problems["add"] == ("it follows node 'fc2', which is not taken", "mend that first")
    assert problems["q3"][0] == "its scale holds a negative number, where positive numbers are needed"
    taken = {report.node: report.taken_by for report in listed}
    assert (taken["fc3"], taken["dead"]) == ("matmul1", "unused")


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
