"""What a FIFO between two units costs."""

from __future__ import annotations

from functools import cache

from thresher.kernels import Resources
from thresher.kernels.memories import distributed_cost
from thresher.kernels.parts import Parts

MIN_DEPTH = 2
"""The least depth of `rtl/fifo.sv`; a beat passes through it in one cycle, through a deeper one in two."""


@cache
def fifo_resources(width: int, depth: int) -> Resources:
    """The estimated cost of `rtl/fifo.sv`."""
    return fifo_parts(width, depth).resources()


def fifo_parts(width: int, depth: int) -> Parts:
    """Two registers and a multiplexer a bit, or a memory behind one register, with pointers and flags."""
    if depth == MIN_DEPTH:
        return Parts({"register": 1, "register_bits": width}, {"register": 1, "register_bits": width})
    address = depth.bit_length()
    own = {"fifo": 1, "pointers": address}
    return Parts({**own, "memory_fifo": distributed_cost(width, depth)}, {**own, "outputs": width})
