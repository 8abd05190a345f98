"""Whether a loop is none in the C++: clang makes one of a function that calls itself at its end."""

from __future__ import annotations

from thresher.hlsc.clang import UnitSource
from thresher.hlsc.frontend.recursion import LeftLoopError, calls_itself, recursion
from thresher.hlsc.llvm.debug_info import DebugInfo, without_arguments
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.refusal import UnsupportedUnitError
from thresher.hlsc.uninitialised import unoptimised


def recursion_behind(source: UnitSource, loop: LeftLoopError) -> UnsupportedUnitError | None:
    """The refusal of the innermost function around the loop that calls itself in the C++, or None."""
    module = parse(unoptimised(source))
    names = DebugInfo(module.metadata).function_names
    for symbol in loop.functions:
        if symbol in module.functions and calls_itself(module.functions, symbol):
            error = recursion(without_arguments(names.get(symbol, symbol)))
            return UnsupportedUnitError(loop.line, error.reason, error.remedy)
    return None
