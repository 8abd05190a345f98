"""Loads and stores of a step, through pointers that may be one of several places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import memory
from thresher.hlsc.frontend.addressing import elements, table_index
from thresher.hlsc.frontend.memory import Content, Memory, Segment
from thresher.hlsc.frontend.pointers import NULL, Pointer, Target
from thresher.hlsc.frontend.site import address_width
from thresher.hlsc.ir import Node, Table, TableStyle
from thresher.hlsc.llvm.constants import constant_bytes
from thresher.hlsc.llvm.debug_info import DebugInfo, Leaf
from thresher.hlsc.refusal import NotHardwareError

SELF = "self"
PORTS = "ports"


@dataclass(frozen=True)
class Constant:
    """The contents of a constant that a function reads; `name` is that in the C++."""

    name: str
    data: bytes


def _contents(text: str, types: Mapping[str, str]) -> bytes | None:
    """The bytes of a global; None if they are not constant, or not of integers."""
    try:
        return constant_bytes(text, types)
    except ValueError:
        return None


@dataclass
class Globals:
    """The constant tables of the module, as bytes; `constants` are those that were asked for."""

    texts: Mapping[str, str]
    types: Mapping[str, str]
    info: DebugInfo
    constants: dict[str, Constant] = field(default_factory=dict)

    def bytes(self, symbol: str) -> bytes:
        """The contents of a global.

        Raises:
            NotHardwareError: it is not constant.
        """
        if symbol not in self.constants:
            data = _contents(self.texts.get(symbol, ""), self.types)
            if data is None and " constant " in f" {self.texts.get(symbol, '')}":
                raise NotHardwareError(
                    f"the constant '{self.name(symbol)}' is read, which does not hold integers alone",
                    "make it a table of integers: indices in place of pointers, fixed point in place of "
                    "floating point",
                )
            if data is None:
                raise NotHardwareError(
                    f"the variable '{self.name(symbol)}' is read, which is no constant",
                    "declare it constexpr, or make it a member of the unit",
                )
            self.constants[symbol] = Constant(self.name(symbol), data)
        return self.constants[symbol].data

    def name(self, symbol: str) -> str:
        """The C++ name; where LLVM made the variable itself, just what it is."""
        plain = symbol if symbol.isidentifier() and not symbol.startswith("_Z") else "table"
        return self.info.global_name(self.texts.get(symbol, "")) or plain


@dataclass
class Accesses:
    """Reads and writes the memory of one path through the step."""

    builder: Builder
    globals: Globals
    tables: dict[str, Table] = field(default_factory=dict)

    def load(self, contents: Memory, pointer: Pointer, width: int) -> Content:
        """`width` bits."""
        places = self._places(pointer, width)
        return self.choose([(place.condition, self._load(contents, place, width)) for place in places])

    def _places(self, pointer: Pointer, width: int) -> list[Target]:
        """What a pointer that is followed may mean; an index into a constant table stays a variable.

        Raises:
            NotHardwareError: it is null.
        """
        size = -(-width // 8)
        targets = [target for target in pointer.targets if target.base != NULL]
        if not targets:
            raise NotHardwareError(
                "a null pointer is followed", "follow it only where it points to an object of the unit"
            )
        return [
            place
            for target in targets
            for place in ([target] if target.is_constant else elements(self.builder, target, size))
        ]

    def choose(self, choices: Sequence[tuple[Node | None, Content]]) -> Content:
        """The content whose condition holds, where exactly one does."""
        known = [(condition, value) for condition, value in choices if value is not None]
        if not known:
            return None
        result = known[-1][1]
        for condition, value in known[-2::-1]:
            result = value if condition is None else self.builder.select(condition, value, result)
        return result

    def _load(self, contents: Memory, target: Target, width: int) -> Content:
        if target.is_constant:
            return self._constant(target, width)
        if target.base not in contents:
            raise _foreign("read", target)
        return memory.load(self.builder, contents[target.base], 8 * target.offset, width)

    def _constant(self, target: Target, width: int) -> Node:
        symbol = target.base[1:]
        data = self.globals.bytes(symbol)
        size = -(-width // 8)
        if not target.terms:
            word = int.from_bytes(data[target.offset : target.offset + size], "little")
            return self.builder.const(width, word)
        steps, stride = table_index(self.builder, target)
        first, inside = divmod(target.offset, stride)
        places = range(inside, len(data) - size + 1, stride)
        words = [int.from_bytes(data[place : place + size], "little") for place in places]
        index = self.builder.add(steps, self.builder.const(steps.width, first))
        return self.lookup(self.globals.name(symbol), width, words, index)

    def rom(self, target: Target, width: int, depth: int, style: TableStyle, address: Node) -> Node:
        """A word of a table of 64-bit words."""
        symbol = target.base[1:]
        data = self.globals.bytes(symbol)
        stride = 8 * -(-width // 64)
        table = data[target.offset : target.offset + depth * stride]
        words = [
            int.from_bytes(table[place : place + stride], "little") for place in range(0, len(table), stride)
        ]
        name = self.globals.name(symbol)
        if len(table) < len(data):
            name = f"{name}_{target.offset // len(table)}"
        return self.lookup(name, width, words, address, style)

    def lookup(
        self,
        name: str,
        width: int,
        words: Sequence[int],
        address: Node,
        style: TableStyle = TableStyle.AUTO,
    ) -> Node:
        """A word of a table that is made if there is none yet with these words."""
        mask = (1 << width) - 1
        contents = tuple(word & mask for word in words)
        wanted, number = name, 0
        table = Table(name, width, contents, style)
        while wanted in self.tables and self.tables[wanted] != replace(table, name=wanted):
            number += 1
            wanted = f"{name}_{number}"
        table = self.tables.setdefault(wanted, replace(table, name=wanted))
        return self.builder.rom(table, self.builder.resize(address, address_width(len(contents))))

    def store(
        self, contents: dict[str, memory.Segments], pointer: Pointer, width: int, value: Content
    ) -> None:
        """Store `width` bits."""
        for target in self._places(pointer, width):
            if target.base not in contents:
                raise _foreign("written", target)
            low = 8 * target.offset
            segments = contents[target.base]
            new = value
            if target.condition is not None:
                old = memory.load(self.builder, segments, low, width)
                new = self.choose([(target.condition, value), (None, old)])
            contents[target.base] = memory.store(self.builder, segments, low, width, new)


def _foreign(verb: str, target: Target) -> NotHardwareError:
    if target.base == PORTS:
        return NotHardwareError("a stream is copied", "pass streams, and 'Ports', by reference")
    return NotHardwareError(
        f"memory is {verb} that is neither the unit's nor a local variable's",
        "keep what lasts in members of the unit",
    )


def initial_state(builder: Builder, registers: Sequence[Leaf]) -> memory.Segments:
    """The unit's memory before the step: each member as it lies there, extended to whole bytes."""
    segments = []
    for leaf in registers:
        value = builder.state(leaf.name, leaf.width)
        extend = builder.sext if leaf.signed else builder.zext
        segments.append(Segment(leaf.offset, leaf.size, extend(value, leaf.size)))
    return tuple(sorted(segments, key=lambda segment: segment.low))
