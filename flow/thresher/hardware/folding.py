"""Folding: how many rows and columns each layer handles per cycle, by target or by file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from thresher.errors import UnsupportedModelError, UsageError
from thresher.hardware.cheapest import cheapest, fastest
from thresher.hardware.choices import NEVER, UNLIMITED, Choices, choices
from thresher.hardware.fit import fastest_fit
from thresher.hardware.parts import PartSize, size_of
from thresher.hardware.select import Layer
from thresher.kernels import Folding, Kernel

FoldingSpec = Mapping[str, Folding]

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
    """The cheapest foldings for `DEFAULT_CYCLES_PER_FRAME`, or as few more as fit `DEFAULT_SIZE`.

    Where nothing fits that, the size is doubled until something does.
    """
    options, size = every_choice(layers), DEFAULT_SIZE
    while (picks := fastest_fit(options, size, DEFAULT_CYCLES_PER_FRAME)) is None:
        size = PartSize(2 * size.lut, 2 * size.bram36, 2 * size.dsp)
    return options.chosen(picks)


def every_choice(layers: tuple[Layer, ...]) -> Choices:
    """The choice among all foldings of every layer.

    Raises `UnsupportedModelError` where no foldings of two neighbours can be joined.
    """
    options = choices(layers, [layer.kernel.candidates(UNLIMITED) for layer in layers])
    if cheapest(options, UNLIMITED) is None:
        raise UnsupportedModelError(f"hardware: {_apart(options)}, whatever their foldings; report this")
    return options


def _apart(options: Choices) -> str:
    """Which layers cannot be joined, and why."""
    for (before, behind), joint in zip(pairwise(options.layers), options.joints, strict=True):
        if np.all(joint.cycles == NEVER):
            return (
                f"layer '{behind.name}': it cannot read what '{before.name}' writes, for they cut windows "
                "into different tiles of channels"
            )
    names = ", ".join(f"'{layer.name}'" for layer in options.layers)
    return f"layers {names}: nothing joins them all"


def fold_as_told(layers: tuple[Layer, ...], spec: FoldingSpec) -> tuple[Layer, ...]:
    """Fold the layers that `spec` names as it says; the others take no more cycles than the slowest.

    Where they cannot keep up they are as fast as they can be. Raises `UsageError` for unknown layers,
    for parallelism that a layer cannot have, and for neighbours whose foldings exclude each other.
    """
    known = {layer.name for layer in layers}
    for name in spec:
        if name not in known:
            raise UsageError(
                f"folding: layer '{name}': there is no such layer; the layers are {', '.join(sorted(known))}"
            )
    told = {layer.name: _fold_told(layer, spec[layer.name]) for layer in layers if layer.name in spec}
    slowest = max((kernel.cycles_per_frame for kernel in told.values()), default=1)
    options = choices(
        layers,
        [
            [told[layer.name]] if layer.name in told else layer.kernel.candidates(UNLIMITED)
            for layer in layers
        ],
    )
    least = fastest(options)
    if least is None:
        raise UsageError(f"folding: {_apart(options)}; leave out one of the two")
    picks = cheapest(options, max(slowest, least))
    assert picks is not None, "the fastest choice is one"
    return options.chosen(picks)


def _fold_told(layer: Layer, folding: Folding) -> Kernel:
    limit = layer.kernel.folding_limit
    for what, value, most in (("pe", folding.pe, limit.pe), ("simd", folding.simd, limit.simd)):
        if not 1 <= value <= most:
            raise UsageError(f"folding: layer '{layer.name}': {what} is {value}; it must be from 1 to {most}")
    try:
        return layer.kernel.fold(folding)
    except UsageError as error:
        reason = str(error).removeprefix("folding: ")
        raise UsageError(f"folding: layer '{layer.name}': {reason}") from None


def read_folding(path: Path) -> FoldingSpec:
    """Read a folding file: a JSON object of layer names, each with whole numbers `pe` and `simd`.

    Raises `UsageError` where the file is missing, is not such JSON, or holds other keys or values.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"folding: file '{path}' does not exist; give the path of a JSON file") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"folding: file '{path}' is not readable as JSON ({error})") from None
    return parse_folding(data)


def parse_folding(data: object) -> FoldingSpec:
    """Check `{"layer": {"pe": 1, "simd": 1}, ...}` and return it typed; raises `UsageError`."""
    if not isinstance(data, dict):
        raise UsageError('folding: expected an object such as {"mvu0": {"pe": 16, "simd": 49}}')
    return {str(name): _parse_entry(str(name), entry) for name, entry in data.items()}


def _parse_entry(name: str, entry: object) -> Folding:
    if not isinstance(entry, dict) or not set(entry) <= {"pe", "simd"} or "pe" not in entry:
        raise UsageError(
            f"folding: layer '{name}': expected an object with 'pe' and, for an mvu, 'simd', got {entry!r}"
        )
    for key, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"folding: layer '{name}': {key} is {value!r}; it must be a whole number")
    return Folding(entry["pe"], entry.get("simd", 1))
