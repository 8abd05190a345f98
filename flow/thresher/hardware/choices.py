"""What a network can be folded to: candidates, what each costs, and which can be joined.

The cost of a choice is the sum over its units, the width converters between them, and a FIFO of the
least depth on every stream.

A network is chains of layers between units that fork a stream or join some. Those units move as few
elements a cycle as the rate allows, which is what they cost least with; so each chain may be chosen for
itself, and all chains, one behind the other, are searched as one: what lies between the end of one and the
begin of the next costs nothing. For networks without branches this is the exact search of one chain; with
branches it is exact but for the widths of the units that branch.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from thresher.hardware.connect import converter_between
from thresher.hardware.fifos import MIN_DEPTH, fifo_resources
from thresher.hardware.select import Layer
from thresher.kernels import Kernel, Resources
from thresher_sim.streams import StreamLayout

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESOURCES = ("lut", "ff", "bram36", "dsp")
"""What the last axis of every array of costs holds."""

NEVER = int(np.iinfo(np.int64).max)
"""The cycles of what cannot be."""
UNLIMITED = NEVER - 1
"""More cycles per frame than anything takes."""

_KeyT = TypeVar("_KeyT", bound=Hashable)


@dataclass(frozen=True)
class Port:
    """One end of a kernel, as what is joined to it sees it: the layout, and the tiles of windows."""

    layout: StreamLayout
    tile: int


@dataclass(frozen=True, eq=False)
class Stage:
    """The candidates for one layer: `costs[candidate, resource]` with the FIFO that each writes into.

    `sources[candidate]` and `targets[candidate]` are places in `inputs` and `outputs`, the different ports
    that candidates read and write.
    """

    kernels: tuple[Kernel, ...]
    cycles: Ints
    costs: Floats
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    sources: Ints
    targets: Ints

    def with_neighbour(self, prices: Sequence[tuple[int, Floats]], input_side: bool) -> Stage:
        """This, with what joins each of its ports on one side to a neighbour whose folding is settled."""
        ports = self.sources if input_side else self.targets
        cycles = np.array([cycles for cycles, _ in prices], np.int64)[ports]
        costs = np.array([cost for _, cost in prices])[ports]
        return replace(self, cycles=np.maximum(self.cycles, cycles), costs=self.costs + costs)

    def only(self, pick: int) -> Stage:
        """This, with one candidate that can be."""
        cycles = np.full_like(self.cycles, NEVER)
        cycles[pick] = self.cycles[pick]
        return replace(self, cycles=cycles)

    @cached_property
    def _by_source(self) -> tuple[Ints, Ints]:
        """The candidates in the order of their input ports, and where each port's begin."""
        order = np.argsort(self.sources, kind="stable")
        return order, np.searchsorted(self.sources[order], np.arange(len(self.inputs)))

    def least_by_source(self, values: Floats) -> Floats:
        """The least of `values[candidate, w]` among the candidates with each input port: `[port, w]`."""
        order, begins = self._by_source
        return np.minimum.reduceat(values[order], begins, axis=0) if len(order) else values


@dataclass(frozen=True, eq=False)
class Joint:
    """The converter between output port o of a layer and input port i of the next, with its FIFO.

    `cycles[o, i]` and `costs[o, i, resource]` are zero where none is needed. The cycles are `NEVER` where
    the two ports cannot be joined.
    """

    cycles: Ints
    costs: Floats


@dataclass(frozen=True)
class Edge:
    """A stream at a unit that branches: from stage `writer` to input `port` of stage `reader`."""

    writer: int
    reader: int
    port: int


