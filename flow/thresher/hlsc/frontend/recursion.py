"""Functions that call themselves, directly or by way of others.

clang turns some of them into loops, so that the optimised code does not show that they do.
"""

from __future__ import annotations

from collections.abc import Mapping

from thresher.hlsc.llvm.module import Function
from thresher.hlsc.refusal import NotHardwareError, UnsupportedUnitError


class LeftLoopError(UnsupportedUnitError):
    """A loop is left after unrolling; `functions` are the symbols of those around it, inner ones first."""

    def __init__(self, line: str, reason: str, remedy: str, functions: tuple[str, ...]) -> None:
        super().__init__(line, reason, remedy)
        self.line = line
        self.functions = functions


def calls_itself(functions: Mapping[str, Function], name: str) -> bool:
    """Whether a function with a body can come to call itself."""
    pending, seen = [name], set[str]()
    while pending:
        for called in _called(functions[pending.pop()]):
            if called == name:
                return True
            if called in functions and called not in seen:
                seen.add(called)
                pending.append(called)
    return False


def recursion(plain: str) -> NotHardwareError:
    """The refusal of a function by its name in the C++."""
    return NotHardwareError(
        f"'{plain}' calls itself",
        "write a loop with a constant number of iterations, or a template that ends at compile time",
    )


def _called(function: Function) -> set[str]:
    instructions = (each for block in function.blocks for each in block.instructions)
    return {each.detail for each in instructions if each.opcode == "call"}
