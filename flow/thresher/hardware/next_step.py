"""What it would cost to be faster than a network is as folded."""

from __future__ import annotations

from dataclasses import dataclass

from thresher.hardware.cheapest import cheapest
from thresher.hardware.choices import choices
from thresher.hardware.connect import connect
from thresher.hardware.fifos import MIN_DEPTH, fifo_resources
from thresher.hardware.select import Layer
from thresher.ir.hardware import HwGraph, stream_layouts
from thresher.kernels import Folding, Resources


@dataclass(frozen=True)
class NextStep:
    """The cheapest foldings that are faster: their cycles per frame, and what they take more.

    `more` is negative where they take less, which foldings that were not chosen for their cost allow.
    `layers` are those that are folded otherwise.
    """

    cycles_per_frame: int
    more: Resources
    layers: tuple[str, ...]


def next_step(layers: tuple[Layer, ...]) -> NextStep | None:
    """The next step up from `layers`, which are folded; None where nothing is faster."""
    present = connect(layers)
    faster = _slowest(present) - 1
    options = choices(layers, [layer.kernel.candidates(faster) for layer in layers])
    picks = cheapest(options, faster)
    if picks is None:
        return None
    found = options.chosen(picks)
    changed = (
        after.name for before, after in zip(layers, found, strict=True) if _folded(before) != _folded(after)
    )
    more = options.cost(picks) - least_cost(present)
    return NextStep(_slowest(connect(found)), more, tuple(changed))


def _folded(layer: Layer) -> tuple[Folding, int]:
    """What tells foldings apart: a kernel may have more to choose than the two numbers."""
    return layer.kernel.folding, layer.kernel.cycles_per_frame


def least_cost(graph: HwGraph) -> Resources:
    """What the units of `graph` cost, with a FIFO of the least depth on every stream."""
    fifos = [fifo_resources(layout.width, MIN_DEPTH) for layout in stream_layouts(graph).values()]
    return sum([*(node.kernel.resources() for node in graph.nodes), *fifos], Resources())


def _slowest(graph: HwGraph) -> int:
    return max(node.kernel.cycles_per_frame for node in graph.nodes)
