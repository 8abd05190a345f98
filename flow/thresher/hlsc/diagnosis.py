"""What stands between a unit and its clock, said in terms of the C++."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.refusal import message
from thresher.hlsc.schedule.delay import DelayModel
from thresher.hlsc.schedule.dependencies import dependencies, first_points
from thresher.hlsc.schedule.memories import is_block, prefers_blocks
from thresher.hlsc.schedule.recurrence import Recurrence, slowest_first
from thresher.hlsc.schedule.stages import Schedule


@dataclass(frozen=True)
class RecurrenceUse:
    """A recurrence as a report gives it: what it goes through, its delay, and its lines of C++."""

    keeps: tuple[str, ...]
    delay_ns: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Diagnosis:
    """A unit's slowest recurrence, if it has one, and the warnings about its clock and memories."""

    recurrence: RecurrenceUse | None
    warnings: tuple[str, ...]


def diagnose(unit: str, graph: UnitGraph, plan: Schedule, delays: DelayModel, clock_mhz: float) -> Diagnosis:
    """What a user should know of a schedule; `unit` is the name for the messages."""
    needs = dependencies(graph)
    # Block memory is read into a register: what a step hands to the next there takes no logic.
    found = [one for one in slowest_first(needs, delays) if not plan.registered.issuperset(one.path)]
    usable = delays.usable_ns(clock_mhz)
    late = [one for one in found if one.delay_ns > usable]
    warnings = [_of_recurrence(unit, graph, one, delays, clock_mhz) for one in late]
    told = {node for one in late for node in one.path}
    first = first_points(graph, needs)
    rest = [node for node in plan.misses if node not in told and not told.intersection(node.args)]
    if rest and not late:
        warnings.append(_of_path(unit, graph, plan, rest[0], rest[0] in first, clock_mhz))
    warnings += _of_memories(unit, graph, plan)
    uses = [RecurrenceUse(one.keeps, one.delay_ns, _lines(graph, one.path)) for one in found[:1]]
    return Diagnosis(uses[0] if uses else None, tuple(warnings))


def _of_recurrence(unit: str, graph: UnitGraph, one: Recurrence, delays: DelayModel, clock_mhz: float) -> str:
    lines = _lines(graph, one.path)
    through = _quoted(one.keeps)
    along = f" (along {', '.join(lines)})" if len(lines) > 1 else ""
    return message(
        unit,
        lines[-1] if lines else "",
        f"the recurrence through {through} takes {one.delay_ns:.1f} ns{along}, and {clock_mhz:g} MHz leaves "
        f"{delays.usable_ns(clock_mhz):.1f} ns",
        "narrow it, compute what does not depend on it before it, split a long sum into words that keep "
        f"their carry in a member, or ask for at most {fastest_mhz(delays, one.delay_ns)} MHz",
    )


def _of_path(unit: str, graph: UnitGraph, plan: Schedule, node: Node, decides: bool, clock_mhz: float) -> str:
    stage = plan.stage[node]
    what = f"stage {stage} is estimated at {plan.stage_ns[stage]:.1f} ns, too long for {clock_mhz:g} MHz"
    if not decides:
        return message(
            unit, _nearest_line(graph, node), what, "narrow the values, or spread the work over more steps"
        )
    return message(
        unit,
        _nearest_line(graph, node),
        f"{what}, and what decides whether a beat is taken cannot be cut",
        "decide it one step earlier, and keep the decision in a member",
    )


def _of_memories(unit: str, graph: UnitGraph, plan: Schedule) -> Iterator[str]:
    """The memories that would be block memory, were their words not needed in the same cycle."""
    depths = {memory.name: memory.depth for memory in graph.memories}
    depths |= {name: len(table.words) for name, table in graph.tables.items()}
    told: set[str] = set()
    for node in graph.nodes():
        if node.op not in (Op.ROM, Op.RAM) or node in plan.registered or node.symbol in told:
            continue
        if is_block(graph, node) if node.op is Op.ROM else prefers_blocks(node.width, depths[node.symbol]):
            told.add(node.symbol)
            yield message(
                unit,
                _line(graph, node),
                f"'{node.symbol}', {depths[node.symbol]} words of {node.width} bits, stays in look-up "
                "tables: its word is needed in the cycle that gives the address",
                "let no write, no next state and no read of a stream depend on a word read in the same step",
            )


def fastest_mhz(delays: DelayModel, delay_ns: float) -> int:
    """The highest whole clock that leaves `delay_ns` for logic; 0 if none does."""
    low, high = 0, 2000
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if delays.usable_ns(middle) >= delay_ns else (low, middle - 1)
    return low


def _quoted(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _lines(graph: UnitGraph, path: Sequence[Node]) -> tuple[str, ...]:
    """The lines of C++ along a path, each once."""
    return tuple(dict.fromkeys(filter(None, (_line(graph, node) for node in path))))


def _line(graph: UnitGraph, node: Node) -> str:
    """The line of a node, or of a value that it is computed from."""
    return next((graph.describe(near) for near in (node, *node.args) if graph.describe(near)), "")


def _nearest_line(graph: UnitGraph, node: Node) -> str:
    """The same, or else of the nearest value behind these."""
    near, seen = [node], {node}
    for each in near:
        if graph.describe(each):
            return graph.describe(each)
        near += [arg for arg in each.args if arg not in seen]
        seen.update(each.args)
    return ""