@dataclass(frozen=True, eq=False)
class Choices:
    """The candidates of each layer, and what joins those of neighbours: `joints[k]` is behind `stages[k]`.

    `places[k]` is the place of the layer of `stages[k]` among `layers`. `edges` are the streams that are no
    joint.
    """

    layers: tuple[Layer, ...]
    places: tuple[int, ...]
    stages: tuple[Stage, ...]
    joints: tuple[Joint, ...]
    edges: tuple[Edge, ...] = ()

    @cached_property
    def rates(self) -> list[int]:
        """Every number of cycles per frame that the slowest of a network can take, rising."""
        slow, fast = self.at(UNLIMITED).stages, self.at(1).stages
        every = [stage.cycles for stage in (*self.stages, *slow, *fast)]
        every += [joint.cycles for joint in self.joints]
        cycles = np.unique(np.concatenate([each.reshape(-1) for each in every]))
        return [int(each) for each in cycles if 0 < each < NEVER]

    def chosen(self, picks: Sequence[int]) -> tuple[Layer, ...]:
        """The layers, each folded as its candidate `picks[k]`."""
        folded = dict(zip(self.places, zip(self.stages, picks, strict=True), strict=True))
        return tuple(
            replace(layer, kernel=folded[place][0].kernels[folded[place][1]])
            for place, layer in enumerate(self.layers)
        )

    def cost(self, picks: Sequence[int]) -> Resources:
        """What these candidates cost together."""
        parts = [stage.costs[pick] for stage, pick in zip(self.stages, picks, strict=True)]
        taken = pairwise(zip(self.stages, picks, strict=True))
        for joint, ((before, out), (behind, into)) in zip(self.joints, taken, strict=True):
            parts.append(joint.costs[before.targets[out], behind.sources[into]])
        kernels = [stage.kernels[pick] for stage, pick in zip(self.stages, picks, strict=True)]
        for edge in self.edges:
            ports = _output_port(kernels[edge.writer]), _input_port(kernels[edge.reader], edge.port)
            parts.append(_price(*ports)[1])
        lut, ff, bram36, dsp = np.sum(parts, axis=0).tolist()
        return Resources(int(lut), int(ff), bram36, int(dsp))

    def at(self, cycles_per_frame: int) -> Choices:
        """These, with units that branch folded for a rate, and what joins them in the costs beside."""
        if not self.edges or not all(stage.kernels for stage in self.stages):
            return self
        picks = {
            place: _slowest_enough(stage, cycles_per_frame)
            for place, stage in enumerate(self.stages)
            if stage.kernels[0].branches
        }
        return self._with_branches(tuple(picks.items()))

    def _with_branches(self, picks: tuple[tuple[int, int], ...]) -> Choices:
        if picks not in self._settled:
            self._settled[picks] = self._settle(dict(picks))
        return self._settled[picks]

    @cached_property
    def _settled(self) -> dict[tuple[tuple[int, int], ...], Choices]:
        return {}

    def _settle(self, picks: Mapping[int, int]) -> Choices:
        stages = [stage.only(picks[k]) if k in picks else stage for k, stage in enumerate(self.stages)]
        for edge in self.edges:
            writer, reader = self.stages[edge.writer], self.stages[edge.reader]
            if edge.writer in picks:
                port = _output_port(writer.kernels[picks[edge.writer]])
                targets = (
                    [_input_port(kernel, edge.port) for kernel in reader.kernels]
                    if edge.reader in picks
                    else reader.inputs
                )
                prices = [_price(port, target) for target in targets]
                if edge.reader in picks:
                    prices = [prices[picks[edge.reader]]] * len(reader.inputs)
                stages[edge.reader] = stages[edge.reader].with_neighbour(prices, input_side=True)
            else:
                port = _input_port(reader.kernels[picks[edge.reader]], edge.port)
                prices = [_price(source, port) for source in writer.outputs]
                stages[edge.writer] = stages[edge.writer].with_neighbour(prices, input_side=False)
        return replace(self, stages=tuple(stages), edges=())


def _slowest_enough(stage: Stage, cycles_per_frame: int) -> int:
    """The candidate with the fewest lanes that takes at most so many cycles, or the fastest."""
    enough = np.where(stage.cycles <= cycles_per_frame, stage.cycles, -1)
    return int(np.argmax(enough)) if enough.max() >= 0 else int(np.argmin(stage.cycles))


def choices(layers: tuple[Layer, ...], candidates: Sequence[Sequence[Kernel]]) -> Choices:
    """Price `candidates[k]` for `layers[k]`, and all that could join them.

    The network's own input and output are in natural order, so layers at its ends take no other.
    """
    writers = {tensor: place for place, layer in enumerate(layers) for tensor in layer.outputs}
    read = {tensor for layer in layers for tensor in layer.inputs}
    places = _chains(layers, writers)
    stages = []
    for place in places:
        layer, kernels = layers[place], list(candidates[place])
        first, last = any(name not in writers for name in layer.inputs), not read.intersection(layer.outputs)
        if first:
            kernels = [kernel for kernel in kernels if kernel.input_tile == 0]
        if last:
            kernels = [kernel for kernel in kernels if kernel.output_tile == 0]
        stage = _stage(kernels)
        if first:
            stage = replace(stage, costs=stage.costs + _fifos(stage.inputs)[stage.sources])
        stages.append(stage)
    # Deep networks repeat themselves.
    joint = cache(_joint)
    joined = [_follows(layers[one], layers[other]) for one, other in pairwise(places)]
    joints = [
        joint(before.outputs, behind.inputs) if follows else _no_joint(before, behind)
        for follows, (before, behind) in zip(joined, pairwise(stages), strict=True)
    ]
    at = {place: position for position, place in enumerate(places)}
    edges = [
        Edge(at[writers[name]], at[place], port)
        for place, layer in enumerate(layers)
        for port, name in enumerate(layer.inputs)
        if name in writers and (layer.kernel.branches or layers[writers[name]].kernel.branches)
    ]
    return Choices(layers, places, tuple(stages), tuple(joints), tuple(edges))


