"""Tensors that compare another one with a constant, and take one of three values by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.quant import Floats


@dataclass(frozen=True, eq=False)
class Step:
    """A function of the tensor `source`, element by element: its values below `threshold`, at it, above.

    All four broadcast against `source`; the values have the type of the tensor that they are of. It is
    computed by `onnx_nodes`.
    """

    source: str
    threshold: Floats
    below: Array
    at: Array
    above: Array
    onnx_nodes: tuple[str, ...]

    @property
    def parts(self) -> tuple[Array, ...]:
        """Its constants."""
        return self.threshold, self.below, self.at, self.above

    def alike(self, other: Step) -> bool:
        """Whether both hang on the same comparison."""
        return self.source == other.source and np.array_equal(self.threshold, other.threshold)
