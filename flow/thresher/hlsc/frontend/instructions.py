"""One instruction of a step at a time: what it computes, and what it does to memory."""

from __future__ import annotations

from collections.abc import Callable

from thresher.hlsc.frontend import addresses, operations
from thresher.hlsc.frontend.addresses import AddressSum
from thresher.hlsc.frontend.addressing import step_pointer
from thresher.hlsc.frontend.calls import Calls
from thresher.hlsc.frontend.division import OPCODES
from thresher.hlsc.frontend.memory import Segment
from thresher.hlsc.frontend.pointers import Array, place
from thresher.hlsc.frontend.site import Site
from thresher.hlsc.frontend.symbols import Result, unknown, width_of
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.llvm.module import Instruction, Operand, Undefined
from thresher.hlsc.llvm.types import IntegerType, OtherType, PointerType, bytes_of
from thresher.hlsc.refusal import NotHardwareError

_OF_VECTORS = frozenset({"insertelement", "extractelement", "shufflevector"})
_OF_FLOATS = frozenset({"fcmp", "fneg"})


class Executor(Calls):
    """Executes instructions on symbols."""

    def execute(self, instruction: Instruction, block: str, condition: Node, line: str) -> Result:
        """The result of an instruction other than a `phi` or a terminator.

        Raises:
            NotHardwareError: it cannot become hardware.
            UnsupportedUnitError: a stream or a memory is used in a way that no step can.
        """
        if instruction.opcode == "call":
            return self.call(instruction, Site(block, condition, line))
        action = _ACTIONS.get(instruction.opcode, Executor._arithmetic)
        if action in _OF_OPERANDS and not instruction.operands:
            raise unknown(f"the LLVM instruction '{instruction.opcode}' on a constant that hlsc cannot read")
        return action(self, instruction)

    def _arithmetic(self, instruction: Instruction) -> Result:
        try:
            _check_integers(instruction)
            a, b = (self.number(operand) for operand in instruction.operands)
            if isinstance(a, AddressSum) or isinstance(b, AddressSum):
                return addresses.combined(self.builder, instruction.opcode, a, b)
            if instruction.opcode in OPCODES:
                return self.divisions.divide(instruction.opcode, a, b)
            if instruction.opcode == "sub":
                return self.divisions.difference(a, b)
            return operations.binary(self.builder, instruction.opcode, a, b)
        except (KeyError, ValueError) as error:
            raise _of_instruction(instruction) from error

    def _icmp(self, instruction: Instruction) -> Result:
        first, second = instruction.operands
        if isinstance(first.type, PointerType):
            return self._compare_pointers(instruction.detail, first, second)
        a, b = self.number(first), self.number(second)
        if isinstance(a, AddressSum) and isinstance(b, AddressSum):
            return addresses.compare_numbers(self.builder, instruction.detail, a, b)
        return operations.compare(self.builder, instruction.detail, self.node(first), self.node(second))

    def _compare_pointers(self, predicate: str, *operands: Operand) -> Result:
        if any(self.result_of(operand) is None for operand in operands):
            return self.builder.const(1, 0)
        a, b = (self.pointer(operand) for operand in operands)
        return addresses.compare_pointers(self.builder, predicate, a, b)

    def _address(self, instruction: Instruction) -> Result:
        """`ptrtoint`, or `ptrtoaddr`."""
        width = width_of(Operand(instruction.type, Undefined()))
        return addresses.address_of(self.builder, self.pointer(instruction.operands[0]), width)

    def _cast(self, instruction: Instruction) -> Result:
        operand = instruction.operands[0]
        _check_integers(instruction)
        if not isinstance(instruction.type, IntegerType):
            raise _of_instruction(instruction)
        number = self.number(operand)
        if isinstance(number, AddressSum) and instruction.opcode == "trunc":
            return addresses.truncated(self.builder, number, instruction.type.width)
        extend = self.builder.sext if instruction.opcode == "sext" else self.builder.resize
        return extend(self.node(operand), instruction.type.width)

    def _same(self, instruction: Instruction) -> Result:
        return self.result_of(instruction.operands[0])

    def _select(self, instruction: Instruction) -> Result:
        condition = self.node(instruction.operands[0])
        a, b = (self.result_of(operand) for operand in instruction.operands[1:])
        return self.merge([(condition, a), (self.builder.not_(condition), b)])

    def _alloca(self, instruction: Instruction) -> Result:
        if any(self.node(count).op is not Op.CONST for count in instruction.operands):
            raise NotHardwareError("an array of variable size", "give it a constant size")
        base = f"local {instruction.result}"
        size = bytes_of(instruction.type)
        self.contents[base] = (Segment(0, 8 * size, None),)
        self.arrays[base] = (Array(0, size, 1),)
        return place(base)

    def _asm(self, instruction: Instruction) -> Result:
        raise NotHardwareError("assembly is embedded", "write it in C++")

    def _load(self, instruction: Instruction) -> Result:
        _check_integers(instruction)
        if not isinstance(instruction.type, IntegerType):
            raise _loaded(instruction)
        pointer = self.pointer(instruction.operands[0])
        return self.accesses.load(self.contents, pointer, instruction.type.width)

    def _store(self, instruction: Instruction) -> Result:
        operand, where = instruction.operands
        _check_integers(instruction)
        if not isinstance(operand.type, IntegerType):
            raise NotHardwareError(
                "an address is stored", "hold objects as members of the unit, not through pointers"
            )
        content = self.result_of(operand)
        if content is not None and not isinstance(content, Node):
            raise addresses.address_used()
        self.accesses.store(self.contents, self.pointer(where), operand.type.width, content)
        return None

    def _getelementptr(self, instruction: Instruction) -> Result:
        base, *indices = instruction.operands
        nodes = [self.node(index) for index in indices]
        inbounds = instruction.detail == "inbounds"
        return step_pointer(self.builder, self.pointer(base), instruction.type, nodes, self.arrays, inbounds)

    def _extractvalue(self, instruction: Instruction) -> Result:
        structure = self.result_of(instruction.operands[0])
        return structure[int(instruction.detail)] if isinstance(structure, tuple) else None


