"""Remove what no output, stream or memory can see: whole nodes, and the bits of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import (
    WIRING,
    Memory,
    Node,
    Op,
    Origin,
    Register,
    UnitGraph,
    Write,
    reachable,
    wired_bits,
)
from thresher.hlsc.rebuild import carry_origins

MAX_ROUNDS = 8

_PER_BIT = frozenset({Op.NOT, Op.AND, Op.OR, Op.XOR, Op.SELECT, Op.ROM})
_FROM_BELOW = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.SHL})


def simplify(graph: UnitGraph) -> UnitGraph:
    """The same unit with every value at the bits that are used; registers that nothing reads are gone."""
    size = _size(graph)
    for _ in range(MAX_ROUNDS):
        graph = _narrow(graph)
        before, size = size, _size(graph)
        if size == before:
            break
    return graph


def _size(graph: UnitGraph) -> int:
    return sum(1 + node.width for node in graph.nodes())


def used_bits(graph: UnitGraph) -> dict[Node, int]:
    """For each node that matters, a mask of the bits that matter."""
    used: dict[Node, int] = {}
    roots = _visible(graph)
    registers = {register.name: register for register in graph.registers}
    wanted = dict.fromkeys(registers, 0)
    while True:
        used = _propagate(roots, registers, wanted)
        found = {node.symbol: mask for node, mask in used.items() if node.op is Op.STATE}
        if all(found.get(name, 0) == mask for name, mask in wanted.items()):
            return used
        wanted = {name: found.get(name, 0) for name in registers}


def _visible(graph: UnitGraph) -> list[Node]:
    """What the outside sees, and what steers memories."""
    roots = [port.needed for port in graph.inputs]
    roots += [node for output in graph.outputs for node in (output.written, output.value)]
    read = {node.symbol for node in graph.nodes() if node.op is Op.RAM}
    for memory in graph.memories:
        if memory.name in read:
            roots += memory.nodes
    return roots


def _propagate(
    roots: list[Node], registers: Mapping[str, Register], wanted: Mapping[str, int]
) -> dict[Node, int]:
    used = {node: node.mask for node in roots}
    for name, mask in wanted.items():
        if mask:
            following = registers[name].next
            used[following] = used.get(following, 0) | mask
    for node in reversed(reachable(used)):
        mask = used.get(node, 0)
        if mask:
            for arg, needed in zip(node.args, _needed(node, mask), strict=True):
                used[arg] = used.get(arg, 0) | needed
    return used


def _needed(node: Node, mask: int) -> list[int]:
    """The bits of each argument that the bits `mask` of the node depend on."""
    if node.op in WIRING:
        return wired_bits(node, mask)
    if node.op in (Op.AND, Op.OR):
        a, b = (arg.zeros if node.op is Op.AND else arg.ones for arg in node.args)
        # Where both decide the bit alone, `b` is kept to do so.
        return [mask & ~b, mask & ~(a & ~b)]
    if node.op in (Op.NOT, Op.XOR):
        return [mask] * len(node.args)
    if node.op is Op.SELECT:
        return [1, mask, mask]
    if node.op in _FROM_BELOW:
        below = (1 << mask.bit_length()) - 1
        return [below, node.args[1].mask if node.op is Op.SHL else below]
    return [arg.mask for arg in node.args]


class _Narrowing:
    """Rebuilds a graph with each node cut to the bits that are used."""

    def __init__(self, graph: UnitGraph) -> None:
        self.builder = Builder()
        self.used = used_bits(graph)
        self._graph = graph
        self._made: dict[Node, Node] = {}
        self._kept = {
            node.symbol: mask.bit_length() for node, mask in self.used.items() if node.op is Op.STATE and mask
        }
        for node in reachable(node for node, mask in self.used.items() if mask):
            self._made[node] = self._narrowed(node)

    def __getitem__(self, node: Node) -> Node:
        return self._made[node]

    def width_of(self, register: str) -> int:
        """The low bits of a register that are used."""
        return self._kept.get(register, 0)

    def origins(self) -> dict[Node, Origin]:
        """Where the rebuilt nodes come from."""
        return carry_origins(self._graph, self._made)

    def _narrowed(self, node: Node) -> Node:
        mask = self.used.get(node, 0)
        if not mask:
            return self.builder.const(node.width, 0)
        if node.op is Op.STATE:
            kept = self.builder.state(node.symbol, self._kept[node.symbol])
            return self.builder.zext(kept, node.width)
        args = [self._made[arg] for arg in node.args]
        low = (mask & -mask).bit_length() - 1 if node.op in _PER_BIT else 0
        high = mask.bit_length() if node.op in _PER_BIT | _FROM_BELOW | {Op.SEXT} else node.width
        if (low, high) == (0, node.width):
            return self._same(node, args, 0, node.width)
        inner = self._same(node, args, low, high - low)
        parts = [inner]
        if low:
            parts.insert(0, self.builder.const(low, 0))
        if high < node.width:
            parts.append(self.builder.const(node.width - high, 0))
        return self.builder.concat(parts)

    def _same(self, node: Node, args: list[Node], low: int, width: int) -> Node:
        """The bits `low..low+width-1` of a node, of new arguments."""
        builder = self.builder
        if node.op is Op.ROM:
            return builder.rom(self._graph.tables[node.symbol], args[0], node.value + low, width)
        if width == node.width:
            return builder.rebuild(node, args)
        if node.op is Op.SEXT:
            return builder.sext(args[0], width) if width >= args[0].width else builder.low(args[0], width)
        first = 1 if node.op is Op.SELECT else 0
        last = 1 if node.op is Op.SHL else len(args)
        cut = [
            builder.slice(arg, low, width) if first <= place < last else arg for place, arg in enumerate(args)
        ]
        return builder.rebuild(replace(node, width=width), cut)


def _narrow(graph: UnitGraph) -> UnitGraph:
    new = _Narrowing(graph)
    read = {node.symbol for node, mask in new.used.items() if mask and node.op is Op.RAM}
    return UnitGraph(
        tuple(replace(port, needed=new[port.needed]) for port in graph.inputs),
        tuple(replace(port, written=new[port.written], value=new[port.value]) for port in graph.outputs),
        tuple(_register(new, register) for register in graph.registers if new.width_of(register.name)),
        tuple(_memory(new, memory) for memory in graph.memories if memory.name in read),
        graph.tables,
        new.origins(),
    )


def _memory(new: _Narrowing, memory: Memory) -> Memory:
    """The memory without ports that never write, but for one."""
    writes = [Write(*(new[node] for node in write.nodes)) for write in memory.writes]
    used = [write for write in writes if write.written.op is not Op.CONST or write.written.value]
    return replace(memory, writes=tuple(used or writes[:1]))


def _register(new: _Narrowing, register: Register) -> Register:
    width = new.width_of(register.name)
    reset = None if register.reset is None else register.reset & ((1 << width) - 1)
    return Register(register.name, width, reset, new.builder.low(new[register.next], width))
