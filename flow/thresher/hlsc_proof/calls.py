"""Calls of a translated step: intrinsics, copies, streams, tables and memories."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from thresher.hlsc_proof import meaning
from thresher.hlsc_proof.checked import MISTAKE
from thresher.hlsc_proof.llvm_module import Value, object_bytes
from thresher.hlsc_proof.streams import Stream
from thresher.hlsc_proof.values import Ram, RamWrite, Values, number, run_of, width_of

_IGNORED = ("llvm.lifetime.", "llvm.assume", "llvm.experimental.noalias.scope.decl", "llvm.dbg.")
_COMPARISONS = ("memcmp", "bcmp")


class Calls(Values):
    """Translates calls."""

    def _call(self, instruction: Value, block: str) -> None:
        *operands, callee = instruction.operands
        name = callee.name
        if name.startswith("thresher_"):
            _PORTS[name](self, instruction, operands, run_of(block))
        elif name.startswith(("llvm.memcpy", "llvm.memmove", "llvm.memset")):
            self._move(name, operands, run_of(block))
        elif name.startswith(MISTAKE):
            self._leave_out(run_of(block))
        elif name in _COMPARISONS:
            self._compare(instruction, operands)
        elif name.startswith("llvm.threadlocal.address"):
            self._values[instruction.name] = self._value(operands[0])
        elif not name.startswith(_IGNORED):
            self._intrinsic(instruction, name, operands)

    def _intrinsic(self, instruction: Value, name: str, operands: Sequence[Value]) -> None:
        parts = [part for part in name.split(".")[1:] if not re.fullmatch(r"i\d+|p\d+", part)]
        base, kind = parts[0] if parts else "", ".".join(parts[1:])
        width = width_of(operands[0]) if operands else 0
        args = [self._integer(operand) for operand in operands] if name.startswith("llvm.") and width else []
        if base in meaning.INTRINSICS and not kind and args:
            text = meaning.INTRINSICS[base](width, *args)
        elif base in ("scmp", "ucmp") and args:
            text = meaning.three_way(base == "scmp", width_of(instruction), *args)
        elif base in meaning.EXACT and kind in ("sat", "with.overflow") and args:
            operator, signed = meaning.EXACT[base]
            exact = self._fresh(2 * width + 1, meaning.exact(operator, signed, width, *args))
            if kind == "with.overflow":
                over = self._fresh(1, meaning.overflows(signed, width, exact))
                self._values[instruction.name] = (self._fresh(width, f"{exact}[{width - 1}:0]"), over)
                return
            text = meaning.saturated(signed, width, exact)
        else:
            raise self.module.refusal(f"a call of '{name or 'a function through a pointer'}'")
        self._values[instruction.name] = self._fresh(width_of(instruction), text)

    def _constant(self, operand: Value, what: str) -> int:
        if operand.value_kind.name != "constant_int":
            raise self.module.refusal(what)
        value: int = operand.get_constant_value()
        return value

    def _move(self, name: str, operands: Sequence[Value], run: str) -> None:
        count = self._constant(operands[2], "a copy of a variable number of bytes")
        if count == 0:
            return
        if name.startswith("llvm.memset"):
            byte = self._integer(operands[1])
            value = self._fresh(8 * count, f"{{{count}{{{byte}}}}}")
        else:
            value = self._load(self._pointer(operands[1]), 8 * count)
        self._store(self._pointer(operands[0]), count, value, run)

    def _compare(self, instruction: Value, operands: Sequence[Value]) -> None:
        """`memcmp` and `bcmp`: the first byte that differs decides, as an unsigned number."""
        count = self._constant(operands[2], "a comparison of a variable number of bytes")
        width = width_of(instruction)
        a, b = (self._load(self._pointer(operand), max(8 * count, 1)) for operand in operands[:2])
        swapped = [self._fresh(max(8 * count, 1), meaning.swapped(8 * count, each, 8)) for each in (a, b)]
        self._values[instruction.name] = self._fresh(width, meaning.three_way(False, width, *swapped))

    def _stream(self, operand: Value) -> Stream:
        known = self._pointer(operand).known
        base = self._ports.first
        found = [each for each in self.streams if known is not None and base + each.offset == known]
        if not found:
            raise self.module.refusal("a stream that is chosen by a variable")
        return found[0]

    def _empty(self, instruction: Value, operands: Sequence[Value], _: str) -> None:
        self._values[instruction.name] = self._fresh(1, f"~{self._stream(operands[0]).name}_valid_i")

    def _full(self, instruction: Value, operands: Sequence[Value], _: str) -> None:
        self._values[instruction.name] = self._fresh(1, f"{self._stream(operands[0]).name}_full_i")

    def _read(self, _: Value, operands: Sequence[Value], run: str) -> None:
        stream = self._stream(operands[0])
        self._add(f"{stream.name}_read_o = {stream.name}_read_o | {run};")
        size = object_bytes(stream.width)
        self._store_integer(self._pointer(operands[2]), size, f"{stream.name}_beat_i", run)

    def _write(self, _: Value, operands: Sequence[Value], run: str) -> None:
        stream = self._stream(operands[0])
        value = self._load(self._pointer(operands[2]), stream.width)
        self._add(f"{stream.name}_written_o = {stream.name}_written_o | {run};")
        self._add(f"if ({run}) {stream.name}_beat_o = {value};")

    def _rom(self, _: Value, operands: Sequence[Value], run: str) -> None:
        table, width, depth, _style, address, word = operands
        bits = self._constant(width, "a table of variable width")
        self._within(address, self._constant(depth, "a table of variable size"), run)
        pointer = self._pointer(table)
        index = self._index(address)
        pointer = self._stepped(pointer, self.module.type_of(f"[{-(-bits // 64)} x i64]"), [index])
        value = self._load(pointer, bits)
        self._store_integer(self._pointer(word), object_bytes(bits), value, run)

    def _within(self, address: Value, depth: int, run: str) -> None:
        """An address past the end has no meaning."""
        self._leave_out(f"{run} & ({self._integer(address)} >= {number(width_of(address), depth)})")

    def _ram(self, operands: Sequence[Value], run: str) -> tuple[str, Ram, str]:
        """The name of a memory, what it is, and the address in it."""
        known = self._pointer(operands[0]).known
        if known is None:
            raise self.module.refusal("a Ram that is chosen by a variable")
        place = known - self._unit.first
        width, depth = (self._constant(operand, "a Ram of variable size") for operand in operands[1:3])
        ram = self.rams.setdefault(place, Ram(width, depth))
        self._within(operands[-2], depth, run)
        address = self._fresh(ram.address_bits, f"{ram.address_bits}'({self._integer(operands[-2])})")
        return f"ram{place}", ram, address

    def _ram_read(self, _: Value, operands: Sequence[Value], run: str) -> None:
        """The last word that the step has written at the address, or that from before it."""
        name, ram, address = self._ram(operands, run)
        value = self._fresh(ram.width, f"{name}_q[{address}]")
        for write in ram.writes:
            found = f"{write.condition} && {write.address} == {address}"
            value = self._fresh(ram.width, f"({found}) ? {write.word} : {value}")
        self._store_integer(self._pointer(operands[-1]), object_bytes(ram.width), value, run)

    def _ram_write(self, _: Value, operands: Sequence[Value], run: str) -> None:
        _name, ram, address = self._ram(operands, run)
        value = self._load(self._pointer(operands[-1]), ram.width)
        ram.writes.append(RamWrite(self._fresh(1, run), address, value))


_PORTS: dict[str, Callable[[Calls, Value, Sequence[Value], str], None]] = {
    "thresher_empty": Calls._empty,
    "thresher_full": Calls._full,
    "thresher_read": Calls._read,
    "thresher_write": Calls._write,
    "thresher_rom": Calls._rom,
    "thresher_ram_read": Calls._ram_read,
    "thresher_ram_write": Calls._ram_write,
}
