"""The compiler as a whole: HLS C++ of a unit to pipelined SystemVerilog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thresher.errors import UsageError
from thresher.hlsc.balance import balance
from thresher.hlsc.clang import UnitSource, emit_llvm
from thresher.hlsc.cut import cut
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.refusal import UnsupportedUnitError, message
from thresher.hlsc.schedule.carry import carried
from thresher.hlsc.schedule.delay import DelayModel, delay_model
from thresher.hlsc.schedule.stages import Schedule, schedule
from thresher.hlsc.simplify import simplify
from thresher.hlsc.verilog.header import Heading
from thresher.hlsc.verilog.module import cells_used, module_text
from thresher.hlsc.verilog.names import identifier


@dataclass(frozen=True)
class MemoryUse:
    """A `rom` or `ram` cell of a unit; `copies` are the cells that hold the same words."""

    cell: str
    name: str
    width: int
    depth: int
    copies: int


@dataclass(frozen=True)
class CompiledUnit:
    """A unit as SystemVerilog.

    `stages` is also the latency: the cycles from the one in which a beat is accepted to the one in
    which the output of the same step is offered. `inputs` and `outputs` are (stream, bits).
    `warnings` are recurrences and operations that the delay model says miss the clock.
    """

    module_name: str
    verilog: str
    clock_mhz: float
    family: str
    stages: int
    stage_ns: tuple[float, ...]
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    registers: tuple[tuple[str, int], ...]
    state_bits: int
    pipeline_bits: int
    memories: tuple[MemoryUse, ...]
    cells: tuple[str, ...]
    warnings: tuple[str, ...]

    def report(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        return {
            "module": self.module_name,
            "clock_mhz": self.clock_mhz,
            "family": self.family,
            "stages": self.stages,
            "stage_ns": [round(when, 2) for when in self.stage_ns],
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "state_bits": self.state_bits,
            "pipeline_bits": self.pipeline_bits,
            "memories": [vars(memory) for memory in self.memories],
            "cells": list(self.cells),
            "warnings": list(self.warnings),
        }


def compile_unit(
    source: UnitSource, module_name: str, clock_mhz: float = 100.0, family: str = "xc7"
) -> CompiledUnit:
    """Compile a unit to a module of SystemVerilog for a clock on a family of parts.

    Raises:
        UsageError: `module_name` is no identifier, the clock is not positive, the family is unknown,
            there is no header.
        ToolFailedError: clang refuses the C++.
        UnsupportedUnitError: the C++ cannot become hardware; the message names its line.
        MissingToolError: there is no clang.
    """
    if identifier(module_name) != module_name:
        raise UsageError(
            f"hlsc: '{module_name}' cannot be a module's name; use letters, digits and _, and no keyword"
        )
    if not 0 < clock_mhz < float("inf"):
        raise UsageError(f"hlsc: a clock of {clock_mhz:g} MHz makes no sense; give a positive number")
    delays = delay_model(family)
    module = parse(emit_llvm(source))
    try:
        graph = cut(optimise(unit_graph(module), delays), delays, clock_mhz)
    except UnsupportedUnitError as error:
        raise error.of(source.type_name) from error
    plan = schedule(graph, delays, clock_mhz)
    heading = Heading(module_name, f"{source.header.name}, {source.type_name}", clock_mhz)
    return CompiledUnit(
        module_name=module_name,
        verilog=module_text(graph, plan, heading),
        clock_mhz=clock_mhz,
        family=family,
        stages=plan.stages,
        stage_ns=plan.stage_ns,
        inputs=tuple((port.name, port.width) for port in graph.inputs),
        outputs=tuple((port.name, port.width) for port in graph.outputs),
        registers=tuple((identifier(register.name), register.width) for register in graph.registers),
        state_bits=sum(register.width for register in graph.registers),
        pipeline_bits=_pipeline_bits(graph, plan),
        memories=_memories(graph),
        cells=cells_used(graph),
        warnings=tuple(_warning(source, graph, plan, clock_mhz)),
    )


def optimise(graph: UnitGraph, delays: DelayModel) -> UnitGraph:
    """The same unit with less logic, and in the order that takes least time."""
    return simplify(balance(simplify(graph), delays))


def _pipeline_bits(graph: UnitGraph, plan: Schedule) -> int:
    crossing = sum(bits.width for values in carried(graph, plan).values() for bits in values.values())
    return crossing + plan.stages - 1 + sum(port.width + 1 for port in graph.outputs)


def _memories(graph: UnitGraph) -> tuple[MemoryUse, ...]:
    found: dict[tuple[str, str, int, int], int] = {}
    depths = {memory.name: memory.depth for memory in graph.memories}
    for node in graph.nodes():
        if node.op is Op.ROM:
            key = ("rom", identifier(node.symbol), node.width, len(graph.tables[node.symbol].words))
        elif node.op is Op.RAM:
            key = ("ram", identifier(node.symbol), node.width, depths[node.symbol])
        else:
            continue
        found[key] = found.get(key, 0) + 1
    return tuple(MemoryUse(*key, copies) for key, copies in found.items())


def _warning(source: UnitSource, graph: UnitGraph, plan: Schedule, clock_mhz: float) -> Iterator[str]:
    """The slowest path that misses the clock, if one does."""
    for node in plan.misses[:1]:
        stage = plan.stage[node]
        what = f"stage {stage} is estimated at {plan.stage_ns[stage]:.1f} ns, too long for {clock_mhz:g} MHz"
        remedy = "narrow the values, or spread the work over more steps"
        yield message(source.type_name, _line(graph, node), what, remedy)


def _line(graph: UnitGraph, node: Node) -> str:
    """The line of a node, or of the nearest value that it is computed from."""
    return next((graph.describe(near) for near in (node, *node.args) if graph.describe(near)), "")
