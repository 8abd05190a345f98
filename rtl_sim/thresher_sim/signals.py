"""The signals of a stream: its data, and what AXI4-Stream calls sideband signals.

A beat is one word: the data in its lowest bits, and above it the signals in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Signals = tuple[tuple[str, int], ...]
"""The signals of a stream besides its data, with their bits: `("keep", 4), ("last", 1)`."""

DATA = "data"
SIDEBAND = ("keep", "strb", "last", "user", "id", "dest")
"""Every signal that a stream may have besides its data."""

BY_BYTE = frozenset({"keep", "strb"})
"""The signals that have a bit for each byte of the data."""


@dataclass(frozen=True)
class Field:
    """A signal of a stream: `width` bits of a beat from bit `low` on."""

    name: str
    width: int
    low: int

    @property
    def mask(self) -> int:
        """Its largest value."""
        return (1 << self.width) - 1

    @property
    def bits(self) -> str:
        """Its range in SystemVerilog; `last` alone is no vector."""
        return "" if self.name == "last" else f"[{self.width - 1}:0]"

    def of(self, beat: int) -> int:
        """Its value in a beat."""
        return beat >> self.low & self.mask


def fields(width: int, signals: Signals) -> tuple[Field, ...]:
    """All signals of a stream whose beats have `width` bits in all; the data first."""
    low = width - sum(bits for _, bits in signals)
    found = [Field(DATA, low, 0)]
    for name, bits in signals:
        found.append(Field(name, bits, low))
        low += bits
    return tuple(found)


def wires(stream: str, width: int, signals: Signals) -> str:
    """A beat as an expression of SystemVerilog: the ports of a stream, side by side."""
    names = [f"{stream}_t{field.name}" for field in fields(width, signals)]
    return names[0] if len(names) == 1 else f"{{{', '.join(reversed(names))}}}"


def packed(width: int, signals: Signals, values: Mapping[str, int]) -> int:
    """The beat of the values of some signals; of the others every byte counts, and the rest is 0."""
    beat = 0
    for field in fields(width, signals):
        beat |= values.get(field.name, field.mask if field.name in BY_BYTE else 0) << field.low
    return beat
