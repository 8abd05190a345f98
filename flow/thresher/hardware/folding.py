"""Folding: how many rows and columns each layer handles per cycle, by target or by file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from thresher.errors import UsageError
from thresher.hardware.cheapest import cheapest_chain
from thresher.hardware.select import Layer
from thresher.kernels import Folding, Kernel
from thresher.kernels.base import divide_up

FoldingSpec = Mapping[str, Folding]


def fold_to_target(layers: tuple[Layer, ...], cycles_per_frame: int) -> tuple[Layer, ...]:
    """Choose the cheapest foldings under which no layer takes more than `cycles_per_frame`.

    Cheapest by the cost model over the whole chain, the width converters between layers included.
    Raises `UsageError` where a layer is too slow even when unrolled in full.
    """
    return cheapest_chain(layers, [_meeting(layer, cycles_per_frame) for layer in layers])


def _meeting(layer: Layer, cycles_per_frame: int) -> list[Kernel]:
    limit = layer.kernel.folding_limit
    fastest = layer.kernel.fold(limit).cycles_per_frame
    if fastest > cycles_per_frame:
        raise UsageError(
            f"hardware: layer '{layer.name}': takes {fastest} cycles per frame when unrolled in full, "
            f"above the target of {cycles_per_frame}; ask for fewer frames per second"
        )
    candidates = (_slowest(layer.kernel, simd, cycles_per_frame) for simd in _useful(limit.simd))
    return [kernel for found in candidates for kernel in found]


def _slowest(kernel: Kernel, simd: int, cycles_per_frame: int) -> list[Kernel]:
    """The least rows that meet the target with `simd` columns, and the least that also divide."""
    rows = kernel.folding_limit.pe
    meeting = [
        pe for pe in _useful(rows) if kernel.fold(Folding(pe, simd)).cycles_per_frame <= cycles_per_frame
    ]
    dividing = [pe for pe in meeting if rows % pe == 0]
    return [kernel.fold(Folding(pe, simd)) for pe in sorted({*meeting[:1], *dividing[:1]})]


def _useful(size: int) -> list[int]:
    """The smallest parallelism for each distinct number of tiles of `size` elements."""
    return sorted({divide_up(size, tiles) for tiles in range(1, size + 1)})


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
    unrolled = [layer.kernel.fold(layer.kernel.folding_limit) for layer in layers if layer.name not in told]
    target = max(kernel.cycles_per_frame for kernel in [*told.values(), *unrolled])
    return cheapest_chain(
        layers, [[told[layer.name]] if layer.name in told else _meeting(layer, target) for layer in layers]
    )


def _fold_told(layer: Layer, folding: Folding) -> Kernel:
    limit = layer.kernel.folding_limit
    for what, value, most in (("pe", folding.pe, limit.pe), ("simd", folding.simd, limit.simd)):
        if not 1 <= value <= most:
            raise UsageError(f"folding: layer '{layer.name}': {what} is {value}; it must be from 1 to {most}")
    return layer.kernel.fold(folding)


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
