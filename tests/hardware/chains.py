"""Small chains of layers, and every way to fold them, priced one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Self

import numpy as np

from thresher.hardware.connect import connect
from thresher.hardware.fifos import MIN_DEPTH, fifo_resources
from thresher.hardware.select import Layer, select_kernels
from thresher.ir.graph import Array
from thresher.ir.integer import (
    IntDepthwise,
    IntGraph,
    IntMatMul,
    IntNode,
    IntPool,
    IntThreshold,
    IntWindow,
    TensorType,
    reachable,
)
from thresher.ir.kernel import LUT_PER_BRAM36, LUT_PER_DSP
from thresher.ir.window import Window
from thresher.kernels import Folding, Kernel, Resources, Schedule
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

ALL = 1 << 60
"""More cycles than any folding takes."""


@dataclass(frozen=True)
class Way:
    """One way to fold a chain: the cycles of its slowest unit, and its cost with FIFOs of least depth."""

    cycles: int
    cost: Resources

    @property
    def luts(self) -> float:
        """The cost in LUTs, flip-flops counted."""
        return self.cost.lut + 0.25 * self.cost.ff + _memories(self.cost)

    @property
    def luts_alone(self) -> float:
        """The cost in LUTs, flip-flops not counted."""
        return self.cost.lut + _memories(self.cost)


def _memories(cost: Resources) -> float:
    return LUT_PER_BRAM36 * cost.bram36 + LUT_PER_DSP * cost.dsp


def chained(kernels: Sequence[Kernel]) -> tuple[Layer, ...]:
    """Layers `unit0`, `unit1`, ..., each reading what the one before it writes."""
    return tuple(
        Layer(f"unit{place}", kernel, (), (f"t{place}",), (f"t{place + 1}",))
        for place, kernel in enumerate(kernels)
    )


def way_of(layers: tuple[Layer, ...]) -> Way:
    """How fast and how dear `layers` are as they are folded."""
    graph = connect(layers)
    kernels = [node.kernel for node in graph.nodes]
    widths = [kernels[0].input_layout.width, *(kernel.output_layout.width for kernel in kernels)]
    fifos = [fifo_resources(width, MIN_DEPTH) for width in widths]
    cost = sum([*(kernel.resources() for kernel in kernels), *fifos], Resources())
    return Way(max(kernel.cycles_per_frame for kernel in kernels), cost)


def every_way(layers: tuple[Layer, ...], candidates: Sequence[Sequence[Kernel]] | None = None) -> list[Way]:
    """All combinations of `candidates`, or of all that the kernels list, that can be joined."""
    lists = candidates or [layer.kernel.candidates(ALL) for layer in layers]
    pairs = [
        {(a, b): _between(a, b) for a, b in product(one, two) if a.output_tile == b.input_tile}
        for one, two in pairwise(lists)
    ]
    alone = {kernel: way_of(chained([kernel])) for kernels in lists for kernel in kernels}
    return list(_combine(lists, pairs, alone))


def _combine(
    lists: Sequence[Sequence[Kernel]], pairs: list[dict[tuple[Kernel, Kernel], Way]], alone: dict[Kernel, Way]
) -> Iterator[Way]:
    for kernels in product(*lists):
        joints = list(zip(pairs, pairwise(kernels), strict=True))
        if all(pair in known for known, pair in joints):
            parts = [*(alone[kernel] for kernel in kernels), *(known[pair] for known, pair in joints)]
            yield Way(max(part.cycles for part in parts), sum((part.cost for part in parts), Resources()))


def _between(first: Kernel, second: Kernel) -> Way:
    """What the two together have beyond each alone; the FIFO between them is there once."""
    both = way_of(chained([first, second]))
    parts = [way_of(chained([kernel])).cost for kernel in (first, second)]
    return Way(both.cycles, both.cost - parts[0] - parts[1])


@dataclass(frozen=True, eq=False)
class Priced(Kernel):
    """A unit of any speed and cost between streams of 12 channels."""

    lanes: tuple[int, int]
    tiles: tuple[int, int]
    cycles: int
    cost: Resources

    @classmethod
    def take(cls, nodes: Sequence[IntNode]) -> None:
        """Nothing: it stands for no operator."""

    @property
    def input_layout(self) -> StreamLayout:
        return StreamLayout(BIPOLAR, 12, 1, self.lanes[0])

    @property
    def output_layout(self) -> StreamLayout:
        return StreamLayout(BIPOLAR, 12, 1, self.lanes[1])

    @property
    def input_tile(self) -> int:
        return self.tiles[0]

    @property
    def output_tile(self) -> int:
        return self.tiles[1]

    @property
    def folding(self) -> Folding:
        return Folding()

    @property
    def folding_limit(self) -> Folding:
        return Folding()

    def fold(self, folding: Folding) -> Self:
        return self

    def golden(self, frames: Array) -> Array:
        return frames

    def schedule(self) -> Schedule:
        every = np.ones(self.cycles, np.bool_)
        return Schedule(every, every)

    def resources(self) -> Resources:
        return self.cost

    def constants(self) -> Mapping[str, int | bool | str]:
        return {}


def priced_candidates(seed: int, layers: int = 4, each: int = 5) -> list[list[Kernel]]:
    """Random candidates; those that are fast tend to be dear, in one resource or another."""
    random = np.random.default_rng(seed)

    def one(position: int) -> Priced:
        cycles = int(random.integers(1, 40))
        effort = 200 * random.dirichlet((0.5, 0.5, 0.5)) / cycles**0.5
        lut, bram, dsp = (int(value) for value in effort * (1.0, 0.2, 0.1))
        ends = (position > 0, position < layers - 1)
        tiles = [int(random.choice([0, 0, 2])) if inner else 0 for inner in ends]
        lanes = [int(random.choice([1, 2, 3, 5, 12])) for _ in ends]
        cost = Resources(20 + lut, int(random.integers(0, 100)), bram / 2, dsp)
        return Priced((lanes[0], lanes[1]), (tiles[0], tiles[1]), cycles, cost)

    return [[one(position) for _ in range(each)] for position in range(layers)]


def convolutional_layers(seed: int = 0, depthwise: bool = False) -> tuple[Layer, ...]:
    """A convolution, a pool or a depthwise convolution behind it, and a product; one bit throughout."""
    return select_kernels(convolutional_network(seed, depthwise))


def convolutional_network(seed: int = 0, depthwise: bool = False) -> IntGraph:
    """The network of `convolutional_layers`."""
    random = np.random.default_rng(seed)
    window = Window(4, 4, (2, 2), (1, 1), (1, 1), (0, 0), (3, 3))
    behind = Window(3, 3, (2, 2), (1, 1), (1, 1), (0, 0), (2, 2))
    source, maps = TensorType(BIPOLAR, 16, 2), TensorType(BIPOLAR, 9, 4)
    taken, reduced = TensorType(BIPOLAR, 4, 16), TensorType(BIPOLAR, 4, 4)
    nodes: list[IntNode] = [
        IntWindow("window0", "x", "w0", ("Conv_0",), source, TensorType(BIPOLAR, 9, 8), window, -1),
        *_product(random, "0", "w0", TensorType(BIPOLAR, 9, 8), maps),
        IntWindow("window1", "y0", "w1", ("Pool_0",), maps, taken, behind, -1),
    ]
    if depthwise:
        weights = random.integers(0, 2, (4, 4)) * 2 - 1
        sums = TensorType(IntType(-4, 4), 4, 4)
        nodes.append(IntDepthwise("depthwise", "w1", "d", ("Conv_1",), taken, sums, weights, BIPOLAR))
        nodes.append(_signs("sign", "d", "p", sums, reduced))
    else:
        nodes.append(IntPool("pool", "w1", "p", (), taken, reduced, 4, np.zeros(4, np.bool_)))
    nodes += _product(random, "1", "p", TensorType(BIPOLAR, 1, 16), TensorType(BIPOLAR, 1, 3))
    return IntGraph(tuple(nodes), ("x",), ("y1",))


def grouped_network(kernel: int, stride: int, groups: int) -> IntGraph:
    """A convolution of 6 channels in groups on a 4 x 4 map; its sums are the output."""
    side = (4 - kernel) // stride + 1
    windows, taps, columns = side * side, kernel * kernel, kernel * kernel * 6 // groups
    geometry = Window(4, 4, (kernel, kernel), (stride, stride), (1, 1), (0, 0), (side, side))
    source, taken = TensorType(BIPOLAR, 16, 6), TensorType(BIPOLAR, windows, taps * 6)
    weights = np.random.default_rng(3).integers(0, 2, (6, columns)) * 2 - 1
    sums = TensorType(IntType(-columns, columns), windows, 6)
    nodes = (
        IntWindow("window", "x", "w", ("Conv_0",), source, taken, geometry, -1),
        IntMatMul("product", "w", "y", (), taken, sums, weights, BIPOLAR, groups, taps),
    )
    return IntGraph(nodes, ("x",), ("y",))


def _product(
    random: np.random.Generator, name: str, tensor: str, source: TensorType, target: TensorType
) -> list[IntNode]:
    weights = random.integers(0, 2, (target.channels, source.channels)) * 2 - 1
    low, high = reachable(weights, BIPOLAR)
    sums = TensorType(IntType(int(low.min()), int(high.max())), target.vectors, target.channels)
    product_node = IntMatMul(f"m{name}", tensor, f"s{name}", (), source, sums, weights, BIPOLAR)
    return [product_node, _signs(f"t{name}", f"s{name}", f"y{name}", sums, target)]


def _signs(name: str, tensor: str, output: str, source: TensorType, target: TensorType) -> IntThreshold:
    levels, ascending = np.zeros((target.channels, 1), np.int64), np.zeros(target.channels, np.bool_)
    return IntThreshold(name, tensor, output, (), source, target, levels, ascending)
