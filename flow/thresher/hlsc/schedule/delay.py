"""How long each operation takes, estimated: logic levels of a mid-range FPGA in nanoseconds.

A level is a look-up table and the wire to it. Operations of one bit of each argument are cheaper
than a level because several of them fit into one table; sums ride on carry chains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thresher.errors import UsageError
from thresher.hlsc.ir import Node, Op

LEVEL_NS = 1.0
REGISTER_NS = 1.0
"""Clock to output, set-up, and the wire in between."""

FAMILIES = ("xc7", "ecp5")
"""The families of parts for which delays are known."""


@dataclass(frozen=True)
class DelayModel:
    """The delays of one family of parts."""

    family: str
    block_memory_ns: float = 1.5
    """From the clock to the word that a block memory read, beyond what any register takes."""

    def usable_ns(self, clock_mhz: float) -> float:
        """The time for logic between two registers."""
        return max(1000.0 / clock_mhz - REGISTER_NS, LEVEL_NS)

    def delay_ns(self, node: Node) -> float:
        """From the last argument of a node to its result."""
        estimate = _DELAYS.get(node.op)
        return estimate(node) * LEVEL_NS if estimate else 0.0


def delay_model(family: str) -> DelayModel:
    """The delays of a family.

    Raises:
        UsageError: there are none for it.
    """
    if family not in FAMILIES:
        raise UsageError(f"hlsc: there are no delays for family '{family}'; use one of {', '.join(FAMILIES)}")
    return DelayModel(family)


def _sum(width: int) -> float:
    return 1.2 + 0.04 * width


def _bits(node: Node) -> int:
    """The bits that count the width of the first argument."""
    return node.args[0].width.bit_length()


def _mul(node: Node) -> float:
    smaller = min(arg.signed_width for arg in node.args)
    return 1.0 + 0.9 * smaller.bit_length() + 0.04 * node.width


def _shift(node: Node) -> float:
    return 0.7 * node.args[1].width


def _lookup(node: Node) -> float:
    """A memory of look-up tables: 64 words in one level, multiplexers above."""
    return 1.0 + 0.5 * max(node.args[0].width - 6, 0)


_DELAYS: dict[Op, Callable[[Node], float]] = {
    Op.AND: lambda node: 0.5,
    Op.OR: lambda node: 0.5,
    Op.XOR: lambda node: 0.5,
    Op.SELECT: lambda node: 0.7,
    Op.ADD: lambda node: _sum(node.width),
    Op.SUB: lambda node: _sum(node.width),
    Op.ULT: lambda node: _sum(node.args[0].width),
    Op.SLT: lambda node: _sum(node.args[0].width),
    Op.EQ: lambda node: 0.7 + 0.35 * _bits(node),
    Op.POPCOUNT: lambda node: 1.0 + 0.75 * _bits(node),
    Op.MUL: _mul,
    Op.SHL: _shift,
    Op.LSHR: _shift,
    Op.ASHR: _shift,
    Op.ROM: _lookup,
    Op.RAM: _lookup,
}
"""In levels; what is not here is wires."""
