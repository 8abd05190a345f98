"""What the names and operands of a step stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.effects import Effects
from thresher.hlsc.frontend.layout import UnitLayout
from thresher.hlsc.frontend.memory import Segments
from thresher.hlsc.frontend.pointers import Array, Pointer, place
from thresher.hlsc.frontend.state import Accesses
from thresher.hlsc.ir import Node
from thresher.hlsc.llvm.module import Address, Local, Number, Operand, Undefined
from thresher.hlsc.llvm.types import IntegerType, PointerType
from thresher.hlsc.refusal import NotHardwareError

Result = Node | Pointer | tuple[Node, Node] | None
"""What a name stands for; None where any value will do."""


@dataclass
class Symbols:
    """The state of the walk through a step.

    `values` holds what names stand for, `contents` the memory of the block that is walked, and
    `arrays` the arrays of each object that a variable may index.
    """

    builder: Builder
    layout: UnitLayout
    accesses: Accesses
    effects: Effects
    is_defined: Callable[[str], bool]
    plain_name: Callable[[str], str]
    values: dict[str, Result] = field(default_factory=dict)
    contents: dict[str, Segments] = field(default_factory=dict)
    arrays: dict[str, Sequence[Array]] = field(default_factory=dict)

    def result_of(self, operand: Operand) -> Result:
        """What an operand stands for."""
        value = operand.value
        if isinstance(value, Local):
            return self.values[value.name]
        if isinstance(value, Number) and isinstance(operand.type, IntegerType):
            return self.builder.const(operand.type.width, value.value)
        if isinstance(value, Address):
            return place("@" + value.symbol, value.offset)
        if isinstance(value, Undefined):
            return None
        raise unknown(f"the constant '{value}'")

    def node(self, operand: Operand) -> Node:
        """An operand that is an integer; zero where any value will do.

        Raises:
            NotHardwareError: it is none.
        """
        result = self.result_of(operand)
        if isinstance(result, Node):
            return result
        if isinstance(operand.type, PointerType):
            raise NotHardwareError(
                "an address is used as a number",
                "use indices; the addresses of members mean nothing in hardware",
            )
        return self.builder.const(width_of(operand), 0)

    def pointer(self, operand: Operand) -> Pointer:
        """An operand that is a pointer.

        Raises:
            NotHardwareError: it points to what is not the unit's.
        """
        result = self.result_of(operand)
        if not isinstance(result, Pointer):
            raise NotHardwareError(
                "a pointer is followed that was loaded from memory or made from a number",
                "hold objects as members of the unit, not through pointers",
            )
        return result

    def merge(self, choices: Sequence[tuple[Node, Result]]) -> Result:
        """What a name stands for where exactly one of the conditions holds."""
        known = [(condition, result) for condition, result in choices if result is not None]
        pointers = [(condition, result) for condition, result in known if isinstance(result, Pointer)]
        if pointers:
            same = pointers[0][1]
            if all(result == same for _, result in pointers):
                return same
            found = [result.under(self.builder, condition) for condition, result in pointers]
            return Pointer(tuple(target for pointer in found for target in pointer.targets))
        nodes = [(condition, result) for condition, result in known if isinstance(result, Node)]
        return self.accesses.choose(nodes)


def width_of(operand: Operand) -> int:
    """The width of an integer operand.

    Raises:
        NotHardwareError: it is of another type.
    """
    if not isinstance(operand.type, IntegerType):
        raise unknown("a value that is no integer")
    return operand.type.width


def unknown(what: str) -> NotHardwareError:
    """The refusal of something that units should not need."""
    return NotHardwareError(f"{what} has no meaning in hardware here", "write it with integer operators")
