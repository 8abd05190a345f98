"""A binary network of Larq or Keras, in the form in which tf2onnx writes it.

L. Geiger, P. Team: "Larq: An Open-Source Library for Training Binarized Neural Networks", 2020,
doi:10.21105/joss.01746. Channels come last, so that a Transpose stands on either side of each convolution
and pool; signs are Sign, Add 0.1, Sign, as larq.math.sign has them; padding SAME gives the bottom and the
right one row more; batch norms are a Mul and an Add. The network is trained with PyTorch here, so that the
example needs no TensorFlow, and its graph is made node by node.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from bnn import BinaryActivation, BinaryConv2d, BinaryLinear, Sign
from method import Method, Variant
from training import CLASSES, SIDE

Constant = npt.NDArray[np.float32] | npt.NDArray[np.int64]
FIRST, SECOND = 16, 32
PIXELS_LEFT = 4
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class SameConv2d(BinaryConv2d):
    """A 3x3 convolution of stride 2 with TensorFlow's padding SAME."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`, padded at the right and at the bottom."""
        return functional.conv2d(functional.pad(x, (0, 1, 0, 1)), Sign.apply(self.weight), stride=2)


class FlattenChannelsLast(nn.Module):
    """Keras' Flatten."""

    def forward(self, x: Tensor) -> Tensor:
        """Flatten `x`, whose channels are axis 1 in PyTorch and the last in Keras."""
        return x.permute(TO_CHANNELS_LAST).flatten(1)


def make_network() -> nn.Sequential:
    """Two convolutions, of which the first halves the map, a pool, and a fully connected layer."""
    return nn.Sequential(
        SameConv2d(1, FIRST, 3, bias=False),
        nn.BatchNorm2d(FIRST),
        BinaryActivation(),
        BinaryConv2d(FIRST, SECOND, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(SECOND),
        BinaryActivation(),
        FlattenChannelsLast(),
        BinaryLinear(SECOND * PIXELS_LEFT, CLASSES, bias=False),
        nn.BatchNorm1d(CLASSES),
    )


def make_twin() -> nn.Sequential:
    """The same of ordinary layers."""
    return nn.Sequential(
        nn.Conv2d(1, FIRST, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(FIRST),
        nn.ReLU(),
        nn.Conv2d(FIRST, SECOND, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(SECOND),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(SECOND * PIXELS_LEFT, CLASSES),
    )


class GraphWriter:
    """Adds nodes one behind the other; each operator takes the tensor before it."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.tensor = "pixels"

    def add(self, operator: str, *constants: Constant, **attributes: Any) -> None:
        """Add a node with further inputs that are constant."""
        name = f"StatefulPartitionedCall/{operator}_{len(self.nodes)}"
        names = [f"{name}/constant_{index}" for index in range(len(constants))]
        self.constants += [numpy_helper.from_array(*pair) for pair in zip(constants, names, strict=True)]
        self.nodes.append(
            helper.make_node(operator, [self.tensor, *names], [f"{name}:0"], name=name, **attributes)
        )
        self.tensor = f"{name}:0"

    def add_channels_first(self, operator: str, *constants: Constant, **attributes: Any) -> None:
        """Add an operator that ONNX has for channels in front only."""
        self.add("Transpose", perm=TO_CHANNELS_FIRST)
        self.add(operator, *constants, **attributes)
        self.add("Transpose", perm=TO_CHANNELS_LAST)

    def add_sign(self) -> None:
        """Add larq.math.sign."""
        self.add("Sign")
        self.add("Add", np.array(0.1, np.float32))
        self.add("Sign")

    def add_batch_norm(self, layer: nn.BatchNorm2d | nn.BatchNorm1d) -> None:
        """Add a batch norm as TensorFlow folds it."""
        scale = (layer.weight / torch.sqrt(layer.running_var + layer.eps)).detach()
        offset = (layer.bias - layer.running_mean * scale).detach()
        self.add("Mul", scale.numpy())
        self.add("Add", offset.numpy())


def write_graph(network: nn.Sequential, model: Path, exporter: str) -> None:
    """Write the trained network as tf2onnx would; PyTorch's exporters have no part in it."""
    del exporter
    graph = GraphWriter()
    for layer in network:
        match layer:
            case SameConv2d():
                signs = Sign.apply(layer.weight).detach().numpy()
                graph.add_channels_first("Conv", signs, strides=(2, 2), pads=(0, 0, 1, 1))
            case BinaryConv2d():
                signs = Sign.apply(layer.weight).detach().numpy()
                graph.add_channels_first("Conv", signs, strides=(1, 1), pads=(1, 1, 1, 1))
            case nn.MaxPool2d():
                graph.add_channels_first("MaxPool", kernel_shape=(2, 2), strides=(2, 2))
            case nn.BatchNorm2d() | nn.BatchNorm1d():
                graph.add_batch_norm(layer)
            case BinaryActivation():
                graph.add_sign()
            case FlattenChannelsLast():
                graph.add("Reshape", np.array([-1, SECOND * PIXELS_LEFT], np.int64))
            case BinaryLinear():
                graph.add("MatMul", Sign.apply(layer.weight).detach().numpy().T)
    proto = helper.make_graph(
        graph.nodes,
        "tf2onnx",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, (1, SIDE, SIDE, 1))],
        [helper.make_tensor_value_info(graph.tensor, TensorProto.FLOAT, (1, CLASSES))],
        graph.constants,
    )
    onnx.save(helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model)


METHOD = Method(
    name="keras_forms",
    paper="Geiger et al.: Larq, 2020, doi:10.21105/joss.01746",
    twin=make_twin,
    variants=(Variant("1-bit", make_network, {"input_type": "uint5"}),),
    export=write_graph,
    frame=(SIDE, SIDE, 1),
)
