"""What can be seen of a unit from outside, and what of it some state can change, over all its steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thresher.hlsc.ir import Node, Op, UnitGraph, reachable

_HELD = frozenset({Op.STATE, Op.RAM})


def held(nodes: Collection[Node]) -> set[str]:
    """The names of the registers and memories that `nodes` read."""
    return {node.symbol for node in nodes if node.op in _HELD}


def visible(graph: UnitGraph) -> list[Node]:
    """The nodes that decide what streams show, in this step or a later one, arguments first."""
    roots = [port.needed for port in graph.inputs]
    roots += [node for output in graph.outputs for node in (output.written, output.value)]
    seen: set[str] = set()
    while True:
        nodes = reachable(roots)
        found = held(nodes) - seen
        if not found:
            return nodes
        seen |= found
        roots += [register.next for register in graph.registers if register.name in found]
        for memory in graph.memories:
            if memory.name in found:
                roots += memory.nodes


def influenced(graph: UnitGraph, nodes: Sequence[Node], names: Collection[str]) -> set[Node]:
    """Those of `nodes`, arguments first, that the state `names` can change, in this step or a later one."""
    changed = set(names)
    while True:
        found: set[Node] = set()
        for node in nodes:
            if (node.op in _HELD and node.symbol in changed) or not found.isdisjoint(node.args):
                found.add(node)
        follows = {register.name for register in graph.registers if register.next in found}
        for memory in graph.memories:
            if not found.isdisjoint(memory.nodes):
                follows.add(memory.name)
        if follows <= changed:
            return found
        changed |= follows
