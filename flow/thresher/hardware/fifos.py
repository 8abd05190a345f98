"""What a FIFO between two units costs, and which memory it takes."""

from __future__ import annotations

from functools import cache

from thresher.kernels import Resources
from thresher.kernels.memories import block_cost, distributed_cost, prefers_blocks
from thresher.kernels.parts import Parts

MIN_DEPTH = 2
"""The least depth of `rtl/fifo.sv`; a beat passes through it in one cycle, through a deeper one in two."""


def is_in_blocks(width: int, depth: int) -> bool:
    """Whether a FIFO is in block memory, by the rule of `hlsc` for memories."""
    return depth > MIN_DEPTH and prefers_blocks(width, depth)


@cache
def fifo_resources(width: int, depth: int) -> Resources:
    """The estimated cost of `rtl/fifo.sv`."""
    return fifo_parts(width, depth).resources()


def fifo_parts(width: int, depth: int) -> Parts:
    """Two registers and a multiplexer a bit, or a memory behind one register, with places and flags."""
    if depth == MIN_DEPTH:
        return Parts({"register": 1, "register_bits": width}, {"register": 1, "register_bits": width})
    places = (depth - 1).bit_length()
    wrapped = 0 if _shifts(width, depth) or depth == 1 << places else places
    own = {"fifo": 1, "places": places, "wrapped_places": wrapped}
    if is_in_blocks(width, depth):
        return Parts(own, own, bram18=block_cost(width, depth))
    words = 1 << places if _shifts(width, depth) else depth
    return Parts({**own, "memory": distributed_cost(width, words)}, {**own, "outputs": width})


def _shifts(width: int, depth: int) -> bool:
    """Whether places are states of shift registers, by the rule of `rtl/fifo.sv`."""
    places = (depth - 1).bit_length()
    unused = ((1 << places) - depth) // 64 * width
    return places <= 9 and (is_in_blocks(width, depth) or unused <= 32)
