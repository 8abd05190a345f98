"""Typed nodes of networks that are no chains: sums and concatenations, and what picks elements."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thresher.ir.graph import Array
from thresher.ir.quant import Ints, QuantNode, Shape


@dataclass(frozen=True, eq=False)
class Join(QuantNode):
    """An operator on several tensors that are computed at run time."""

    @abstractmethod
    def combine(self, *inputs: Array) -> Array:
        """Compute the output of a batch."""

    @abstractmethod
    def combined_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The shape of its output for inputs of `shapes`, all with a batch axis of 1."""

    def apply(self, x: Array) -> Array:
        """Compute a batch of which all inputs are `x`."""
        return self.combine(*(x for _ in self.inputs))

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Compute the output of a batch."""
        return (self.combine(*inputs),)


@dataclass(frozen=True, eq=False)
class Sum(Join):
    """`sum of signs[i] * x[i]` over tensors of one shape, from left to right; signs are 1 or -1."""

    signs: tuple[int, ...]

    def combine(self, *inputs: Array) -> Array:
        """Add up a batch."""
        result = inputs[0] if self.signs[0] > 0 else -inputs[0]
        for each, sign in zip(inputs[1:], self.signs[1:], strict=True):
            result = result + each if sign > 0 else result - each
        return result

    def combined_shape(self, shapes: Sequence[Shape]) -> Shape:
        """That of all of its inputs."""
        return shapes[0]


@dataclass(frozen=True, eq=False)
class Concat(Join):
    """Tensors one after the other along `axis`, which is not the batch axis 0."""

    axis: int

    def combine(self, *inputs: Array) -> Array:
        """Join a batch."""
        return np.concatenate(inputs, axis=self.axis)

    def combined_shape(self, shapes: Sequence[Shape]) -> Shape:
        """Theirs, with all of their sizes along the axis."""
        first, axis = shapes[0], self.axis
        return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


@dataclass(frozen=True, eq=False)
class Pick(QuantNode):
    """Elements of its input in another arrangement: some may be left out, others repeated.

    `index` has the shape of an output frame and holds the place of each element in the flat input frame.
    """

    index: Ints

    @property
    def shape(self) -> Shape:
        """The shape of its output, with a batch axis of 1."""
        return (1, *self.index.shape)

    def apply(self, x: Array) -> Array:
        """Pick from a batch."""
        return x.reshape(len(x), -1)[:, self.index]
