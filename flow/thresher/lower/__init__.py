"""The imported network to the integer network."""

from __future__ import annotations

import numpy as np

from thresher.errors import UsageError
from thresher.lower.ascend import ascend
from thresher.lower.ends import endpoint, finish
from thresher.lower.forms import Chosen
from thresher.lower.integer import IntGraph
from thresher.lower.lowered import Endpoint, Lowered
from thresher.lower.lowering import Lowering
from thresher.onnx_import.importer import QuantGraph
from thresher_sim.streams import IntType

__all__ = ["Endpoint", "Lowered", "lower"]


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


def check_scale(input_type: IntType | None, input_scale: float | None) -> float:
    """The scale of the hardware's own input, 1 where none is given.

    Raises:
        UsageError: It is not a positive number, or comes without `input_type`.
    """
    if input_scale is None:
        return 1.0
    if input_type is None:
        raise UsageError("lower: the input scale: there is no input type that it belongs to; give both")
    if not (np.isfinite(input_scale) and input_scale > 0):
        raise UsageError(
            f"lower: the input scale: {input_scale} is not a positive number; give one, such as 1/255"
        )
    return input_scale
