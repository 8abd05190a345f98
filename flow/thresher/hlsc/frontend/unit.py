"""The graph of a unit from its compiled module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import memory
from thresher.hlsc.frontend.initial_words import initial_words, refuse_fills
from thresher.hlsc.frontend.layout import Port, RamMember, UnitLayout, unit_layout
from thresher.hlsc.frontend.lowering import Lowering
from thresher.hlsc.frontend.memory import Segments
from thresher.hlsc.frontend.state import Constant, initial_state
from thresher.hlsc.ir import Node, Op, Register, UnitGraph
from thresher.hlsc.llvm.debug_info import DebugInfo, Leaf
from thresher.hlsc.llvm.module import Module
from thresher.hlsc.refusal import UnsupportedUnitError


@dataclass(frozen=True)
class UnitReading:
    """The graph of a unit, and what was read to make it.

    `constants` are the tables, by their names in LLVM; `registers` and `rams` the members, in the
    graph's order; `written` the memories that the constructor writes; `ports` the streams.
    """

    graph: UnitGraph
    constants: Mapping[str, Constant]
    registers: tuple[Leaf, ...]
    rams: tuple[RamMember, ...]
    written: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()


def unit_graph(module: Module) -> UnitGraph:
    """The graph of `thresher_step` and the reset values that `thresher_reset` stores.

    Raises:
        UnsupportedUnitError: the step cannot become hardware.
    """
    return read_unit(module).graph


def read_unit(module: Module) -> UnitReading:
    """The graph as `unit_graph` makes it, and all that is to be held against the compiled C++."""
    info = DebugInfo(module.metadata)
    step = module.functions["thresher_step"]
    layout = unit_layout(info, step)
    builder = Builder()
    lowering = Lowering(builder, module, info, layout, step)
    after = lowering.run(initial_state(builder, layout.registers))
    refuse_fills(lowering.effects)
    start = _reset(module, info, layout)
    registers = tuple(
        Register(leaf.name, leaf.width, start.values[leaf.name], _next_value(builder, after, leaf))
        for leaf in layout.registers
    )
    memories = tuple(replace(made, initial=start.words[made.name]) for made in lowering.effects.memories())
    graph = UnitGraph(
        lowering.effects.inputs(),
        lowering.effects.outputs(),
        registers,
        memories,
        lowering.tables,
        lowering.origins,
    )
    constants = {**start.constants, **lowering.constants}
    return UnitReading(graph, constants, layout.registers, layout.rams, start.written, layout.ports)


def _next_value(builder: Builder, after: Segments, leaf: Leaf) -> Node:
    content = memory.load(builder, after, leaf.offset, leaf.width)
    return builder.const(leaf.width, 0) if content is None else content


@dataclass(frozen=True)
class _Start:
    """What the constructor gives: each register its value after reset and each memory its words, or None.

    `constants` are those that it reads, `written` the memories that it writes.
    """

    values: Mapping[str, int | None]
    words: Mapping[str, tuple[int, ...] | None]
    constants: Mapping[str, Constant]
    written: tuple[str, ...]


def _reset(module: Module, info: DebugInfo, layout: UnitLayout) -> _Start:
    builder = Builder()
    lowering = Lowering(builder, module, info, layout, module.functions["thresher_reset"])
    end = max((leaf.offset + leaf.size for leaf in layout.registers), default=8)
    after = lowering.run((memory.Segment(0, end, None),))
    words = {ram.name: initial_words(lowering.effects, ram) for ram in layout.rams}
    return _Start(
        {leaf.name: _reset_value(builder, after, leaf) for leaf in layout.registers},
        words,
        lowering.constants,
        tuple(lowering.effects.stores),
    )


def _reset_value(builder: Builder, after: Segments, leaf: Leaf) -> int | None:
    content = memory.load(builder, after, leaf.offset, leaf.width)
    if content is None:
        return None
    if content.op is not Op.CONST:
        raise UnsupportedUnitError(
            leaf.line,
            f"the initial value of '{leaf.name}' is not a constant",
            "initialise it with a constant",
        )
    return content.value
