"""A fault to put into the header that all sums go through, which simulations are to find."""

from __future__ import annotations

from pathlib import Path

_SUM = """\
    using Bits = uint<Layer::kAccumulatorBits>;
    const auto product = static_cast<Bits>(DotProduct<Layer, Lanes>::of(weights, inputs));
    return static_cast<Accumulator>(static_cast<Bits>(static_cast<Bits>(before) + product));
"""
_SIGNED_SUM = """\
    return static_cast<Accumulator>(before +
                                    static_cast<Accumulator>(DotProduct<Layer, Lanes>::of(weights, inputs)));
"""


def make_sums_signed(headers: Path) -> int:
    """Let sums overflow where a dot product is as large as a power of two; return the line that they are in.

    `headers` is a copy of the header library: the folder that holds `thresher/`.
    """
    header = headers / "thresher" / "accumulation.hpp"
    text = header.read_text()
    assert text.count(_SUM) == 1
    header.write_text(text.replace(_SUM, _SIGNED_SUM))
    return text.split(_SUM)[0].count("\n") + 1
