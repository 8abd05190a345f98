"""What becomes of a whole model: every ONNX node, down to the units of the hardware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from thresher.errors import NodeError
from thresher.hardware.select import select_kernels
from thresher.ir.integer import IntGraph, IntNode
from thresher.ir.quant import QuantGraph
from thresher.lower import HostLayer, NodeReport, examine, find_host_layers
from thresher.lower.ascend import ascend
from thresher.lower.entry import INPUT
from thresher_sim.streams import IntType

ROLES = ("hardware", "host", "constant", "unused", "problem")


@dataclass(frozen=True)
class Checked:
    """A report on every ONNX node of the model `name`, in the order of its file.

    A problem of the model as a whole comes last, under the name of its output. `host_layers` are those that
    the host would compute, of a model that can be built.
    """

    name: str
    reports: tuple[NodeReport, ...]
    host_layers: tuple[HostLayer, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many nodes play each of `ROLES`."""
        found: Counter[str] = Counter(report.role for report in self.reports)
        return {role: found[role] for role in ROLES}

    @property
    def can_be_built(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.counts["problem"]

    def to_json(self) -> dict[str, object]:
        """All of it as plain JSON values."""
        return {
            "model": self.name,
            "can_be_built": self.can_be_built,
            "counts": dict(self.counts),
            "nodes": [_to_json(report) for report in self.reports],
            "host_layers": [layer.to_json() for layer in self.host_layers],
        }


def check_graph(
    name: str, graph: QuantGraph, input_type: IntType | None, input_scale: float | None
) -> Checked:
    """Lower `graph` past every problem and choose kernels for all that could be lowered.

    Raises:
        UsageError: As `lower`, or an installed package offers a kernel that cannot be used.
    """
    explained = examine(graph, input_type, input_scale)
    whole = all(report.role != "problem" for report in explained.reports)
    units: dict[str, tuple[str, ...]] = {}
    problems: dict[str, NodeError] = {}
    counts: Counter[str] = Counter()
    for part in [list(explained.nodes)] if whole else _connected(explained.nodes):
        try:
            layers = select_kernels(_graph(part))
        except NodeError as problem:
            problems[problem.node] = problem
            continue
        for layer in layers:
            kernel = layer.kernel.kernel_name()
            for node in dict.fromkeys(layer.onnx_nodes):
                units[node] = (*units.get(node, ()), f"{kernel}{counts[kernel]}")
            counts[kernel] += 1
    checked = Checked(name, tuple(_complete(report, units, problems) for report in explained.reports))
    if not checked.can_be_built:
        return checked
    hardware = {node for made in explained.nodes for node in made.onnx_nodes}
    return replace(checked, host_layers=find_host_layers(graph, hardware, input_type is not None))


def _complete(
    report: NodeReport, units: Mapping[str, tuple[str, ...]], problems: Mapping[str, NodeError]
) -> NodeReport:
    if report.role != "hardware":
        return report
    problem = problems.get(report.node)
    if problem is not None:
        return replace(report, taken_by=None, reason=problem.reason, remedy=problem.remedy)
    return replace(report, units=units.get(report.node, ()))


def _connected(nodes: Sequence[IntNode]) -> list[list[IntNode]]:
    """Parts that share no tensor but what enters, which behind a problem is another than in front of it."""
    parts: list[tuple[set[str], list[IntNode]]] = []
    for node in nodes:
        tensors = {*node.inputs, *node.outputs} - {INPUT}
        joined = [part for part in parts if not tensors.isdisjoint(part[0])]
        parts = [part for part in parts if part not in joined]
        names = tensors.union(*(part[0] for part in joined))
        parts.append((names, [*(each for part in joined for each in part[1]), node]))
    return [part for _, part in parts]


def _graph(nodes: Sequence[IntNode]) -> IntGraph:
    """The network of `nodes`, from what none of them writes to what none of them reads."""
    risen, _ = ascend(tuple(nodes))
    written = [name for node in risen for name in node.outputs]
    read = list(dict.fromkeys(name for node in risen for name in node.inputs))
    entries = tuple(name for name in read if name not in written)
    return IntGraph(risen, entries, tuple(name for name in written if name not in read))


def _to_json(report: NodeReport) -> dict[str, object]:
    return {
        "node": report.node,
        "operator": report.op,
        "role": report.role,
        "taken_by": report.taken_by,
        "units": list(report.units),
        "output": report.form,
        "reason": report.reason,
        "remedy": report.remedy,
    }