def _chains(layers: tuple[Layer, ...], writers: Mapping[str, int]) -> tuple[int, ...]:
    """The layers, those of a chain one behind the other."""
    readers = {tensor: place for place, layer in enumerate(layers) for tensor in layer.inputs}
    order: list[int] = []
    for place, layer in enumerate(layers):
        before = [writers[name] for name in layer.inputs if name in writers]
        if not layer.kernel.branches and before and not layers[before[0]].kernel.branches:
            continue
        order.append(place)
        while not layers[order[-1]].kernel.branches:
            behind = readers.get(layers[order[-1]].outputs[0])
            if behind is None or layers[behind].kernel.branches:
                break
            order.append(behind)
    return tuple(order)


def _follows(before: Layer, behind: Layer) -> bool:
    return not (before.kernel.branches or behind.kernel.branches) and before.outputs == behind.inputs


def _no_joint(before: Stage, behind: Stage) -> Joint:
    shape = (len(before.outputs), len(behind.inputs))
    return Joint(np.zeros(shape, np.int64), np.zeros((*shape, len(RESOURCES))))


def _input_port(kernel: Kernel, place: int = 0) -> Port:
    return Port(kernel.input_layouts[place], kernel.input_tile)


def _output_port(kernel: Kernel) -> Port:
    return Port(kernel.output_layout, kernel.output_tile)


def _stage(kernels: Sequence[Kernel]) -> Stage:
    inputs, sources = _number([_input_port(kernel) for kernel in kernels])
    outputs, targets = _number([_output_port(kernel) for kernel in kernels])
    units = np.array([_vector(kernel.resources()) for kernel in kernels]).reshape(-1, len(RESOURCES))
    cycles = np.array([kernel.cycles_per_frame for kernel in kernels], np.int64)
    copies = kernels[0].output_count if kernels else 1
    costs = units + copies * _fifos(outputs)[targets]
    return Stage(tuple(kernels), cycles, costs, inputs, outputs, sources, targets)


def _number(keys: Sequence[_KeyT]) -> tuple[tuple[_KeyT, ...], Ints]:
    """The different keys in the order in which they come, and the place of each key among them."""
    places: dict[_KeyT, int] = {}
    numbers = [places.setdefault(key, len(places)) for key in keys]
    return tuple(places), np.array(numbers, np.int64)


def _joint(outputs: tuple[Port, ...], inputs: tuple[Port, ...]) -> Joint:
    shape = (len(outputs), len(inputs))
    cycles, costs = np.empty(shape, np.int64), np.empty((*shape, len(RESOURCES)))
    for row, output in enumerate(outputs):
        for column, port in enumerate(inputs):
            cycles[row, column], costs[row, column] = _price(output, port)
    return Joint(cycles, costs)


@cache
def _price(output: Port, port: Port) -> tuple[int, Floats]:
    nothing = np.zeros(len(RESOURCES))
    if output.tile != port.tile:
        return NEVER, nothing
    converter = converter_between(output.layout, port.layout)
    if converter is None:
        return 0, nothing
    return converter.cycles_per_frame, _vector(converter.resources()) + _fifo(converter.output_layout)


def _fifos(ports: Sequence[Port]) -> Floats:
    return np.array([_fifo(port.layout) for port in ports]).reshape(-1, len(RESOURCES))


def _fifo(layout: StreamLayout) -> Floats:
    return _vector(fifo_resources(layout.width, MIN_DEPTH))


def _vector(cost: Resources) -> Floats:
    return np.array([cost.lut, cost.ff, cost.bram36, cost.dsp], np.float64)
