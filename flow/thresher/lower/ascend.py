"""Turning falling thresholds into rising ones, by the sign of the weights in front of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from thresher.ir.integer import EdgeCorrections, IntMatMul, IntNode, IntThreshold, narrowest
from thresher_sim.streams import IntType


def ascend(nodes: tuple[IntNode, ...]) -> tuple[tuple[IntNode, ...], dict[str, npt.NDArray[np.bool_]]]:
    """Negate weight rows whose thresholds fall, where that takes no more bits per weight.

    A channel that counts thresholds downwards needs a subtraction in hardware; its negated sum needs none.
    Rows that do not fit when negated keep their falling thresholds, and so do sums with other readers.
    Returned are the nodes, and the channels whose sums are negated, by the name of the tensor.
    """
    result = list(nodes)
    negated: dict[str, npt.NDArray[np.bool_]] = {}
    readers = Counter(tensor for node in nodes for tensor in node.inputs)
    writers = {node.output: place for place, node in enumerate(nodes)}
    for index, second in enumerate(nodes):
        place = writers.get(second.input)
        first = None if place is None else nodes[place]
        if place is None or not (isinstance(first, IntMatMul) and isinstance(second, IntThreshold)):
            continue
        if readers[first.output] > 1 or len(second.thresholds) != len(first.weights):
            continue
        flipped = second.descending & _negatable(first)
        if flipped.any():
            result[place], result[index] = _flip(first, second, flipped)
            negated[first.output] = flipped
    return tuple(result), negated


def _negatable(matmul: IntMatMul) -> npt.NDArray[np.bool_]:
    """Rows whose negated weights need no more bits than the widest of the matrix as it is."""
    kind = matmul.weight_type
    if kind.bipolar:
        return np.ones(len(matmul.weights), np.bool_)
    if not kind.signed:
        return np.zeros(len(matmul.weights), np.bool_)
    lowest: npt.NDArray[np.bool_] = matmul.weights.min(axis=1) > -(1 << (kind.bits - 1))
    return lowest


def _negated(corrections: EdgeCorrections | None, rows: npt.NDArray[np.bool_]) -> EdgeCorrections | None:
    """`corrections` with those of `rows` negated."""
    if corrections is None:
        return None
    return replace(corrections, values=np.where(rows, -corrections.values, corrections.values))


def _flip(
    matmul: IntMatMul, threshold: IntThreshold, flipped: npt.NDArray[np.bool_]
) -> tuple[IntMatMul, IntThreshold]:
    """`x < t` is `-x >= 1 - t`: the thresholds of a negated row are `1 - t`, in reverse order."""
    weights = np.where(flipped[:, None], -matmul.weights, matmul.weights)
    turned = np.where(flipped[:, None], 1 - threshold.thresholds[:, ::-1], threshold.thresholds)
    corrections = _negated(matmul.corrections, flipped)
    kind = narrowest(weights)
    turned_round = replace(matmul, weights=weights, weight_type=kind, corrections=corrections)
    lowest, highest = turned_round.reach
    element = IntType(int(lowest.min()), int(highest.max()))
    middle = replace(matmul.output_type, element=element)
    return (
        replace(turned_round, output_type=middle),
        replace(
            threshold,
            thresholds=np.ascontiguousarray(turned),
            descending=threshold.descending & ~flipped,
            input_type=middle,
        ),
    )
