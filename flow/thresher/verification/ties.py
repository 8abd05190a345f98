"""Which differences float32 explains: both values lie between the bounds of what it can give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.integer import Flags, Ints
from thresher.ir.quant import QuantGraph
from thresher.ir.quantisers import Quantiser
from thresher.lower import Checkpoint
from thresher.verification.bounds import Bounds, bounds_of, levels_between


def tied_levels(
    graph: QuantGraph, point: Checkpoint, given: Mapping[str, Bounds], golden: Ints, wanted: Array
) -> Flags:
    """Of a quantiser's integers `[N, vectors, channels]`, where float32 can give golden's and the model's.

    Each level has an edge in the values that it is given to. A tie is where the bounds of the value in front
    of the quantiser reach over the edges between the two levels. Example: an exact sum of 2.5 that is off by
    at most 1e-6 in float32 rounds to 2 or 3; one of 2.49 rounds to 2 in any order, so that 3 is no tie.
    """
    node = _writer(graph, point.onnx_tensor)
    none = np.zeros(golden.shape, np.bool_)
    if not isinstance(node, Quantiser):
        return none
    bounds = bounds_of(graph, node.input, given)
    if bounds is None:
        return none
    low, high = (
        point.in_stream_order(ends.reshape(len(golden), *point.shape))
        for ends in levels_between(node, bounds)
    )
    tied: Flags = (golden >= low) & (golden <= high) & (wanted >= low) & (wanted <= high)
    return tied


def within_rounding(graph: QuantGraph, tensor: str, given: Mapping[str, Bounds], *values: Array) -> Flags:
    """Where all of `values` `[N, *shape]` are between the bounds of a tensor; nowhere if there are none."""
    bounds = bounds_of(graph, tensor, given)
    if bounds is None:
        return np.zeros(values[0].shape, np.bool_)
    inside: Flags = np.all([bounds.hold(each) for each in values], axis=0)
    return inside


def tied_choices(
    graph: QuantGraph, scores: str, given: Mapping[str, Bounds], chosen: Ints, wanted: Ints
) -> Flags:
    """Of class indices `[N]`, where float32 can make either score the larger."""
    bounds = bounds_of(graph, scores, given)
    if bounds is None:
        return np.zeros(len(chosen), np.bool_)
    low, high = (each.reshape(len(chosen), -1) for each in (bounds.low, bounds.high))
    rows = np.arange(len(chosen))
    tied: Flags = (high[rows, chosen] >= low[rows, wanted]) & (high[rows, wanted] >= low[rows, chosen])
    return tied


def _writer(graph: QuantGraph, tensor: str) -> object:
    return next((node for node in graph.nodes if tensor in node.outputs), None)
