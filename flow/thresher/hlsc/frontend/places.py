"""Where in the C++ an instruction stands, and what is said of one that cannot become hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thresher.hlsc.frontend.layout import is_library, is_standard
from thresher.hlsc.frontend.recursion import LeftLoopError
from thresher.hlsc.frontend.refused_calls import is_allocation, of_call
from thresher.hlsc.frontend.standard_library import of_standard_library
from thresher.hlsc.llvm.debug_info import DebugInfo, without_arguments
from thresher.hlsc.llvm.module import Function, Instruction
from thresher.hlsc.refusal import NotHardwareError, UnsupportedUnitError

_LEFT_LOOP = NotHardwareError(
    "a loop is left after unrolling, and a step is one clock cycle",
    "give the loop a constant number of iterations, or do one iteration in each step",
)


@dataclass(frozen=True)
class Places:
    """The places of instructions; `functions` are all of the module."""

    info: DebugInfo
    functions: Mapping[str, Function]

    def line(self, instruction: Instruction) -> str:
        """The user's own `file:line`, or nothing."""
        return self.info.line(instruction.location, is_library) if instruction.location else ""

    def last_line(self, instructions: Sequence[Instruction]) -> str:
        """That of the last of these that has one."""
        return next(filter(None, map(self.line, reversed(instructions))), "")

    def callee_line(self, instruction: Instruction) -> str:
        """Where the function that is called stands, for a call that is not the user's."""
        callee = self.functions.get(instruction.detail)
        return self.info.declaration_line(callee.location) if callee and callee.location else ""

    def plain_name(self, symbol: str) -> str:
        """The name of a function in the C++, without what it stands in."""
        return without_arguments(self.info.function_names.get(symbol, symbol))

    def refusal(self, error: NotHardwareError, instruction: Instruction, line: str) -> UnsupportedUnitError:
        """That of an instruction, with its line."""
        said = of_standard_library(error, self._library_call(instruction))
        return UnsupportedUnitError(line, said.reason, said.remedy)

    def left_loop(self, function: Function, latch: Sequence[Instruction]) -> UnsupportedUnitError:
        """That of a loop, which `latch` ends; or of memory that is allocated, the cause of many a loop."""
        for block in function.blocks:
            for each in block.instructions:
                if each.opcode == "call" and is_allocation(each.detail):
                    error = of_call(each.detail, self.plain_name(each.detail))
                    return self.refusal(error, each, self.line(each))
        called = next(filter(None, map(self._library_call, reversed(latch))), "")
        said = of_standard_library(_LEFT_LOOP, called)
        places = [each.location for each in latch if each.location]
        functions = dict.fromkeys(name for place in places for name in self.info.functions(place))
        return LeftLoopError(self.last_line(latch), said.reason, said.remedy, tuple(functions))

    def _library_call(self, instruction: Instruction) -> str:
        """The function of the standard library that the user called there, or nothing."""
        if not instruction.location:
            return ""
        called = self.info.library_call(instruction.location, is_standard)
        callee = self.info.function_nodes.get(instruction.detail) if instruction.opcode == "call" else None
        if called or callee is None:
            return called
        name = self.info.qualified_name(callee)
        return name if name.startswith("std::") else ""
