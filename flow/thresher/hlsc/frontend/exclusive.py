"""Whether two conditions of one step can hold together.

Branch and bound over the bits that a condition is made of: each is tried as 1 and as 0, and a choice
that no value allows is dropped. A bit that compares a value with a constant limits the value to
intervals, so that `x == 1` excludes `x == 2`, and `x < 4` excludes `x > 9`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, product

from thresher.hlsc.evaluate import value_of
from thresher.hlsc.ir import OF_STREAMS, Node, Op, reachable

MAX_TRIALS = 500
"""After so many choices the conditions are taken to be able to hold together."""

MAX_LISTED_BITS = 8
"""Of a bit computed from one value of at most this width, all values that make it 1 are listed."""

MAX_LISTED_VALUES = 8
"""Where no more values are left, each is tried in every bit that is computed from it alone."""

Interval = tuple[int, int]
"""First and last value, unsigned."""

Limits = Mapping[Node, Sequence[Interval]]
"""What is left of the values of each compared node."""

_CONNECTIVES = frozenset({Op.NOT, Op.AND, Op.OR, Op.XOR, Op.SELECT})
_LEAVES = OF_STREAMS | {Op.STATE, Op.RAM, Op.ROM}


def exclusive(a: Node, b: Node) -> bool:
    """Whether it is certain that never both bits are 1."""
    return not _Search().possible([a, b], {}, {})


class _Search:
    def __init__(self) -> None:
        self._trials = 0
        self._sets: dict[Node, tuple[Node, list[Interval]]] = {}
        self._at: dict[tuple[Node, Node, int], bool | None] = {}

    def possible(self, wanted: Sequence[Node], bits: Mapping[Node, bool], limits: Limits) -> bool:
        """Whether all of `wanted` may be 1, given some bits and the limits that they mean."""
        self._trials += 1
        values = [_decided(node, bits) for node in wanted]
        if False in values:
            return False
        pending = [node for node, value in zip(wanted, values, strict=True) if value is None]
        if not pending or self._trials > MAX_TRIALS:
            return True
        bit = _undecided(pending[0], bits)
        for choice in (True, False):
            chosen = {**bits, bit: choice}
            limited = self._limited(bit, choice, limits)
            if limited is None or not self._consistent(chosen, limited):
                continue
            if self.possible(pending, chosen, limited):
                return True
        return False

    def _consistent(self, bits: Mapping[Node, bool], limits: Limits) -> bool:
        """Whether each value of which few are left has one that gives all the bits."""
        return all(
            any(all(self._agrees(bit, value, number) for bit in bits.items()) for number in numbers)
            for value, intervals in limits.items()
            if (numbers := _listed_values(intervals))
        )

    def _agrees(self, chosen: tuple[Node, bool], value: Node, number: int) -> bool:
        """Whether a bit is as chosen, or not known, where a value is a number."""
        bit, choice = chosen
        key = (bit, value, number)
        if key not in self._at:
            self._at[key] = _bit_at(bit, value, number, reachable([bit]))
        return self._at[key] in (choice, None)

    def _limited(self, bit: Node, choice: bool, limits: Limits) -> Limits | None:
        """The limits with one bit more; None if no value is left."""
        if bit not in self._sets:
            self._sets[bit] = _where_one(bit)
        value, ones = self._sets[bit]
        allowed = ones if choice else _complement(ones, value.mask)
        left = _intersection(limits.get(value, [(0, value.mask)]), allowed)
        return {**limits, value: left} if left else None


def _decided(node: Node, bits: Mapping[Node, bool]) -> bool | None:
    """What the known bits make of a condition; None if they leave it open."""
    known: dict[Node, bool | None] = {}
    for inner in _connected(node):
        known[inner] = bits.get(inner) if inner in bits else _combined(inner, known)
    return known[node]


def _connected(node: Node) -> list[Node]:
    """The one-bit connectives that a condition is made of and the bits that they connect, arguments first."""
    found: set[Node] = set()
    pending = [node]
    while pending:
        inner = pending.pop()
        if inner not in found:
            found.add(inner)
            pending.extend(inner.args if inner.op in _CONNECTIVES else ())
    return sorted(found, key=lambda inner: inner.index)


def _combined(node: Node, known: Mapping[Node, bool | None]) -> bool | None:
    """The value of a connective, if whatever is not known of its arguments makes no difference."""
    if node.op not in _CONNECTIVES and node.op is not Op.CONST:
        return None
    args = [known[arg] for arg in node.args]
    choices = product(*((0, 1) if arg is None else (int(arg),) for arg in args))
    values = {value_of(node, list(choice)) & 1 for choice in choices}
    return None if len(values) > 1 else values == {1}


def _undecided(node: Node, bits: Mapping[Node, bool]) -> Node:
    """A bit that an open condition waits for."""
    return next(
        inner
        for inner in _connected(node)
        if inner.op not in _CONNECTIVES and inner.op is not Op.CONST and inner not in bits
    )


# Bits as sets of values


def _where_one(bit: Node) -> tuple[Node, list[Interval]]:
    """A value that a bit is a function of, the bit itself if there is no better, and where it gives 1."""
    nodes = reachable([bit])
    leaves = [node for node in nodes if node.op in _LEAVES]
    if len(leaves) == 1 and leaves[0].width <= MAX_LISTED_BITS:
        return leaves[0], _intervals(_listed(bit, leaves[0], nodes))
    for value, intervals in _compared(bit):
        return value, intervals
    return bit, [(1, 1)]


def _listed(bit: Node, leaf: Node, nodes: Sequence[Node]) -> Iterator[int]:
    return (number for number in range(leaf.mask + 1) if _bit_at(bit, leaf, number, nodes))


def _bit_at(bit: Node, value: Node, number: int, nodes: Sequence[Node]) -> bool | None:
    """A bit where a value is a number, if that decides it; `nodes` are those that it is computed from."""
    known = {value: number}
    for node in nodes:
        if node not in known and node.op not in _LEAVES and all(arg in known for arg in node.args):
            known[node] = value_of(node, [known[arg] for arg in node.args]) & node.mask
    return bool(known[bit]) if bit in known else None


def _listed_values(intervals: Sequence[Interval]) -> list[int]:
    """The values, if they are few."""
    few = sum(high + 1 - low for low, high in intervals) <= MAX_LISTED_VALUES
    return [value for low, high in intervals for value in range(low, high + 1)] if few else []


def _intervals(values: Iterator[int]) -> list[Interval]:
    runs = [list(run) for _, run in groupby(enumerate(values), key=lambda entry: entry[1] - entry[0])]
    return [(run[0][1], run[-1][1]) for run in runs]


def _compared(bit: Node) -> Iterator[tuple[Node, list[Interval]]]:
    """A comparison with a constant, as the intervals of the other side."""
    if bit.op not in (Op.EQ, Op.ULT, Op.SLT):
        return
    a, b = bit.args
    if b.op is Op.CONST and bit.op is Op.EQ:
        yield _of_operand(a, [(b.value, b.value)])
    elif b.op is Op.CONST:
        yield _of_operand(a, _below(b.value, a.mask, bit.op is Op.SLT))
    elif a.op is Op.CONST:
        not_above = _below(a.value + 1 & a.mask, a.mask, bit.op is Op.SLT)
        largest = a.mask >> 1 if bit.op is Op.SLT else a.mask
        yield _of_operand(b, [] if a.value == largest else _complement(not_above, a.mask))


def _below(value: int, mask: int, signed: bool) -> list[Interval]:
    """The values below `value`."""
    if not signed:
        return [(0, value - 1)] if value else []
    lowest = (mask >> 1) + 1
    if value >= lowest:
        return [(lowest, value - 1)] if value > lowest else []
    return [*([(0, value - 1)] if value else []), (lowest, mask)]


def _of_operand(value: Node, intervals: list[Interval]) -> tuple[Node, list[Interval]]:
    """The same set for what `value` is a constant more than, extends, or is the top of."""
    if value.op is Op.ADD and value.args[1].op is Op.CONST:
        less = value.args[1].value
        moved = [(low - less & value.mask, high - less & value.mask) for low, high in intervals]
        parts = [[(low, high)] if low <= high else [(0, high), (low, value.mask)] for low, high in moved]
        return _of_operand(value.args[0], sorted(part for pair in parts for part in pair))
    if value.op is Op.SLICE and value.value + value.width == value.args[0].width:
        scale = 1 << value.value
        return _of_operand(value.args[0], [(low * scale, (high + 1) * scale - 1) for low, high in intervals])
    if value.op is Op.SEXT:
        half, gap = value.args[0].mask // 2, value.mask - value.args[0].mask
        positive = _intersection(intervals, [(0, half)])
        negative = _intersection(intervals, [(half + 1 + gap, value.mask)])
        return _of_operand(value.args[0], [*positive, *((low - gap, high - gap) for low, high in negative)])
    varying = [part for part in value.args if part.op is not Op.CONST]
    if value.op is Op.CONCAT and len(varying) == 1:
        below = value.args[0] if value.args[0].op is Op.CONST else None
        scale = 1 << (below.width if below else 0)
        fixed = value.ones & ~(varying[0].mask * scale)
        inner = [(-((fixed - low) // scale), (high - fixed) // scale) for low, high in intervals]
        return _of_operand(varying[0], _intersection(inner, [(0, varying[0].mask)]))
    return value, intervals


def _complement(intervals: Sequence[Interval], mask: int) -> list[Interval]:
    result, start = [], 0
    for low, high in intervals:
        if low > start:
            result.append((start, low - 1))
        start = high + 1
    return [*result, (start, mask)] if start <= mask else result


def _intersection(a: Sequence[Interval], b: Sequence[Interval]) -> list[Interval]:
    pairs = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return [(low, high) for low, high in pairs if low <= high]
