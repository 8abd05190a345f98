"""Walks the blocks of a step once, in topological order: branches become selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.control_flow import EXIT, ControlFlow, LoopError, Predicates
from thresher.hlsc.frontend.effects import Effects
from thresher.hlsc.frontend.instructions import Executor
from thresher.hlsc.frontend.layout import UnitLayout, arrays_of, is_library
from thresher.hlsc.frontend.memory import Content, Memory, Segments, merge
from thresher.hlsc.frontend.places import Places
from thresher.hlsc.frontend.pointers import place
from thresher.hlsc.frontend.recursion import calls_itself
from thresher.hlsc.frontend.state import PORTS, SELF, Accesses, Constant, Globals
from thresher.hlsc.frontend.symbols import Result
from thresher.hlsc.ir import Node, Op, Origin, Table
from thresher.hlsc.llvm.debug_info import DebugInfo
from thresher.hlsc.llvm.module import Function, Instruction, Module
from thresher.hlsc.refusal import NotHardwareError, UnsupportedUnitError


class Lowering:
    """One function of the unit, walked: afterwards it knows the memory at the end and all effects."""

    def __init__(
        self, builder: Builder, module: Module, info: DebugInfo, layout: UnitLayout, function: Function
    ) -> None:
        self.builder = builder
        self.origins: dict[Node, Origin] = {}
        self._info = info
        self._places = Places(info, module.functions)
        self._flow = self._control_flow(function)
        self._predicates = Predicates(self._flow, builder, self._edge)
        self._memories: dict[str, Memory] = {}
        self._names = {entry.name: entry.variable for entry in reversed(function.variables)}
        self.effects = Effects(builder, layout, self._flow.reaches)
        self._globals = Globals(module.globals, module.types, info)
        self._accesses = Accesses(builder, self._globals)
        self._executor = Executor(
            builder,
            layout,
            self._accesses,
            self.effects,
            is_defined=lambda name: name in module.functions,
            is_recursive=lambda name: calls_itself(module.functions, name),
            plain_name=self._places.plain_name,
        )
        self._executor.arrays[SELF] = arrays_of(layout.registers)
        for name, base in zip(function.parameters, (SELF, PORTS), strict=False):
            self._executor.values[name] = place(base)

    @property
    def tables(self) -> dict[str, Table]:
        """The constant tables that the function reads, by name."""
        return self._accesses.tables

    @property
    def constants(self) -> Mapping[str, Constant]:
        """The constants that the function reads, by their names in LLVM."""
        return self._globals.constants

    def run(self, state: Segments) -> Segments:
        """The unit's memory after the function, given that before it.

        Raises:
            UnsupportedUnitError: the function cannot become hardware.
        """
        for name in self._flow.order:
            self._executor.contents = dict(self._entry_memory(name, state))
            if name != EXIT:
                for instruction in self._flow.blocks[name].instructions[:-1]:
                    self._instruction(instruction, name)
            self._memories[name] = self._executor.contents
        return self._memories[EXIT][SELF]

    def _control_flow(self, function: Function) -> ControlFlow:
        if function.blocks[0].terminator.opcode == "unreachable":
            raise UnsupportedUnitError(
                self._places.last_line(function.blocks[0].instructions),
                "the step never ends",
                "do one iteration of an endless loop in each step",
            )
        try:
            return ControlFlow(function)
        except LoopError as error:
            raise self._places.left_loop(function, error.block.instructions) from error

    def _line_before(self, instruction: Instruction, block: str) -> str:
        """The last line ahead of an instruction that has none, as a library's own has none."""
        instructions = self._flow.blocks[block].instructions
        return self._places.last_line(instructions[: instructions.index(instruction)])

    # Blocks

    def _entry_memory(self, name: str, state: Segments) -> Memory:
        predecessors = self._flow.predecessors[name]
        if not predecessors:
            return {SELF: state}
        if len(predecessors) == 1:
            return self._memories[predecessors[0]]
        conditions = [self._arrival(other, name) for other in predecessors]

        def choose(contents: Sequence[Content]) -> Content:
            return self._accesses.choose(list(zip(conditions, contents, strict=True)))

        return merge(self.builder, [self._memories[other] for other in predecessors], choose)

    def _arrival(self, other: str, name: str) -> Node:
        """Whether `name`, when it runs, is entered from `other`."""
        return self._predicates.arrival(self._flow.dominator[name], other, name)

    def _edge(self, source: str, target: str) -> Node:
        """Whether block `source`, when it runs, goes on to `target`."""
        terminator = self._flow.blocks[source].terminator
        if not terminator.operands or terminator.opcode == "ret":
            return self.builder.const(1, 1)
        value = self._executor.node(terminator.operands[0])
        if terminator.opcode == "br":
            taken = value if terminator.labels[0] == target else self.builder.not_(value)
            return self.builder.const(1, 1) if terminator.labels[0] == terminator.labels[1] else taken
        cases = [
            (label, self.builder.eq(value, self._executor.node(case)))
            for label, case in zip(terminator.labels[1:], terminator.operands[1:], strict=True)
        ]
        taken = self.builder.any_of([bit for label, bit in cases if label == target])
        if terminator.labels[0] != target:
            return taken
        others = self.builder.any_of([bit for label, bit in cases if label != target])
        return self.builder.not_(others)

    # Instructions

    def _instruction(self, instruction: Instruction, block: str) -> None:
        line = self._places.line(instruction)
        try:
            if instruction.opcode == "phi":
                result = self._phi(instruction, block)
            else:
                condition = self._predicates.block(block)
                result = self._executor.execute(instruction, block, condition, line)
        except NotHardwareError as error:
            place = line or self._places.callee_line(instruction) or self._line_before(instruction, block)
            raise self._places.refusal(error, instruction, place) from error
        if instruction.result:
            self._executor.values[instruction.result] = result
            self._remember(instruction.result, result, line)

    def _phi(self, instruction: Instruction, block: str) -> Result:
        values = dict(zip(instruction.labels, instruction.operands, strict=True))
        return self._executor.merge(
            [
                (self._arrival(other, block), self._executor.result_of(values[other]))
                for other in self._flow.predecessors[block]
            ]
        )

    def _remember(self, name: str, result: Result, line: str) -> None:
        """Note where a node comes from: the first variable that holds it, and the first line."""
        if not isinstance(result, Node):
            return
        node = _core(result)
        known = self.origins.get(node, Origin())
        variable = self._names.get(name)
        plain = self._info.variable(variable, is_library) if variable else ""
        self.origins[node] = Origin(known.name or plain, known.line or line)


def _core(node: Node) -> Node:
    """The part of a value that is not its extension to whole bytes."""
    while (
        node.op is Op.CONCAT and node.args[-1].op is Op.CONST and len(node.args) == 2
    ) or node.op is Op.SEXT:
        node = node.args[0]
    return node
