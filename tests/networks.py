"""Small integer networks with random weights, for tests that start behind the lowering."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from thresher.ir.integer import IntGraph, IntMatMul, IntNode, IntThreshold, TensorType, reachable
from thresher_sim.streams import BIPOLAR, IntType


def binary_network(sizes: Sequence[int], seed: int = 0, vectors: int = 1) -> IntGraph:
    """Layers of `sizes` on each of `vectors`, bipolar throughout, a sign behind each but the last."""
    random = np.random.default_rng(seed)
    nodes: list[IntNode] = []
    source = TensorType(BIPOLAR, vectors, sizes[0])
    tensor = "x"
    for index, (columns, rows) in enumerate(pairwise(sizes)):
        weights = random.integers(0, 2, (rows, columns)) * 2 - 1
        low, high = reachable(weights, BIPOLAR)
        sums = TensorType(IntType(int(low.min()), int(high.max())), vectors, rows)
        total = f"sum{index}"
        nodes.append(
            IntMatMul(f"matmul{index}", tensor, total, (f"MatMul_{index}",), source, sums, weights, BIPOLAR)
        )
        tensor = total
        if index < len(sizes) - 2:
            source = TensorType(BIPOLAR, vectors, rows)
            tensor = f"sign{index}"
            thresholds = random.integers(-2, 3, (rows, 1))
            ascending = np.zeros(rows, np.bool_)
            name = f"threshold{index}"
            nodes.append(IntThreshold(name, total, tensor, (), sums, source, thresholds, ascending))
    return IntGraph(tuple(nodes), ("x",), (tensor,))
