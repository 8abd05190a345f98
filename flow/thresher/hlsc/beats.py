"""The signals of a stream as the C++ names them, and as a report gives them."""

from __future__ import annotations

from collections.abc import Sequence

from thresher_sim.signals import BY_BYTE, Signals, fields

_OF_ANY_WIDTH = frozenset({"user", "id", "dest"})
"""The signals whose bits the C++ gives."""


def stream_signals(data_width: int, names: Sequence[tuple[str, int]]) -> Signals:
    """The signals of a stream by their names, and by the bits that the C++ gives them."""
    return tuple((name, _bits(name, bits, data_width)) for name, bits in names)


def cpp_arguments(width: int, signals: Signals) -> str:
    """The template arguments of a stream in C++."""
    data, *_ = fields(width, signals)
    return ", ".join([str(data.width), *(_cpp_signal(*signal) for signal in signals)])


def shown_bits(width: int, signals: Signals) -> int | dict[str, int]:
    """The bits of a stream: a number, or one for each signal where there is more than data."""
    return {field.name: field.width for field in fields(width, signals)} if signals else width


def _bits(name: str, given: int, data_width: int) -> int:
    if name in _OF_ANY_WIDTH:
        return given
    return data_width // 8 if name in BY_BYTE else 1


def _cpp_signal(name: str, bits: int) -> str:
    argument = f"<{bits}>" if name in _OF_ANY_WIDTH else ""
    return f"thresher::{name.capitalize()}{argument}"
