"""Give large tables an address register of their own.

A counter that addresses a large table is kept a second time, with its bits inverted, for the table
alone. That halves the loads of its wires, and keeps the logic of the counter out of that of the table:
with both on one register Yosys 0.70 needs twice the look-up tables for a weight memory of 64 x 784 bits
(`bench.quality`). Synthesis would merge a register that is not inverted with the counter; the inverters
behind it vanish in the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import WIRING, Node, Op, Origin, Register, UnitGraph
from thresher.hlsc.rebuild import rebuilt, remade
from thresher.hlsc.schedule.memories import is_block

LOADS = 256
"""Tables of fewer bits a word, all those together that a register addresses, use the register itself."""


def with_address_registers(graph: UnitGraph) -> UnitGraph:
    """The same unit with inverted copies of the registers that address many look-up tables."""
    addressed = {node: symbol for node in graph.nodes() for symbol in _addressed_by(graph, node)}
    loads = Counter[str]()
    for node, symbol in addressed.items():
        loads[symbol] += node.width
    homes = {node: symbol for node, symbol in addressed.items() if loads[symbol] >= LOADS}
    return _Copying(graph, homes).run() if homes else graph


def _addressed_by(graph: UnitGraph, node: Node) -> Iterator[str]:
    """The register whose bits, and constants, are the address of a table in look-up tables, if it is one."""
    if node.op is Op.ROM and not is_block(graph, node):
        cores = {core for core in _cores(node.args[0]) if core.op is not Op.CONST}
        if len(cores) == 1 and all(core.op is Op.STATE for core in cores):
            yield cores.pop().symbol


def _cores(node: Node) -> Iterator[Node]:
    """What an address is wired to."""
    if node.op is Op.CONST or node.op not in WIRING:
        yield node
    else:
        for arg in node.args:
            yield from _cores(arg)


class _Copying:
    """Rebuilds a graph with the copies; `homes` are the registers by the reads that they address."""

    def __init__(self, graph: UnitGraph, homes: Mapping[Node, str]) -> None:
        self._graph = graph
        self._homes = homes
        self._builder = Builder()
        self._origins: dict[Node, Origin] = {}

    def run(self) -> UnitGraph:
        made: dict[Node, Node] = {}
        for node in self._graph.nodes():
            args = [made[arg] for arg in node.args]
            if node in self._homes:
                args = [self._address(node.args[0])]
            made[node] = remade(self._graph, self._builder, node, args)
        graph = rebuilt(self._graph, made)
        copied = set(self._homes.values())
        copies = [self._copy(register) for register in graph.registers if register.name in copied]
        origins = {**self._origins, **graph.origins}
        return replace(graph, registers=(*graph.registers, *copies), origins=origins)

    def _copy(self, register: Register) -> Register:
        reset = None if register.reset is None else ~register.reset & ((1 << register.width) - 1)
        name = _copy_name(register.name)
        return Register(name, register.width, reset, self._builder.not_(register.next))

    def _address(self, node: Node) -> Node:
        """An address with the copy in place of its register."""
        if node.op is Op.STATE:
            value = self._builder.not_(self._builder.state(_copy_name(node.symbol), node.width))
            self._origins[value] = Origin(node.symbol)
            return value
        return self._builder.rebuild(node, [self._address(arg) for arg in node.args])


def _copy_name(register: str) -> str:
    return f"{register}_inverse"
