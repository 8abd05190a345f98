"""Frames that reach the ends of what a network can compute and the edges of its levels; random ones do not.

The sum of a row is largest where every input is at the end of its range that the sign of its weight asks for.
A frame holds such an input for one row of a matrix, or for as many rows as windows fit into the map side by
side. A level's edge lies between its threshold and the integer below it; a frame holds one of the two for
each element, and the next frame another one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from thresher.ir.integer import (
    IntDepthwise,
    IntGraph,
    IntMatMul,
    IntNode,
    Ints,
    IntThreshold,
    IntWindow,
    TensorType,
)

# More places than these are not looked through for those of one window.
_MOST_PLACES = 1 << 24
# Windows that are tried for the patterns of one frame.
_MOST_TRIED = 256

_Layer = IntMatMul | IntDepthwise


def draw_frames(
    graph: IntGraph, tensor: str, low: Ints, high: Ints, count: int, random: np.random.Generator
) -> Ints:
    """Frames `[count, elements]` of `tensor` in stream order, every other one at ends and edges.

    `low` and `high` are the least and the greatest integer of each element of a frame, between which the
    others are drawn evenly. The extremes give the rows of each layer that reads the tensor their largest and
    smallest sum: those rows first whose sums reach the farthest. Where thresholds read the tensor, its
    elements take turns on both sides of each.
    """
    stride = 2 if _type_of(graph, tensor).element.bipolar else 1
    shape = (count, low.size)
    frames: Ints = low + stride * random.integers(0, (high - low) // stride + 1, shape)
    extremes = itertools.chain(
        (high.copy(), low.copy()),
        _edges(graph, tensor, low, high),
        _extremes(graph, tensor, low, high, random),
    )
    for place in range(1, count, 2):
        frame = next(extremes, None)
        if frame is None:
            break
        frames[place] = frame
    return frames


def _type_of(graph: IntGraph, tensor: str) -> TensorType:
    for node in graph.nodes:
        if node.output == tensor:
            return node.output_type
        for name, kind in zip(node.inputs, node.input_types, strict=True):
            if name == tensor:
                return kind
    raise ValueError(f"graph: it has no tensor '{tensor}'")


def _extremes(
    graph: IntGraph, tensor: str, low: Ints, high: Ints, random: np.random.Generator
) -> Iterator[Ints]:
    """The extremes of each row of each layer; what is left of a frame is at either end at random."""
    for layer, places in _layers(graph, tensor, low.size):
        wanted = _ends_of_rows(layer)
        while wanted:
            frame = np.where(random.integers(0, 2, low.size) == 1, high, low)
            free = np.ones(low.size, np.bool_)
            for window in random.permutation(len(places))[:_MOST_TRIED]:
                if not wanted:
                    break
                row, largest = wanted[0]
                columns, weights = _taps(layer, places[window], row)
                inside = columns >= 0
                columns, weights = columns[inside], weights[inside]
                if not free[columns].all():
                    continue
                upper = (weights > 0) == largest
                frame[columns] = np.where(upper, high[columns], low[columns])
                free[columns] = False
                wanted.pop(0)
            if free.all():
                break
            yield frame


def _edges(graph: IntGraph, tensor: str, low: Ints, high: Ints) -> Iterator[Ints]:
    """Both sides of every threshold of each channel, spread over vectors and frames."""
    for node in graph.nodes:
        if node.input != tensor or not isinstance(node, IntThreshold) or not node.thresholds.size:
            continue
        sides = np.concatenate([node.thresholds, node.thresholds - 1], axis=1)
        channel = np.arange(low.size) % len(sides)
        vector = np.arange(low.size) // len(sides)
        for turn in range(0, sides.shape[1], low.size // len(sides)):
            yield np.clip(sides[channel, (turn + vector) % sides.shape[1]], low, high)


def _layers(graph: IntGraph, tensor: str, size: int) -> Iterator[tuple[_Layer, Ints]]:
    """The layers that read `tensor`, and where in it each window has its elements; -1 is padding."""
    for node in graph.nodes:
        if node.input != tensor or node.input_type.vectors * node.input_type.channels != size:
            continue
        if isinstance(node, IntMatMul | IntDepthwise):
            yield node, np.arange(size).reshape(node.output_type.vectors, -1)
        elif isinstance(node, IntWindow) and size * node.window.taps <= _MOST_PLACES:
            window = node.window
            pixels = np.arange(size).reshape(1, window.height, window.width, -1)
            places = window.gather(pixels, -1).reshape(window.count, -1)
            yield from ((each, places) for each in _behind(graph, node))


def _behind(graph: IntGraph, window: IntNode) -> Iterator[_Layer]:
    for node in graph.nodes:
        if node.input == window.output and isinstance(node, IntMatMul | IntDepthwise):
            yield node


def _ends_of_rows(layer: _Layer) -> list[tuple[int, bool]]:
    """Each row's largest sum (True) and smallest, those first that reach the farthest of all rows."""
    low, high = layer.reach
    ends = [(int(-high[row]), row, True) for row in range(len(high))]
    ends += [(int(low[row]), row, False) for row in range(len(low))]
    ordered = sorted(ends)
    # The farthest below zero and above it take turns.
    above = [(row, largest) for _, row, largest in ordered if largest]
    below = [(row, largest) for _, row, largest in ordered if not largest]
    return [end for pair in zip(above, below, strict=True) for end in pair]


def _taps(layer: _Layer, places: Ints, row: int) -> tuple[npt.NDArray[np.int64], Ints]:
    """Where the inputs of a row lie, of those of one window, and their weights."""
    if isinstance(layer, IntDepthwise):
        channels, taps = layer.weights.shape
        return places.reshape(taps, channels)[:, row], layer.weights[row]
    group = row * layer.groups // len(layer.weights)
    columns = places.reshape(layer.taps, layer.groups, -1)[:, group].reshape(-1)
    return columns, layer.weights[row]
