"""Foldings that are told: layer by layer, from a file or from Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from thresher.errors import UsageError
from thresher.hardware.cheapest import cheapest, fastest
from thresher.hardware.choices import UNLIMITED, choices
from thresher.hardware.folding import why_apart
from thresher.hardware.select import Layer
from thresher.kernels import Folding, Kernel, RamStyle
from thresher_sim.files import UnreadableError, read_json

_EXAMPLE = '{"mvu0": {"pe": 16, "simd": 49}}'

FoldingSpec = Mapping[str, Folding]


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
        raise UsageError(f"folding: {why_apart(options)}; leave out one of the two")
    picks = cheapest(options, max(slowest, least))
    assert picks is not None, "the fastest choice is one"
    return options.chosen(picks)


def _fold_told(layer: Layer, folding: Folding) -> Kernel:
    limit = layer.kernel.folding_limit
    if folding.ram_style is not RamStyle.AUTO and not layer.kernel.weight_bits:
        raise UsageError(f"folding: layer '{layer.name}': it has no weights; leave out 'ram_style'")
    for what, value, most in (("pe", folding.pe, limit.pe), ("simd", folding.simd, limit.simd)):
        if not 1 <= value <= most:
            raise UsageError(f"folding: layer '{layer.name}': {what} is {value}; it must be from 1 to {most}")
    try:
        return layer.kernel.fold(folding)
    except UsageError as error:
        reason = str(error).removeprefix("folding: ")
        raise UsageError(f"folding: layer '{layer.name}': {reason}") from None


def read_folding(path: Path) -> FoldingSpec:
    """Read a folding file: a JSON object of layer names, each with `pe`, `simd`, `ram_style`.

    Raises `UsageError` where the file is missing, is not such JSON, or holds other keys or values.
    """
    try:
        data = read_json(path)
    except FileNotFoundError:
        raise UsageError(f"folding: file '{path}' does not exist; give the path of a JSON file") from None
    except (OSError, UnreadableError) as error:
        raise UsageError(
            f"folding: file '{path}' cannot be read ({error}); give a JSON file such as {_EXAMPLE}"
        ) from None
    return parse_folding(data)


def parse_folding(data: object) -> FoldingSpec:
    """Check `{"layer": {"pe": 1, "simd": 1}, ...}` and return it typed; raises `UsageError`."""
    if not isinstance(data, dict):
        raise UsageError(f"folding: expected an object such as {_EXAMPLE}")
    return {str(name): _parse_entry(str(name), entry) for name, entry in data.items()}


def _parse_entry(name: str, entry: object) -> Folding:
    if not isinstance(entry, dict) or not set(entry) <= {"pe", "simd", "ram_style"} or "pe" not in entry:
        raise UsageError(
            f"folding: layer '{name}': expected an object with 'pe' and, for an mvu, 'simd' and 'ram_style', "
            f"got {entry!r}"
        )
    for key in ("pe", "simd"):
        value = entry.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"folding: layer '{name}': {key} is {value!r}; it must be a whole number")
    return Folding(entry["pe"], entry.get("simd", 1), _parse_style(name, entry.get("ram_style", "auto")))


def _parse_style(name: str, value: object) -> RamStyle:
    styles = {style.value: style for style in RamStyle}
    if isinstance(value, str) and value in styles:
        return styles[value]
    raise UsageError(f"folding: layer '{name}': ram_style is {value!r}; choose of {', '.join(styles)}")
