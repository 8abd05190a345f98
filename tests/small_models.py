"""A small QONNX network, written node by node, for tests that need a file and not a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


def small_model(seed: int = 0, sizes: Sequence[int] = (12, 9, 5), name: str = "layer") -> onnx.ModelProto:
    """Two bipolar layers on a 4-bit input, a batch norm between them, a scale and a bias behind them.

    `name` begins the names of its nodes. The input is `[1, sizes[0]]`.
    """
    random = np.random.default_rng(seed)
    columns, hidden, classes = sizes
    constants = {
        "one": np.float32(1.0),
        "step": np.float32(0.25),
        "zero": np.float32(0.0),
        "four": np.float32(4.0),
        "w0": random.normal(size=(columns, hidden)).astype(np.float32),
        "w1": random.normal(size=(hidden, classes)).astype(np.float32),
        "gamma": random.normal(size=hidden).astype(np.float32),
        "beta": random.normal(size=hidden).astype(np.float32),
        "mean": random.normal(size=hidden).astype(np.float32) * 4,
        "var": random.uniform(0.5, 2.0, hidden).astype(np.float32),
        "scale": np.float32(0.125),
        "bias": random.normal(size=classes).astype(np.float32),
    }
    quant: dict[str, Any] = {"domain": QONNX, "signed": 0, "narrow": 0, "rounding_mode": "ROUND"}
    nodes = [
        helper.make_node("Quant", ["x", "step", "zero", "four"], ["q"], f"{name}_quant", **quant),
        helper.make_node("BipolarQuant", ["w0", "one"], ["b0"], f"{name}_w0", domain=QONNX),
        helper.make_node("MatMul", ["q", "b0"], ["m0"], f"{name}_matmul0"),
        helper.make_node(
            "BatchNormalization", ["m0", "gamma", "beta", "mean", "var"], ["n0"], f"{name}_norm"
        ),
        helper.make_node("BipolarQuant", ["n0", "one"], ["a0"], f"{name}_act", domain=QONNX),
        helper.make_node("BipolarQuant", ["w1", "one"], ["b1"], f"{name}_w1", domain=QONNX),
        helper.make_node("MatMul", ["a0", "b1"], ["m1"], f"{name}_matmul1"),
        helper.make_node("Mul", ["m1", "scale"], ["s1"], f"{name}_scale"),
        helper.make_node("Add", ["s1", "bias"], ["y"], f"{name}_bias"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, columns])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, classes])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model


def save_small_model(path: Path, seed: int = 0) -> Path:
    """Save `small_model` and return its path."""
    onnx.save(small_model(seed), path)
    return path
