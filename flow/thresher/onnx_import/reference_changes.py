"""The nodes of a model with what the user asked to change in it, for the reference that a build is held to.

Two requests change what is computed: scales of a layer's own input that are left out, and float layers that
are quantised. Each is applied to the ONNX nodes themselves, so that the reference is the model with just
that, and no more, changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

from thresher.ir.custom import Operators
from thresher.ir.domains import QONNX
from thresher.ir.graph import Array
from thresher.ir.quant import FloatLinear, Floats, Linear
from thresher.ir.quant_maps import Conv, FloatConv
from thresher.ir.quantisers import Quantiser
from thresher.onnx_import.importer import Imported, import_model
from thresher.onnx_import.quantize import QuantisedLayer
from thresher.onnx_import.reference import Reference
from thresher.onnx_import.source import Source, SourceNode
from thresher_sim.streams import IntType

_DOMAIN = max(QONNX)


@dataclass(frozen=True, eq=False)
class ChangedModel:
    """The nodes of `source` after the changes; quantisers that were added have their constants there too."""

    source: Source
    nodes: tuple[SourceNode, ...]

    def reference(self, cuts: Collection[str], wanted: Collection[str]) -> Reference:
        """Its steps, cut behind `cuts`."""
        return Reference(self.source, self.nodes, cuts, wanted)

    def imported(self, operators: Operators) -> Imported:
        """The changed model, imported like any other."""
        proto = onnx.ModelProto()
        proto.CopyFrom(self.source.model.proto)
        del proto.graph.node[:]
        proto.graph.node.extend(node.proto for node in self.nodes)
        there = {tensor.name for tensor in proto.graph.initializer}
        proto.graph.initializer.extend(
            numpy_helper.from_array(value, name)
            for name, value in self.source.initialisers.items()
            if name not in there
        )
        if _DOMAIN not in {opset.domain for opset in proto.opset_import}:
            proto.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
        return import_model(replace(self.source.model, proto=proto), operators=operators)


def change_model(
    imported: Imported, layers: Sequence[QuantisedLayer], readers: Collection[tuple[str, str]]
) -> ChangedModel:
    """The model of `imported`, which is as the file has it, with its dropped scales and `layers` quantised.

    For each of `readers`, a tensor and the node that reads it, that node reads a copy of the tensor which no
    other node reads, see `copy_name`.
    """
    scope = imported.scope
    nodes = [
        _without_scale(imported, node) if node.name in scope.dropped else node for node in scope.source.nodes
    ]
    constants: dict[str, Array] = dict(scope.source.initialisers)
    nodes = _quantised(imported, nodes, layers, constants)
    for tensor, reader in readers:
        nodes = list(_with_copy(imported, nodes, tensor, reader))
    return ChangedModel(replace(scope.source, initialisers=constants), tuple(nodes))


def copy_name(tensor: str, reader: str) -> str:
    """The copy of a tensor that one node alone reads."""
    return f"{tensor}/read by {reader}"


def _without_scale(imported: Imported, node: SourceNode) -> SourceNode:
    """The product of a layer and a dropped scale: the layer itself."""
    return _made("Identity", [imported.scope.aliases[node.outputs[0]]], node.outputs[0], node.name)


def _with_copy(
    imported: Imported, nodes: Sequence[SourceNode], tensor: str, reader: str
) -> Iterator[SourceNode]:
    """`nodes`, of which `reader` reads a copy of `tensor`, by whatever name of that it reads."""
    for node in nodes:
        if node.name == reader:
            copy = copy_name(tensor, reader)
            yield _made("Identity", [tensor], copy, copy)
            named = {name for name in node.inputs if name and imported.scope.resolve(name) == tensor}
            yield _renamed(node, dict.fromkeys({tensor, *named}, copy))
        else:
            yield node


def _quantised(
    imported: Imported,
    nodes: Sequence[SourceNode],
    layers: Sequence[QuantisedLayer],
    constants: dict[str, Array],
) -> list[SourceNode]:
    """`nodes` with quantisers in front of the inputs and the weights of `layers`."""
    typed = {
        node.onnx_nodes[-1]: node
        for node in imported.graph.nodes
        if isinstance(node, Linear | FloatLinear | Conv | FloatConv)
    }
    renamed: dict[str, str] = {}
    added: dict[str, SourceNode] = {}
    weights: dict[str, SourceNode] = {}
    for layer in layers:
        tensor = typed[layer.node].input
        if layer.input_type is not None and layer.input_scale is not None and tensor not in renamed:
            renamed[tensor] = imported.scope.source.unused_name(f"{tensor}/quantised")
            scale = np.asarray(layer.input_scale, np.float32)
            added[tensor] = _quantiser(tensor, renamed[tensor], scale, layer.input_type, constants)
        if layer.weight_scales is not None and layer.weight_bits is not None:
            weights[layer.node] = _quantised_weights(imported, nodes, layer, layer.weight_scales, constants)
    kept = _of_quantisers(imported)
    return list(_with_quantisers(imported, nodes, renamed, added, weights, kept))


def _with_quantisers(
    imported: Imported,
    nodes: Sequence[SourceNode],
    renamed: Mapping[str, str],
    added: Mapping[str, SourceNode],
    weights: Mapping[str, SourceNode],
    kept: Collection[str],
) -> Iterator[SourceNode]:
    """The model's own quantisers go on reading what they read."""
    yield from (node for tensor, node in added.items() if tensor == imported.scope.source.input)
    for node in nodes:
        resolved = {name: renamed.get(imported.scope.resolve(name), name) for name in node.reads}
        changed = node if node.name in kept else _renamed(node, resolved)
        if node.name in weights:
            yield weights[node.name]
            changed = _renamed(changed, {node.inputs[1]: weights[node.name].outputs[0]})
        yield changed
        yield from (added[name] for name in node.outputs if name in added)


