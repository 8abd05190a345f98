"""Parts of tables and memories: look-up tables or blocks, as hlsc and Yosys choose."""

from __future__ import annotations

from functools import cache

from thresher.ir.kernel import RamStyle, divide_up
from thresher.kernels.memories import (
    MERGED_WORDS,
    WIDTH_OF_BLOCK,
    WORDS_OF_BLOCK,
    WORDS_OF_LUT,
    block_cost,
    distributed_cost,
    is_block_table,
    lut_cost,
    prefers_blocks,
)
from thresher.kernels.parts import Parts

_WHOLE_DEPTHS = (128, 256)
"""Words for which a slice of the 7 series has multiplexers behind two or four look-up tables (AMD UG474)."""

_CLASSES = (("one", 1), ("of_4", 4), ("of_8", 8), ("of_16", 16), ("of_32", 32))


@cache
def depth_class(words: int) -> str:
    """How a table's words reach what they meet.

    A look-up table of six inputs has room for an address of few bits beside its data: `one` word needs no
    address, and of 4, 8, 16 or 32 words one look-up table serves four, three, two or one bits of data. Of
    more words, it meets bits that other look-up tables or blocks hold.
    """
    return next((name for name, most in _CLASSES if words <= most), "deep")


@cache
def table_parts(lanes: int, width: int, words: int, style: RamStyle = RamStyle.AUTO) -> Parts:
    """Tables of constant words, one for each lane."""
    if width == 0 or words == 1:
        return Parts()
    bits = lanes * width
    if is_block_table(width, words, style):
        # Wide words are cut by their address, so that bits are chosen of several blocks.
        deep = divide_up(words, WORDS_OF_BLOCK) if width > WIDTH_OF_BLOCK / 2 else 1
        return Parts(
            {"chosen_blocks": bits * divide_up(deep - 1, 3)}, bram18=lanes * block_cost(width, words)
        )
    if words <= MERGED_WORDS:
        return Parts({"table": bits}, {"table": bits})
    # Yosys needs more where multiplexers behind look-up tables do not fit the words.
    if words <= WORDS_OF_LUT or words in _WHOLE_DEPTHS:
        return Parts({"rom": lanes * lut_cost(width, words)}, {"rom": bits})
    parts = 1.4 * min(divide_up(words, WORDS_OF_LUT), words / 48)
    return Parts({"rom_between": bits * parts}, {"rom": bits})


@cache
def memory_parts(name: str, width: int, depth: int) -> Parts:
    """A memory that is written and read at two addresses."""
    if prefers_blocks(width, depth):
        return Parts(bram18=block_cost(width, depth))
    return Parts({"memory": distributed_cost(width, depth)}, {f"memory_{name}": width})
