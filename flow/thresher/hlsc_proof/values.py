"""What the names of a translated function stand for, and its memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from thresher.hlsc_proof import meaning
from thresher.hlsc_proof.addresses import ADDRESS_BITS, NULL, AddressSpace, Pointer, either
from thresher.hlsc_proof.llvm_module import LlvmModule, Value
from thresher.hlsc_proof.streams import Stream

_CONSTANT_STEP = re.compile(
    r"ptr getelementptr (?:(?:inbounds|nuw|nusw) )*\((.+?), ptr @([-\w.$]+)((?:, i\d+ -?\d+)+)\)"
)

_WIDTH = re.compile(r"i(\d+)")
_ELEMENT = re.compile(r"i\d+ (-?\d+|true|false|undef|poison)")
_WORDS = {"true": "1", "false": "0", "undef": "0", "poison": "0"}


@dataclass(frozen=True)
class RamWrite:
    """A write of the step: the variables of whether it is done, of its address and of its word."""

    condition: str
    address: str
    word: str


@dataclass(frozen=True)
class Ram:
    """A `Ram` of the unit, by its byte in the unit, and the writes of a step, in order."""

    width: int
    depth: int
    writes: list[RamWrite] = field(default_factory=list)

    @property
    def address_bits(self) -> int:
        """The bits of an address."""
        return max((self.depth - 1).bit_length(), 1)


@dataclass
class Values:
    """The statements of a function, the variables that they assign, tables, and the unit's memories.

    Every method that translates raises `UntranslatedError` for what has no translation.
    """

    module: LlvmModule
    streams: Sequence[Stream]
    statements: list[str] = field(default_factory=list)
    variables: dict[str, int] = field(default_factory=dict)
    tables: dict[str, bytes] = field(default_factory=dict)
    rams: dict[int, Ram] = field(default_factory=dict)
    _space: AddressSpace = field(default_factory=AddressSpace)
    _values: dict[str, str | Pointer | tuple[str, str]] = field(default_factory=dict)
    _globals: dict[str, Pointer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._unit = self._object("unit", self.module.unit_bytes)
        self._ports = self._space.place("", max((each.offset for each in self.streams), default=0) + 1)

    def _object(self, variable: str, size: int) -> Pointer:
        self.variables[variable] = max(8 * size, 1)
        return self._space.place(variable, size)

    def _add(self, statement: str) -> None:
        self.statements.append(statement)

    def _leave_out(self, condition: str) -> None:
        """Hold nothing to a step in which the condition holds: the C++ does not say what it does."""
        self._add(f"undefined_o = undefined_o | ({condition});")

    def _fresh(self, width: int, expression: str) -> str:
        name = f"v{len(self.variables)}"
        self.variables[name] = width
        self._add(f"{name} = {expression};")
        return name

    def _choose(self, instruction: Value, choices: Sequence[tuple[str, Value]]) -> None:
        """The operand whose condition holds; the last in any other case."""
        conditions = [condition for condition, _ in choices]
        if str(instruction.type).startswith("{"):
            pairs = [self._pair(operand) for _, operand in choices]
            widths = [int(width) for width in _WIDTH.findall(str(instruction.type))]
            first, second = (
                self._fresh(width, _first_of(conditions, values))
                for width, values in zip(widths, zip(*pairs, strict=True), strict=True)
            )
            self._values[instruction.name] = first, second
            return
        values = [self._value(operand) for _, operand in choices]
        text = _first_of(conditions, [text_of(value) for value in values])
        pointers = [value for value in values if isinstance(value, Pointer)]
        if pointers:
            same = either("", pointers)
            chosen = self._fresh(ADDRESS_BITS, text) if same.step else ""
            self._values[instruction.name] = either(chosen, pointers)
        else:
            self._values[instruction.name] = self._fresh(width_of(instruction), text)

    # Values

    def _value(self, operand: Value) -> str | Pointer:
        if str(operand.type) == "ptr":
            return self._pointer(operand)
        return self._integer(operand)

    def _pair(self, operand: Value) -> tuple[str, str]:
        """A number and whether it overflowed, of an intrinsic or as a constant."""
        if not operand.is_constant:
            found = self._values[operand.name]
            assert isinstance(found, tuple)
            return found
        widths = [int(width) for width in _WIDTH.findall(str(operand.type))]
        numbers = _ELEMENT.findall(str(operand)) or ["0", "0"]
        first, second = (
            self._fresh(width, number(width, int(_WORDS.get(text, text))))
            for width, text in zip(widths, numbers, strict=True)
        )
        return first, second

    def _integer(self, operand: Value) -> str:
        """An operand that is an integer, as the name of a variable."""
        width = width_of(operand)
        if not width:
            raise self.module.refusal(f"a value of the LLVM type '{operand.type}'")
        if not operand.is_constant:
            found = self._values[operand.name]
            assert isinstance(found, str)
            return found
        kind = operand.value_kind.name
        if kind in ("undef_value", "poison_value"):
            return self._fresh(width, number(width, 0))
        if kind != "constant_int":
            raise self.module.refusal(f"the LLVM constant '{operand}'")
        return self._fresh(width, number(width, operand.get_constant_value()))

    def _pointer(self, operand: Value) -> Pointer:
        if not operand.is_constant:
            found = self._values[operand.name]
            assert isinstance(found, Pointer)
            return found
        kind = operand.value_kind.name
        if kind == "global_variable":
            return self._global(operand.name)
        if kind in ("undef_value", "poison_value", "constant_pointer_null"):
            return NULL
        stepped = _CONSTANT_STEP.fullmatch(str(operand))
        if kind != "constant_expr" or not stepped:
            raise self.module.refusal(f"the LLVM constant '{operand}'")
        indices = [int(index) for index in re.findall(r"i\d+ (-?\d+)", stepped[3])]
        return self._stepped(self._global(stepped[2]), self.module.type_of(stepped[1]), indices)

    def _global(self, name: str) -> Pointer:
        if name not in self._globals:
            data = self.module.constant(name)
            variable = f"table{len(self.tables)}"
            self.tables[variable] = data
            self._globals[name] = self._space.place(variable, len(data))
        return self._globals[name]

    def _stepped(self, pointer: Pointer, kind: Value, indices: Sequence[int | str]) -> Pointer:
        """After a `getelementptr`; an index is a number, or a variable of the bits of an address."""
        for place, index in enumerate(indices):
            if place and kind.is_struct:
                assert isinstance(index, int)
                offset, kind = self.module.step_into(kind, index)
                pointer = pointer.moved(offset)
                continue
            if place:
                kind = next(iter(kind.elements))
            size = self.module.size_of(kind)
            pointer = pointer.moved(index * size) if isinstance(index, int) else pointer.indexed(index, size)
        return pointer

    def _index(self, operand: Value) -> int | str:
        if operand.is_constant and operand.value_kind.name == "constant_int":
            value: int = operand.get_constant_value(signed_int=True)
            return value - (1 << width_of(operand)) if value >> width_of(operand) - 1 == 1 else value
        name, width = self._integer(operand), width_of(operand)
        opcode = "sext" if width < ADDRESS_BITS else "trunc"
        return self._fresh(ADDRESS_BITS, meaning.extended(opcode, ADDRESS_BITS, name))

    # Memory

    def _load(self, pointer: Pointer, width: int) -> str:
        """The integer at an address; 0 where there is none."""
        size = -(-width // 8)
        places = list(pointer.places(size))
        if pointer.known is not None and places:
            ((address, only),) = places
            return self._fresh(width, f"{width}'({only.bits(address, size)})")
        name = self._fresh(width, "'0")
        if not places:
            return name
        self._add(f"case ({pointer.text})")
        for address, each in places:
            self._add(f"  {ADDRESS_BITS}'d{address}: {name} = {width}'({each.bits(address, size)});")
        self._add("  default: ;")
        self._add("endcase")
        return name

    def _store(self, pointer: Pointer, size: int, value: str, run: str) -> None:
        """Store so many bytes where a block runs; `value` is a variable of as many bits."""
        places = [
            (address, each) for address, each in pointer.places(size) if each.variable in self.variables
        ]
        if not places:
            return
        if pointer.known is not None:
            ((address, only),) = places
            self._add(f"if ({run}) {only.bits(address, size)} = {value};")
            return
        self._add(f"if ({run}) case ({pointer.text})")
        for address, each in places:
            self._add(f"  {ADDRESS_BITS}'d{address}: {each.bits(address, size)} = {value};")
        self._add("  default: ;")
        self._add("endcase")

    def _store_integer(self, pointer: Pointer, size: int, value: str, run: str) -> None:
        """Store an integer, with zeros above it."""
        self._store(pointer, size, self._fresh(8 * size, f"{8 * size}'({value})"), run)


def _first_of(conditions: Sequence[str], values: Sequence[str]) -> str:
    """The value of the first condition that holds; the last is not looked at."""
    choices = (f"{condition} ? {value}" for condition, value in zip(conditions[:-1], values, strict=False))
    return " : ".join([*choices, values[-1]])


def text_of(value: str | Pointer) -> str:
    """The expression of a value."""
    return value.text if isinstance(value, Pointer) else value


def width_of(value: Value) -> int:
    """The bits of an integer; 0 of anything else."""
    found = re.fullmatch(r"i(\d+)", str(value.type))
    return int(found[1]) if found else 0


def number(width: int, value: int) -> str:
    """A literal of so many bits."""
    return f"{width}'h{value % (1 << width):x}"


def run_of(block: str) -> str:
    """The bit that says whether a block runs."""
    return f"run_{plain_name(block)}"


def plain_name(name: str) -> str:
    """A block's name as part of an identifier; unequal names stay so."""
    return re.sub(r"\W|_", lambda found: f"_{ord(found[0]):x}_", name, flags=re.ASCII)
