"""What a FIFO between two units costs, and which memory it takes."""

from __future__ import annotations

from thresher.kernels import Resources
from thresher.kernels.base import divide_up
from thresher.kernels.swg import ram_cost

MIN_DEPTH = 2
"""The least depth of `rtl/fifo.sv`; a beat passes through it in one cycle, through a deeper one in two."""


def is_in_blocks(width: int, depth: int) -> bool:
    """Whether a FIFO is in block memory, by the rule of `hlsc` for memories."""
    return depth > MIN_DEPTH and ram_cost(width, depth)[1] > 0


def fifo_resources(width: int, depth: int) -> Resources:
    """The cost of `rtl/fifo.sv`: two registers and a multiplexer a bit, or a memory behind one register.

    LUT RAM holds 32 words of 6 bits, or 64 of 3, in 4 LUTs (AMD UG474, RAM32M and RAM64M). Places and flags
    are as Yosys made them for a 7-series part.
    """
    if depth == MIN_DEPTH:
        return Resources(lut=width + 4, ff=2 * width + 2)
    places = 3 * (depth - 1).bit_length()
    blocks = ram_cost(width, depth)[1]
    tables = 4 * (divide_up(width, 6) if depth <= 32 else divide_up(width, 3) * divide_up(depth, 64))
    return Resources(lut=(0 if blocks else tables) + places + 5, ff=width + places + 3, bram36=blocks / 2)
