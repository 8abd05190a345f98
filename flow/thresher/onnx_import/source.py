"""The ONNX graph as plain typed values: the rest of the importer meets no protobuf but here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from thresher.errors import UnsupportedModelError, UsageError, printable
from thresher.ir.custom import Attribute
from thresher.ir.domains import QONNX, STANDARD
from thresher.ir.graph import Array
from thresher.ir.quant import Shape
from thresher.onnx_import.reader import OnnxModel

OLDEST_OPSET = 9
MOST_ELEMENTS = 1 << 25
"""Of a tensor that is computed for each frame, and of all constants beside those of the file.

A frame of 4K video has 0.75 * 2**25; a layer of 32 channels on 1,024 x 1,024 pixels 2**25.
"""
_QUANTISERS = frozenset({"Quant", "IntQuant", "BipolarQuant", "Trunc"})
FLOAT_MODEL = (
    "nothing in it quantises an activation (Quant, BipolarQuant, a sign, Round): it is a float model",
    "train it with Brevitas' quantised layers and export it with brevitas.export.export_qonnx, or binarise "
    "activations by torch.where(x >= 0, 1.0, -1.0)",
)
"""Why a model without a quantiser is refused, and what to do."""
_QCDQ = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})


@dataclass(frozen=True, eq=False)
class SourceNode:
    """One ONNX node, under a name that is unique in its graph."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: onnx.NodeProto

    @property
    def is_quantiser(self) -> bool:
        """Whether it is one of QONNX's integer quantisers."""
        return self.proto.domain in QONNX and self.op in _QUANTISERS

    @property
    def is_standard(self) -> bool:
        """Whether it is an operator of ONNX itself."""
        return self.proto.domain in STANDARD

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The tensors that it reads, those that its subgraphs take from around it included."""
        return tuple(dict.fromkeys(_reads(self.proto)))


def _reads(proto: onnx.NodeProto) -> Iterator[str]:
    yield from (name for name in proto.input if name)
    for graph in bodies_of(proto):
        inside = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
        for node in graph.node:
            yield from (name for name in _reads(node) if name not in inside)
            inside.update(node.output)


def bodies_of(proto: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs within a node, such as the branches of an If."""
    for attribute in proto.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


@dataclass(frozen=True, eq=False)
class Source:
    """A model with one input and one output; shapes include the batch axis, which is 1.

    `initialisers` are those that the output depends on, `unused` the names of the others.
    """

    model: OnnxModel
    nodes: tuple[SourceNode, ...]
    initialisers: Mapping[str, Array]
    unused: frozenset[str]
    input: str
    input_shape: Shape
    output: str

    @cached_property
    def writers(self) -> Mapping[str, SourceNode]:
        """Nodes by the tensors that they write."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    @cached_property
    def readers(self) -> Counter[str]:
        """How often each tensor is read, the output once more."""
        return Counter([self.output, *(name for node in self.nodes for name in node.inputs)])

    @cached_property
    def names(self) -> Set[str]:
        """The names of all nodes and tensors."""
        tensors = (name for node in self.nodes for name in (*node.inputs, *node.outputs))
        return {self.input, self.output, *tensors, *(node.name for node in self.nodes)}

    def unused_name(self, wanted: str) -> str:
        """`wanted`, or where the file has that name, one that it does not have."""
        while wanted in self.names:
            wanted += "_"
        return wanted

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where in `nodes` each is, by its name."""
        return {node.name: place for place, node in enumerate(self.nodes)}

    @cached_property
    def elements(self) -> int:
        """How many elements the initialisers have together."""
        return sum(value.size for value in self.initialisers.values())

    @cached_property
    def needed(self) -> Set[str]:
        """The names of the nodes that the output depends on."""
        return {node.name for node in needed_nodes(self.nodes, [self.output])}


def needed_nodes(nodes: Sequence[SourceNode], wanted: Iterable[str]) -> list[SourceNode]:
    """The nodes that the tensors `wanted` depend on, in order."""
    tensors, needed = set(wanted), []
    for node in reversed(nodes):
        if not tensors.isdisjoint(node.outputs):
            tensors.update(node.reads)
            needed.append(node)
    return needed[::-1]


