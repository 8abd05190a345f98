"""Which bits cross from one stage to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thresher.hlsc.ir import WIRING, Memory, Node, Op, UnitGraph
from thresher.hlsc.schedule.dependencies import demands
from thresher.hlsc.schedule.stages import Schedule


@dataclass(frozen=True)
class Bits:
    """`width` bits of a value from bit `low` on."""

    low: int
    width: int


Carried = Mapping[int, Mapping[Node, Bits]]
"""For each stage after the first: the values of earlier stages that it or a later one uses."""


def operands(graph: UnitGraph, plan: Schedule) -> Iterator[tuple[int, Node]]:
    """Every operand of what is computed, remembered or written, with the stage in which it is used."""
    for port in graph.inputs:
        yield 0, port.needed
    for node in graph.nodes():
        if node.op not in WIRING:
            yield from ((plan.stage[node], arg) for arg in node.args)
    homes = {
        point.symbol: stage
        for point, stage in plan.stage.items()
        if isinstance(point, Node) and point.op is Op.STATE
    }
    for register in graph.registers:
        yield homes[register.name], register.next
    for memory, stage in plan.stage.items():
        if isinstance(memory, Memory):
            yield from ((stage, node) for node in memory.nodes)
    for output in graph.outputs:
        yield from ((plan.stages - 1, node) for node in (output.written, output.value))


def carried(graph: UnitGraph, plan: Schedule) -> Carried:
    """The registers between the stages."""
    used: dict[int, list[Node]] = {stage: [] for stage in range(plan.stages)}
    for stage, operand in operands(graph, plan):
        used[stage].append(operand)
    result: dict[int, dict[Node, Bits]] = {}
    wanted: dict[Node, int] = {}
    for stage in range(plan.stages - 1, 0, -1):
        for node, mask in demands(used[stage]).items():
            wanted[node] = wanted.get(node, 0) | mask
        wanted = {node: mask for node, mask in wanted.items() if plan.ready(node) < stage}
        result[stage] = {node: _hull(wanted[node]) for node in sorted(wanted, key=lambda node: node.index)}
    return result


def _hull(mask: int) -> Bits:
    low = (mask & -mask).bit_length() - 1
    return Bits(low, mask.bit_length() - low)
