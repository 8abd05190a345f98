"""Folding: how many rows and columns each layer handles per cycle, by target or by file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from thresher.errors import UsageError
from thresher.hardware.select import Layer
from thresher.kernels import Folding, Kernel
from thresher.kernels.base import divide_up

FoldingSpec = Mapping[str, Folding]


def fold_to_target(layers: tuple[Layer, ...], cycles_per_frame: int) -> tuple[Layer, ...]:
    """Give each layer its cheapest folding that takes at most `cycles_per_frame`.

    Raises `UsageError` where a layer is too slow even when unrolled in full.
    """
    return tuple(_fold_layer(layer, cycles_per_frame) for layer in layers)


def _fold_layer(layer: Layer, cycles_per_frame: int) -> Layer:
    limit = layer.kernel.folding_limit
    fastest = layer.kernel.fold(limit)
    if fastest.cycles_per_frame > cycles_per_frame:
        raise UsageError(
            f"hardware: layer '{layer.name}': takes {fastest.cycles_per_frame} cycles per frame when "
            f"unrolled in full, above the target of {cycles_per_frame}; ask for fewer frames per second"
        )
    candidates = [
        layer.kernel.fold(Folding(pe, simd)) for pe in _useful(limit.pe) for simd in _useful(limit.simd)
    ]
    meeting = [kernel for kernel in candidates if kernel.cycles_per_frame <= cycles_per_frame]
    return replace(layer, kernel=min(meeting, key=_cost))


def _useful(size: int) -> list[int]:
    """The smallest parallelism for each distinct number of tiles of `size` elements."""
    return sorted({divide_up(size, divide_up(size, lanes)) for lanes in range(1, size + 1)})


def _cost(kernel: Kernel) -> tuple[float, int, int, int]:
    """LUTs first, with a block RAM as dear as 200; then padding, then fewer cycles, then fewer rows."""
    cost = kernel.resources()
    limit, folding = kernel.folding_limit, kernel.folding
    padding = -limit.pe % folding.pe + -limit.simd % folding.simd
    return cost.lut + 200 * cost.bram36 + 100 * cost.dsp, padding, kernel.cycles_per_frame, folding.pe


def fold_as_told(layers: tuple[Layer, ...], spec: FoldingSpec) -> tuple[Layer, ...]:
    """Fold the layers that `spec` names as it says; the others take no more cycles than the slowest.

    Raises `UsageError` for unknown layers and for parallelism outside what a layer has.
    """
    known = {layer.name for layer in layers}
    for name in spec:
        if name not in known:
            raise UsageError(
                f"folding: layer '{name}': there is no such layer; the layers are {', '.join(sorted(known))}"
            )
    told = {layer.name: _fold_told(layer, spec[layer.name]) for layer in layers if layer.name in spec}
    target = max((layer.kernel.cycles_per_frame for layer in told.values()), default=0)
    rest = tuple(layer for layer in layers if layer.name not in told)
    needed = max((_fully_unrolled_cycles(layer) for layer in rest), default=0)
    others = {layer.name: layer for layer in fold_to_target(rest, max(target, needed))}
    return tuple((told | others)[layer.name] for layer in layers)


def _fully_unrolled_cycles(layer: Layer) -> int:
    return layer.kernel.fold(layer.kernel.folding_limit).cycles_per_frame


def _fold_told(layer: Layer, folding: Folding) -> Layer:
    limit = layer.kernel.folding_limit
    for what, value, most in (("pe", folding.pe, limit.pe), ("simd", folding.simd, limit.simd)):
        if not 1 <= value <= most:
            raise UsageError(
                f"folding: layer '{layer.name}': {what} is {value}; it must be from 1 to {most}"
            )
    return replace(layer, kernel=layer.kernel.fold(folding))


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
