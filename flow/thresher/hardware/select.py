"""Choose a kernel for each operator of the integer network."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from thresher.errors import NodeError
from thresher.ir.graph import consumers
from thresher.ir.integer import IntGraph, IntNode, TensorType
from thresher.kernels import Kernel
from thresher.kernels.fork import Fork
from thresher.kernels.installed import available_kernels

_LONGEST = 64
"""Operators that are offered to a kernel at once; none of Thresher's own takes more than four."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A kernel with its name and the ONNX nodes that it stands for, between tensors of the integer network.

    `inputs` and `outputs` are in the order of the kernel's ports. Of the layers of a network each tensor has
    one that reads it at most: several readers get theirs from a fork.
    """

    name: str
    kernel: Kernel
    onnx_nodes: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def select_kernels(graph: IntGraph) -> tuple[Layer, ...]:
    """Cover `graph` with kernels, each taking as many operators as it can, and fork what several read.

    Raises `NodeError` where no kernel takes an operator, and `UsageError` where an installed
    package offers a kernel that cannot be used.
    """
    covered, counts = _cover(graph)
    reads = Counter(name for layer in covered for name in layer.inputs)
    layers: list[Layer] = []
    for tensor in graph.inputs:
        covered = _forked(tensor, graph.nodes[0].input_type, covered, layers, counts)
    for place in range(len(covered)):
        layer = covered[place]
        layers.append(layer)
        if reads[layer.outputs[0]] > 1:
            target = layer.kernel.output_layout
            type_ = TensorType(target.element, target.vectors, target.channels)
            covered[place + 1 :] = _forked(layer.outputs[0], type_, covered[place + 1 :], layers, counts)
    return tuple(layers)


def _cover(graph: IntGraph) -> tuple[list[Layer], Counter[str]]:
    layers: list[Layer] = []
    counts: Counter[str] = Counter()
    kernels = available_kernels()
    done: set[str] = set()
    for node in graph.nodes:
        if node.name in done:
            continue
        chain = list(itertools.islice(_chain(graph, node), _LONGEST))
        kernel, taken = _take(chain, kernels)
        nodes = chain[:taken]
        done.update(each.name for each in nodes)
        onnx_nodes = tuple(onnx for each in nodes for onnx in each.onnx_nodes)
        layers.append(Layer(_named(kernel, counts), kernel, onnx_nodes, node.inputs, nodes[-1].outputs))
    return layers, counts


def _named(kernel: Kernel, counts: Counter[str]) -> str:
    counts[kernel.kernel_name()] += 1
    return f"{kernel.kernel_name()}{counts[kernel.kernel_name()] - 1}"


def _chain(graph: IntGraph, node: IntNode) -> Iterator[IntNode]:
    """`node` and what follows it, as far as nothing branches."""
    yield node
    while len(readers := consumers(graph, node.output)) == 1 and len(readers[0].inputs) == 1:
        (node,) = readers
        yield node


def _take(nodes: Sequence[IntNode], kernels: Sequence[type[Kernel]]) -> tuple[Kernel, int]:
    offers = [offer for kernel in kernels if (offer := kernel.take(nodes)) is not None]
    if not offers:
        first = nodes[0]
        reason = f"no kernel takes {type(first).__name__} of this shape"
        remedy = f"kernels: {', '.join(kernel.kernel_name() for kernel in kernels)}"
        raise NodeError("hardware", (first.onnx_nodes or (first.name,))[-1], reason, remedy)
    return max(offers, key=lambda offer: offer[1])


def _forked(
    tensor: str, type_: TensorType, readers: list[Layer], layers: list[Layer], counts: Counter[str]
) -> list[Layer]:
    """`readers` with a copy of `tensor` for each that reads it, by forks that are added to `layers`."""
    ends = [
        (place, port)
        for place, layer in enumerate(readers)
        for port, name in enumerate(layer.inputs)
        if name == tensor
    ]
    if len(ends) < 2:
        return readers
    copies = _copies(tensor, len(ends), type_, layers, counts)
    result = list(readers)
    for (place, port), copy in zip(ends, copies, strict=True):
        inputs = list(result[place].inputs)
        inputs[port] = copy
        result[place] = replace(result[place], inputs=tuple(inputs))
    return result


def _copies(
    tensor: str, count: int, type_: TensorType, layers: list[Layer], counts: Counter[str]
) -> list[str]:
    """The names of `count` copies of `tensor`; more than a fork gives come from forks behind its last."""
    copies = min(count, Fork.MOST_COPIES)
    kernel = Fork(type_, copies)
    name = _named(kernel, counts)
    outputs = [f"{tensor}_{name}_{place}" for place in range(copies)]
    layers.append(Layer(name, kernel, (), (tensor,), tuple(outputs)))
    if count == copies:
        return outputs
    return [*outputs[:-1], *_copies(outputs[-1], count - copies + 1, type_, layers, counts)]
