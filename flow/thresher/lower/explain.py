"""Saying of every ONNX node what takes it, or why nothing does and what to change."""

from __future__ import annotations

from dataclasses import dataclass, field

from thresher.errors import UnsupportedModelError
from thresher.lower.ends import check_scale, finish
from thresher.lower.forms import Form, OnHost, Pending
from thresher.lower.lowering import Lowering
from thresher.onnx_import.importer import OnnxNode, QuantGraph
from thresher.onnx_import.nodes import QuantNode, Refused
from thresher.onnx_import.problems import NodeError
from thresher.onnx_import.quantisers import Quantiser
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
    """

    node: str
    op: str
    taken_by: str | None
    form: str = ""
    reason: str = ""
    remedy: str = ""


@dataclass
class _Findings:
    """What the walk has found, by ONNX node; `broken` maps tensors to the node that spoilt them."""

    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)


def explain(
    graph: QuantGraph,
    input_type: IntType | None = None,
    input_scale: float | None = None,
    argmax: bool = False,
) -> tuple[NodeReport, ...]:
    """Lower `graph` past every problem, and report on each node of the ONNX file in its order.

    The arguments are those of `lower`. What follows a problem is looked at again from the next
    quantiser on. A problem of the model as a whole comes last, under the name of its output.

    Raises:
        UsageError: As `lower`.
    """
    lowering = Lowering(graph)
    lowering.begin(input_type, check_scale(input_type, input_scale))
    findings = _Findings()
    for node in graph.nodes:
        _take(lowering, node, findings)
    extra = () if findings.problems else _check_ends(lowering, argmax, findings)
    for made in lowering.nodes:
        findings.taken.update(dict.fromkeys(made.onnx_nodes, made.name))
    return (*(_report(node, findings) for node in graph.onnx), *extra)


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
        findings.problems[error.node] = (error.reason, error.remedy)
        if not isinstance(node, Quantiser) or error.node == node.name:
            _spoil(lowering, node.outputs, error.node, findings)
            return
        _spoil(lowering, node.inputs, error.node, findings)
        lowering.take(node)
    form = lowering.forms[node.output]
    for name in node.onnx_nodes:
        findings.forms[name] = _describe(form)
        findings.taken[name] = _place(lowering, form)


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


def _describe(form: Form) -> str:
    if isinstance(form, OnHost):
        return "float on the host"
    if isinstance(form, Pending) and form.steps:
        return f"pending on {form.element}"
    return str(form.element)


def _check_ends(lowering: Lowering, argmax: bool, findings: _Findings) -> tuple[NodeReport, ...]:
    output = lowering.graph.outputs[0]
    try:
        finish(lowering, argmax)
    except NodeError as error:
        findings.problems[error.node] = (error.reason, error.remedy)
    except UnsupportedModelError as error:
        reason, _, remedy = str(error).rpartition("; ")
        return (NodeReport(output, "output", None, reason=reason, remedy=remedy),)
    return ()


def _report(node: OnnxNode, findings: _Findings) -> NodeReport:
    if node.name in findings.problems:
        reason, remedy = findings.problems[node.name]
        return NodeReport(node.name, node.op, None, reason=reason, remedy=remedy)
    if node.name in findings.taken:
        return NodeReport(node.name, node.op, findings.taken[node.name], findings.forms.get(node.name, ""))
    return NodeReport(node.name, node.op, {"unused": UNUSED, "dropped": DROPPED}.get(node.role, CONSTANT))
