"""Choose a kernel for each operator of the integer network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from thresher.errors import UnsupportedModelError
from thresher.kernels import Kernel
from thresher.kernels.installed import available_kernels
from thresher.lower.integer import IntGraph, IntNode


@dataclass(frozen=True, eq=False)
class Layer:
    """A kernel with its name and the ONNX nodes that it stands for."""

    name: str
    kernel: Kernel
    onnx_nodes: tuple[str, ...]


def select_kernels(graph: IntGraph) -> tuple[Layer, ...]:
    """Cover the chain of `graph` with kernels, each taking as many operators as it can.

    Raises `UnsupportedModelError` where no kernel takes an operator, and `UsageError` where an installed
    package offers a kernel that cannot be used.
    """
    layers: list[Layer] = []
    counts: Counter[str] = Counter()
    rest: Sequence[IntNode] = graph.nodes
    kernels = available_kernels()
    while rest:
        kernel, taken = _take(rest, kernels)
        name = f"{kernel.kernel_name()}{counts[kernel.kernel_name()]}"
        counts[kernel.kernel_name()] += 1
        onnx_nodes = tuple(onnx for node in rest[:taken] for onnx in node.onnx_nodes)
        layers.append(Layer(name, kernel, onnx_nodes))
        rest = rest[taken:]
    return tuple(layers)


def _take(nodes: Sequence[IntNode], kernels: Sequence[type[Kernel]]) -> tuple[Kernel, int]:
    offers = [offer for kernel in kernels if (offer := kernel.take(nodes)) is not None]
    if not offers:
        onnx_nodes = ", ".join(f"'{name}'" for name in nodes[0].onnx_nodes)
        kind = type(nodes[0]).__name__
        raise UnsupportedModelError(
            f"hardware: node {onnx_nodes}: no kernel takes {kind} of this shape; "
            f"kernels: {', '.join(kernel.kernel_name() for kernel in kernels)}"
        )
    return max(offers, key=lambda offer: offer[1])
