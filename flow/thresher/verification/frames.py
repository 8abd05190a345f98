"""Frames of a model's input, drawn so that they reach all that its first quantiser can give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from thresher.host import Host
from thresher.ir.graph import Array

_SCALES = tuple(2.0**power for power in range(-6, 7, 2))


def draw_inputs(host: Host, count: int, random: np.random.Generator) -> Array:
    """Frames `[count, ...]` of the model's input, or of the integers that the hardware takes in its place.

    Floats have no range that a file states. So of several distributions those are taken whose frames give the
    first quantiser's integers most evenly: those that do best give half of the frames, and so on.
    """
    entry = host.lowered.input
    if host.prologue is None:
        element, shape = entry.type.element, (count, *entry.onnx_shape[1:])
        stride = 2 if element.bipolar else 1
        drawn: Array = element.lo + stride * random.integers(
            0, (element.hi - element.lo) // stride + 1, shape
        )
        return drawn
    shape = host.prologue.input_shape[1:]
    ranked = sorted(_distributions(shape, random), key=lambda frame: -_spread(host, frame))
    chosen = [ranked[min(place, len(ranked) - 1)] for place in _halves(count)]
    # The same distribution again, with its elements in another order and half of the signs turned.
    return np.stack([_varied(frame, random) for frame in chosen]).astype(np.float32)


def _halves(count: int) -> Iterator[int]:
    """Places 0, 1, 2 and so on, each half as often as the one before, `count` in all."""
    place, left = 0, count
    while left:
        share = max(1, left // 2)
        yield from (place for _ in range(share))
        place, left = place + 1, left - share


def _distributions(shape: tuple[int, ...], random: np.random.Generator) -> Iterator[Array]:
    for scale in _SCALES:
        yield (random.standard_normal(shape) * scale).astype(np.float32)
        yield (random.random(shape) * scale).astype(np.float32)


def _varied(frame: Array, random: np.random.Generator) -> Array:
    """`frame` with its values dealt anew, so that their distribution stays as it is."""
    return random.permutation(frame.reshape(-1)).reshape(frame.shape)


def _spread(host: Host, frame: Array) -> float:
    """The entropy of the integers that a frame enters the hardware as, in bits."""
    counts = np.unique(host.encode(frame[None]), return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
