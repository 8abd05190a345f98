"""Where values lie that reach a quantiser, and how far they are from those of the training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thresher.ir.quant import Arithmetic, BatchNorm, Clip, QuantNode
from thresher.ir.quantisers import Binariser, Quantiser
from thresher.onnx_import.writer import Writer

_LIMITS = ("Min", "Max")


def add_positions(writer: Writer, before: Sequence[QuantNode], quantiser: Quantiser) -> str:
    """Write where the values lie that reach `quantiser` behind the nodes `before`; the tensor's name.

    In steps of the quantiser: `x / scale + zero`, which it rounds and limits. Of one that has two levels,
    how far above what parts them: from 0 on values are on the upper level. Models that are written by hand
    limit by a Clip, then scale and round: the Clip is left out.
    """
    x = _without_limits(writer, before, quantiser.input)
    if isinstance(quantiser, Binariser):
        return writer.emit("Sub", [x, writer.constant(quantiser.threshold)])
    x = writer.emit("Div", [x, writer.constant(quantiser.scale)])
    element, zero = quantiser.element, quantiser.zero
    if element.hi - element.lo == 1:
        zero = zero - np.float32(element.lo + 0.5)
    return writer.emit("Add", [x, writer.constant(zero.astype(np.float32))])


def add_distances(writer: Writer, norm: BatchNorm, rank: int) -> str:
    """Write how far values lie from the means of a batch normalisation, in its standard deviations.

    It keeps what it met in training, where these distances have a mean square of 1. Its input has `rank`
    axes.
    """
    per_channel = (-1,) + (1,) * (rank - 2)
    deviation = np.sqrt(norm.variance + np.float32(norm.epsilon)).astype(np.float32)
    x = writer.emit("Sub", [norm.input, writer.constant(norm.mean.reshape(per_channel))])
    return writer.emit("Div", [x, writer.constant(deviation.reshape(per_channel))])


def _without_limits(writer: Writer, before: Sequence[QuantNode], tensor: str) -> str:
    """`tensor` as it would be if the limits right before it were left out."""
    node = next((node for node in before if tensor in node.outputs), None)
    if _limits(node):
        assert node is not None
        return _without_limits(writer, before, node.input)
    if not isinstance(node, Arithmetic) or not _limited(before, node.input):
        return tensor
    x, constant = _without_limits(writer, before, node.input), writer.constant(node.constant)
    return writer.emit(node.op, [constant, x] if node.constant_first else [x, constant])


def _limits(node: QuantNode | None) -> bool:
    return isinstance(node, Clip) or (isinstance(node, Arithmetic) and node.op in _LIMITS)


def _limited(before: Sequence[QuantNode], tensor: str) -> bool:
    """Whether limits stand before `tensor`, behind nothing but arithmetic with constants."""
    node = next((node for node in before if tensor in node.outputs), None)
    return _limits(node) or (isinstance(node, Arithmetic) and _limited(before, node.input))
