"""Values that files may hold where others belong: the ends of types, nothing, too much, and hostile text."""

from __future__ import annotations

import math
from random import Random

INTEGERS = (0, 1, -1, 2, 3, 7, 255, 2**31 - 1, 2**31, -(2**31), 2**40, 2**62, 2**63 - 1, -(2**63))
FINITE = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e-38, 1e-30, 1e-20, 1e18, 1e30, -1e30, 3e38, -3e38)
FLOATS = (*FINITE, math.inf, -math.inf, math.nan)
TEXTS = (
    "",
    " ",
    "x",
    "../../etc/passwd",
    'quote"s',
    "it's",
    "*/ int main() {} /*",
    "// comment \\",
    "new\nline",
    "tab\tand\r",
    "zero\0byte",
    "$(touch owned)",
    "`touch owned`",
    "${HOME}",
    "%s%n",
    "endmodule",
    "\u202e\u0000right to left",
    "日本語",
    "\N{PILE OF POO}" * 3,
    "a" * 100_000,
    "{}",
    "[/bold]",
)


def integer(random: Random) -> int:
    """Some integer of 64 bits."""
    return random.choice((random.choice(INTEGERS), random.randrange(-4, 20)))


def real(random: Random) -> float:
    """Some float, of single precision or not."""
    return random.choice((random.choice(FLOATS), random.gauss(0, 10)))


def text(random: Random) -> str:
    """Some text."""
    return random.choice(TEXTS)
