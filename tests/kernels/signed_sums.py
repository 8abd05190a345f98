"""A fault to put into the header that all sums go through, which simulations are to find."""

from __future__ import annotations

from pathlib import Path

_SUM = """\
    return before + DotProduct<Layer, Lanes>::of(Weights<Layer, Lanes>::of(pe, address), inputs);
"""
# The sum of C++'s own integers, which may not overflow, and its sign as a sum that never wraps has it: what
# a compiler may make of the first, whether or not it does.
_SIGNED_SUM = """\
    const Accumulator product = DotProduct<Layer, Lanes>::of(Weights<Layer, Lanes>::of(pe, address), inputs);
    const Accumulator sum = before.builtin() + product.builtin();
    return int(before) + int(product) < 0 ? Accumulator(-1) : sum;
"""


def make_sums_signed(headers: Path) -> int:
    """Let sums overflow where a dot product is as large as a power of two; return the line that they are in.

    Of a sum below zero only the sign is kept: right where a row is one word and its output a sign.
    `headers` is a copy of the header library: the folder that holds `thresher/`.
    """
    header = headers / "thresher" / "accumulation.hpp"
    text = header.read_text()
    assert text.count(_SUM) == 1
    header.write_text(text.replace(_SUM, _SIGNED_SUM))
    return text.split(_SUM)[0].count("\n") + 2