def read_source(model: OnnxModel) -> Source:
    """Check what holds for the whole model, and unpack it.

    Raises:
        UnsupportedModelError: It is QCDQ, has several inputs or outputs, or a
            shape that is not fixed.
        UsageError: It is not valid ONNX.
    """
    graph = model.proto.graph
    nodes = _unpack_nodes(model)
    _check_qonnx(model, nodes)
    if model.opset < OLDEST_OPSET:
        reason = f"it is in opset {model.opset}, where {OLDEST_OPSET} is the oldest that is supported"
        raise unsupported(model, reason, "export the model again")
    newest = onnx.defs.onnx_opset_version()
    if model.opset > newest:
        reason = f"it is in opset {model.opset}, where {newest} is the newest that is supported"
        raise unsupported(model, reason, "export the model in an older opset")
    given = {tensor.name: tensor for tensor in graph.initializer}
    if len(given) < len(graph.initializer):
        counts = Counter(tensor.name for tensor in graph.initializer)
        reason = f"initialiser '{counts.most_common(1)[0][0]}' is there more than once"
        raise UsageError(
            f"import: model '{printable(model.name)}': {printable(reason)}, so the file is not valid ONNX; "
            "export the model again"
        )
    inputs = [value for value in graph.input if value.name not in given]
    for what, values in (("inputs", inputs), ("outputs", list(graph.output))):
        if len(values) != 1:
            names = ", ".join(f"'{value.name}'" for value in values)
            reason = f"it has {len(values)} {what} ({names}), where one is supported"
            raise unsupported(model, reason, "split it, or drop those that are not needed")
    shape = _input_shape(model, inputs[0])
    output = graph.output[0].name
    needed = {output, *(name for node in needed_nodes(nodes, [output]) for name in node.reads)}
    initialisers = {name: _unpack_tensor(model, given[name]) for name in given if name in needed}
    unused = frozenset(given) - needed
    return Source(model, nodes, initialisers, unused, inputs[0].name, shape, output)


def unsupported(model: OnnxModel, reason: str, remedy: str) -> UnsupportedModelError:
    """The refusal of a whole model."""
    return UnsupportedModelError(f"import: model '{printable(model.name)}': {printable(reason)}; {remedy}")


def _unpack_nodes(model: OnnxModel) -> tuple[SourceNode, ...]:
    protos = model.proto.graph.node
    uses = Counter(proto.name for proto in protos)
    taken = set(uses)
    nodes = []
    for index, proto in enumerate(protos):
        name = proto.name
        if not name or uses[name] > 1:
            name = f"{proto.op_type}_{index}"
            while name in taken:
                name += "_"
            taken.add(name)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
        nodes.append(
            SourceNode(name, proto.op_type, tuple(proto.input), tuple(proto.output), attributes, proto)
        )
    return tuple(nodes)


def _check_qonnx(model: OnnxModel, nodes: tuple[SourceNode, ...]) -> None:
    qcdq = next((node for node in nodes if node.op in _QCDQ), None)
    if qcdq is not None:
        reason = f"node '{qcdq.name}' is a {qcdq.op}: the model is QCDQ, and QONNX is needed"
        raise unsupported(model, reason, "export it with brevitas.export.export_qonnx")


def _unpack_tensor(model: OnnxModel, tensor: onnx.TensorProto) -> Array:
    try:
        if min(tensor.dims, default=0) < 0:
            raise ValueError("a size below zero")
        return np.asarray(numpy_helper.to_array(tensor))
    except (TypeError, ValueError, KeyError, OverflowError, MemoryError):
        reason = f"initialiser '{tensor.name}' does not hold what its shape and its type say"
        raise UsageError(
            f"import: model '{printable(model.name)}': {printable(reason)}; export the model again"
        ) from None


def _input_shape(model: OnnxModel, value: onnx.ValueInfoProto) -> Shape:
    """The shape of the input, with a batch axis of 1."""
    where = f"input '{value.name}'"
    tensor = value.type.tensor_type
    if tensor.elem_type != onnx.TensorProto.FLOAT:
        raise unsupported(model, f"{where} is not of type float32", "export the model with a float32 input")
    if not tensor.HasField("shape") or not tensor.shape.dim:
        raise unsupported(model, f"{where} has no shape", "export the model with a fixed input shape")
    batch, *frame = tensor.shape.dim
    if batch.HasField("dim_value") and batch.dim_value != 1:
        reason = f"{where}, dimension 0: the batch is {batch.dim_value}"
        raise unsupported(model, reason, "export the model with a batch of 1")
    for axis, dim in enumerate(frame, start=1):
        if not dim.HasField("dim_value") or dim.dim_value < 1:
            size = f" '{dim.dim_param}'" if dim.dim_param else ""
            fault = f"is {dim.dim_value}" if dim.HasField("dim_value") else "is dynamic"
            reason = f"{where}, dimension {axis}: the size{size} {fault}"
            raise unsupported(model, reason, "export the model with a fixed input shape")
    shape = (1, *(dim.dim_value for dim in frame))
    if math.prod(shape) > MOST_ELEMENTS:
        reason = f"{where}, {list(shape)}, has more than {MOST_ELEMENTS} elements a frame"
        raise unsupported(model, reason, "export the model for a smaller input")
    return shape


def read_attribute(attribute: onnx.AttributeProto) -> Attribute:
    """The value of an attribute as plain Python and numpy; raises `ValueError` where it has none."""
    value = onnx.helper.get_attribute_value(attribute)
    match value:
        case bytes():
            return value.decode(errors="replace")
        case onnx.TensorProto():
            return np.asarray(numpy_helper.to_array(value))
        case int() | float():
            return value
        case Sequence() if all(isinstance(item, int | float) for item in value):
            return tuple(value)
        case Sequence() if all(isinstance(item, bytes) for item in value):
            return tuple(item.decode(errors="replace") for item in value)
    raise ValueError(f"attribute '{attribute.name}' is neither numbers, nor strings, nor a tensor")
