"""Sizes of sums and products, counted from the circuits that make them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from thresher.kernels.parts import Parts


@dataclass(frozen=True)
class Counted:
    """What counts some bits: look-up tables of groups, and bits of adders with those of their carries.

    `width` is that of the count, before the `others` are added to it.
    """

    groups: int
    adders: int
    width: int


@cache
def counted(bits: int, others: int, gated: bool) -> Counted:
    """The circuit that `thresher.hlsc.counting` makes of a sum of so many bits and `others` numbers.

    Of `gated` bits each is a gate of two others, for which look-up tables of groups have room.
    """
    size, tables = (3, 2) if gated else (6, 3)
    groups = max(0, -(-(bits + 1 - others) // (size + 1)))
    full, rest = divmod(min(bits, groups * size), size)
    carries = max(0, bits - groups * size)
    widths = [tables] * full + ([rest.bit_length()] if rest else [])
    adders = 0
    while len(widths) > 1:
        pairs = list(zip(widths[::2], widths[1::2], strict=False))
        adders += sum(min(pair) for pair in pairs) + min(carries, len(pairs))
        carries = max(0, carries - len(pairs))
        widths = [max(pair) + 1 for pair in pairs] + widths[2 * len(pairs) :]
    return Counted(
        full * tables + (0 if rest <= 1 else 2 if rest <= 3 else 3), adders + carries, bits.bit_length()
    )


@cache
def tree_bits(bits: int, terms: int, signed: bool) -> int:
    """Bits of the adders of a balanced tree over terms of `bits`, each level one bit wider.

    The carry of terms without a sign takes no look-up table.
    """
    if terms == 1:
        return 0
    low = (terms + 1) // 2
    own = bits + (terms - 1).bit_length() - (0 if signed else 1)
    return tree_bits(bits, low, signed) + tree_bits(bits, terms - low, signed) + own


def multiplier_parts(count: int, first: int, second: int, product: int) -> Parts:
    """So many multipliers; those of narrow products are look-up tables, others DSP slices."""
    if product <= MOST_LUT_PRODUCT_BITS:
        return Parts({"product": count * first * second}, {"product": count * product})
    slices = count * dsp_slices(first + 1, second + 1)
    return Parts({"slices": slices}, {"slices": slices}, {"slices": slices})


MOST_LUT_PRODUCT_BITS = 8
"""The widest product that Yosys makes of look-up tables for the 7 series."""


def dsp_slices(first: int, second: int) -> int:
    """Slices for a product of numbers of so many bits, signs included; one is 25 by 18 (AMD UG479)."""
    wide, narrow = max(first, second), min(first, second)
    # Parts but the highest are without a sign, so that a slice takes a bit less of them.
    return -(-max(wide - 1, 1) // 24) * -(-max(narrow - 1, 1) // 17)
