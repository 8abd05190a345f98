"""The golden model of a folded network on any number of frames, some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from thresher.ir.graph import Array, interpret
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, stream_layouts

# Elements of the widest stream at a time: few enough for a cache, enough to hide the calls.
_CHUNK_ELEMENTS = 1 << 22


def golden_chunks(graph: HwGraph, frames: Array) -> Iterator[Mapping[str, Array]]:
    """Every stream of `graph` for `frames` `[N, vectors, channels]`, some frames at a time, in order."""
    widest = max(layout.vectors * layout.channels for layout in stream_layouts(graph).values())
    size = max(1, _CHUNK_ELEMENTS // widest)
    for first in range(0, len(frames), size):
        yield interpret(graph, {INPUT_STREAM: frames[first : first + size]})


def golden_outputs(graph: HwGraph, frames: Array) -> Array:
    """The output stream `[N, vectors, channels]` of `graph` for `frames`; no other is kept."""
    return np.concatenate([tensors[OUTPUT_STREAM] for tensors in golden_chunks(graph, frames)])
