"""The graph that every stage uses: frozen nodes over named tensors, verified, interpreted once.

A node of any stage says which tensors it reads and writes and how to evaluate them; so one
interpreter executes the imported network, the integer network and the hardware.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Node(Protocol):
    """What a graph asks of its nodes."""

    @property
    def name(self) -> str:
        """Unique in the graph."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors it reads."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the tensors it writes."""

    def evaluate(self, *inputs: Array) -> tuple[Array, ...]:
        """Compute the outputs of a batch of frames; axis 0 of every array is the frame."""


@dataclass(frozen=True)
class OneToOne:
    """A node that reads one tensor and writes one, standing for `onnx_nodes` of the model.

    `name` is made by Thresher, never taken from the model.
    """

    name: str
    input: str
    output: str
    onnx_nodes: tuple[str, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tensor it reads."""
        return (self.input,)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The tensor it writes."""
        return (self.output,)


NodeT = TypeVar("NodeT", bound=Node)


@dataclass(frozen=True)
class Graph(Generic[NodeT]):
    """Nodes in topological order, with the tensors that enter and leave.

    Raises `ValueError` where a tensor is written twice or read before it is written, where two
    nodes share a name, and where an output is never written.
    """

    nodes: tuple[NodeT, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        known = set(self.inputs)
        names: set[str] = set()
        for node in self.nodes:
            _check(node.name not in names, f"two nodes are named '{node.name}'")
            names.add(node.name)
            for tensor in node.inputs:
                _check(tensor in known, f"node '{node.name}' reads '{tensor}' before it is written")
            for tensor in node.outputs:
                _check(tensor not in known, f"node '{node.name}' writes '{tensor}' again")
                known.add(tensor)
        for tensor in self.outputs:
            _check(tensor in known, f"output '{tensor}' is never written")

    @cached_property
    def readers(self) -> Mapping[str, tuple[NodeT, ...]]:
        """The nodes that read each tensor, in order; tensors that none reads are left out."""
        found: dict[str, dict[str, NodeT]] = defaultdict(dict)
        for node in self.nodes:
            for tensor in node.inputs:
                found[tensor][node.name] = node
        return {tensor: tuple(nodes.values()) for tensor, nodes in found.items()}


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(f"graph: {message}")


def interpret(graph: Graph[NodeT], feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Evaluate `graph` on a batch and return every tensor by name, the feeds included."""
    tensors = {name: np.asarray(feeds[name]) for name in graph.inputs}
    for node in graph.nodes:
        results = node.evaluate(*(tensors[name] for name in node.inputs))
        tensors.update(zip(node.outputs, results, strict=True))
    return tensors


def consumers(graph: Graph[NodeT], tensor: str) -> Sequence[NodeT]:
    """The nodes that read `tensor`."""
    return graph.readers.get(tensor, ())
