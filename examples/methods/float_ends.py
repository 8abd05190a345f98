"""BinaryNet as it is written with Brevitas: binary layers between a float first and a float last layer.

The layers are those of A. Pappalardo's Brevitas, doi:10.5281/zenodo.3333552; the paper is that of `bnn`,
arXiv:1602.02830. Float layers stay on the host, or become layers of 8 bits.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from brevitas.export import export_qonnx
from brevitas.nn import QuantConv2d, QuantIdentity
from brevitas.quant import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model
from torch import nn

from method import Method, Variant
from training import CLASSES, SIDE, Floats
from twins import CHANNELS, PIXELS_LEFT


def binary_conv(inputs: int, outputs: int) -> list[nn.Module]:
    """Batch norm, sign, and a 3x3 convolution with weights -1 and +1."""
    return [
        nn.BatchNorm2d(inputs),
        QuantIdentity(act_quant=SignedBinaryActPerTensorConst),
        QuantConv2d(inputs, outputs, 3, padding=1, bias=False, weight_quant=SignedBinaryWeightPerTensorConst),
    ]


def float_conv(inputs: int, outputs: int) -> list[nn.Module]:
    """The float twin of `binary_conv`."""
    return [nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)]


def make_network(binary: bool = True) -> nn.Sequential:
    """A float convolution with a pool, two binary convolutions, a pool, a float classifier."""
    first, second, third = CHANNELS
    conv = binary_conv if binary else float_conv
    last = QuantIdentity(act_quant=SignedBinaryActPerTensorConst) if binary else nn.ReLU()
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1),
        nn.BatchNorm2d(first),
        nn.ReLU(),
        nn.MaxPool2d(2),
        *conv(first, second),
        *conv(second, third),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(third),
        last,
        nn.Flatten(),
        nn.Linear(third * PIXELS_LEFT, CLASSES),
    )


def make_twin() -> nn.Sequential:
    """The same of float layers only."""
    return make_network(binary=False)


def export(network: nn.Module, model: Path, exporter: str) -> None:
    """Write QONNX, with Brevitas' own export through the exporter of torch that is named."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.zeros(1, 1, SIDE, SIDE)
    inside = {"external_data": False} if exporter == "dynamo" else {}
    export_qonnx(
        network, args=example, export_path=str(model), dynamo=exporter == "dynamo", verbose=False, **inside
    )


def qonnx_scores(model: Path, images: Floats) -> Floats:
    """The scores `[N, 10]` of a QONNX model by QONNX's executor, image by image."""
    network = cleanup_model(ModelWrapper(str(model)))
    name_in, name_out = network.graph.input[0].name, network.graph.output[0].name
    scores = [execute_onnx(network, {name_in: image[None]})[name_out] for image in images]
    return np.concatenate(scores)


METHOD = Method(
    name="float_ends",
    paper="BinaryNet in Brevitas, doi:10.5281/zenodo.3333552",
    twin=make_twin,
    variants=(
        Variant("float", make_network),
        Variant(
            "8-bit",
            make_network,
            {"quantize_float": 8, "input_type": "uint5"},
            calibrated=True,
            exact=False,
        ),
    ),
    export=export,
    scores=qonnx_scores,
)