def _of_quantisers(imported: Imported) -> set[str]:
    """The ONNX nodes that are the model's own quantisers."""
    return {name for node in imported.graph.nodes if isinstance(node, Quantiser) for name in node.onnx_nodes}


def _quantised_weights(
    imported: Imported,
    nodes: Sequence[SourceNode],
    layer: QuantisedLayer,
    scales: Floats,
    constants: dict[str, Array],
) -> SourceNode:
    """The quantiser of a layer's weights: signed and narrow, a scale for each output channel."""
    node = next(each for each in nodes if each.name == layer.node)
    if node.op == "Conv":
        shape: tuple[int, ...] = (-1, *[1] * (np.asarray(imported.scope.value(node.inputs[1])).ndim - 1))
    elif node.op == "Gemm" and node.attributes.get("transB", 0):
        shape = (-1, 1)
    else:
        shape = (1, -1)
    bits = layer.weight_bits or 0
    element = IntType(1 - (1 << (bits - 1)), (1 << (bits - 1)) - 1)
    return _quantiser(
        node.inputs[1], f"{node.inputs[1]}/of {node.name}", scales.reshape(shape), element, constants
    )


def _quantiser(
    tensor: str, output: str, scale: Array, element: IntType, constants: dict[str, Array]
) -> SourceNode:
    """A `Quant` node of QONNX with its constants."""
    parts = {"scale": np.asarray(scale, np.float32), "zero": np.float32(0), "bits": np.float32(element.bits)}
    names = [f"{output}/{part}" for part in parts]
    constants.update(zip(names, map(np.asarray, parts.values()), strict=True))
    narrow = element.signed and element.lo + element.hi == 0
    attributes: dict[str, int | str] = {
        "signed": int(element.signed),
        "narrow": int(narrow),
        "rounding_mode": "ROUND",
    }
    return _made("Quant", [tensor, *names], output, output, _DOMAIN, **attributes)


def _renamed(node: SourceNode, names: Mapping[str, str]) -> SourceNode:
    """`node` reading other tensors."""
    inputs = [names.get(name, name) for name in node.inputs]
    if inputs == list(node.inputs):
        return node
    proto = type(node.proto)()
    proto.CopyFrom(node.proto)
    proto.input[:] = inputs
    return replace(node, inputs=tuple(inputs), proto=proto)


def _made(
    op: str, inputs: Sequence[str], output: str, name: str, domain: str = "", **attributes: int | str
) -> SourceNode:
    proto = helper.make_node(op, list(inputs), [output], name, None, domain)
    proto.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
    return SourceNode(name, op, tuple(inputs), (output,), attributes, proto)
