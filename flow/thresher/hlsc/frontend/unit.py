"""The graph of a unit from its compiled module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import memory
from thresher.hlsc.frontend.layout import RamMember, UnitLayout, unit_layout
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
    graph's order.
    """

    graph: UnitGraph
    constants: Mapping[str, Constant]
    registers: tuple[Leaf, ...]
    rams: tuple[RamMember, ...]


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
    resets, initial_constants = _reset_values(module, info, layout)
    registers = tuple(
        Register(leaf.name, leaf.width, resets[leaf.name], _next_value(builder, after, leaf))
        for leaf in layout.registers
    )
    graph = UnitGraph(
        lowering.effects.inputs(),
        lowering.effects.outputs(),
        registers,
        lowering.effects.memories(),
        lowering.tables,
        lowering.origins,
    )
    return UnitReading(graph, {**initial_constants, **lowering.constants}, layout.registers, layout.rams)


def _next_value(builder: Builder, after: Segments, leaf: Leaf) -> Node:
    content = memory.load(builder, after, leaf.offset, leaf.width)
    return builder.const(leaf.width, 0) if content is None else content


def _reset_values(
    module: Module, info: DebugInfo, layout: UnitLayout
) -> tuple[dict[str, int | None], Mapping[str, Constant]]:
    """What each register holds after reset, None where the C++ gives it no value; constants read for it."""
    builder = Builder()
    lowering = Lowering(builder, module, info, layout, module.functions["thresher_reset"])
    end = max((leaf.offset + leaf.size for leaf in layout.registers), default=8)
    after = lowering.run((memory.Segment(0, end, None),))
    return {leaf.name: _reset_value(builder, after, leaf) for leaf in layout.registers}, lowering.constants


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
