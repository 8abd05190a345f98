"""All units."""

from __future__ import annotations

from pathlib import Path

from tests.hlsc.practice import (
    models_bits,
    models_ciphers,
    models_codes,
    models_control,
    models_filters,
    models_numbers,
    models_packets,
)
from tests.hlsc.practice.case import Case

HEADER = Path(__file__).parent / "units.hpp"
_HEADERS = {
    "bit_units.hpp": models_bits,
    "ciphers.hpp": models_ciphers,
    "codes.hpp": models_codes,
    "control.hpp": models_control,
    "filters.hpp": models_filters,
    "numbers.hpp": models_numbers,
    "packets.hpp": models_packets,
}

CASES: tuple[tuple[Path, Case], ...] = tuple(
    (HEADER.parent / header, case) for header, models in _HEADERS.items() for case in models.CASES
)
"""Each unit's header and case."""
