"""The imported network to the integer network."""

from __future__ import annotations

from thresher.ir.integer import IntGraph
from thresher.ir.quant import QuantGraph
from thresher.lower.ascend import ascend
from thresher.lower.checkpoints import find_checkpoints
from thresher.lower.ends import check_scale, endpoint, finish, needed
from thresher.lower.explain import Explained, NodeReport, examine, explain
from thresher.lower.forms import Chosen
from thresher.lower.host_layers import HostLayer, find_host_layers
from thresher.lower.lowered import Approximation, Checkpoint, Endpoint, Lowered
from thresher.lower.lowering import ADD_BITS, Lowering
from thresher_sim.streams import IntType

__all__ = [
    "ADD_BITS",
    "Approximation",
    "Checkpoint",
    "Endpoint",
    "Explained",
    "HostLayer",
    "Lowered",
    "NodeReport",
    "examine",
    "explain",
    "find_host_layers",
    "lower",
]


def lower(
    graph: QuantGraph,
    input_type: IntType | None = None,
    input_scale: float | None = None,
    argmax: bool = False,
    add_bits: int = ADD_BITS,
) -> Lowered:
    """Lower an imported network to exact integer operators.

    Without `input_type` the host computes up to the integers of the first quantiser. With it the
    hardware takes integers of that type, each meaning itself times `input_scale`, and does all.
    With `argmax` it ends in the index of the largest output. Sums of tensors whose scales have no common grid
    are computed in fixed point of `add_bits` bits.

    Raises:
        UnsupportedModelError: The network, or a node of it, cannot become hardware.
        UsageError: `input_scale` is not a positive number, or comes without `input_type`.
    """
    lowering = Lowering(graph, add_bits)
    lowering.begin(input_type, check_scale(input_type, input_scale))
    for node in graph.nodes:
        lowering.take(node)
    output = finish(lowering, argmax)
    entry = lowering.entry
    assert entry is not None
    nodes, negated = ascend(needed(lowering.nodes, output.tensor))
    return Lowered(
        graph=IntGraph(nodes, (entry.tensor,), (output.tensor,)),
        input=endpoint(entry),
        output=output,
        prologue=None if input_type is not None else entry.onnx_tensor,
        epilogue=None if isinstance(lowering.forms[graph.outputs[0]], Chosen) else output.onnx_tensor,
        approximations=tuple(lowering.approximations),
        checkpoints=find_checkpoints(lowering, nodes, negated),
    )
