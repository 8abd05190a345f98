"""Two runs of a unit on the same beats, which differ only in what its state holds at first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from thresher.hlsc.evaluate import function_of
from thresher.hlsc.influence import held, influenced, visible
from thresher.hlsc.ir import Memory, Node, Op, Table, UnitGraph

_Instruction = tuple[int, Callable[..., int], tuple[int, ...], int]
"""The place of a value, the function that gives it, the places of its arguments, and its mask."""


_COST_OF_STEP = 30
"""What takes time in each step besides its nodes, as so many nodes."""


@dataclass(frozen=True)
class Beats:
    """A beat for each input, and the inputs that offer theirs from the first cycle on. No output is full."""

    words: Mapping[str, int]
    offered: Collection[str]


@dataclass
class Words:
    """The contents of a memory. A word that was not written is `fill`."""

    depth: int
    fill: int
    written: dict[int, int] = field(default_factory=dict)

    def read(self, address: int) -> int:
        """A word; an address past the end is a don't-care."""
        return self.written.get(address, self.fill) if address < self.depth else 0

    def write(self, address: int, word: int) -> None:
        """Write a word; an address past the end writes nothing."""
        if address < self.depth:
            self.written[address] = word

    def equals(self, other: Words) -> bool:
        """Whether all words are the same."""
        is_filled = len(self.written) == self.depth
        return (is_filled or self.fill == other.fill) and self.written == other.written


@dataclass
class State:
    """What a unit remembers."""

    registers: dict[str, int]
    memories: dict[str, Words]

    def equals(self, other: State) -> bool:
        """Whether all steps from here on are the same on the same beats."""
        return self.registers == other.registers and all(
            words.equals(other.memories[name]) for name, words in self.memories.items()
        )


@dataclass(frozen=True)
class Outcome:
    """The steps that two runs did, and what differed in the last, as a clause; empty if nothing did."""

    steps: int
    difference: str


