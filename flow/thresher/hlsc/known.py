"""What can be said of a value's bits without knowing its inputs."""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.ir import Node, Op

Known = tuple[int, int]
"""The bits known to be 0 and the bits known to be 1."""


def known_bits(op: Op, width: int, args: Sequence[Node], value: int) -> Known:
    """The known bits of a node before it is made; nothing is known of what has no rule here."""
    full = (1 << width) - 1
    known = 0, 0
    if op is Op.CONST:
        known = full & ~value, value
    elif op is Op.NOT:
        known = args[0].ones, args[0].zeros
    elif op is Op.SLICE:
        known = (args[0].zeros >> value) & full, (args[0].ones >> value) & full
    elif op is Op.CONCAT:
        known = _concat(args)
    elif op is Op.SEXT:
        known = _sext(width, args[0])
    elif op in (Op.AND, Op.OR, Op.XOR, Op.SELECT):
        known = _logic(op, args)
    elif op in (Op.LSHR, Op.ADD, Op.MUL, Op.POPCOUNT):
        known = _bounded(op, width, args), 0
    return known


def signed_width(op: Op, width: int, args: Sequence[Node], known: Known) -> int:
    """The number of low bits of which the rest is the sign extension."""
    zeros, ones = known
    full = (1 << width) - 1
    widths = [width, (full & ~zeros).bit_length() + 1, (full & ~ones).bit_length() + 1]
    if op is Op.SEXT:
        widths.append(args[0].signed_width)
    if op is Op.CONCAT:
        widths.append(width - args[-1].width + args[-1].signed_width)
    if op is Op.SELECT:
        widths.append(max(args[1].signed_width, args[2].signed_width))
    if op in (Op.AND, Op.OR, Op.XOR, Op.NOT):
        widths.append(max(arg.signed_width for arg in args))
    if op is Op.ASHR:
        widths.append(args[0].signed_width)
    return min(widths)


def runs(mask: int, low: int, high: int) -> list[tuple[int, int, bool]]:
    """Cut the bits `low..high-1` of `mask` into runs of equal bits: (lowest bit, length, bit)."""
    found: list[tuple[int, int, bool]] = []
    while low < high:
        bit = bool(mask >> low & 1)
        rest = (~mask if bit else mask) >> low
        length = min((rest & -rest).bit_length() - 1 if rest else high - low, high - low)
        found.append((low, length, bit))
        low += length
    return found


def trailing_zeros(node: Node) -> int:
    """The number of low bits known to be 0."""
    return (~node.zeros & (node.zeros + 1)).bit_length() - 1


def _concat(parts: Sequence[Node]) -> Known:
    zeros = ones = low = 0
    for part in parts:
        zeros |= part.zeros << low
        ones |= part.ones << low
        low += part.width
    return zeros, ones


def _sext(width: int, arg: Node) -> Known:
    copies = ((1 << width) - 1) & ~arg.mask
    sign = 1 << (arg.width - 1)
    return (
        arg.zeros | (copies if arg.zeros & sign else 0),
        arg.ones | (copies if arg.ones & sign else 0),
    )


def _logic(op: Op, args: Sequence[Node]) -> Known:
    a, b = args[-2], args[-1]
    if op is Op.AND:
        return a.zeros | b.zeros, a.ones & b.ones
    if op is Op.OR:
        return a.zeros & b.zeros, a.ones | b.ones
    if op is Op.XOR:
        return a.zeros & b.zeros | a.ones & b.ones, a.zeros & b.ones | a.ones & b.zeros
    return a.zeros & b.zeros, a.ones & b.ones


def _bounded(op: Op, width: int, args: Sequence[Node]) -> int:
    """The high zeros of an operation whose result has a largest value."""
    largest = args[0].mask & ~args[0].zeros
    if op is Op.ADD:
        largest += args[1].mask & ~args[1].zeros
    if op is Op.MUL:
        largest *= args[1].mask & ~args[1].zeros
    if op is Op.POPCOUNT:
        largest = largest.bit_count()
    full = (1 << width) - 1
    return full & ~((1 << largest.bit_length()) - 1)
