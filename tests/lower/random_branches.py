"""Random networks with branches, on scales that are powers of two: nothing in them is rounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.models import ModelBuilder

MAP = (1, 4, 4, 6)
"""The shape of their input."""

Choose = Callable[[Sequence[Any]], Any]


def conv(build: ModelBuilder, x: str, rows: int, columns: int, seed: int, **attributes: Any) -> str:
    random = np.random.default_rng(seed)
    weights = random.integers(-3, 4, (rows, columns, 3, 3)).astype(np.float32)
    quantised = build.quant(build.constant(weights / 4), 0.25, 0.0, 4)
    return build.node("Conv", x, quantised, pads=[1, 1, 1, 1], **attributes)


def random_network(build: ModelBuilder, choose: Choose) -> str:
    """Some steps of random kinds on random tensors before them, and a convolution of what came last.

    `choose` picks one of several options. Returns the output.
    """
    heads = [(build.quant("x", choose([0.25, 0.5]), 0.0, 4), 4)]
    for step in range(choose(range(2, 6))):
        heads.append(_step(build, choose, heads, step))
    (first, _), (last, channels) = heads[0], heads[-1]
    whole = build.node("Concat", last, build.quant(first, 0.5, 0.0, 3), axis=1)
    return conv(build, whole, 3, channels + 4, 99)


def _step(build: ModelBuilder, choose: Choose, heads: list[tuple[str, int]], step: int) -> tuple[str, int]:
    """One more tensor, and its channels."""
    (head, count), (last, others) = choose(heads), heads[-1]
    kind = choose(["quant", "conv", "add", "concat", *(["split", "shuffle"] if count % 2 == 0 else [])])
    if kind == "quant":
        scale, bits, signed = choose([0.25, 0.5, 1.0]), choose(range(2, 6)), choose([False, True])
        return build.quant(head, scale, 0.0, bits, signed), count
    if kind == "conv":
        rows = choose([2, 4])
        return build.quant(conv(build, head, rows, count, step), 1.0, 0.0, 4), rows
    if kind == "add":
        other = build.quant(conv(build, last, count, others, 7 + step), 0.5, 0.0, 4)
        return build.node("Add", head, other), count
    if kind == "concat":
        return build.node("Concat", head, last, axis=1), count + others
    if kind == "split":
        first, rows = choose(range(count // 2 + 1)), count // 2
        return build.node("Slice", head, np.array([first]), np.array([first + rows]), np.array([1])), rows
    folded = build.node("Reshape", head, np.array([1, 2, count // 2, 4, 6]))
    moved = build.node("Transpose", folded, perm=[0, 2, 1, 3, 4])
    return build.node("Reshape", moved, np.array([1, count, 4, 6])), count
