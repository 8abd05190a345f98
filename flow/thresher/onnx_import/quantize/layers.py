"""Float layers become layers of N bits, fed by quantisers that are calibrated on samples."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from thresher.errors import UsageError, printable
from thresher.ir.graph import Array
from thresher.ir.quant import FloatLinear, Floats, HostOnly, Linear, QuantGraph, QuantNode, Shape
from thresher.ir.quant_maps import Conv, FloatConv
from thresher.ir.quantisers import Quantiser, quantised_range
from thresher.onnx_import.host import HostModel, make_part
from thresher.onnx_import.importer import Imported
from thresher.onnx_import.quantize.calibrate import calibrate
from thresher.onnx_import.quantize.places import MAX_BITS, Places, find_places
from thresher_sim.streams import IntType

MIN_BITS = 2
# Frames computed at a time; more than so many samples say nothing new of a scale.
_CHUNK = 64
_MOST_SAMPLES = 256


@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """What was done to the layer `node` of the ONNX file.

    `weight_bits` and `weight_scales` (one per output channel) are None where its weights were integers
    already, `input_type` and `input_scale` where its input were.
    """

    node: str
    weight_bits: int | None
    weight_scales: Floats | None
    input_type: IntType | None
    input_scale: float | None


@dataclass(frozen=True, eq=False)
class QuantisedFloats:
    """The network with its float layers quantised to `bits`, which were, which were left, and why.

    `left` maps a float layer to the operator because of which it stays on the host; `samples` are the
    frames that quantisers were calibrated on.
    """

    imported: Imported
    bits: int
    layers: tuple[QuantisedLayer, ...]
    left: tuple[tuple[str, str], ...]
    samples: int


def check_bits(bits: int) -> None:
    """Raises `UsageError` where layers cannot be quantised to so many bits."""
    if not MIN_BITS <= bits <= MAX_BITS:
        raise UsageError(
            f"build: float layers cannot be quantised to {bits} bits; give {MIN_BITS} to {MAX_BITS}"
        )


def quantize_float(
    imported: Imported, bits: int, samples: Array, integers_enter: bool = False
) -> QuantisedFloats:
    """Turn the float layers of `imported` into layers with weights and inputs of `bits` bits.

    Weights are symmetric and narrow, each output channel with a scale of its own, its largest magnitude
    over `2**(bits - 1) - 1`. An input that is no integers of one scale yet gets a quantiser (see
    `calibrate`), which all readers of that tensor share, but for quantisers that the model has there.
    Layers are calibrated in order, each behind those that are quantised already, on at most 256 of
    `samples`, evenly spread; these are frames `[N, ...]` of the model's input. With `integers_enter` they
    are multiples of one scale, which the hardware takes as integers, and no quantiser is put there.

    Raises:
        UsageError: `bits` is not 2 to 8, or there is no float layer that could be hardware.
    """
    check_bits(bits)
    places = find_places(imported.graph, integers_enter)
    if not places.chosen:
        raise _nothing(places)
    spread = np.linspace(0, len(samples) - 1, min(len(samples), _MOST_SAMPLES)).astype(np.int64)
    chosen = samples[spread].astype(np.float32)
    graph = imported.graph
    walk = _Walk(imported, bits, places, _tensors_to_compute(graph, places), {graph.inputs[0]: chosen})
    for node in graph.nodes:
        walk.take(node)
    graph = replace(graph, nodes=tuple(walk.nodes), shapes={**graph.shapes, **walk.shapes})
    left = tuple(places.left.items())
    return QuantisedFloats(replace(imported, graph=graph), bits, tuple(walk.done), left, len(chosen))


def _nothing(places: Places) -> UsageError:
    if not places.left:
        return UsageError(
            "build: the model has no float layers to quantise; build without quantising float layers"
        )
    node, cause = next(iter(places.left.items()))
    return UsageError(
        f"build: no float layer can be quantised: '{printable(node)}' stays on the host because of node "
        f"'{printable(cause)}'; build without quantising float layers"
    )


@dataclass
class _Walk:
    """Goes through the network once; `values` are those of the tensors still to be read, of all `wanted`."""

    imported: Imported
    bits: int
    places: Places
    wanted: frozenset[str]
    values: dict[str, Array]
    nodes: list[QuantNode] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    quantisers: dict[str, Quantiser] = field(default_factory=dict)
    done: list[QuantisedLayer] = field(default_factory=list)

    def take(self, node: QuantNode) -> None:
        """Add `node` to the new network, quantised where it is to be, and compute it where it is needed."""
        needs_quantiser = self.places.chosen.get(node.name)
        if needs_quantiser and node.input not in self.quantisers:
            self.quantisers[node.input] = self._quantise(node.input, node)
        new = (
            node if isinstance(node, Quantiser) else replace(node, inputs=tuple(map(self._name, node.inputs)))
        )
        if needs_quantiser is not None:
            new, scales = _quantise_weights(new, self.bits)
            self.done.append(self._describe(node, scales))
        self.nodes.append(new)
        if self.wanted.intersection(new.outputs):
            self._compute(new)
        self._forget(node)

    def _name(self, tensor: str) -> str:
        return self.quantisers[tensor].output if tensor in self.quantisers else tensor

    def _quantise(self, tensor: str, reader: QuantNode) -> Quantiser:
        graph = self.imported.graph
        grid = calibrate(self.values[tensor], self.bits)
        made = Quantiser(
            name=_unused(f"{reader.name}/quantiser", {node.name for node in graph.nodes}),
            inputs=(tensor,),
            outputs=(_unused(f"{tensor}/quantised", set(graph.shapes)),),
            onnx_nodes=reader.onnx_nodes[-1:],
            scale=grid.scale,
            zero=np.zeros((), np.float32),
            element=grid.element,
            rounding="ROUND",
        )
        self.shapes[made.output] = graph.shapes[tensor]
        self.nodes.append(made)
        self._compute(made)
        return made

    def _describe(self, node: QuantNode, scales: Floats | None) -> QuantisedLayer:
        quantiser = self.quantisers.get(node.input)
        return QuantisedLayer(
            node=node.onnx_nodes[-1],
            weight_bits=None if scales is None else self.bits,
            weight_scales=scales,
            input_type=None if quantiser is None else quantiser.element,
            input_scale=None if quantiser is None else float(quantiser.scale),
        )

    def _compute(self, node: QuantNode) -> None:
        """Compute `node` on the samples."""
        if isinstance(node, HostOnly):
            frames = self.values[self.imported.graph.inputs[0]]
            for name in node.outputs:
                self.values[name] = HostModel(make_part(self.imported, name)).run(frames)
            return
        inputs = [self.values[name] for name in node.inputs]
        chunks = range(0, len(inputs[0]), _CHUNK)
        results = [node.evaluate(*(each[first : first + _CHUNK] for each in inputs)) for first in chunks]
        for name, parts in zip(node.outputs, zip(*results, strict=True), strict=True):
            self.values[name] = np.concatenate(parts)

    def _forget(self, node: QuantNode) -> None:
        """Drop what no node behind `node` reads; the model's input stays, for what only the host computes."""
        graph = self.imported.graph
        behind = graph.nodes[graph.nodes.index(node) + 1 :]
        read = {*graph.inputs, *(name for each in behind for name in each.inputs)}
        kept = read | {self._name(name) for name in read}
        self.values = {name: value for name, value in self.values.items() if name in kept}


