"""Part numbers: which of hlsc's delay models serves each, and what a part has."""

from __future__ import annotations

import re
from dataclasses import dataclass

from thresher.errors import UsageError
from thresher.kernels import Resources

DEFAULT_PART = "xc7z020clg400-1"

# What a part number begins with. UltraScale and UltraScale+ are faster than the 7 series, whose delays
# stand in for theirs: a unit gets more stages than it needs, never too few.
_FAMILIES = {
    **dict.fromkeys(("xc7a", "xc7k", "xc7s", "xc7v", "xc7z"), "xc7"),
    **dict.fromkeys(("xcau", "xcku", "xcvu", "xczu", "xck26"), "xc7"),
    "lfe5u": "ecp5",
}


@dataclass(frozen=True)
class PartSize:
    """What a part has: 6-input LUTs, 36-kbit block RAMs and DSP slices."""

    lut: int
    bram36: int
    dsp: int

    def holds(self, cost: Resources) -> bool:
        """Whether it has as many LUTs, block RAMs and DSP slices as `cost`."""
        return cost.lut <= self.lut and cost.bram36 <= self.bram36 and cost.dsp <= self.dsp


# AMD DS180 (Artix-7, Kintex-7, Spartan-7), DS190 (Zynq-7000), DS890 (UltraScale+), DS891 (Zynq UltraScale+),
# DS987 (K26). Lattice FPGA-DS-02012 for ECP5, whose LUTs have 4 inputs and whose memories 18 kbit: two
# of either are counted as one here.
_SIZES = {
    "xc7a35t": PartSize(20_800, 50, 90),
    "xc7a50t": PartSize(32_600, 75, 120),
    "xc7a100t": PartSize(63_400, 135, 240),
    "xc7a200t": PartSize(134_600, 365, 740),
    "xc7k325t": PartSize(203_800, 445, 840),
    "xc7s50": PartSize(32_600, 75, 120),
    "xc7z010": PartSize(17_600, 60, 80),
    "xc7z020": PartSize(53_200, 140, 220),
    "xc7z045": PartSize(218_600, 545, 900),
    "xck26": PartSize(117_120, 144, 1_248),
    "xczu3eg": PartSize(70_560, 216, 360),
    "xczu7ev": PartSize(230_400, 312, 1_728),
    "xczu9eg": PartSize(274_080, 912, 2_520),
    "xcvu9p": PartSize(1_182_240, 2_160, 6_840),
    "lfe5u-25f": PartSize(12_144, 28, 28),
    "lfe5u-45f": PartSize(21_924, 54, 72),
    "lfe5u-85f": PartSize(41_820, 104, 156),
}


def family_of(part: str, command: str = "build") -> str:
    """The family whose delays hold for `part`: "xc7" or "ecp5".

    Raises:
        UsageError: it is not a part number, or one of parts whose delays are not known; the message
            begins with `command`.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", part):
        raise UsageError(f"{command}: {part!r} is not a part number; give one such as {DEFAULT_PART}")
    for prefix, family in _FAMILIES.items():
        if part.lower().startswith(prefix):
            return family
    known = ", ".join(_FAMILIES)
    raise UsageError(
        f"{command}: the delays of part {part!r} are not known; give one that begins with {known}"
    )


def synthesis_family(part: str, command: str = "synth") -> str:
    """The family that Yosys maps `part` to: "xc7", "xcup" or "ecp5".

    UltraScale stands with UltraScale+: what a unit can be mapped to is the same.

    Raises:
        UsageError: as `family_of` does.
    """
    family = family_of(part, command)
    return "xcup" if family == "xc7" and not part.lower().startswith("xc7") else family


def known_size(part: str) -> PartSize | None:
    """What `part` has, or None where that is not known."""
    # The SERDES versions of an ECP5 (LFE5UM, LFE5UM5G) have the same logic.
    name = re.sub("^lfe5um(5g)?-", "lfe5u-", part.lower())
    return next((size for prefix, size in _SIZES.items() if name.startswith(prefix)), None)


def size_of(part: str) -> PartSize:
    """What `part` has; raises `UsageError` where that is not known."""
    size = known_size(part)
    if size is not None:
        return size
    raise UsageError(
        f"build: the size of part {part!r} is not known, so nothing can be fitted to it; give a target rate "
        f"or a folding, or a part that begins with {', '.join(_SIZES)}"
    )
