"""The walk from the imported network to the integer network, node by node, in order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from thresher.graph import consumers
from thresher.lower.custom import lower_custom
from thresher.lower.forms import (
    Chosen,
    Doubles,
    Form,
    OnHost,
    Pending,
    identity,
    integer,
    rescaling,
    to_stream,
)
from thresher.lower.integer import (
    IntArgMax,
    IntCustom,
    IntMatMul,
    IntNode,
    Ints,
    IntThreshold,
    TensorType,
    narrowest,
    reachable,
)
from thresher.lower.staircase import find_staircase
from thresher.lower.tail import same_order
from thresher.onnx_import.custom import Custom
from thresher.onnx_import.importer import QuantGraph
from thresher.onnx_import.nodes import (
    ArgMax,
    FloatLinear,
    HostOnly,
    Linear,
    QuantNode,
    Refused,
)
from thresher.onnx_import.problems import NodeError
from thresher.onnx_import.quantisers import Quantiser
from thresher_sim.streams import IntType

INPUT = "input"
_MAX_OUTPUT_BITS = 8


@dataclass
class Lowering:
    """What has been lowered so far: integer nodes, and the form of every ONNX tensor.

    `entry` is where integers enter the hardware, `last` the latest integers that it has.
    """

    graph: QuantGraph
    forms: dict[str, Form] = field(default_factory=dict)
    nodes: list[IntNode] = field(default_factory=list)
    entry: Pending | None = None
    last: Pending | None = None

    def begin(self, input_type: IntType | None, input_scale: float) -> None:
        """Give the model's input its form: integers of the hardware, or floats of the host."""
        name = self.graph.inputs[0]
        if input_type is None:
            self.forms[name] = OnHost(after_hardware=False)
            return
        shape = self.graph.shapes[name]
        scale, zero = np.full(shape, input_scale, np.float64), np.zeros(shape, np.int64)
        self.entry = integer(INPUT, name, input_type, scale, zero, identity(shape))
        self.forms[name] = self.last = self.entry

    def take(self, node: QuantNode) -> None:
        """Lower one node.

        Raises:
            NodeError: It cannot be hardware where it stands.
        """
        form = self._joined_form(node)
        for output in node.outputs:
            self.forms[output] = self._form_after(node, form)

    def _joined_form(self, node: QuantNode) -> Form:
        """The form of what `node` reads; with several inputs only the host can take it."""
        if isinstance(node, Refused):
            raise NodeError("import", node.name, node.reason, node.remedy)
        forms = [self.forms[name] for name in node.inputs]
        if len(forms) == 1:
            return forms[0]
        return OnHost(after_hardware=any(_in_hardware(form) for form in forms), cause=node)

    def _form_after(self, node: QuantNode, form: Form) -> Form:
        if isinstance(form, OnHost):
            return self._after_host(node, form)
        if isinstance(form, Chosen) or isinstance(node, HostOnly):
            return OnHost(after_hardware=True, cause=node)
        self._check_alone(node)
        return self._lower(node, form)

    def _lower(self, node: QuantNode, form: Pending) -> Form:
        """What a node of the hardware gives; elementwise ones wait for a quantiser."""
        match node:
            case Linear():
                return self._multiply(node, form)
            case Quantiser():
                return self._threshold(node, form)
            case Custom():
                return self._apply(node, form)
            case FloatLinear():
                reason = "its weights are floats, which no unit multiplies"
                remedy = "quantise them, as Brevitas' QuantLinear with a weight_quant does"
                raise NodeError("lower", node.name, reason, remedy)
            case ArgMax():
                return self._choose_last(node, form)
        return form.then(node)

    def _choose_last(self, node: ArgMax, form: Pending) -> Form:
        """The model's own ArgMax is hardware where it is exact and nothing follows it."""
        chosen = self.choose(form, node) if node.output == self.graph.outputs[0] else None
        return chosen or OnHost(after_hardware=True, cause=node)

    def _check_alone(self, node: QuantNode) -> None:
        """Streams have one reader."""
        others = [other.name for other in consumers(self.graph, node.input) if other.name != node.name]
        if others:
            reason = f"its input also feeds node '{others[0]}', and streams do not branch"
            raise NodeError("lower", node.name, reason, "build a network without branches")

    def _after_host(self, node: QuantNode, form: OnHost) -> Form:
        """Floats stay with the host, up to the first quantiser."""
        if form.after_hardware:
            if isinstance(node, Quantiser | Linear | Custom) and form.cause is not None:
                raise _host_in_between(form.cause)
            return form
        if isinstance(node, Quantiser):
            return self._enter(node)
        if isinstance(node, Custom):
            reason = "it works on integers, and its input has met no quantiser"
            raise NodeError("lower", node.name, reason, "quantise its input, or build with an input type")
        if isinstance(node, HostOnly):
            return replace(form, cause=node)
        return form

    def _enter(self, node: Quantiser) -> Pending:
        """The first quantiser runs on the host; its integers enter the hardware."""
        if self.entry is not None:
            reason = "it is a second way into the hardware"
            remedy = "build a network whose input meets one quantiser first"
            raise NodeError("lower", node.name, reason, remedy)
        index = identity(self.graph.shapes[node.output])
        self.entry = integer(INPUT, node.output, node.element, *_meaning(node, index), index)
        self.last = self.entry
        return self.entry

    def _apply(self, node: Custom, form: Pending) -> Pending:
        name = f"custom{sum(isinstance(made, IntCustom) for made in self.nodes)}"
        made, self.last = lower_custom(node, form, self.graph.shapes[node.output], name)
        self.nodes.append(made)
        return self.last

    def _multiply(self, node: Linear, form: Pending) -> Pending:
        factor = rescaling(form, node)
        if (form.scale != form.scale[0]).any():
            reason = "per-channel input scales need a multiplier for every input, which no unit has"
            remedy = "try one scale for the whole tensor in the quantiser before it"
            raise NodeError("lower", node.name, reason, remedy)
        index = form.final_index()
        rows, columns = node.weights.shape
        if index.shape[-1] != columns or index.size != columns:
            reason = f"its input has frames of shape {list(index.shape)}, not one vector of {columns}"
            raise NodeError("lower", node.name, reason, "flatten its input to one vector")
        weights = np.empty_like(node.weights)
        weights[:, index.reshape(-1)] = node.weights - node.zero[:, None]
        lo, hi = reachable(weights, form.element)
        name = f"matmul{sum(isinstance(made, IntMatMul) for made in self.nodes)}"
        output_index = identity((1, *index.shape[:-1], rows))
        result = Pending(
            tensor=f"{name}_out",
            onnx_tensor=node.output,
            element=IntType(int(lo.min()), int(hi.max())),
            lo=lo,
            hi=hi,
            scale=node.scale.astype(np.float64) * (form.scale[0] * factor),
            zero=weights @ form.zero,
            index=output_index,
            slack=_slack(weights, form, node.scale * (form.scale[0] * factor)),
        )
        self.nodes.append(
            IntMatMul(
                name=name,
                input=form.tensor,
                output=result.tensor,
                input_type=form.type,
                output_type=result.type,
                onnx_nodes=(*form.onnx_nodes, *node.onnx_nodes),
                weights=weights,
                weight_type=narrowest(weights),
            )
        )
        self.last = result
        return result

    def _threshold(self, node: Quantiser, form: Pending) -> Pending:
        if node.element.bits > _MAX_OUTPUT_BITS:
            count = node.element.hi - node.element.lo
            reason = f"it gives {node.element.bits} bits, which would take {count} thresholds per channel"
            remedy = f"quantise activations to at most {_MAX_OUTPUT_BITS} bits"
            raise NodeError("lower", node.name, reason, remedy)
        stairs = find_staircase(form, node)
        name = f"threshold{sum(isinstance(made, IntThreshold) for made in self.nodes)}"
        index = form.final_index()
        result = integer(f"{name}_out", node.output, node.element, *_meaning(node, index), index)
        self.nodes.append(
            IntThreshold(
                name=name,
                input=form.tensor,
                output=result.tensor,
                input_type=form.type,
                output_type=result.type,
                onnx_nodes=(*form.onnx_nodes, *node.onnx_nodes),
                thresholds=stairs.thresholds,
                descending=stairs.descending,
                ties=stairs.ties,
            )
        )
        self.last = result
        return result

    def choose(self, form: Pending, node: ArgMax | None) -> Chosen | None:
        """Add an IntArgMax, if the largest integer is the largest real value; None if it need not be."""
        if not same_order(form):
            return None
        element = IntType(0, form.size - 1)
        self.nodes.append(
            IntArgMax(
                name="argmax0",
                input=form.tensor,
                output="argmax0_out",
                input_type=form.type,
                output_type=TensorType(element, vectors=1, channels=1),
                onnx_nodes=(*form.onnx_nodes, *(node.onnx_nodes if node else ())),
            )
        )
        return Chosen("argmax0_out", element)


