"""What a FIFO between two units costs."""

from __future__ import annotations

from thresher.kernels import Resources
from thresher.kernels.base import divide_up

MIN_DEPTH = 2
"""The least depth of `rtl/fifo.sv`; a beat passes through it in one cycle, through a deeper one in two."""


def fifo_resources(width: int, depth: int) -> Resources:
    """The cost of `rtl/fifo.sv`: two registers and a multiplexer a bit, or LUT RAM behind one register.

    LUT RAM holds 32 words of 6 bits in 4 LUTs (AMD UG474, RAM32M). Pointers and flags are as Yosys
    made them for a 7-series part: some 10 LUTs and 20 flip-flops.
    """
    if depth == MIN_DEPTH:
        return Resources(lut=width + 3, ff=2 * width + 2)
    return Resources(lut=4 * divide_up(width, 6) * divide_up(depth, 32) + 10, ff=width + 20)
