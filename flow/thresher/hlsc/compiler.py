"""The compiler as a whole: HLS C++ of a unit to pipelined SystemVerilog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thresher.errors import UsageError
from thresher.hlsc.balance import balance
from thresher.hlsc.beats import shown_bits
from thresher.hlsc.clang import UnitSource, emit_llvm
from thresher.hlsc.compiled_data import compiled_data
from thresher.hlsc.cut import cut
from thresher.hlsc.diagnosis import RecurrenceUse, diagnose
from thresher.hlsc.fanout import with_address_registers
from thresher.hlsc.fault import HlscFaultError
from thresher.hlsc.frontend.addresses import refuse_addresses
from thresher.hlsc.frontend.recursion import LeftLoopError
from thresher.hlsc.frontend.unit import read_unit
from thresher.hlsc.held import hold_to_compiled
from thresher.hlsc.idle_ports import idle_port_warnings
from thresher.hlsc.ir import Input, Op, Output, UnitGraph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.recursion import recursion_behind
from thresher.hlsc.refusal import UnsupportedUnitError
from thresher.hlsc.schedule.carry import carried
from thresher.hlsc.schedule.delay import DelayModel, delay_model
from thresher.hlsc.schedule.memories import is_block
from thresher.hlsc.schedule.stages import Schedule, schedule
from thresher.hlsc.simplify import simplify
from thresher.hlsc.unset import unset_warnings
from thresher.hlsc.verilog.flow import places
from thresher.hlsc.verilog.header import Heading
from thresher.hlsc.verilog.module import cells_used, module_text
from thresher.hlsc.verilog.names import identifier
from thresher.hlsc.verilog.rams import ram_cells
from thresher_sim.signals import Signals


@dataclass(frozen=True)
class MemoryUse:
    """A table or memory of a unit; `copies` are the memories of its depth and width that it takes.

    `kind` is "lut" or "block", `writes` the number of places that one step may write; 0 of a table.
    """

    cell: str
    kind: str
    name: str
    width: int
    depth: int
    writes: int
    copies: int


@dataclass(frozen=True)
class CompiledUnit:
    """A unit as SystemVerilog.

    `stages` is also the latency: the cycles from the one in which a beat is accepted to the one in
    which the output of the same step is offered. `inputs` and `outputs` are (stream, bits), and `signals`
    are those of the streams that have more than data. `asked` are the outputs of which a step asks whether
    they are full, and `kept` the memories that a step writes and whose first words no reset brings back.
    `recurrence` is the slowest one. `warnings` tell of recurrences and operations that the delay model
    says miss the clock, of memories that cannot be what their size asks for, of initial values that could
    not be held to the compiled C++, of state without an initial value on which beats depend, and of streams
    that no step reads or writes.
    """

    module_name: str
    verilog: str
    clock_mhz: float
    family: str
    stages: int
    stage_ns: tuple[float, ...]
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    signals: Mapping[str, Signals]
    asked: tuple[str, ...]
    kept: tuple[str, ...]
    registers: tuple[tuple[str, int], ...]
    state_bits: int
    pipeline_bits: int
    memories: tuple[MemoryUse, ...]
    cells: tuple[str, ...]
    recurrence: RecurrenceUse | None
    warnings: tuple[str, ...]

    def report(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        return {
            "module": self.module_name,
            "clock_mhz": self.clock_mhz,
            "family": self.family,
            "stages": self.stages,
            "stage_ns": [round(when, 2) for when in self.stage_ns],
            "inputs": self.bits(self.inputs),
            "outputs": self.bits(self.outputs),
            "state_bits": self.state_bits,
            "pipeline_bits": self.pipeline_bits,
            "memories": [vars(memory) for memory in self.memories],
            "cells": list(self.cells),
            "recurrence": None if self.recurrence is None else vars(self.recurrence),
            "warnings": list(self.warnings),
        }

    def bits(self, streams: Sequence[tuple[str, int]]) -> dict[str, int | dict[str, int]]:
        """The bits of streams by their names; those of each signal, where there is more than data."""
        return {name: shown_bits(width, self.signals.get(name, ())) for name, width in streams}


def compile_unit(
    source: UnitSource,
    module_name: str,
    clock_mhz: float = 100.0,
    family: str = "xc7",
    *,
    alone: bool = False,
) -> CompiledUnit:
    """Compile a unit to a module of SystemVerilog for a clock on a family of parts.

    One that is to stand `alone`, and not between FIFOs of Thresher's, holds off its sources in reset.

    Raises:
        UsageError: `module_name` is no identifier, the clock is not positive, the family is unknown,
            there is no header.
        ToolFailedError: clang refuses the C++.
        UnsupportedUnitError: the C++ cannot become hardware; the message names its line.
        HlscFaultError: a table or an initial value was read otherwise than the compiled C++ holds it.
        MissingToolError: there is no clang.
    """
    if identifier(module_name) != module_name:
        raise UsageError(
            f"hlsc: '{module_name}' cannot be a module's name; use letters, digits and _, and no keyword"
        )
    if not 0 < clock_mhz < float("inf"):
        raise UsageError(f"hlsc: a clock of {clock_mhz:g} MHz makes no sense; give a positive number")
    delays = delay_model(family)
    ir = emit_llvm(source)
    try:
        with compiled_data(ir.text) as compiled:
            reading = read_unit(parse(ir.text))
            whole = optimise(reading.graph, delays)
            graph, plan = _pipelined(whole, delays, clock_mhz)
            unset = unset_warnings(reading, whole, source.type_name)
            warnings = hold_to_compiled(reading, compiled, source.type_name)
            lines = {port.name: port.line for port in reading.ports}
            idle = tuple(idle_port_warnings(whole, lines, source.type_name))
    except LeftLoopError as error:
        raise (recursion_behind(source, error) or error).of(source.type_name) from error
    except (UnsupportedUnitError, HlscFaultError) as error:
        raise error.of(source.type_name) from error
    diagnosis = diagnose(source.type_name, graph, plan, delays, clock_mhz)
    asked = graph.asked()
    heading = Heading(module_name, f"{source.header.name}, {source.type_name}", clock_mhz, alone)
    return CompiledUnit(
        module_name=module_name,
        verilog=module_text(graph, plan, heading),
        clock_mhz=clock_mhz,
        family=family,
        stages=plan.stages,
        stage_ns=plan.stage_ns,
        inputs=tuple((port.name, port.width) for port in graph.inputs),
        outputs=tuple((port.name, port.width) for port in graph.outputs),
        signals=_signals(graph),
        asked=tuple(port.name for port in graph.outputs if port.name in asked),
        kept=tuple(
            identifier(memory.name)
            for memory in graph.memories
            if memory.initial is not None and memory.writes
        ),
        registers=tuple((identifier(register.name), register.width) for register in graph.registers),
        state_bits=sum(register.width for register in graph.registers),
        pipeline_bits=_pipeline_bits(graph, plan),
        memories=_memories(graph, plan),
        cells=cells_used(graph, plan),
        recurrence=diagnosis.recurrence,
        warnings=(*ir.warnings, *warnings, *idle, *unset, *diagnosis.warnings),
    )


def _pipelined(graph: UnitGraph, delays: DelayModel, clock_mhz: float) -> tuple[UnitGraph, Schedule]:
    """The unit with its slow operations cut, and its stages."""
    graph = cut(with_address_registers(graph), delays, clock_mhz)
    return graph, schedule(graph, delays, clock_mhz)


def optimise(graph: UnitGraph, delays: DelayModel) -> UnitGraph:
    """The same unit with less logic, and in the order that takes least time.

    Raises:
        UnsupportedUnitError: what it computes depends on the address of an object.
    """
    simple = simplify(graph)
    refuse_addresses(simple)
    return simplify(balance(simple, delays))


def _signals(graph: UnitGraph) -> dict[str, Signals]:
    ports: list[Input | Output] = [*graph.inputs, *graph.outputs]
    return {port.name: port.signals for port in ports if port.signals}


def _pipeline_bits(graph: UnitGraph, plan: Schedule) -> int:
    crossing = sum(bits.width for values in carried(graph, plan).values() for bits in values.values())
    asked = graph.asked()
    held = sum((port.width + 1) * places(plan.stages, port, asked) for port in graph.outputs)
    return crossing + plan.stages - 1 + held


def _memories(graph: UnitGraph, plan: Schedule) -> tuple[MemoryUse, ...]:
    """Tables and memories in the order of their first reads."""
    found: Counter[tuple[str, str, str, int, int, int]] = Counter()
    cells = {cell.reads[0]: cell for cell in ram_cells(graph, plan)}
    for node in graph.nodes():
        name = identifier(node.symbol)
        if node.op is Op.ROM:
            block = node in plan.registered and is_block(graph, node)
            found["rom", _kind(block), name, node.width, len(graph.tables[node.symbol].words), 0] += 1
        elif node in cells:
            cell = cells[node]
            memory = cell.memory
            key = ("ram", _kind(cell.is_block), name, memory.width, memory.depth, len(memory.writes))
            found[key] += cell.copies
    return tuple(MemoryUse(*key, copies) for key, copies in found.items())


def _kind(block: bool) -> str:
    return "block" if block else "lut"
