"""What fixed-point numbers are, in Python's fractions: the oracle of `thresher::fixed` and `ap_fixed`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

ROUNDINGS = {
    "kDown": "AP_TRN",
    "kToZero": "AP_TRN_ZERO",
    "kNearestUp": "AP_RND",
    "kNearestDown": "AP_RND_MIN_INF",
    "kNearestToZero": "AP_RND_ZERO",
    "kNearestFromZero": "AP_RND_INF",
    "kNearestEven": "AP_RND_CONV",
}
"""AMD's names of our modes."""

OVERFLOWS = {
    "kWrap": "AP_WRAP",
    "kSaturate": "AP_SAT",
    "kSaturateToZero": "AP_SAT_ZERO",
    "kSaturateSymmetric": "AP_SAT_SYM",
}


@dataclass(frozen=True)
class Format:
    """A fixed-point type; `native` is the C++ of an integer that takes part as such."""

    width: int
    integer: int
    signed: bool = False
    rounding: str = "kDown"
    overflow: str = "kWrap"
    native: str = ""

    @property
    def fraction(self) -> int:
        """The bits behind the point."""
        return self.width - self.integer

    @property
    def ours(self) -> str:
        """The type in our C++."""
        if self.native:
            return self.native
        name = "fixed" if self.signed else "ufixed"
        modes = f"Rounding::{self.rounding}, Overflow::{self.overflow}"
        return f"{name}<{self.width}, {self.integer}, {modes}>"

    @property
    def amd(self) -> str:
        """The type in AMD's C++."""
        if self.native:
            return self.native
        name = "ap_fixed" if self.signed else "ap_ufixed"
        modes = f"{ROUNDINGS[self.rounding]}, {OVERFLOWS[self.overflow]}"
        return f"{name}<{self.width}, {self.integer}, {modes}>"

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the largest number, as multiples of the last bit."""
        if self.signed:
            return -(1 << self.width - 1), (1 << self.width - 1) - 1
        return 0, (1 << self.width) - 1

    def raw(self, bits: int) -> int:
        """The multiple of the last bit that some bits are."""
        low = bits % (1 << self.width)
        return low - (1 << self.width) if self.signed and low >> (self.width - 1) else low

    def value(self, bits: int) -> Fraction:
        """The number that some bits are."""
        return self.raw(bits) * Fraction(2) ** -self.fraction

    def of(self, value: Fraction) -> int:
        """The multiple of the last bit that a number becomes."""
        return self.limited(nearest(value * Fraction(2) ** self.fraction, self.rounding))

    def limited(self, raw: int) -> int:
        """What becomes of a multiple of the last bit that may be out of range."""
        least, most = self.ends
        if self.overflow == "kSaturateSymmetric" and self.signed and self.width > 1:
            least = -most
        if self.overflow == "kWrap":
            return self.raw(raw)
        if least <= raw <= most:
            return raw
        return 0 if self.overflow == "kSaturateToZero" else most if raw > most else least


def nearest(value: Fraction, rounding: str) -> int:
    """A whole number next to `value`."""
    below, above = math.floor(value), math.ceil(value)
    if below == above or rounding == "kDown":
        return below
    closer_to_zero, further = sorted((below, above), key=abs)
    if rounding == "kToZero":
        return closer_to_zero
    if value - below != above - value:
        return below if value - below < above - value else above
    ties = {
        "kNearestUp": above,
        "kNearestDown": below,
        "kNearestToZero": closer_to_zero,
        "kNearestFromZero": further,
        "kNearestEven": below if below % 2 == 0 else above,
    }
    return ties[rounding]


def exact(a: Format, b: Format, operator: str) -> Format:
    """The type of `a operator b`, by UG1399."""
    signed = a.signed or b.signed
    integer = max(each.integer + (signed and not each.signed) for each in (a, b))
    fraction = max(a.fraction, b.fraction)
    if operator == "*":
        return Format(a.width + b.width, a.integer + b.integer, signed)
    if operator == "/":
        width = a.width + max(b.fraction, 0) + b.signed
        return Format(width, a.integer + b.fraction + b.signed, signed)
    if operator in "&|^":
        return Format(integer + fraction, integer, signed)
    return Format(integer + 1 + fraction, integer + 1, signed or operator == "-")
