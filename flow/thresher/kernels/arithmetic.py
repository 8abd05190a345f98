"""Sizes of sums and products, counted from the circuits that make them."""

from __future__ import annotations

from functools import cache

from thresher.kernels.parts import Parts


@cache
def count_luts(ones: int) -> int:
    """Look-up tables that count so many bits, without those of the first level of `rtl/popcount.sv`.

    That level makes of each three bits a count of two; the bits of equal weight are counted in turn, six at
    a time by three look-up tables, and adders join the columns.
    """
    if ones <= 3:
        return 0
    groups = -(-ones // 3)
    return 2 * _column(groups) + ones.bit_length()


@cache
def _column(ones: int) -> int:
    if ones == 1:
        return 0
    if ones <= 6:
        return ones.bit_length()
    groups = -(-ones // 6)
    return 3 * (groups + _column(groups)) + 2 * ones.bit_length()


@cache
def tree_bits(bits: int, terms: int) -> int:
    """Bits of the adders of a balanced tree over terms of `bits`, each level one bit wider."""
    if terms == 1:
        return 0
    low = (terms + 1) // 2
    return tree_bits(bits, low) + tree_bits(bits, terms - low) + bits + (terms - 1).bit_length()


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
