"""Run a unit's graph in Python, one step at a time: the reference for every later stage."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from thresher.hlsc.ir import OF_STREAMS, Node, Op, UnitGraph


@dataclass
class Interpreter:
    """A unit after reset. What the C++ leaves without a value begins as zero, and no output is ever full."""

    graph: UnitGraph
    registers: dict[str, int] = field(init=False)
    memories: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.registers = {register.name: register.reset or 0 for register in self.graph.registers}
        self.memories = {
            memory.name: list(memory.initial or [0] * memory.depth) for memory in self.graph.memories
        }
        self._nodes = self.graph.nodes()

    def run(self, streams: Mapping[str, Iterable[int]], steps: int) -> dict[str, list[int]]:
        """Do at most `steps` steps, until one wants a beat that is not there; return what was written."""
        queues = {name: deque(beats) for name, beats in streams.items()}
        written: dict[str, list[int]] = {port.name: [] for port in self.graph.outputs}
        for _ in range(steps):
            beats = {name: queue[0] for name, queue in queues.items() if queue}
            values = self.evaluate(beats)
            needed = [port.name for port in self.graph.inputs if values[port.needed]]
            if not all(queues[name] for name in needed):
                break
            for name in needed:
                queues[name].popleft()
            for output in self.graph.outputs:
                if values[output.written]:
                    written[output.name].append(values[output.value])
            self._update(values)
        return written

    def evaluate(self, beats: Mapping[str, int]) -> dict[Node, int]:
        """The value of every node, given the beat at each input that has one."""
        values: dict[Node, int] = {}
        for node in self._nodes:
            values[node] = self._value(node, [values[arg] for arg in node.args], beats) & node.mask
        return values

    def _update(self, values: Mapping[Node, int]) -> None:
        for register in self.graph.registers:
            self.registers[register.name] = values[register.next]
        for memory in self.graph.memories:
            for write in memory.writes:
                if values[write.written]:
                    self.memories[memory.name][values[write.address]] = values[write.data]

    def _value(self, node: Node, args: list[int], beats: Mapping[str, int]) -> int:
        if node.op in OF_STREAMS:
            return _of_stream(node, beats)
        if node.op is Op.STATE:
            return self.registers[node.symbol]
        if node.op is Op.RAM:
            return _word(self.memories[node.symbol], args[0])
        if node.op is Op.ROM:
            return _word(self.graph.tables[node.symbol].words, args[0]) >> node.value
        return value_of(node, args)


def _of_stream(node: Node, beats: Mapping[str, int]) -> int:
    if node.op is Op.INPUT:
        return beats.get(node.symbol, 0) >> node.value
    return int(node.op is Op.VALID and node.symbol in beats)


def _word(words: list[int] | tuple[int, ...], address: int) -> int:
    """A word; an address past the end is a don't-care."""
    return words[address] if address < len(words) else 0


def function_of(node: Node) -> Callable[..., int]:
    """`value_of` of one node, as a function of its arguments that is chosen once for many steps."""
    if node.op is Op.SLICE:
        return lambda word: word >> node.value
    return _OF_UNSIGNED.get(node.op) or (lambda *args: value_of(node, list(args)))


def value_of(node: Node, args: list[int]) -> int:
    """The value of a pure operation; its bits above the node's width mean nothing."""
    if node.op is Op.CONST:
        return node.value
    if node.op is Op.SLICE:
        return args[0] >> node.value
    if node.op is Op.CONCAT:
        return _concat(node, args)
    if node.op is Op.COMPRESS:
        return _compress(node, args[0])
    if node.op in (Op.SEXT, Op.SLT, Op.ASHR):
        return _of_signed(node, args)
    return _OF_UNSIGNED[node.op](*args)


def _of_signed(node: Node, args: list[int]) -> int:
    a = _signed(args[0], node.args[0].width)
    if node.op is Op.SLT:
        return int(a < _signed(args[1], node.args[1].width))
    return a >> args[1] if node.op is Op.ASHR else a


_OF_UNSIGNED: dict[Op, Callable[..., int]] = {
    Op.NOT: lambda a: ~a,
    Op.AND: lambda a, b: a & b,
    Op.OR: lambda a, b: a | b,
    Op.XOR: lambda a, b: a ^ b,
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.MUL: lambda a, b: a * b,
    Op.EQ: lambda a, b: int(a == b),
    Op.ULT: lambda a, b: int(a < b),
    Op.SHL: lambda a, b: a << b,
    Op.LSHR: lambda a, b: a >> b,
    Op.SELECT: lambda condition, a, b: a if condition else b,
    Op.POPCOUNT: lambda a: a.bit_count(),
}


def _concat(node: Node, args: list[int]) -> int:
    result = low = 0
    for part, value in zip(node.args, args, strict=True):
        result |= value << low
        low += part.width
    return result


def _compress(node: Node, word: int) -> int:
    groups = -(-node.args[0].width // node.value)
    counts = [(word >> at * node.value & ((1 << node.value) - 1)).bit_count() for at in range(groups)]
    columns = node.width // groups
    return sum(
        (count >> column & 1) << column * groups + at
        for column in range(columns)
        for at, count in enumerate(counts)
    )


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value
