"""Folding: how many rows and columns each layer handles per cycle, by what is asked of the whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thresher.errors import UnsupportedModelError, UsageError
from thresher.hardware.cheapest import cheapest, fastest
from thresher.hardware.choices import NEVER, UNLIMITED, Choices, choices
from thresher.hardware.fit import cheapest_fit, fastest_fit
from thresher.hardware.parts import PartSize, size_of
from thresher.hardware.select import Layer

# Where nothing is asked for: small networks take a frame in about this many cycles, which is little
# hardware, and larger ones as many as keep them within the smallest Zynq-7000.
DEFAULT_CYCLES_PER_FRAME = 1024
DEFAULT_SIZE = size_of("xc7z010")


def fold_to_target(layers: tuple[Layer, ...], cycles_per_frame: int) -> tuple[Layer, ...]:
    """Choose the cheapest foldings under which nothing takes more than `cycles_per_frame`.

    Cheapest by the cost model over the whole chain: units, width converters between them, FIFOs.
    Raises `UsageError` where the layers are too slow even when unrolled in full.
    """
    options = choices(layers, [layer.kernel.candidates(cycles_per_frame) for layer in layers])
    picks = cheapest(options, cycles_per_frame)
    if picks is None:
        raise _too_slow(layers, cycles_per_frame)
    return options.chosen(picks)


def _too_slow(layers: tuple[Layer, ...], cycles_per_frame: int) -> UsageError:
    for layer in layers:
        least = min(kernel.cycles_per_frame for kernel in layer.kernel.candidates(UNLIMITED))
        if least > cycles_per_frame:
            return UsageError(
                f"hardware: layer '{layer.name}': takes {least} cycles per frame when unrolled in full, "
                f"above the target of {cycles_per_frame}; ask for fewer frames per second"
            )
    return UsageError(
        f"hardware: the layers together take {fastest(every_choice(layers))} cycles per frame at least, "
        f"above the target of {cycles_per_frame}; ask for fewer frames per second"
    )


def fold_to_fit(layers: tuple[Layer, ...], part: str) -> tuple[Layer, ...]:
    """Choose the fastest foldings whose estimated resources `part` has; all of the part may be used.

    Raises `UsageError` where nothing fits, and where it is not known what the part has.
    """
    size = size_of(part)
    options = every_choice(layers)
    picks = fastest_fit(options, size)
    if picks is not None:
        return options.chosen(picks)
    smallest = cheapest(options, UNLIMITED)
    assert smallest is not None, "no foldings join the layers"
    least = options.cost(smallest)
    raise UsageError(
        f"hardware: no folding fits part '{part}', which has {size.lut} LUT, {size.bram36} BRAM36 and "
        f"{size.dsp} DSP: the cheapest takes {least.lut} LUT, {least.bram36:g} BRAM36 and {least.dsp} DSP; "
        "give a larger part"
    )


def fold_by_default(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The cheapest foldings for `DEFAULT_CYCLES_PER_FRAME`, or for as few more as fit `DEFAULT_SIZE`.

    Where the cheapest for no rate fits that, the size is doubled until one does.
    """
    options, size = every_choice(layers), DEFAULT_SIZE
    while (picks := cheapest_fit(options, size, DEFAULT_CYCLES_PER_FRAME)) is None:
        size = PartSize(2 * size.lut, 2 * size.bram36, 2 * size.dsp)
    return options.chosen(picks)


def every_choice(layers: tuple[Layer, ...]) -> Choices:
    """The choice among all foldings of every layer.

    Raises `UnsupportedModelError` where no foldings of two neighbours can be joined.
    """
    options = choices(layers, [layer.kernel.candidates(UNLIMITED) for layer in layers])
    if cheapest(options, UNLIMITED) is None:
        raise UnsupportedModelError(f"hardware: {why_apart(options)}, whatever their foldings; report this")
    return options


def why_apart(options: Choices) -> str:
    """Which layers cannot be joined, and why."""
    for (before, behind), joint in zip(pairwise(options.layers), options.joints, strict=True):
        if np.all(joint.cycles == NEVER):
            return (
                f"layer '{behind.name}': it cannot read what '{before.name}' writes, for they cut windows "
                "into different tiles of channels"
            )
    names = ", ".join(f"'{layer.name}'" for layer in options.layers)
    return f"layers {names}: nothing joins them all"
