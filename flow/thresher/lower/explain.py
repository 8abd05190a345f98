"""Saying of every ONNX node what takes it, or why nothing does and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from thresher.errors import NodeError, UnsupportedModelError
from thresher.ir.integer import IntNode
from thresher.ir.quant import Linear, OnnxNode, QuantGraph, QuantNode, Refused
from thresher.ir.quant_joins import Join
from thresher.ir.quant_maps import Conv
from thresher.ir.quantisers import Quantiser
from thresher.lower.describe import HOST, describe_form, describe_weights, waits
from thresher.lower.ends import check_scale, finish, needed
from thresher.lower.forms import Form, OnHost, Pending
from thresher.lower.lowering import Lowering
from thresher_sim.streams import IntType

PROLOGUE = "host prologue"
EPILOGUE = "host epilogue"
CONSTANT = "constant"
UNUSED = "unused"
DROPPED = "dropped"


@dataclass(frozen=True)
class NodeReport:
    """What becomes of one ONNX node.

    `taken_by` is an integer operator, the host, or nothing where the node is part of a constant, unused
    or dropped; None is a problem, which `reason` and `remedy` tell. `form` describes what it computes.
    `units` are those of the hardware that take it, where these are known.
    """

    node: str
    op: str
    taken_by: str | None
    form: str = ""
    reason: str = ""
    remedy: str = ""
    units: tuple[str, ...] = ()

    @property
    def role(self) -> Literal["hardware", "host", "constant", "unused", "problem"]:
        """Where it ends."""
        if self.taken_by is None:
            return "problem"
        if self.taken_by in (PROLOGUE, EPILOGUE):
            return "host"
        if self.taken_by in (UNUSED, DROPPED):
            return "unused"
        if self.taken_by == CONSTANT:
            return "constant"
        return "hardware"


@dataclass(frozen=True)
class Explained:
    """A report on every ONNX node, and the integer operators of all that could be lowered."""

    reports: tuple[NodeReport, ...]
    nodes: tuple[IntNode, ...]


@dataclass
class _Findings:
    """What the walk has found, by ONNX node; `broken` maps tensors to the node that spoilt them.

    What is `waiting` for a quantiser when the network ends is the host's, in floats; what waited for a
    sum or a concatenation is `joined` by that.
    """

    operators: Mapping[str, str]
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    joined: dict[str, str] = field(default_factory=dict)


def explain(
    graph: QuantGraph,
    input_type: IntType | None = None,
    input_scale: float | None = None,
    argmax: bool = False,
) -> tuple[NodeReport, ...]:
    """The reports of `examine`."""
    return examine(graph, input_type, input_scale, argmax).reports


def examine(
    graph: QuantGraph,
    input_type: IntType | None = None,
    input_scale: float | None = None,
    argmax: bool = False,
) -> Explained:
    """Lower `graph` past every problem, and report on each node of the ONNX file in its order.

    The arguments are those of `lower`. What follows a problem is looked at again from the next
    quantiser on. A problem of the model as a whole comes last, under the name of its output.

    Raises:
        UsageError: As `lower`.
    """
    lowering = Lowering(graph)
    lowering.begin(input_type, check_scale(input_type, input_scale))
    findings = _Findings({node.name: node.op for node in graph.onnx})
    for node in graph.nodes:
        _take(lowering, node, findings)
    extra: tuple[NodeReport, ...] = ()
    nodes = tuple(lowering.nodes)
    if not findings.problems:
        extra, nodes = _check_ends(lowering, argmax, findings)
    for made in nodes:
        findings.taken.update(dict.fromkeys(made.onnx_nodes, made.name))
    _take_joined(findings)
    reports = (*(_report(node, findings) for node in graph.onnx), *extra)
    return Explained(reports, nodes)


def _take(lowering: Lowering, node: QuantNode, findings: _Findings) -> None:
    spoilt = next((findings.broken[name] for name in node.inputs if name in findings.broken), None)
    if spoilt is not None and not isinstance(node, Quantiser | Refused):
        problem = (f"it follows node '{spoilt}', which is not taken", "mend that first")
        findings.problems.setdefault(node.onnx_nodes[-1], problem)
        _spoil(lowering, node.outputs, spoilt, findings)
        return
    try:
        lowering.take(node)
    except NodeError as error:
        # A quantiser that was put in is no node of the file.
        name = error.node if error.node in findings.operators else node.onnx_nodes[-1]
        findings.problems[name] = (error.reason, error.remedy)
        if not isinstance(node, Quantiser) or error.node == node.name:
            _spoil(lowering, node.outputs, error.node, findings)
            return
        _spoil(lowering, node.inputs, error.node, findings)
        lowering.take(node)
    form = lowering.forms[node.output]
    if isinstance(node, Join) and isinstance(form, Pending):
        read = [lowering.forms[name] for name in node.inputs]
        waited = [name for each in read if isinstance(each, Pending) for name in each.onnx_nodes]
        findings.joined.update(dict.fromkeys(waited, node.onnx_nodes[-1]))
    *constants, _ = node.onnx_nodes
    findings.forms.update(dict.fromkeys(node.onnx_nodes, describe_form(form, findings.operators)))
    if isinstance(node, Linear | Conv):
        findings.forms.update(dict.fromkeys(constants, describe_weights(node)))
    findings.taken.update(dict.fromkeys(node.onnx_nodes, _place(lowering, form)))
    if isinstance(form, Pending) and waits(form):
        findings.waiting.update(node.onnx_nodes)


def _take_joined(findings: _Findings) -> None:
    for name, join in findings.joined.items():
        if findings.taken[name] in (PROLOGUE, EPILOGUE):
            findings.taken[name] = findings.taken[join]


def _spoil(lowering: Lowering, tensors: tuple[str, ...], by: str, findings: _Findings) -> None:
    """Go on as if `tensors` were computed ahead of the hardware, so that a quantiser is a fresh start."""
    lowering.entry = None
    for tensor in tensors:
        lowering.forms[tensor] = OnHost(after_hardware=False)
        findings.broken[tensor] = by


def _place(lowering: Lowering, form: Form) -> str:
    """Who computes it, if no integer operator comes to stand for it."""
    if isinstance(form, OnHost):
        return EPILOGUE if form.after_hardware else PROLOGUE
    return PROLOGUE if form is lowering.entry else EPILOGUE


def _check_ends(
    lowering: Lowering, argmax: bool, findings: _Findings
) -> tuple[tuple[NodeReport, ...], tuple[IntNode, ...]]:
    """A report on the model as a whole where it cannot end, and the operators that it is computed by."""
    output = lowering.graph.outputs[0]
    try:
        end = finish(lowering, argmax)
    except NodeError as error:
        findings.problems[error.node] = (error.reason, error.remedy)
    except UnsupportedModelError as error:
        reason, _, remedy = str(error).rpartition("; ")
        return (NodeReport(output, "output", None, reason=reason, remedy=remedy),), tuple(lowering.nodes)
    else:
        return (), needed(lowering.nodes, end.tensor)
    return (), tuple(lowering.nodes)


def _report(node: OnnxNode, findings: _Findings) -> NodeReport:
    if node.name in findings.problems:
        reason, remedy = findings.problems[node.name]
        return NodeReport(node.name, node.op, None, reason=reason, remedy=remedy)
    taken = findings.taken.get(node.name)
    if taken is None:
        return NodeReport(node.name, node.op, {"unused": UNUSED, "dropped": DROPPED}.get(node.role, CONSTANT))
    floats = node.name in findings.waiting and taken in (PROLOGUE, EPILOGUE)
    return NodeReport(node.name, node.op, taken, HOST if floats else findings.forms[node.name])
