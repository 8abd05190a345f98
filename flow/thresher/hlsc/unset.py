"""Members and words of memories that are read before they are written, where that can be seen.

In hardware such state holds anything. A unit may have it as long as its streams do not depend on it.
So pairs of runs start from reset with other values in it, and get the same beats: what differs between
them depends on a value that nobody gave, which is a proof.

That no pair differs is no proof. What is missed shows only
- with values in what is unset, or on beats, that are rarely drawn, such as one of the 2^32 of a word;
- after more steps than there is time for, such as a wrong word at the end of a large memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from thresher.hlsc.frontend.unit import UnitReading
from thresher.hlsc.ir import UnitGraph
from thresher.hlsc.llvm.debug_info import Leaf
from thresher.hlsc.refusal import message
from thresher.hlsc.twins import Beats, Outcome, Twins

EVALUATIONS = 60_000
"""The most nodes that are computed where nothing is found, which takes some 50 ms."""

PAIRS = (
    ("mixed", "zeros", "inverse"),
    ("mixed", "drawn", "drawn"),
    ("zeros", "zeros", "inverse"),
    ("ones", "drawn", "inverse"),
    *[("mixed", "drawn", "drawn")] * 4,
)
"""The beats of each pair of runs, and what is unset in the first run and in the second.

The first pair may take half of the time, as some things show late; the others share the rest.
"""

_Values = Mapping[str, int]
"""What an unset register, or every word of a memory, holds at first, by its name."""


@dataclass(frozen=True)
class _Unset:
    """A member without an initial value; `symbols` are its registers, or the `Ram` that it is."""

    line: str
    name: str
    symbols: tuple[str, ...]
    is_ram: bool


@dataclass(frozen=True)
class _Pair:
    """The beats of two runs, which are drawn by `seed`, and what is unset in each."""

    seed: int
    kind: str
    steps: int
    first: _Values
    second: _Values


def unset_warnings(reading: UnitReading, graph: UnitGraph, unit: str) -> tuple[str, ...]:
    """A warning for each member, or memory, without a value that can be seen to be missing.

    Nothing is done where every member has an initial value and there is no `Ram`. `graph` is that of the
    reading, optimised. `unit` is the name for the messages.
    """
    members = _unset(reading)
    if not members:
        return ()
    found = _Search(graph, members).run()
    return tuple(_warning(unit, member, found[member]) for member in members if member in found)


def _warning(unit: str, member: _Unset, difference: str) -> str:
    if member.is_ram:
        return message(
            unit,
            member.line,
            f"a word of the Ram '{member.name}' is read that was never written, and holds anything in "
            f"hardware: {difference} depends on it",
            "write each word before it is read, or count the words that were written and use no others",
        )
    return message(
        unit,
        member.line,
        f"the member '{member.name}' is read before it is written, and holds anything in hardware: "
        f"{difference} depends on it",
        "give it an initial value",
    )


def _unset(reading: UnitReading) -> list[_Unset]:
    """The members without a value in the order of the class; an array is one of them."""
    groups: dict[tuple[str, str | int], list[Leaf]] = {}
    for leaf, register in zip(reading.registers, reading.graph.registers, strict=True):
        if register.reset is None:
            key = (leaf.line, leaf.array_start if leaf.array_end else leaf.name)
            groups.setdefault(key, []).append(leaf)
    members = [
        _Unset(leaves[0].line, _common_name(leaves), tuple(leaf.name for leaf in leaves), False)
        for leaves in groups.values()
    ]
    return members + [_Unset(ram.line, ram.name, (ram.name,), True) for ram in reading.rams]


def _common_name(leaves: Sequence[Leaf]) -> str:
    """The name of an array from those of its elements: `taps_` of `taps__0` and `taps__1`."""
    first, last = leaves[0].name.split("_"), leaves[-1].name.split("_")
    return "_".join(part for part, other in zip(first, last, strict=False) if part == other)


class _Search:
    """The members that make a difference, as pairs of runs find them."""

    def __init__(self, graph: UnitGraph, members: Sequence[_Unset]) -> None:
        self._twins = Twins(graph, [symbol for member in members for symbol in member.symbols])
        self._masks = self._twins.unset_masks()
        self._evaluations = EVALUATIONS
        self._members = [member for member in members if not self._masks.keys().isdisjoint(member.symbols)]
        self._found: dict[_Unset, str] = {}

    def run(self) -> Mapping[_Unset, str]:
        """What differs, by the member that it depends on."""
        for number, (beats, first, second) in enumerate(PAIRS):
            share = self._evaluations // (len(PAIRS) - number if number else 2)
            if not self._members or self._evaluations < self._twins.cost:
                break
            steps = max(1, share // self._twins.cost)
            draw = random.Random(number)
            values = self._values(draw, first, {})
            self._blame(_Pair(number, beats, steps, values, self._values(draw, second, values)))
        return self._found

    def _blame(self, pair: _Pair) -> None:
        """Find the members that the pair differs by: the first is found however long it takes."""
        outcome = self._compare(pair, self._members)
        while outcome.difference:
            pair = replace(pair, steps=outcome.steps)
            member, difference = self._culprit(pair)
            self._members.remove(member)
            self._found[member] = difference
            if self._evaluations < 0:
                break
            outcome = self._compare(pair, self._members)

    def _culprit(self, pair: _Pair) -> tuple[_Unset, str]:
        """A member whose value alone, with those before it as in the second run, makes a difference."""
        without, within = 0, len(self._members)
        while within - without > 1:
            middle = (without + within) // 2
            if self._compare(pair, self._members[:middle]).difference:
                within = middle
            else:
                without = middle
        return self._members[without], self._compare(pair, self._members[:within]).difference

    def _compare(self, pair: _Pair, members: Sequence[_Unset]) -> Outcome:
        """Run the pair, of which only `members` differ."""
        differing = {symbol for member in members for symbol in member.symbols}
        second = {name: (pair.second if name in differing else pair.first)[name] for name in self._masks}
        states = self._twins.reset(pair.first), self._twins.reset(second)
        outcome = self._twins.compare(self._beats(pair), *states)
        self._evaluations -= outcome.steps * self._twins.cost
        return outcome

    def _values(self, draw: random.Random, kind: str, others: _Values) -> _Values:
        if kind == "inverse":
            return {name: others[name] ^ mask for name, mask in self._masks.items()}
        return {name: _word(draw, kind, mask.bit_length()) for name, mask in self._masks.items()}

    def _beats(self, pair: _Pair) -> Iterator[Beats]:
        """The beats, which are the same each time; not every step finds those that it may do without."""
        draw = random.Random(pair.seed)
        inputs, asked = self._twins.graph.inputs, self._twins.asked
        for _ in range(pair.steps):
            words = {port.name: _word(draw, pair.kind, port.width) for port in inputs}
            yield Beats(words, {name for name in words if name not in asked or draw.random() < 0.7})


def _word(draw: random.Random, kind: str, width: int) -> int:
    if kind == "mixed":
        kind = draw.choice(("zeros", "ones", "drawn", "drawn"))
    if kind == "drawn":
        return draw.getrandbits(width)
    return (1 << width) - 1 if kind == "ones" else 0
