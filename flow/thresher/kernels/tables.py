"""Parts of tables and memories: look-up tables or blocks, as hlsc and Yosys choose."""

from __future__ import annotations

from thresher.kernels.memories import WORDS_OF_LUT, block_cost, distributed_cost, lut_cost, prefers_blocks
from thresher.kernels.parts import Parts

_CLASSES = (("one", 1), ("of_8", 8), ("of_16", 16), ("of_32", 32))


def depth_class(words: int) -> str:
    """How a table's words reach what they meet.

    A look-up table of six inputs has room for an address of few bits beside its data: `one` word needs no
    address, and of 8, 16 or 32 words one look-up table serves three, two or one bits of data. Of more
    words, it meets bits that other look-up tables or blocks hold.
    """
    return next((name for name, most in _CLASSES if words <= most), "deep")


def table_parts(name: str, lanes: int, width: int, words: int) -> Parts:
    """Tables of constant words, one for each lane."""
    if width == 0 or words == 1:
        return Parts()
    if prefers_blocks(width, words):
        return Parts(bram18=lanes * block_cost(width, words))
    # Yosys makes more of long tables than their words need.
    kind = f"long_table_{name}" if words > WORDS_OF_LUT else f"table_{name}"
    return Parts({kind: lanes * lut_cost(width, words)}, {f"table_{name}": lanes * width})


def memory_parts(name: str, width: int, depth: int) -> Parts:
    """A memory that is written and read at two addresses."""
    if prefers_blocks(width, depth):
        return Parts(bram18=block_cost(width, depth))
    luts = distributed_cost(width, depth)
    return Parts({f"memory_{name}": luts}, {f"memory_{name}": width})
