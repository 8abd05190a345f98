"""Making nodes: hash-consing, constants and everything that is only wires."""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.ir import Node, Op
from thresher.hlsc.known import Known, known_bits, signed_width

_PER_BIT = frozenset({Op.NOT, Op.AND, Op.OR, Op.XOR, Op.SELECT})
_Key = tuple[Op, int, tuple[Node, ...], int, str]


class Wiring:
    """The lowest layer of the `Builder`: each method returns the simplest node of its meaning."""

    def __init__(self) -> None:
        self._nodes: dict[_Key, Node] = {}
        self._slices: dict[tuple[Node, int, int], Node] = {}
        self._equal_where: dict[tuple[Node, Node], Node] = {}

    def raw(self, op: Op, width: int, args: tuple[Node, ...] = (), value: int = 0, symbol: str = "") -> Node:
        """The node as it is asked for, made once."""
        key = (op, width, args, value, symbol)
        node = self._nodes.get(key)
        if node is None:
            node = self._new(key, known_bits(op, width, args, value))
        return node

    def _new(self, key: _Key, known: Known) -> Node:
        op, width, args, value, symbol = key
        if width < 1:
            raise ValueError(f"hlsc: a node of width {width}")
        narrow = signed_width(op, width, args, known)
        node = Node(len(self._nodes), op, width, args, value, symbol, *known, narrow)
        self._nodes[key] = node
        return node

    def const(self, width: int, value: int) -> Node:
        """A number, taken modulo 2**width."""
        return self.raw(Op.CONST, width, value=value & ((1 << width) - 1))

    def slice(self, arg: Node, low: int, width: int) -> Node:
        """The `width` bits of `arg` from bit `low` on."""
        if low < 0 or low + width > arg.width:
            raise ValueError(f"hlsc: bits {low}..{low + width - 1} of a value of {arg.width} bits")
        if width == arg.width:
            return arg
        mask = ((1 << width) - 1) << low
        if (arg.zeros | arg.ones) & mask == mask:
            return self.const(width, arg.ones >> low)
        if arg.op is Op.SLICE:
            return self.slice(arg.args[0], arg.value + low, width)
        if arg.op is Op.CONCAT:
            return self._slice_of_concat(arg, low, width)
        if arg.op is Op.SEXT:
            return self._slice_of_sext(arg.args[0], low, width)
        return self._slice_of_value(arg, low, width)

    def _slice_of_value(self, arg: Node, low: int, width: int) -> Node:
        """Bits of a computed value; those on which both sides of a select agree are no select."""
        key = (arg, low, width)
        if key not in self._slices:
            sides = [self.slice(side, low, width) for side in arg.args[1:]] if arg.op is Op.SELECT else []
            agreed = bool(sides) and sides[0] is sides[1]
            self._slices[key] = sides[0] if agreed else self.raw(Op.SLICE, width, (arg,), value=low)
        return self._slices[key]

    def _slice_of_concat(self, arg: Node, low: int, width: int) -> Node:
        parts = []
        for part in arg.args:
            start, end = max(low, 0), min(low + width, part.width)
            if start < end:
                parts.append(self.slice(part, start, end - start))
            low -= part.width
        return self.concat(parts)

    def _slice_of_sext(self, arg: Node, low: int, width: int) -> Node:
        low = min(low, arg.width - 1)
        kept = min(width, arg.width - low)
        return self.sext(self.slice(arg, low, kept), width)

    def bit(self, arg: Node, index: int) -> Node:
        """One bit."""
        return self.slice(arg, index, 1)

    def concat(self, parts: Sequence[Node]) -> Node:
        """The parts side by side, the first in the least significant bits."""
        merged: list[Node] = []
        for part in _flatten(parts):
            joined = self._join(merged[-1], part) if merged else None
            if joined is None:
                merged.append(part)
            else:
                merged[-1] = joined
        if len(merged) == 1:
            return merged[0]
        return self.raw(Op.CONCAT, sum(part.width for part in merged), tuple(merged))

    def _join(self, low: Node, high: Node) -> Node | None:
        """The two as one node that is no concatenation, if they are neighbours of one value."""
        width = low.width + high.width
        if low.op is not high.op:
            return None
        if low.op is Op.CONST:
            return self.const(width, low.value | high.value << low.width)
        if low.op is Op.SLICE:
            follows = high.args[0] is low.args[0] and high.value == low.value + low.width
            return self.slice(low.args[0], low.value, width) if follows else None
        return self._join_computed(low, high) if low.op in _PER_BIT else None

    def _join_computed(self, low: Node, high: Node) -> Node | None:
        """One operation for two whose operands are neighbours, too."""
        steered = low.op is Op.SELECT
        if steered and low.args[0] is not high.args[0]:
            return None
        joined = [self._join(*pair) for pair in zip(low.args[steered:], high.args[steered:], strict=True)]
        args = tuple(arg for arg in joined if arg is not None)
        if len(args) < len(joined):
            return None
        return self.raw(low.op, low.width + high.width, (*low.args[:steered], *args))

    def zext(self, arg: Node, width: int) -> Node:
        """`arg` with zeros above."""
        if width == arg.width:
            return arg
        return self.concat((arg, self.const(width - arg.width, 0)))

    def sext(self, arg: Node, width: int) -> Node:
        """`arg` with copies of its highest bit above."""
        if width == arg.width:
            return arg
        sign = 1 << (arg.width - 1)
        if arg.zeros & sign:
            return self.zext(arg, width)
        if arg.ones & sign:
            return self.concat((arg, self.const(width - arg.width, -1)))
        if arg.op is Op.SEXT:
            return self.sext(arg.args[0], width)
        if arg.op is Op.CONCAT:
            # Of the highest part alone, so that concatenations stay flat.
            *rest, top = arg.args
            return self.concat([*rest, self.sext(top, width - arg.width + top.width)])
        return self.raw(Op.SEXT, width, (arg,))

    def resize(self, arg: Node, width: int) -> Node:
        """The low bits of `arg`, or `arg` with zeros above."""
        return self.slice(arg, 0, width) if width < arg.width else self.zext(arg, width)

    def low(self, arg: Node, width: int) -> Node:
        """The low `width` bits of `arg`."""
        return self.slice(arg, 0, width)


def _flatten(parts: Sequence[Node]) -> list[Node]:
    flat: list[Node] = []
    for part in parts:
        if part.op is Op.CONCAT:
            flat.extend(part.args)
        else:
            flat.append(part)
    return flat
