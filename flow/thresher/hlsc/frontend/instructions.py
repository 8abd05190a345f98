"""One instruction of a step at a time: what it computes, and what it does to memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import operations
from thresher.hlsc.frontend.addressing import Extent, step_pointer
from thresher.hlsc.frontend.effects import Effects, Site, address_width
from thresher.hlsc.frontend.layout import UnitLayout
from thresher.hlsc.frontend.memory import Content, Segment, Segments
from thresher.hlsc.frontend.pointers import Pointer, Target, place
from thresher.hlsc.frontend.state import PORTS, SELF, Accesses
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.llvm.module import Address, Instruction, Local, Number, Operand, Undefined
from thresher.hlsc.llvm.types import IntegerType, OtherType, PointerType, bytes_of
from thresher.hlsc.refusal import NotHardwareError

Result = Node | Pointer | tuple[Node, Node] | None
"""What a name stands for; None where any value will do."""

_OF_VECTORS = frozenset({"insertelement", "extractelement", "shufflevector"})
_OF_FLOATS = frozenset({"fcmp", "fneg"})
_IGNORED = ("llvm.lifetime.end", "llvm.assume", "llvm.experimental.noalias.scope.decl", "llvm.dbg.")


@dataclass
class Interpreter:
    """Executes instructions on symbols.

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
    arrays: dict[str, Extent] = field(default_factory=dict)

    def execute(self, instruction: Instruction, block: str, condition: Node, line: str) -> Result:
        """The result of an instruction other than a `phi` or a terminator.

        Raises:
            NotHardwareError: it cannot become hardware.
            UnsupportedUnitError: a stream or a memory is used in a way that no step can.
        """
        if instruction.opcode == "call":
            return self._call(instruction, Site(block, condition, line))
        return _ACTIONS.get(instruction.opcode, Interpreter._arithmetic)(self, instruction)

    # Operands

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
        raise _unknown(f"the constant '{value}'")

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

    # Instructions

    def _arithmetic(self, instruction: Instruction) -> Result:
        try:
            _check_integers(instruction)
            a, b = (self.node(operand) for operand in instruction.operands)
            return operations.binary(self.builder, instruction.opcode, a, b)
        except operations.NotConstantError as error:
            raise NotHardwareError(
                "a division by a variable", "divide by a constant, or compute the quotient over several steps"
            ) from error
        except (KeyError, ValueError) as error:
            raise _unknown(f"the LLVM instruction '{instruction.opcode}'") from error

    def _icmp(self, instruction: Instruction) -> Result:
        a, b = (self.node(operand) for operand in instruction.operands)
        return operations.compare(self.builder, instruction.detail, a, b)

    def _cast(self, instruction: Instruction) -> Result:
        operand = instruction.operands[0]
        _check_integers(instruction)
        if not isinstance(instruction.type, IntegerType):
            raise _unknown(f"the LLVM instruction '{instruction.opcode}'")
        extend = self.builder.sext if instruction.opcode == "sext" else self.builder.resize
        return extend(self.node(operand), instruction.type.width)

    def _same(self, instruction: Instruction) -> Result:
        return self.result_of(instruction.operands[0])

    def _select(self, instruction: Instruction) -> Result:
        condition = self.node(instruction.operands[0])
        a, b = (self.result_of(operand) for operand in instruction.operands[1:])
        return self.merge([(condition, a), (self.builder.not_(condition), b)])

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

    def _alloca(self, instruction: Instruction) -> Result:
        base = f"local {instruction.result}"
        size = bytes_of(instruction.type)
        self.contents[base] = (Segment(0, 8 * size, None),)
        self.arrays[base] = ((0, size),)
        return place(base)

    def _load(self, instruction: Instruction) -> Result:
        if not isinstance(instruction.type, IntegerType):
            raise NotHardwareError(
                f"a value of the LLVM type '{_type_name(instruction)}' is loaded",
                "use integers; a unit holds its objects as members, not through pointers",
            )
        pointer = self.pointer(instruction.operands[0])
        return self.accesses.load(self.contents, pointer, instruction.type.width)

    def _store(self, instruction: Instruction) -> Result:
        operand, where = instruction.operands
        if not isinstance(operand.type, IntegerType):
            raise NotHardwareError(
                "an address is stored", "hold objects as members of the unit, not through pointers"
            )
        content = self.result_of(operand)
        assert content is None or isinstance(content, Node)
        self.accesses.store(self.contents, self.pointer(where), operand.type.width, content)
        return None

    def _getelementptr(self, instruction: Instruction) -> Result:
        base, *indices = instruction.operands
        nodes = [self.node(index) for index in indices]
        return step_pointer(self.builder, self.pointer(base), instruction.type, nodes, self.arrays)

    def _extractvalue(self, instruction: Instruction) -> Result:
        pair = self.result_of(instruction.operands[0])
        assert isinstance(pair, tuple)
        return pair[int(instruction.detail)]

    # Calls

    def _call(self, instruction: Instruction, site: Site) -> Result:
        name, operands = instruction.detail, instruction.operands
        if name.startswith("thresher_"):
            self._thresher(name, operands, site)
        elif name.startswith(("llvm.memcpy", "llvm.memmove", "llvm.memset")):
            self._move(name, operands)
        elif name.startswith("llvm.lifetime.start"):
            self._forget(operands[-1])
        elif not name.startswith(_IGNORED):
            return self._computed(name, operands)
        return None

    def _computed(self, name: str, operands: Sequence[Operand]) -> Result:
        """The result of a pure intrinsic.

        Raises:
            NotHardwareError: the call is of anything else.
        """
        if name.startswith("llvm."):
            known = operations.intrinsic(self.builder, name, [self.node(operand) for operand in operands])
            if known is not None:
                return known
            raise _unknown(f"the LLVM intrinsic '{name}'")
        if self.is_defined(name):
            raise NotHardwareError(
                f"the call of '{self.plain_name(name)}' cannot be inlined",
                "a step must not call itself, and calls no function marked noinline",
            )
        raise NotHardwareError(
            f"'{self.plain_name(name) or 'a function through a pointer'}' is called, which has no body here",
            "call only functions that the unit's headers define",
        )

    def _forget(self, operand: Operand) -> None:
        target = self.pointer(operand).only
        if target is not None and target.base in self.contents:
            segments = self.contents[target.base]
            self.contents[target.base] = (Segment(0, segments[-1].high, None),)

    def _move(self, name: str, operands: Sequence[Operand]) -> None:
        count = self.node(operands[2])
        if count.op is not Op.CONST:
            raise NotHardwareError("memory of variable size is copied", "copy a constant number of elements")
        if count.value == 0:
            return
        width = 8 * count.value
        if name.startswith("llvm.memset"):
            content: Content = self.builder.concat([self.node(operands[1])] * count.value)
        else:
            content = self.accesses.load(self.contents, self.pointer(operands[1]), width)
        self.accesses.store(self.contents, self.pointer(operands[0]), width, content)

    def _thresher(self, name: str, operands: Sequence[Operand], site: Site) -> None:
        if name == "thresher_rom":
            self._rom(operands)
        elif name in ("thresher_read", "thresher_write"):
            self._stream(name, operands, site)
        else:
            self._ram(name, operands, site)

    def _stream(self, name: str, operands: Sequence[Operand], site: Site) -> None:
        ports = {port.offset: port for port in self.layout.ports}
        port = ports[self._byte_of(operands[0], PORTS, "stream")]
        if name == "thresher_read":
            self._put(operands[2], self.effects.read(port, site))
        else:
            value = self._get(operands[2], port.width)
            self.effects.write(port, Site(site.block, site.condition, site.line, (value,)))

    def _ram(self, name: str, operands: Sequence[Operand], site: Site) -> None:
        rams = {ram.offset: ram for ram in self.layout.rams}
        ram = rams[self._byte_of(operands[0], SELF, "Ram")]
        address = self.builder.resize(self.node(operands[3]), address_width(ram.depth))
        if name == "thresher_ram_read":
            self._put(operands[4], self.effects.ram_read(ram, address, site))
        else:
            value = self._get(operands[4], ram.width)
            self.effects.ram_write(ram, Site(site.block, site.condition, site.line, (address, value)))

    def _rom(self, operands: Sequence[Operand]) -> None:
        width, depth = (self.node(operand).value for operand in operands[1:3])
        address = self.node(operands[3])
        words = [
            (target.condition, self.accesses.rom(target, width, depth, address))
            for target in self._tables(operands[0])
        ]
        word = self.accesses.choose(words)
        assert word is not None
        self._put(operands[4], word)

    def _tables(self, operand: Operand) -> Sequence[Target]:
        targets = self.pointer(operand).targets
        if any(target.index is not None or not target.base.startswith("@") for target in targets):
            raise NotHardwareError(
                "a table is chosen by a variable, or is not a constant",
                "read each table at constant indices, with the variable in the address",
            )
        return targets

    def _byte_of(self, operand: Operand, base: str, what: str) -> int:
        target = self.pointer(operand).only
        if target is None or target.base != base:
            raise NotHardwareError(
                f"which {what} is used depends on a variable, or it is not a member",
                f"name each {what} in a branch of its own",
            )
        return target.offset

    def _put(self, operand: Operand, value: Node) -> None:
        width = -(-value.width // 8) * 8
        self.accesses.store(self.contents, self.pointer(operand), width, self.builder.zext(value, width))

    def _get(self, operand: Operand, width: int) -> Node:
        content = self.accesses.load(self.contents, self.pointer(operand), width)
        return self.builder.const(width, 0) if content is None else content


def width_of(operand: Operand) -> int:
    """The width of an integer operand.

    Raises:
        NotHardwareError: it is of another type.
    """
    if not isinstance(operand.type, IntegerType):
        raise _unknown("a value that is no integer")
    return operand.type.width


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


def _type_name(instruction: Instruction) -> str:
    return (
        "ptr" if isinstance(instruction.type, PointerType) else getattr(instruction.type, "name", "aggregate")
    )


def _unknown(what: str) -> NotHardwareError:
    return NotHardwareError(f"{what} has no meaning in hardware here", "write it with integer operators")


_ACTIONS: dict[str, Callable[[Interpreter, Instruction], Result]] = {
    "icmp": Interpreter._icmp,
    "trunc": Interpreter._cast,
    "zext": Interpreter._cast,
    "sext": Interpreter._cast,
    "freeze": Interpreter._same,
    "select": Interpreter._select,
    "alloca": Interpreter._alloca,
    "load": Interpreter._load,
    "store": Interpreter._store,
    "getelementptr": Interpreter._getelementptr,
    "extractvalue": Interpreter._extractvalue,
}
