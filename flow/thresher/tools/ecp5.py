"""Devices of the ECP5 family as nextpnr names them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from thresher.errors import UsageError

DEFAULT_ECP5 = "LFE5U-85F-6BG381C"
_PART = re.compile(r"LFE5(U|UM|UM5G)-(12|25|45|85)F(?:-(6|7|8)([BM]G)(256|285|381|554|756)[CI]?)?", re.I)
_PACKAGES = {"BG": "CABGA", "MG": "CSFBGA"}
# The fewest pins for signals of any device in a package (Lattice FPGA-DS-02012).
_PINS = {"CSFBGA285": 118, "CABGA256": 197, "CABGA381": 197, "CABGA554": 245, "CABGA756": 365}


@dataclass(frozen=True)
class Ecp5Device:
    """A device: its options for nextpnr, and how many pins a design may have."""

    options: tuple[str, ...]
    pins: int


def is_ecp5(part: str) -> bool:
    """Whether `part` begins as the part numbers of ECP5 do."""
    return part.lower().startswith("lfe5u")


def parse_ecp5(part: str) -> Ecp5Device:
    """The device of a part number such as LFE5U-85F-6BG381C, or LFE5U-85F for the slowest in its 381 balls.

    Raises:
        UsageError: it is no part number of an ECP5.
    """
    found = _PART.fullmatch(part)
    if found is None:
        raise UsageError(
            f"synth: nextpnr-ecp5: {part!r} is no part number of an ECP5; give one such as {DEFAULT_ECP5}"
        )
    kind, size, speed, letters, balls = found.groups()
    line = {"U": "", "UM": "um-", "UM5G": "um5g-"}[kind.upper()]
    package = f"{_PACKAGES[(letters or 'BG').upper()]}{balls or 381}"
    if package not in _PINS:
        raise UsageError(
            f"synth: nextpnr-ecp5: {part!r} has a package that is not known; give one such as {DEFAULT_ECP5}"
        )
    grade = speed or ("8" if line == "um5g-" else "6")
    return Ecp5Device((f"--{line}{size}k", "--package", package, "--speed", grade), _PINS[package])
