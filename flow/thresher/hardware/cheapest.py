"""The cheapest choice of one folding per layer, with the width converters that the choice needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from thresher.hardware.select import Layer
from thresher.kernels import Kernel, Resources
from thresher.kernels.base import LUT_PER_BRAM36, LUT_PER_DSP
from thresher.kernels.width_converter import WidthConverter
from thresher_sim.streams import StreamLayout


@dataclass(frozen=True)
class _Path:
    cost: float
    kernels: tuple[Kernel, ...]


def cheapest_chain(layers: Sequence[Layer], candidates: Sequence[Sequence[Kernel]]) -> tuple[Layer, ...]:
    """Pick one of `candidates[i]` for each layer so that the whole chain costs least.

    A shortest path, layer by layer, so it is exact; of equal ones the first candidate wins.
    """
    paths = [_Path(_cost(kernel.resources()), (kernel,)) for kernel in candidates[0]]
    for choices in candidates[1:]:
        paths = [_extend(_cheapest_by_lanes(paths), kernel) for kernel in choices]
    best = min(paths, key=lambda path: path.cost)
    return tuple(replace(layer, kernel=kernel) for layer, kernel in zip(layers, best.kernels, strict=True))


def _cheapest_by_lanes(paths: Sequence[_Path]) -> list[_Path]:
    best: dict[int, _Path] = {}
    for path in paths:
        lanes = path.kernels[-1].output_layout.lanes
        if lanes not in best or path.cost < best[lanes].cost:
            best[lanes] = path
    return list(best.values())


def _extend(paths: Sequence[_Path], kernel: Kernel) -> _Path:
    wanted = kernel.input_layout.lanes
    joined = [(path.cost + _converter_cost(path.kernels[-1].output_layout, wanted), path) for path in paths]
    cost, path = min(joined, key=lambda pair: pair[0])
    return _Path(cost + _cost(kernel.resources()), (*path.kernels, kernel))


@cache
def _converter_cost(have: StreamLayout, lanes: int) -> float:
    return 0.0 if have.lanes == lanes else _cost(WidthConverter(have, lanes).resources())


def _cost(resources: Resources) -> float:
    # Flip-flops come two to a LUT, so they are rarely what runs out.
    memories = LUT_PER_BRAM36 * resources.bram36 + LUT_PER_DSP * resources.dsp
    return resources.lut + 0.25 * resources.ff + memories