def _tensors_to_compute(graph: QuantGraph, places: Places) -> frozenset[str]:
    """The tensors that are quantised, and those that they depend on."""
    wanted = {node.input for node in graph.nodes if places.chosen.get(node.name)}
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
    return frozenset(wanted)


def _quantise_weights(node: QuantNode, bits: int) -> tuple[QuantNode, Floats | None]:
    """A layer with weights of `bits` bits, and their scales; None where they were integers already."""
    if not isinstance(node, FloatLinear | FloatConv):
        return node, None
    element = quantised_range(bits, signed=True, narrow=True)
    largest = np.abs(node.weights).reshape(len(node.weights), -1).max(axis=1)
    scale = np.where(largest > 0, largest / np.float32(element.hi), np.float32(1))
    per_row = scale.reshape(-1, *[1] * (node.weights.ndim - 1))
    levels = np.clip(np.rint(node.weights / per_row), element.lo, element.hi).astype(np.int64)
    zero = np.zeros(len(scale), np.int64)
    ends = (node.name, node.inputs, node.outputs, node.onnx_nodes)
    if isinstance(node, FloatLinear):
        return Linear(*ends, levels, scale, zero), scale
    return Conv(*ends, node.window, levels, scale, zero, node.groups, node.pad_value), scale


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
