"""The imported network to the integer network."""

from __future__ import annotations

from thresher.lower.ascend import ascend
from thresher.lower.ends import check_scale, endpoint, finish
from thresher.lower.explain import NodeReport, explain
from thresher.lower.forms import Chosen
from thresher.lower.integer import IntGraph
from thresher.lower.lowered import Endpoint, Lowered
from thresher.lower.lowering import Lowering
from thresher.onnx_import.importer import QuantGraph
from thresher_sim.streams import IntType

__all__ = ["Endpoint", "Lowered", "NodeReport", "explain", "lower"]


def lower(
    graph: QuantGraph,
    input_type: IntType | None = None,
    input_scale: float | None = None,
    argmax: bool = False,
) -> Lowered:
    """Lower an imported network to exact integer operators.

    Without `input_type` the host computes up to the integers of the first quantiser. With it the
    hardware takes integers of that type, each meaning itself times `input_scale`, and does all.
    With `argmax` it ends in the index of the largest output.

    Raises:
        UnsupportedModelError: The network, or a node of it, cannot become hardware.
        UsageError: `input_scale` is not a positive number, or comes without `input_type`.
    """
    lowering = Lowering(graph)
    lowering.begin(input_type, check_scale(input_type, input_scale))
    for node in graph.nodes:
        lowering.take(node)
    output = finish(lowering, argmax)
    entry = lowering.entry
    assert entry is not None
    return Lowered(
        graph=IntGraph(ascend(tuple(lowering.nodes)), (entry.tensor,), (output.tensor,)),
        input=endpoint(entry),
        output=output,
        prologue=None if input_type is not None else entry.onnx_tensor,
        epilogue=None if isinstance(lowering.forms[graph.outputs[0]], Chosen) else output.onnx_tensor,
    )
