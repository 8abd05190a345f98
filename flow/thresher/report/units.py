"""Numbers with units that suit their size."""

from __future__ import annotations

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def show_seconds(seconds: float) -> str:
    """Such as `12.3 µs`."""
    return _scaled(seconds, _SECONDS)


def show_bytes(count: float) -> str:
    """Such as `1.72 MB`, of a million bytes each."""
    return _scaled(count, _BYTES)


def show_ratio(ratio: float) -> str:
    """Such as `31.4 x`."""
    return f"{_digits(ratio)} x"


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    size, name = next((unit for unit in units if value >= unit[0]), units[-1])
    return f"{_digits(value / size)} {name}"


def _digits(value: float) -> str:
    """Three significant digits, or all those before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.{1 if value >= 10 else 2}f}"
