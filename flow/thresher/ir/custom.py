"""Operators of custom ONNX domains: what a package tells Thresher of those that its kernels take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np

from thresher.errors import NodeError
from thresher.ir.graph import Array
from thresher.ir.quant import Ints, QuantNode, Shape
from thresher_sim.streams import IntType

Attribute = int | float | str | Sequence[int] | Sequence[float] | Sequence[str] | Array
"""The value of an ONNX attribute; a tensor comes as an array."""


@dataclass(frozen=True)
class Integers:
    """What the integers of a tensor mean: each element `q` is `scale * (q - zero)` in the model."""

    element: IntType
    scale: float = 1.0
    zero: int = 0


class RefusalError(Exception):
    """What an operator raises to refuse a node: why, and what to change in the model.

    Thresher puts the name of the node in front of it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")


@dataclass(frozen=True)
class CustomOperator(ABC):
    """An operator of a custom ONNX domain: an exact function of one integer tensor.

    A subclass is a frozen dataclass. Its fields are its parameters, each a number, a string, a bool or a
    tuple of these: a project stores them, and makes the operator again from them.
    """

    domain: ClassVar[str]
    op_type: ClassVar[str]

    @classmethod
    @abstractmethod
    def from_attributes(cls, attributes: Mapping[str, Attribute]) -> Self:
        """Read the attributes of an ONNX node, which come from a file that nobody vouches for.

        Raises:
            RefusalError: They are not what the operator needs.
        """

    @abstractmethod
    def output(self, shape: tuple[int, ...], source: Integers) -> Integers:
        """What it gives for frames of `shape`, which is without the batch axis, of `source`.

        Raises:
            RefusalError: It does not take such a tensor.
        """

    @abstractmethod
    def evaluate(self, frames: Ints) -> Ints:
        """Map a batch of integers `[N, *shape]`, in the order of the model, to one of its output.

        The result's shape must not depend on the values: Thresher also asks it for the shape.

        Raises:
            RefusalError: It does not take frames of such a shape.
        """


Operators = Mapping[tuple[str, str], type[CustomOperator]]
"""Operators by their domain and name in ONNX."""

NO_OPERATORS: Operators = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Custom(QuantNode):
    """A node of a custom domain; no float comes out of it, since its operator works on integers."""

    operator: CustomOperator

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output for an input of `shape`, both with a batch axis of 1.

        Raises:
            NodeError: The operator does not take it.
        """
        try:
            return self.operator.evaluate(np.zeros(shape, np.int64)).shape
        except RefusalError as refusal:
            raise NodeError("import", self.name, refusal.reason, refusal.remedy) from None

    def output_of(self, shape: Shape, source: Integers) -> Integers:
        """What it gives for `source`, in frames of `shape` without the batch axis.

        Raises:
            NodeError: The operator does not take it.
        """
        try:
            return self.operator.output(shape, source)
        except RefusalError as refusal:
            raise NodeError("lower", self.name, refusal.reason, refusal.remedy) from None
