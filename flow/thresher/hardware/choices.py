"""What a chain of layers can be folded to: candidates, what each costs, and which can be joined.

The cost of a choice is the sum over its units, the width converters between them, and a FIFO of the
least depth on every stream.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
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


@dataclass(frozen=True, eq=False)
class Choices:
    """The candidates of each layer, and what joins those of neighbours: `joints[k]` is behind `stages[k]`."""

    layers: tuple[Layer, ...]
    stages: tuple[Stage, ...]
    joints: tuple[Joint, ...]

    @cached_property
    def rates(self) -> list[int]:
        """Every number of cycles per frame that the slowest of a chain can take, rising."""
        stages = (stage.cycles for stage in self.stages)
        joints = (joint.cycles[joint.cycles != NEVER] for joint in self.joints)
        return [int(cycles) for cycles in np.unique(np.concatenate([*stages, *joints]))]

    def chosen(self, picks: Sequence[int]) -> tuple[Layer, ...]:
        """The layers, each folded as its candidate `picks[k]`."""
        return tuple(
            replace(layer, kernel=stage.kernels[pick])
            for layer, stage, pick in zip(self.layers, self.stages, picks, strict=True)
        )

    def cost(self, picks: Sequence[int]) -> Resources:
        """What the chain of these candidates costs."""
        parts = [stage.costs[pick] for stage, pick in zip(self.stages, picks, strict=True)]
        taken = pairwise(zip(self.stages, picks, strict=True))
        for joint, ((before, out), (behind, into)) in zip(self.joints, taken, strict=True):
            parts.append(joint.costs[before.targets[out], behind.sources[into]])
        lut, ff, bram36, dsp = np.sum(parts, axis=0).tolist()
        return Resources(int(lut), int(ff), bram36, int(dsp))


def choices(layers: tuple[Layer, ...], candidates: Sequence[Sequence[Kernel]]) -> Choices:
    """Price `candidates[k]` for `layers[k]`, and all that could join them.

    The network's own input and output are in natural order, so the ends of the chain take no other.
    """
    first = [kernel for kernel in candidates[0] if kernel.input_tile == 0]
    chain = [first, *candidates[1:]]
    chain[-1] = [kernel for kernel in chain[-1] if kernel.output_tile == 0]
    stages = [_stage(kernels) for kernels in chain]
    stages[0] = replace(stages[0], costs=stages[0].costs + _fifos(stages[0].inputs)[stages[0].sources])
    # Deep networks repeat themselves.
    joint = cache(_joint)
    joints = [joint(before.outputs, behind.inputs) for before, behind in pairwise(stages)]
    return Choices(layers, tuple(stages), tuple(joints))


def _stage(kernels: Sequence[Kernel]) -> Stage:
    inputs, sources = _number([Port(kernel.input_layout, kernel.input_tile) for kernel in kernels])
    outputs, targets = _number([Port(kernel.output_layout, kernel.output_tile) for kernel in kernels])
    units = np.array([_vector(kernel.resources()) for kernel in kernels]).reshape(-1, len(RESOURCES))
    cycles = np.array([kernel.cycles_per_frame for kernel in kernels], np.int64)
    return Stage(tuple(kernels), cycles, units + _fifos(outputs)[targets], inputs, outputs, sources, targets)


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
