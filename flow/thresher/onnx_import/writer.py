"""Writing a part of the model as an ONNX model of its own, in standard operators only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from thresher.ir.domains import STANDARD
from thresher.ir.graph import Array
from thresher.ir.quant import Arithmetic, InputScaled, QuantNode, Reshape, Shape
from thresher.ir.quantisers import Binariser, Quantiser, Truncation
from thresher.onnx_import.importer import Imported
from thresher.onnx_import.source import SourceNode
from thresher_sim.streams import IntType

BATCH = "frames"
_IN_PARTS = frozenset({"Conv", "Gemm"})
_IR_VERSION = 8

# Adding and subtracting it rounds a float32 below 2**22 to the nearest integer, ties to even, in
# every opset; ONNX's own Round came with opset 11.
_ROUNDER = 1.5 * 2.0**23
_MOST_ROUNDED = 1 << 22
_WHOLE = 2.0**23


@dataclass
class Writer:
    """Collects nodes and initialisers; with `batched` the model takes any number of frames at once."""

    imported: Imported
    batched: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    tensors: dict[str, Array] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def add(self, node: QuantNode) -> None:
        """Write one operator as the model has it, a quantiser of QONNX in standard operators.

        A Gemm, or a Conv with a bias, comes as several typed nodes; it is written whole, or what follows
        its product. Several ONNX nodes that are one typed node are all written, but for its constants.
        """
        if isinstance(node, InputScaled):
            node = node.operator
        name = node.onnx_nodes[-1]
        if name in self.written:
            return
        scope = self.imported.scope
        places = {scope.source.places[each] for each in node.onnx_nodes if each in scope.source.places}
        sources = [scope.source.nodes[place] for place in sorted(places)]
        source = next(each for each in sources if each.name == name)
        if isinstance(node, Quantiser) and any(each.is_quantiser for each in sources):
            self._quantise(node)
        elif source.op in _IN_PARTS and isinstance(node, Arithmetic):
            self.emit(node.op, [node.input, self.constant(node.constant)], node.output)
        elif isinstance(node, Reshape) and self.batched:
            target = self.constant(np.asarray([-1, *node.shape], np.int64))
            self.emit("Reshape", [node.input, target], node.output)
        else:
            for each in sources:
                if each.name not in self.written:
                    self.written.add(each.name)
                    if not all(scope.is_constant(tensor) for tensor in each.outputs):
                        self._copy(each)

    def _copy(self, source: SourceNode) -> None:
        scope = self.imported.scope
        proto = onnx.NodeProto()
        proto.CopyFrom(source.proto)
        proto.name = ""
        for index, tensor in enumerate(source.inputs):
            value = scope.value(tensor) if tensor else None
            if value is None:
                proto.input[index] = scope.resolve(tensor)
            else:
                self.tensors[tensor] = value
        self.nodes.append(proto)

    def add_quantiser(self, node: Quantiser) -> str:
        """Write a quantiser as standard operators; returns the tensor that holds its integers, in int32.

        It follows QONNX's float32 operations one by one: divide, add the zero point, clamp, round.
        """
        return self.emit("Cast", [self._levels(node)], to=TensorProto.INT32)

    def _quantise(self, node: Quantiser) -> None:
        """Write a quantiser as standard operators that give the real values of its integers."""
        centred = self.emit("Sub", [self._levels(node), self.constant(node.zero)])
        self.emit("Mul", [centred, self.constant(node.scale)], node.output)
        self.written.update(node.onnx_nodes)

    def _levels(self, node: Quantiser) -> str:
        """The tensor that holds the integers of a quantiser as float32."""
        if isinstance(node, Binariser):
            return self._binarise(node)
        if isinstance(node, Truncation):
            return self._truncate(node)
        x = self.emit("Div", [node.input, self.constant(node.scale)])
        x = self.emit("Add", [x, self.constant(node.zero)])
        if node.element.bipolar:
            return self._sign(x)
        return self._round(self._clamp(x, node.element), node.rounding, node.element)

    def _truncate(self, node: Truncation) -> str:
        x = self.emit("Div", [node.input, self.constant(node.source_scale)])
        x = self._round(self.emit("Add", [x, self.constant(node.source_zero)]), "ROUND")
        x = self.emit("Div", [x, self.constant(node.divisor.astype(np.float32))])
        x = self._clamp(x, node.element) if node.clamps else x
        return self._round(x, node.rounding)

    def _clamp(self, x: str, element: IntType) -> str:
        x = self.emit("Min", [x, self.constant(np.float32(element.hi))])
        return self.emit("Max", [x, self.constant(np.float32(element.lo))])

    def _binarise(self, node: Binariser) -> str:
        x, threshold = node.input, self.constant(node.threshold)
        below, at, above = (
            self.constant(part.astype(np.float32)) for part in (node.below, node.at, node.above)
        )
        upper = self.emit("Where", [self.emit("Greater", [x, threshold]), above, at])
        return self.emit("Where", [self.emit("Less", [x, threshold]), below, upper])

    def _sign(self, x: str) -> str:
        """-1 below zero, +1 from zero upwards."""
        negative = self.emit("Less", [x, self.constant(np.float32(0))])
        return self.emit("Where", [negative, self.constant(np.float32(-1)), self.constant(np.float32(1))])

    def _round(self, x: str, mode: str, element: IntType | None = None) -> str:
        """`x` rounded; `element` is its range, where that is known."""
        if mode in {"FLOOR", "CEIL"}:
            return self.emit(mode.capitalize(), [x])
        if mode in {"ROUND", "HALF_EVEN"}:
            if element is not None and max(-element.lo, element.hi) < _MOST_ROUNDED:
                rounder = self.constant(np.float32(_ROUNDER))
                return self.emit("Sub", [self.emit("Add", [x, rounder]), rounder])
            return self._round_any(x)
        magnitude = self.emit("Abs", [x])
        if mode in {"HALF_UP", "HALF_DOWN"}:
            operator = "Add" if mode == "HALF_UP" else "Sub"
            magnitude = self.emit(operator, [magnitude, self.constant(np.float32(0.5))])
        outwards = mode in {"UP", "HALF_DOWN"}
        whole = self.emit("Ceil" if outwards else "Floor", [magnitude])
        return self.emit("Mul", [self.emit("Sign", [x]), whole])

    def _round_any(self, x: str) -> str:
        """`x` rounded, ties to even, where it may be large: from 2**23 on all of float32 are whole."""
        whole = self.constant(np.float32(_WHOLE))
        negative = self.emit("Less", [x, self.constant(np.float32(0))])
        rounder = self.emit("Where", [negative, self.constant(np.float32(-_WHOLE)), whole])
        rounded = self.emit("Sub", [self.emit("Add", [x, rounder]), rounder])
        small = self.emit("Less", [self.emit("Abs", [x]), whole])
        return self.emit("Where", [small, rounded, x])

    def name(self, what: str) -> str:
        """The name of a tensor that the model does not have."""
        return self.imported.scope.source.unused_name(f"host/{what}")

    def emit(self, op: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Write one standard operator; returns the name of its output."""
        output = output or self.name(str(len(self.nodes)))
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(self, value: Array | np.generic) -> str:
        """Write a constant; returns its name."""
        name = self.name(f"constant{len(self.tensors)}")
        self.tensors[name] = np.asarray(value)
        return name

    def model(self, entry: onnx.ValueInfoProto, *exits: onnx.ValueInfoProto) -> bytes:
        """Serialise what was written."""
        tensors = [numpy_helper.from_array(value, name) for name, value in self.tensors.items()]
        graph = helper.make_graph(self.nodes, "host", [entry], list(exits), tensors)
        proto = self.imported.scope.source.model.proto
        opsets = [opset for opset in proto.opset_import if opset.domain in STANDARD]
        ir_version = max(proto.ir_version, _IR_VERSION)
        model = onnx.ModelProto(ir_version=ir_version, graph=graph, opset_import=opsets)
        return bytes(model.SerializeToString(deterministic=True))

    def value(self, name: str, kind: int, shape: Shape | None) -> onnx.ValueInfoProto:
        """Declare an end of the model; `shape` has a batch axis of 1."""
        if shape is None:
            return helper.make_tensor_value_info(name, kind, None)
        return helper.make_tensor_value_info(name, kind, [BATCH if self.batched else 1, *shape[1:]])
