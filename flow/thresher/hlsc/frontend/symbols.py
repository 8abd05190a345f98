"""What the names and operands of a step stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import addresses
from thresher.hlsc.frontend.addresses import AddressSum
from thresher.hlsc.frontend.division import Divisions
from thresher.hlsc.frontend.effects import Effects
from thresher.hlsc.frontend.layout import UnitLayout
from thresher.hlsc.frontend.memory import Segments
from thresher.hlsc.frontend.pointers import NULL, Array, Pointer, place
from thresher.hlsc.frontend.state import Accesses
from thresher.hlsc.ir import Node
from thresher.hlsc.llvm.module import Address, Aggregate, Local, Number, Operand, Undefined, Zeros
from thresher.hlsc.llvm.types import IntegerType, PointerType, StructType
from thresher.hlsc.refusal import NotHardwareError

Part = Node | Pointer | AddressSum | None
"""What one scalar stands for; None where any value will do."""

Result = Part | tuple[Part, ...]
"""What a name stands for: a scalar, or the elements of a structure."""


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
    is_recursive: Callable[[str], bool]
    plain_name: Callable[[str], str]
    values: dict[str, Result] = field(default_factory=dict)
    contents: dict[str, Segments] = field(default_factory=dict)
    arrays: dict[str, Sequence[Array]] = field(default_factory=dict)
    divisions: Divisions = field(init=False)

    def __post_init__(self) -> None:
        self.divisions = Divisions(self.builder)

    def result_of(self, operand: Operand) -> Result:
        """What an operand stands for."""
        value = operand.value
        if isinstance(value, Local):
            return self.values[value.name]
        if isinstance(value, Number) and isinstance(operand.type, IntegerType):
            return self.builder.const(operand.type.width, value.value)
        if isinstance(value, Number) and isinstance(operand.type, PointerType):
            return place(NULL)
        if isinstance(value, Address):
            return place("@" + value.symbol, value.offset)
        if isinstance(value, Undefined):
            return None
        if isinstance(value, Aggregate | Zeros) and isinstance(operand.type, StructType):
            return self._elements(operand.type, value)
        raise unknown(f"the constant '{getattr(value, 'text', 'of several values')}'")

    def _elements(self, kind: StructType, value: Aggregate | Zeros) -> tuple[Part, ...]:
        zeros = [Operand(element, Number(0)) for element in kind.elements]
        operands = value.elements if isinstance(value, Aggregate) else zeros
        found = [self.result_of(operand) for operand in operands]
        parts = tuple(part for part in found if not isinstance(part, tuple))
        if len(parts) < len(found):
            raise unknown("a value that is a structure in a structure")
        return parts

    def number(self, operand: Operand) -> Node | AddressSum:
        """An operand that is an integer, an address in it or not; zero where any value will do.

        Raises:
            NotHardwareError: it is none.
        """
        result = self.result_of(operand)
        return result if isinstance(result, AddressSum) else self.node(operand)

    def node(self, operand: Operand) -> Node:
        """An operand that is an integer; zero where any value will do.

        Raises:
            NotHardwareError: it is none.
        """
        result = self.result_of(operand)
        if isinstance(result, Node):
            return result
        if isinstance(result, AddressSum):
            return addresses.numbered(self.builder, result)
        if isinstance(operand.type, PointerType):
            raise addresses.address_used()
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
        """What a name stands for where exactly one of the conditions holds.

        Raises:
            NotHardwareError: addresses of different objects are merged into one number.
        """
        known = [(condition, result) for condition, result in choices if result is not None]
        structures = [(condition, result) for condition, result in known if isinstance(result, tuple)]
        if not structures:
            parts = [(condition, part) for condition, part in known if not isinstance(part, tuple)]
            return self._merge_scalars(parts)
        conditions = [condition for condition, _ in structures]
        columns = zip(*(structure for _, structure in structures), strict=True)
        return tuple(self._merge_scalars(list(zip(conditions, column, strict=True))) for column in columns)

    def _merge_scalars(self, known: Sequence[tuple[Node, Part]]) -> Part:
        pointers = [(condition, result) for condition, result in known if isinstance(result, Pointer)]
        if pointers:
            return self._merge_pointers(pointers)
        numbers = [
            (condition, result) for condition, result in known if isinstance(result, (Node, AddressSum))
        ]
        if any(isinstance(result, AddressSum) for _, result in numbers):
            return addresses.merged(self.builder, numbers)
        return self.accesses.choose(
            [(condition, result) for condition, result in numbers if isinstance(result, Node)]
        )

    def _merge_pointers(self, pointers: Sequence[tuple[Node, Pointer]]) -> Pointer:
        same = pointers[0][1]
        if all(result == same for _, result in pointers):
            return same
        found = [result.under(self.builder, condition) for condition, result in pointers]
        return Pointer(tuple(target for pointer in found for target in pointer.targets)).simplified(
            self.builder
        )


def width_of(operand: Operand) -> int:
    """The width of an integer operand.

    Raises:
        NotHardwareError: it is of another type.
    """
    if not isinstance(operand.type, IntegerType):
        raise unknown("a value that is no integer")
    return operand.type.width


def unknown(what: str) -> NotHardwareError:
    """The refusal of what clang makes of C++ that units should not need, or that hlsc should take."""
    return NotHardwareError(
        f"clang makes of this line {what}, which hlsc has no hardware for",
        "write it in another way; if it holds nothing but integer operators, report it: hlsc should take it",
    )
