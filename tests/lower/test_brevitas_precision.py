"""Brevitas' kinds of quantisers, another in every layer of one network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.lower.helpers import compile_proto
from tests.models import export_network, run_qonnx
from thresher.ir.integer import IntDepthwise, IntMatMul
from thresher_sim.streams import BIPOLAR, IntType

IMAGES = 20
TERNARY = IntType(-1, 1)


def mixed_network() -> Any:
    """Zero points, a scale per channel, biases as integers, ternary and binary layers, truncation."""
    import brevitas.nn as qnn
    import brevitas.quant as bq
    from torch import nn

    ternary = {"weight_quant": bq.SignedTernaryWeightPerTensorConst, "weight_scaling_init": 0.1}
    binary = {"weight_quant": bq.SignedBinaryWeightPerTensorConst, "weight_scaling_init": 0.25}
    shifted = {"weight_quant": bq.ShiftedUint8WeightPerTensorFloat, "weight_bit_width": 3}
    per_channel = {"weight_quant": bq.Int8WeightPerChannelFloat, "weight_bit_width": 5}
    return nn.Sequential(
        qnn.QuantIdentity(act_quant=bq.ShiftedUint8ActPerTensorFloat, bit_width=4, return_quant_tensor=True),
        qnn.QuantConv2d(3, 6, 3, padding=1, bias=True, bias_quant=bq.Int16Bias, **shifted),
        nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=3, return_quant_tensor=True),
        qnn.QuantConv2d(6, 6, 3, groups=6, bias=True, bias_quant=bq.Int16Bias, **per_channel),
        qnn.QuantReLU(bit_width=4, return_quant_tensor=True),
        qnn.TruncAvgPool2d(2, trunc_quant=bq.TruncTo8bit, bit_width=4, return_quant_tensor=False),
        qnn.QuantConv2d(6, 8, 2, padding=1, bias=False, **ternary),
        nn.BatchNorm2d(8),
        qnn.QuantIdentity(act_quant=bq.SignedTernaryActPerTensorConst, scaling_init=0.5),
        qnn.QuantConv2d(8, 7, 2, bias=False, **binary),
        nn.BatchNorm2d(7),
        qnn.QuantIdentity(
            act_quant=bq.SignedBinaryActPerTensorConst, scaling_init=1.0, return_quant_tensor=True
        ),
        nn.Flatten(),
        qnn.QuantLinear(7 * 3 * 3, 9, bias=True, bias_quant=bq.IntBias, bias_bit_width=8, **ternary),
        qnn.QuantReLU(bit_width=2, return_quant_tensor=True),
        qnn.QuantLinear(9, 5, bias=True, bias_quant=bq.Int8Bias, **binary),
        qnn.QuantIdentity(bit_width=8),
    )


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
def test_every_layer_has_other_types(dynamo: bool, tmp_path: Path) -> None:
    import torch
    from torch import nn

    torch.manual_seed(3)
    network = mixed_network()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.uniform_(module.bias, -1, 1)
    for _ in range(10):  # finds the scales of its activations and the statistics
        network(torch.randn(32, 3, 8, 8))
    proto = export_network(network, (1, 3, 8, 8), dynamo, tmp_path / "m.onnx", statistics=False)
    frames = np.random.default_rng(4).normal(0, 1, (IMAGES, 3, 8, 8)).astype(np.float32)

    compiled = compile_proto(proto)
    expected = run_qonnx(proto, frames)[proto.graph.output[0].name]

    np.testing.assert_array_equal(compiled.predict(frames), expected)
    assert len(np.unique(expected)) > 10
    products = [node for node in compiled.lowered.graph.nodes if isinstance(node, IntMatMul | IntDepthwise)]
    assert [(node.weight_type, node.input_type.element) for node in products] == [
        (IntType(-4, 3), IntType(0, 15)),
        (IntType(-15, 15), IntType(0, 7)),
        (BIPOLAR, IntType(0, 15)),  # the sums of the average
        (TERNARY, IntType(0, 15)),
        (BIPOLAR, TERNARY),
        (TERNARY, BIPOLAR),
        (BIPOLAR, IntType(0, 3)),
    ]
    assert not any(compiled.lowered.ties.values())