def _check_integers(instruction: Instruction) -> None:
    """Refuse the types that C++ has and hardware, for hlsc, has not.

    Raises:
        NotHardwareError: a floating-point number or a vector is computed.
    """
    kinds = (instruction.type, *(operand.type for operand in instruction.operands))
    others = {kind.name for kind in kinds if isinstance(kind, OtherType)} - {"void"}
    if instruction.opcode in _OF_VECTORS or any(name.startswith("<") for name in others):
        raise NotHardwareError(
            "a vector is computed", "write a loop with a constant number of iterations over its elements"
        )
    if instruction.opcode in _OF_FLOATS or others:
        raise NotHardwareError("a floating-point number is computed", "scale it to an integer of fixed point")


def _loaded(instruction: Instruction) -> NotHardwareError:
    """The refusal of a load of what is no integer."""
    if isinstance(instruction.type, PointerType):
        return NotHardwareError(
            "a pointer is loaded from memory",
            "keep an index in place of the pointer, and choose between objects by it or by `if`",
        )
    return unknown("the load of a whole structure")


def _of_instruction(instruction: Instruction) -> NotHardwareError:
    """The refusal of an instruction, by the C++ that it stems from where that can be known."""
    known = _REFUSED.get(instruction.opcode)
    return NotHardwareError(*known) if known else unknown(f"the LLVM instruction '{instruction.opcode}'")


_ATOMIC = (
    "an atomic operation is done",
    "use plain operators: a step is alone with the members, and the next begins with what it has left",
)
_REFUSED = {
    **dict.fromkeys(("atomicrmw", "cmpxchg", "fence"), _ATOMIC),
    "va_arg": ("a function of a variable number of arguments is called", "write a variadic template"),
    "inttoptr": ("a pointer is made from a number", "use indices; hardware has no addresses"),
    "insertvalue": (
        "a structure is computed as one value",
        "return it through a reference parameter, or compute its members one by one",
    ),
}


_ACTIONS: dict[str, Callable[[Executor, Instruction], Result]] = {
    "icmp": Executor._icmp,
    "trunc": Executor._cast,
    "zext": Executor._cast,
    "sext": Executor._cast,
    "ptrtoint": Executor._address,
    "ptrtoaddr": Executor._address,
    "freeze": Executor._same,
    "select": Executor._select,
    "alloca": Executor._alloca,
    "asm": Executor._asm,
    "load": Executor._load,
    "store": Executor._store,
    "getelementptr": Executor._getelementptr,
    "extractvalue": Executor._extractvalue,
}

_OF_OPERANDS = frozenset(_ACTIONS.values()) - {Executor._alloca, Executor._asm}
"""What needs an operand; an instruction that cannot be read has none."""