class Twins:
    """A unit made ready for pairs of runs; the second starts from other values in the state `unset`.

    `registers` and `memories` are the state that can be seen from outside, `asked` the inputs that may
    be found without a beat. Of the second run only those nodes are computed that a value which differs
    reaches: `cost` is the most that a step of both runs costs, in nodes computed.
    """

    def __init__(self, graph: UnitGraph, unset: Collection[str]) -> None:
        nodes = visible(graph)
        seen, tainted = held(nodes), influenced(graph, nodes, unset)
        self.graph = graph
        self.registers = [register for register in graph.registers if register.name in seen]
        self.memories = [memory for memory in graph.memories if memory.name in seen]
        self.asked = {node.symbol for node in nodes if node.op is Op.VALID}
        self.cost = _COST_OF_STEP + len(nodes) + len(tainted)
        self._place = {node: place for place, node in enumerate(nodes)}
        self._given = [node for node in nodes if not node.args]
        self._read = {self._place[node]: node.symbol for node in nodes if node.op is Op.RAM}
        self._instructions = [self._instruction(node) for node in nodes if node.args]
        places = {self._place[node] for node in tainted}
        self._changing = [instruction for instruction in self._instructions if instruction[0] in places]
        self._addresses = {self._place[node.args[0]] for node in tainted if node.op is Op.RAM}

    def unset_masks(self) -> dict[str, int]:
        """All ones, as wide as each register and word of a memory without initial values, by name."""
        unset = [(each.name, each.width) for each in self.registers if each.reset is None]
        unset += [(each.name, each.width) for each in self.memories if each.initial is None]
        return {name: (1 << width) - 1 for name, width in unset}

    def reset(self, unset: Mapping[str, int]) -> State:
        """The state after reset, with these values where the C++ gives none."""
        registers = {
            each.name: unset[each.name] if each.reset is None else each.reset for each in self.registers
        }
        return State(registers, {memory.name: _words(memory, unset) for memory in self.memories})

    def compare(self, beats: Iterable[Beats], first: State, second: State) -> Outcome:
        """Run both from these states, which change, until something seen from outside differs.

        It also ends where the states become the same, and with the beats. A step that needs a beat which
        is not offered waits until all inputs offer one.
        """
        one, other = self._bound(self._instructions, first), self._bound(self._changing, second)
        steps = 0
        for steps, drawn in enumerate(beats, 1):
            values = self._run(one, first, drawn)
            changed = self._rerun(other, values, second)
            difference = self._difference(values, changed)
            if difference:
                return Outcome(steps, difference)
            self._update(first, values)
            self._update(second, changed)
            if first.equals(second):
                break
        return Outcome(steps, "")

    def _instruction(self, node: Node) -> _Instruction:
        function = _look_up(self.graph.tables[node.symbol], node) if node.op is Op.ROM else function_of(node)
        return self._place[node], function, tuple(self._place[arg] for arg in node.args), node.mask

    def _bound(self, instructions: Sequence[_Instruction], state: State) -> list[_Instruction]:
        """The instructions, of which the reads of memories are those of `state`."""
        return [
            (place, state.memories[self._read[place]].read, args, mask)
            if place in self._read
            else (place, function, args, mask)
            for place, function, args, mask in instructions
        ]

    def _run(self, instructions: Sequence[_Instruction], state: State, drawn: Beats) -> list[int]:
        values = self._evaluate(instructions, state, drawn, drawn.offered)
        needed = {port.name for port in self.graph.inputs if values[self._place[port.needed]]}
        if needed <= set(drawn.offered):
            return values
        return self._evaluate(instructions, state, drawn, drawn.words)

    def _evaluate(
        self, instructions: Sequence[_Instruction], state: State, drawn: Beats, offered: Collection[str]
    ) -> list[int]:
        values = [0] * len(self._place)
        for node in self._given:
            values[self._place[node]] = _given(node, state, drawn, offered)
        for place, function, args, mask in instructions:
            values[place] = function(*[values[arg] for arg in args]) & mask
        return values

    def _rerun(self, instructions: Sequence[_Instruction], values: Sequence[int], state: State) -> list[int]:
        """The values of the second run, from those of the first."""
        result, changed = list(values), set(self._addresses)
        for node in self._given:
            place = self._place[node]
            if node.op is Op.STATE and state.registers[node.symbol] != result[place]:
                result[place] = state.registers[node.symbol]
                changed.add(place)
        for place, function, args, mask in instructions:
            if not changed.isdisjoint(args):
                value = function(*[result[arg] for arg in args]) & mask
                if value != result[place]:
                    result[place] = value
                    changed.add(place)
        return result

    def _difference(self, first: Sequence[int], second: Sequence[int]) -> str:
        """What is not the same of a step, seen from outside."""
        place = self._place
        for port in self.graph.inputs:
            if first[place[port.needed]] != second[place[port.needed]]:
                return f"whether a beat of '{port.name}' is read"
        for output in self.graph.outputs:
            if first[place[output.written]] != second[place[output.written]]:
                return f"whether a beat of '{output.name}' is written"
            if first[place[output.written]] and first[place[output.value]] != second[place[output.value]]:
                return f"what is written to '{output.name}'"
        return ""

    def _update(self, state: State, values: Sequence[int]) -> None:
        place = self._place
        for register in self.registers:
            state.registers[register.name] = values[place[register.next]]
        for memory in self.memories:
            for write in memory.writes:
                written, address, data = (values[place[node]] for node in write.nodes)
                if written:
                    state.memories[memory.name].write(address, data)


def _words(memory: Memory, unset: Mapping[str, int]) -> Words:
    if memory.initial is None:
        return Words(memory.depth, unset[memory.name])
    return Words(memory.depth, 0, dict(enumerate(memory.initial)))


def _look_up(table: Table, node: Node) -> Callable[[int], int]:
    words, low = table.words, node.value
    return lambda address: words[address] >> low if address < len(words) else 0


def _given(node: Node, state: State, drawn: Beats, offered: Collection[str]) -> int:
    if node.op is Op.STATE:
        return state.registers[node.symbol]
    if node.op is Op.VALID:
        return int(node.symbol in offered)
    if node.op is Op.FULL:
        return 0
    if node.op is Op.INPUT:
        return drawn.words[node.symbol] >> node.value & node.mask if node.symbol in offered else 0
    return node.value
