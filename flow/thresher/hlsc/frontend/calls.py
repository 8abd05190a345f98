"""Calls that are left after inlining: streams, memories, tables, and what LLVM writes as calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thresher.hlsc.frontend import library
from thresher.hlsc.frontend.initial_words import words_of_table
from thresher.hlsc.frontend.intrinsics import intrinsic
from thresher.hlsc.frontend.layout import Port, RamMember
from thresher.hlsc.frontend.memory import Content, Segment
from thresher.hlsc.frontend.pointers import Pointer, Target
from thresher.hlsc.frontend.recursion import recursion
from thresher.hlsc.frontend.refused_calls import of_call
from thresher.hlsc.frontend.site import Site, address_width
from thresher.hlsc.frontend.state import PORTS, SELF
from thresher.hlsc.frontend.symbols import Result, Symbols, unknown
from thresher.hlsc.ir import Node, Op, TableStyle
from thresher.hlsc.llvm.module import Instruction, Operand
from thresher.hlsc.llvm.types import IntegerType, Type
from thresher.hlsc.refusal import NotHardwareError

_IGNORED = (
    *("llvm.lifetime.end", "llvm.assume", "llvm.experimental.noalias.scope.decl", "llvm.dbg."),
    *("llvm.stacksave", "llvm.stackrestore", "llvm.prefetch", "llvm.donothing", "llvm.sideeffect"),
    *("llvm.var.annotation", "llvm.invariant.start", "llvm.invariant.end", "llvm.fake.use"),
)
_ITSELF = (
    *("llvm.threadlocal.address", "llvm.launder.invariant.group", "llvm.strip.invariant.group"),
    *("llvm.ssa.copy", "llvm.annotation", "llvm.ptr.annotation"),
)
"""Intrinsics that give their first argument."""

STYLES = (TableStyle.AUTO, TableStyle.BLOCK, TableStyle.DISTRIBUTED)
"""In the order of the enumerators of `thresher::RomStyle`."""

WRITE_FIRST = 1
"""`thresher::RamOrder::kWriteFirst`."""


class Calls(Symbols):
    """Executes calls on symbols."""

    def call(self, instruction: Instruction, site: Site) -> Result:
        """The result of a call.

        Raises:
            NotHardwareError: it cannot become hardware.
            UnsupportedUnitError: a stream or a memory is used in a way that no step can.
        """
        name, operands = instruction.detail, instruction.operands
        if name.startswith("thresher_"):
            return self._thresher(name, operands, site)
        if name.startswith(("llvm.memcpy", "llvm.memmove", "llvm.memset")):
            self._move(name, operands)
        elif name.startswith("llvm.lifetime.start"):
            self._forget(operands[-1])
        elif not name.startswith(_IGNORED):
            return self._computed(name, operands, instruction.type)
        return None

    def _computed(self, name: str, operands: Sequence[Operand], kind: Type) -> Result:
        """The result of a pure intrinsic, or of a function of C's library.

        Raises:
            NotHardwareError: the call is of anything else.
        """
        if name.startswith("llvm."):
            return self._intrinsic(name, operands, kind)
        if name in library.COMPARISONS and not self.is_defined(name):
            a, b = (self.pointer(operand) for operand in operands[:2])
            return library.compared(self.builder, self._read, a, b, self.node(operands[2]))
        if name in library.SEARCHES and not self.is_defined(name):
            value, size = (self.node(operand) for operand in operands[1:])
            pointer, step = self.pointer(operands[0]), library.SEARCHES[name]
            return library.found(self.builder, self._read, pointer, value, size, step)
        if self.is_defined(name):
            if self.is_recursive(name):
                raise recursion(self.plain_name(name))
            raise NotHardwareError(
                f"the call of '{self.plain_name(name)}' cannot be inlined",
                "a step calls no function marked noinline, and has no computed `goto`",
            )
        raise of_call(name, self.plain_name(name))

    def _intrinsic(self, name: str, operands: Sequence[Operand], kind: Type) -> Result:
        if name.startswith(_ITSELF):
            return self.result_of(operands[0])
        width = kind.width if isinstance(kind, IntegerType) else 0
        if name.startswith("llvm.objectsize"):
            smallest = self.node(operands[1]).value
            return self.builder.const(width, 0 if smallest else -1)
        if name.startswith("llvm.is.constant"):
            return self.builder.const(1, 0)
        known = intrinsic(self.builder, name, [self.node(operand) for operand in operands], width)
        if known is None:
            raise unknown(f"the LLVM intrinsic '{name}'")
        return known

    def _read(self, pointer: Pointer, width: int) -> Node:
        content = self.accesses.load(self.contents, pointer, width)
        return self.builder.const(width, 0) if content is None else content

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
            content: Content = self.builder.concat(
                [self.builder.low(self.node(operands[1]), 8)] * count.value
            )
        else:
            content = self.accesses.load(self.contents, self.pointer(operands[1]), width)
        self.accesses.store(self.contents, self.pointer(operands[0]), width, content)

    def _thresher(self, name: str, operands: Sequence[Operand], site: Site) -> Result:
        if name == "thresher_empty":
            return self.effects.empty(self._port(operands[0]), site)
        if name == "thresher_full":
            return self.effects.full(self._port(operands[0]), site)
        if name == "thresher_rom":
            self._rom(operands)
        elif name in ("thresher_read", "thresher_write"):
            self._stream(name, operands, site)
        elif name == "thresher_ram_copy":
            raise NotHardwareError("a Ram is copied", "read it and write the other one word by word")
        else:
            self._ram(name, operands, site)
        return None

    def _port(self, operand: Operand) -> Port:
        ports = {port.offset: port for port in self.layout.ports}
        return ports[self._byte_of(operand, PORTS, "stream")]

    def _stream(self, name: str, operands: Sequence[Operand], site: Site) -> None:
        port = self._port(operands[0])
        if name == "thresher_read":
            self._put(operands[2], self.effects.read(port, site))
        else:
            value = self._get(operands[2], port.width)
            self.effects.write(port, replace(site, values=(value,)))

    def _ram(self, name: str, operands: Sequence[Operand], site: Site) -> None:
        rams = {ram.offset: ram for ram in self.layout.rams}
        ram = rams[self._byte_of(operands[0], SELF, "Ram")]
        if name == "thresher_ram_initial":
            self._fill(ram, operands, site)
            return
        number = self.node(operands[-2])
        address = self.builder.resize(number, address_width(ram.depth))
        if name == "thresher_ram_read":
            write_first = self.node(operands[3]).value == WRITE_FIRST
            self._put(operands[-1], self.effects.ram_read(ram, write_first, replace(site, values=(address,))))
        else:
            value = self._get(operands[-1], ram.width)
            self.effects.ram_write(ram, replace(site, values=(address, value, number)))

    def _fill(self, ram: RamMember, operands: Sequence[Operand], site: Site) -> None:
        """Note the table that a memory is made from."""
        stride, signed = (self.node(operand).value for operand in operands[3:5])
        table = self.pointer(operands[5]).only
        if table is None or not table.is_constant or table.terms:
            raise NotHardwareError(
                f"'{ram.name}' is made from a table that is no constant", "declare the table static constexpr"
            )
        data = self.accesses.globals.bytes(table.base[1:])
        table_bytes = data[table.offset : table.offset + ram.depth * stride]
        self.effects.ram_fill(ram, words_of_table(table_bytes, stride, bool(signed), ram.width), site)

    def _rom(self, operands: Sequence[Operand]) -> None:
        width, depth, style = (self.node(operand).value for operand in operands[1:4])
        address = self.node(operands[4])
        words = [
            (target.condition, self.accesses.rom(target, width, depth, STYLES[style], address))
            for target in self._tables(operands[0])
        ]
        word = self.accesses.choose(words)
        assert word is not None
        self._put(operands[5], word)

    def _tables(self, operand: Operand) -> Sequence[Target]:
        targets = self.pointer(operand).targets
        if not all(target.is_constant for target in targets):
            raise NotHardwareError(
                "`rom_read` reads what is no constant",
                "declare the table static constexpr; what a unit changes is a member array or a Ram",
            )
        if any(target.terms for target in targets):
            raise NotHardwareError(
                "a table is chosen by a variable",
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
        return self._read(self.pointer(operand), width)
