"""Quantisers whose levels hang on what reaches them: roundings, and signs with a zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thresher.errors import NodeError
from thresher.ir.custom import Custom
from thresher.ir.quant import HostQuantiser, Linear, QuantGraph, QuantNode
from thresher.ir.quant_maps import Conv
from thresher.ir.quantisers import UNBOUNDED, Binariser, Quantiser, Rounding, Truncation
from thresher.lower.forms import Pending
from thresher.lower.staircase import find_staircase, fitted

_BINARISE = (
    "binarise by torch.where(x == 0, 1, torch.sign(x)), or by Brevitas' QuantIdentity with CommonActQuant"
)


def needs_hardware(node: QuantNode) -> bool:
    """Whether an operator says that the model goes on in integers; standard ones may be the float end's."""
    quantised = isinstance(node, Quantiser | Linear | Conv | Custom | HostQuantiser)
    return quantised and not isinstance(node, Binariser | Rounding)


def stays_on_host(quantiser: Quantiser, graph: QuantGraph) -> bool:
    """Whether it is a rounding or a sign in the model's float end, which no quantised layer follows."""
    if not isinstance(quantiser, Rounding) and not (isinstance(quantiser, Binariser) and quantiser.undecided):
        return False
    return ends_in_float(quantiser, graph)


def ends_in_float(node: QuantNode, graph: QuantGraph) -> bool:
    """Whether no quantised layer follows `node`, so that the host can take all from there on."""
    reached = set(node.outputs)
    for other in graph.nodes:
        if reached.intersection(other.inputs):
            if isinstance(other, Linear | Conv | Custom | Quantiser):
                return False
            reached.update(other.outputs)
    return True


def settle(quantiser: Quantiser, pending: Pending) -> Quantiser:
    """The quantiser with the levels that it really gives for the integers of `pending`.

    Raises:
        NodeError: It would give a third level, where there are two.
    """
    if isinstance(quantiser, Binariser) and quantiser.undecided:
        return _decided(quantiser, pending)
    return fitted(quantiser, pending)


def settle_on_host(quantiser: Quantiser) -> Quantiser:
    """The same for the first quantiser, of which nothing is known but what the model says.

    Raises:
        NodeError: Its levels cannot be known.
    """
    if isinstance(quantiser, Truncation):
        reason = "it truncates what has met no quantiser"
        raise NodeError("lower", quantiser.name, reason, "quantise before it")
    if isinstance(quantiser, Binariser) and quantiser.undecided:
        reason = (
            f"{_third(quantiser)}, and it is the first quantiser, whose floats may hold it: binary layers "
            "map it to +1"
        )
        raise NodeError("lower", quantiser.name, reason, _BINARISE)
    if isinstance(quantiser, Rounding) and quantiser.element == UNBOUNDED:
        reason = "it rounds floats that nothing limits, so its integers have no width"
        raise NodeError("lower", quantiser.name, reason, "clamp its input, or its output, to a fixed range")
    return quantiser


def _decided(sign: Binariser, pending: Pending) -> Binariser:
    """`sign` as a quantiser of two levels: the thresholds are where they are, wherever zero counts to."""
    upper = replace(sign, at=sign.above, undecided=False)
    stairs = [find_staircase(pending, each) for each in (upper, replace(upper, at=sign.below))]
    above, below = (pending.at_or_above(each.thresholds) for each in stairs)
    met = (above != below).any(axis=1)
    met |= stairs[0].descending != stairs[1].descending
    if met.any():
        channel = int(np.argmax(met))
        reason = (
            f"{_third(sign)}, and the integers before it reach that value (in channel {channel}): binary "
            "layers map it to +1"
        )
        raise NodeError("lower", sign.name, reason, _BINARISE)
    return upper


def _third(sign: Binariser) -> str:
    threshold = sign.threshold
    where = f"{float(threshold):g}" if threshold.size == 1 else "its threshold"
    return f"ONNX's Sign gives 0 for {where}, a third value beside -1 and +1"
