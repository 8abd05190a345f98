"""Which layers can be quantised where they stand, and which of them need a quantiser in front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from thresher.ir.custom import Custom
from thresher.ir.quant import Arithmetic, FloatLinear, HostOnly, Layout, Linear, QuantGraph, QuantNode
from thresher.ir.quant_joins import Pick
from thresher.ir.quant_maps import AveragePool, Conv, FloatConv, GlobalPool, MaxPool
from thresher.ir.quantisers import Quantiser

MAX_BITS = 8


class Kind(Enum):
    """What a tensor is made of, as far as the layer that reads it is concerned.

    FLOATS have met no quantiser since the last product. INTEGERS are those of one quantiser with one scale
    and at most 8 bits, which any layer multiplies. OTHER are sums and wider or per-channel integers, which
    a quantised layer takes or refuses as it does in any network.
    """

    FLOATS = 0
    INTEGERS = 1
    OTHER = 2


@dataclass(frozen=True)
class Places:
    """Layers to quantise, by name: whether each needs a quantiser in front; and those that cannot be.

    `left` has the node because of which a layer is left to the host.
    """

    chosen: Mapping[str, bool]
    left: Mapping[str, str]


def find_places(graph: QuantGraph, integers_enter: bool) -> Places:
    """Look at every float layer, and at quantised layers that are fed by floats.

    A layer is left to the host where an operator that only the host has stands between it and a quantised
    one. With `integers_enter` the model's input are integers.
    """
    left = left_to_host(graph)
    kinds = {graph.inputs[0]: Kind.INTEGERS if integers_enter else Kind.FLOATS}
    chosen: dict[str, bool] = {}
    for node in graph.nodes:
        read = [kinds[name] for name in node.inputs]
        if node.name not in left:
            if isinstance(node, FloatConv | FloatLinear):
                chosen[node.name] = read[0] is not Kind.INTEGERS
            elif isinstance(node, Conv | Linear) and read[0] is Kind.FLOATS:
                chosen[node.name] = True
        kinds.update(dict.fromkeys(node.outputs, _kind_after(node, read)))
    floats = {node.name for node in graph.nodes if isinstance(node, FloatConv | FloatLinear)}
    return Places(chosen, {name: cause for name, cause in left.items() if name in floats})


def _kind_after(node: QuantNode, read: list[Kind]) -> Kind:
    floats = all(kind is Kind.FLOATS for kind in read)
    match node:
        case Quantiser():
            plain = node.scale.size == node.zero.size == 1 and node.element.bits <= MAX_BITS
            return Kind.INTEGERS if plain else Kind.OTHER
        case Layout() | Pick() | MaxPool() | GlobalPool(largest=True):
            return read[0]
        case Arithmetic() if node.rescale is not None and node.rescale > 0:
            return read[0]
        case Custom() | Linear() | Conv():
            return Kind.OTHER
        case AveragePool() | GlobalPool() if not floats:
            return Kind.OTHER
    return Kind.OTHER if len(read) > 1 and not floats else Kind.FLOATS


def left_to_host(graph: QuantGraph) -> dict[str, str]:
    """The nodes that stay on the host because of an operator that only the host has, and of which."""
    left: dict[str, str] = {}
    for node in graph.nodes:
        if isinstance(node, HostOnly):
            before = _reached(graph, node, backwards=True)
            quantised = any(isinstance(each, Quantiser | Conv | Linear | Custom) for each in before)
            beside = _reached(graph, node, backwards=False) if quantised else before
            left.update({each.name: node.name for each in beside if each.name not in left})
    return left


def _reached(graph: QuantGraph, start: QuantNode, backwards: bool) -> list[QuantNode]:
    """The nodes that `start` depends on, or those that depend on it."""
    wanted = set(start.inputs if backwards else start.outputs)
    found = []
    for node in reversed(graph.nodes) if backwards else graph.nodes:
        if wanted.intersection(node.outputs if backwards else node.inputs):
            wanted.update(node.inputs if backwards else node.outputs)
            found.append(node)
    return found
