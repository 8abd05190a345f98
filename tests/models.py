"""Models to test with, and what QONNX's own executor makes of them.

Nothing here imports the importer: these are the oracle's side of a test.
"""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

QONNX_DOMAIN = "qonnx.custom_op.general"
CNV_NETWORKS = ("cnv_1w1a", "cnv_1w2a", "cnv_2w2a")
BNN_NETWORKS = tuple(f"{net}_{bits}" for net in ("tfc", "sfc", "lfc") for bits in ("1w1a", "1w2a", "2w2a"))


@dataclass
class ModelBuilder:
    """Builds a QONNX model of one input and one output, node by node; tensors are their names."""

    input_shape: tuple[int | str, ...]
    opset: int = 13
    domain: str = QONNX_DOMAIN
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: dict[str, Array] = field(default_factory=dict)

    def constant(self, value: Any, name: str = "") -> str:
        name = name or f"c{len(self.tensors)}"
        self.tensors[name] = np.asarray(value)
        return name

    def node(
        self,
        op: str,
        *inputs: str | Array | np.generic,
        name: str = "",
        domain: str = "",
        **attributes: Any,
    ) -> str:
        name = name or f"{op}_{len(self.nodes)}"
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        self.nodes.append(helper.make_node(op, names, [f"{name}_y"], name, domain=domain, **attributes))
        return f"{name}_y"

    def quant(
        self,
        x: str,
        scale: Any = 1.0,
        zero: Any = 0.0,
        bits: float = 4,
        signed: bool = True,
        narrow: bool = False,
        rounding: str = "ROUND",
        name: str = "",
    ) -> str:
        return self.node(
            "Quant",
            x,
            np.asarray(scale, np.float32),
            np.asarray(zero, np.float32),
            np.asarray(bits, np.float32),
            name=name,
            domain=self.domain,
            signed=int(signed),
            narrow=int(narrow),
            rounding_mode=rounding,
        )

    def bipolar(self, x: str, scale: Any = 1.0, name: str = "") -> str:
        return self.node("BipolarQuant", x, np.asarray(scale, np.float32), name=name, domain=self.domain)

    def weights(self, values: Any, scale: Any = 1.0, bits: int = 8, zero: Any = 0.0) -> str:
        """Quantised weights of the given integers, `[columns, rows]` as MatMul takes them."""
        real = (np.asarray(values, np.float32) - np.float32(zero)) * np.asarray(scale, np.float32)
        return self.quant(self.constant(real.astype(np.float32)), scale, zero, bits)

    def batch_norm(self, x: str, gamma: Any, beta: Any, mean: Any, variance: Any, **attributes: Any) -> str:
        parts = [np.asarray(part, np.float32) for part in (gamma, beta, mean, variance)]
        return self.node("BatchNormalization", x, *parts, **attributes)

    def proto(
        self, *outputs: str, input_type: int = TensorProto.FLOAT, output_type: int = TensorProto.FLOAT
    ) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "test",
            [helper.make_tensor_value_info("x", input_type, self.input_shape)],
            [helper.make_tensor_value_info(name, output_type, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in self.tensors.items()],
        )
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(self.domain, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def run_qonnx(proto: onnx.ModelProto, frames: Array) -> Mapping[str, Array]:
    """Every tensor of `proto` under QONNX's executor, all frames at once, by its name in the file."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapped = ModelWrapper(_batched(proto, len(frames))).transform(InferShapes())
    name = next(value.name for value in proto.graph.input if not _is_initialiser(proto, value.name))
    with warnings.catch_warnings():
        # Shapes behind a computed Reshape are inferred for one frame; the values are for all.
        warnings.filterwarnings("ignore", message="Output shapes disagree")
        tensors: Mapping[str, Array] = execute_onnx(wrapped, {name: frames}, return_full_exec_context=True)
    return tensors


def _is_initialiser(proto: onnx.ModelProto, name: str) -> bool:
    return any(tensor.name == name for tensor in proto.graph.initializer)


def _batched(proto: onnx.ModelProto, count: int) -> onnx.ModelProto:
    """A copy that takes `count` frames, in a domain that QONNX knows, with shapes left to be inferred."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for node in copy.graph.node:
        if node.op_type in {"Quant", "BipolarQuant"}:
            node.domain = QONNX_DOMAIN
    constants = {tensor.name: tensor for tensor in copy.graph.initializer}
    for node in copy.graph.node:
        if node.op_type == "Reshape" and node.input[1] in constants:
            tensor = constants[node.input[1]]
            target = numpy_helper.to_array(tensor).copy()
            target[0] = count if target[0] == 1 else target[0]
            tensor.CopyFrom(numpy_helper.from_array(target, tensor.name))
    del copy.graph.value_info[:]
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    for value in copy.graph.input:
        if value.name not in constants:
            value.type.tensor_type.shape.dim[0].dim_value = count
    return copy


def export_bnn(name: str, dynamo: bool, seed: int, path: Path) -> onnx.ModelProto:
    """Export a network of `brevitas_examples.bnn_pynq` with random statistics to `path`.

    Gammas have both signs and some are zero, which no trained network is sure to have.
    """
    import torch
    from brevitas_examples.bnn_pynq.models import get_model_cfg
    from brevitas_examples.bnn_pynq.models.FC import fc

    # Brevitas has no LFC with weights of two bits, so the width of the weights is set here.
    config = get_model_cfg(name.replace("2w2a", "1w2a"))
    config.set("QUANT", "WEIGHT_BIT_WIDTH", name.partition("_")[2][0])
    torch.manual_seed(seed)
    return export_network(fc(config), (1, 1, 28, 28), dynamo, path)


def export_cnv(name: str, dynamo: bool, seed: int, path: Path) -> onnx.ModelProto:
    """Export a convolutional network of `brevitas_examples.bnn_pynq`, as `export_bnn`."""
    import torch
    from brevitas_examples.bnn_pynq.models import get_model_cfg
    from brevitas_examples.bnn_pynq.models.CNV import cnv

    torch.manual_seed(seed)
    return export_network(cnv(get_model_cfg(name)), (1, 3, 32, 32), dynamo, path)


def padded_cnv(weight_bits: int, narrower: int = 1) -> Any:
    """CNV with padding 1 and signs for all activations, the input's too; `narrower` divides its channels.

    Brevitas takes the zeros of the padding as they are, between -1 and +1.
    """
    from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear
    from brevitas_examples.bnn_pynq.models.common import CommonActQuant, CommonWeightQuant
    from torch import nn

    def sign() -> Any:
        return QuantIdentity(act_quant=CommonActQuant, bit_width=1)

    layers: list[Any] = [sign()]
    channels, side = 3, 32
    for wide, pooled in ((64, False), (64, True), (128, False), (128, True), (256, False), (256, False)):
        rows = wide // narrower
        weights = {"weight_quant": CommonWeightQuant, "weight_bit_width": weight_bits, "bias": False}
        layers += [QuantConv2d(channels, rows, 3, padding=1, **weights), nn.BatchNorm2d(rows), sign()]
        if pooled:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        channels = rows
    layers.append(nn.Flatten())
    features = channels * side * side
    for rows in (512 // narrower, 512 // narrower):
        layers += [QuantLinear(features, rows, **weights), nn.BatchNorm1d(rows), sign()]
        features = rows
    layers.append(QuantLinear(features, 10, **weights))
    for layer in layers:
        if isinstance(layer, QuantConv2d | QuantLinear):
            nn.init.uniform_(layer.weight, -1, 1)
    return nn.Sequential(*layers)


def export_network(
    network: Any, shape: tuple[int, ...], dynamo: bool, path: Path, statistics: bool = True
) -> onnx.ModelProto:
    """Export a Brevitas network for inputs of `shape`, with random `statistics` in its normalisations."""
    import torch
    from brevitas.export import export_qonnx

    if statistics:
        randomise_statistics(network)
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export_qonnx(network, torch.zeros(shape), str(path), dynamo=dynamo)
    return onnx.load(path)


def randomise_statistics(network: Any) -> None:
    """Give every batch normalisation random numbers, some of its gammas zero."""
    import torch

    for module in network.modules():
        if not hasattr(module, "running_mean"):
            continue
        size = module.running_mean.shape
        gamma = torch.randn(size) * (torch.rand(size) > 0.1)
        with torch.no_grad():
            module.weight.copy_(gamma if gamma.numel() > 1 else gamma.abs() + 0.5)
            module.bias.copy_(torch.randn(size))
            module.running_mean.copy_(torch.randn(size) * 8)
            module.running_var.copy_(torch.rand(size) * 200 + 0.1)


def mnist(folder: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The MNIST test set in `folder`: images `[10000, 1, 28, 28]` and labels."""
    images, labels = (
        np.frombuffer(gzip.decompress((folder / "mnist" / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8)
        for name in ("images-idx3", "labels-idx1")
    )
    return images[16:].reshape(-1, 1, 28, 28), labels[8:]
