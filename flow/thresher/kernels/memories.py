"""What tables and memories of a unit are made of, by the rules of `hlsc` and of Yosys.

A table or memory is block memory where look-up tables would need at least 128 for each 18 kbit block that
the words fill; `thresher.hlsc.schedule.memories` says why, and tests hold the two together.
"""

from __future__ import annotations

from functools import cache

from thresher.ir.kernel import RamStyle, divide_up

LUTS_PER_BLOCK = 128

MERGED_WORDS = 32
"""Tables of more constant words are registered, and not one with what they meet."""

WORDS_OF_LUT = 64
"""Words of a bit in a look-up table of six inputs."""

WORDS_OF_BLOCK, WIDTH_OF_BLOCK = 512, 36
"""Of a block of 18 kbit where it is widest."""

_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Words by bits of a block of 18 kbit (AMD UG473)."""


def lut_cost(width: int, depth: int) -> int:
    """The six-input look-up tables that hold constant words: each 64 of one bit."""
    return width * divide_up(depth, WORDS_OF_LUT)


@cache
def block_cost(width: int, depth: int) -> int:
    """The blocks of 18 kbit that the rule counts."""
    return min(divide_up(depth, words) * divide_up(width, bits) for words, bits in _SHAPES)


@cache
def prefers_blocks(width: int, depth: int) -> bool:
    """Whether words lie in block memory."""
    return lut_cost(width, depth) >= LUTS_PER_BLOCK * block_cost(width, depth)


def is_block_table(width: int, depth: int, style: RamStyle) -> bool:
    """Whether a table of constant words is in block memory: as it asks for, else by the rule."""
    if style is RamStyle.AUTO:
        return prefers_blocks(width, depth)
    return style is RamStyle.BLOCK


def distributed_cost(width: int, depth: int) -> int:
    """The look-up tables that hold words which are written and read at two addresses.

    Four hold 32 words of 6 bits, or 64 of 3 (AMD UG474: RAM32M, RAM64M). Of more words a bit is chosen by
    another for each four parts.
    """
    if depth <= 32:
        return 4 * divide_up(width, 6)
    parts = divide_up(depth, WORDS_OF_LUT)
    return 4 * divide_up(width, 3) * parts + width * divide_up(parts - 1, 3)