def _slack(weights: Ints, form: Pending, scale: Doubles) -> Doubles | None:
    """How far the model's float32 sums `[rows]` can be from exact ones; None where none can be.

    Sums of integers times a power of two are exact in any order. Else each of the products and
    partial sums rounds by at most 2**-24 of the sum of magnitudes (N. J. Higham, Accuracy and Stability
    of Numerical Algorithms, section 4.2).
    """
    reals = np.concatenate([np.ravel(scale), form.scale[:1]])
    magnitudes = np.abs(weights).sum(axis=1) * max(abs(form.element.lo), abs(form.element.hi))
    if (np.frexp(reals)[0] == 0.5).all() and magnitudes.max() < 1 << 24:
        return None
    bound: Doubles = (weights.shape[1] + 2) * 2.0**-24 * magnitudes * np.abs(scale)
    return bound


def _in_hardware(form: Form) -> bool:
    return not isinstance(form, OnHost) or form.after_hardware


def _host_in_between(cause: QuantNode) -> NodeError:
    if isinstance(cause, HostOnly):
        return NodeError("lower", cause.name, f"{cause.reason}, and quantised layers follow", cause.remedy)
    return NodeError("lower", cause.name, "quantised layers follow it", "let it be the last")


def _meaning(node: Quantiser, index: Ints) -> tuple[Doubles, Ints]:
    """Scale and zero point of every element, in stream order."""
    scale = to_stream(node.scale.astype(np.float64), index)
    return scale, to_stream(node.zero.astype(np.int64), index)
