"""Carry a graph over to new nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Memory, Node, Op, Origin, UnitGraph, Write


def remade(graph: UnitGraph, builder: Builder, node: Node, args: Sequence[Node]) -> Node:
    """A node of `graph` with new arguments, in another builder."""
    if node.op is Op.ROM:
        return builder.rom(graph.tables[node.symbol], args[0], node.value, node.width)
    return builder.rebuild(node, args)


def rebuilt(graph: UnitGraph, made: Mapping[Node, Node]) -> UnitGraph:
    """The graph with each root replaced by what `made` has for it, of the same width."""
    return UnitGraph(
        tuple(replace(port, needed=made[port.needed]) for port in graph.inputs),
        tuple(replace(port, written=made[port.written], value=made[port.value]) for port in graph.outputs),
        tuple(replace(register, next=made[register.next]) for register in graph.registers),
        tuple(rebuilt_memory(memory, made) for memory in graph.memories),
        graph.tables,
        carry_origins(graph, made),
    )


def rebuilt_memory(memory: Memory, made: Mapping[Node, Node]) -> Memory:
    """The memory, written through the same ports by other nodes."""
    writes = (Write(*(made[node] for node in write.nodes)) for write in memory.writes)
    return replace(memory, writes=tuple(writes))


def carry_origins(graph: UnitGraph, made: Mapping[Node, Node]) -> dict[Node, Origin]:
    """Where the new nodes come from; a name stays with what is left of its node."""
    origins: dict[Node, Origin] = {}
    for node, origin in graph.origins.items():
        new = made.get(node)
        while new is not None and new.op in (Op.CONCAT, Op.SEXT):
            varying = [part for part in new.args if part.op is not Op.CONST]
            new = varying[0] if len(varying) == 1 else None
        if new is not None:
            known = origins.get(new, Origin())
            origins[new] = Origin(known.name or origin.name, known.line or origin.line)
    return origins
