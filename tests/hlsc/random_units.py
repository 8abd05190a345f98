"""Random units: every integer operator, state, arrays, Rom, Ram, branches, conditional streams.

What C++ leaves undefined is kept out of them: signed sums are made wide enough and then cut, shift
amounts are below the width, addresses are below the depth, and every member has an initial value.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

PRELUDE = """\
#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace random_units {
using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::popcount;
using thresher::Ram;
using thresher::rom_read;
using thresher::sint;
using thresher::uint;
using thresher::with_bits;
"""
EPILOGUE = "}  // namespace random_units\n"


@dataclass(frozen=True)
class Type:
    """`uint<width>` or `sint<width>`."""

    width: int
    signed: bool = False

    def __str__(self) -> str:
        return f"{'sint' if self.signed else 'uint'}<{self.width}>"


@dataclass(frozen=True)
class Value:
    """A C++ expression of a known type."""

    text: str
    type: Type


@dataclass
class RandomUnit:
    """One unit and its name."""

    seed: int
    name: str
    text: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = _Generator(random.Random(self.seed), self.name).unit()


class _Generator:
    def __init__(self, rng: random.Random, name: str) -> None:
        self.rng = rng
        self.name = name
        self.values: list[Value] = []
        self.lines: list[str] = []
        self.depth = 1
        self.count = 0
        self.members: list[Value] = []
        self.tables: list[tuple[str, int, int]] = []
        self.ram: tuple[int, int] | None = None

    def unit(self) -> str:
        rng = self.rng
        inputs = [self.type().width for _ in range(rng.choice([1, 1, 2]))]
        outputs = [self.type().width for _ in range(rng.choice([1, 1, 2]))]
        lines = [*self.table_lines(), f"struct {self.name} {{", "  struct Ports {"]
        lines += [f"    InStream<{width}> s{index};" for index, width in enumerate(inputs)]
        lines += [f"    OutStream<{width}> m{index};" for index, width in enumerate(outputs)]
        lines += ["  };", *self.member_lines()]
        self.values = list(self.members)
        self.read_streams(inputs)
        if self.ram and rng.random() < 0.9:
            self.read_ram()
        for _ in range(rng.randint(2, 7)):
            self.statement()
        if self.ram:
            self.write_ram()
        for index, width in enumerate(outputs):
            self.write_stream(index, width)
        for _ in range(rng.randint(1, 3)):
            self.statement()
        return "\n".join([*lines, "  void step(Ports& p) {", *self.lines, "  }", "};", ""])

    # Declarations

    def type(self, signed: bool | None = None) -> Type:
        width = self.rng.choice(
            [1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 23, 31, 32, 33, 49, 63, 64, 65, 70, 100]
        )
        is_signed = self.rng.random() < 0.4 if signed is None else signed
        return Type(max(width, 2), True) if is_signed else Type(width)

    def table_lines(self) -> list[str]:
        lines = []
        for index in range(self.rng.choice([0, 0, 1, 2])):
            width, depth = self.type(False).width, self.rng.choice([1, 2, 3, 5, 8, 16])
            name, words = f"{self.name}_table{index}", -(-width // 64)
            self.tables.append((name, width, depth))
            rows = []
            for _ in range(depth):
                word = self.rng.getrandbits(width)
                rows.append(
                    "{" + ", ".join(f"{word >> 64 * part & (1 << 64) - 1}ull" for part in range(words)) + "}"
                )
            lines.append(f"static constexpr std::uint64_t {name}[{depth}][{words}] = {{{', '.join(rows)}}};")
        return lines

    def member_lines(self) -> list[str]:
        lines = []
        for index in range(self.rng.randint(1, 4)):
            kind = self.type()
            lines.append(f"  {kind} r{index} = {self.number(kind)};")
            self.members.append(Value(f"r{index}", kind))
        if self.rng.random() < 0.4:
            kind, size = self.type(), self.rng.choice([2, 3, 4])
            values = ", ".join(self.number(kind) for _ in range(size))
            lines.append(f"  {kind} a[{size}] = {{{values}}};")
            self.members += [Value(f"a[{index}]", kind) for index in range(size)]
        if self.rng.random() < 0.4:
            self.ram = (self.type(False).width, self.rng.choice([2, 3, 4, 8, 11]))
            lines.append(f"  Ram<{self.ram[0]}, {self.ram[1]}> ram;")
        return lines

    def number(self, kind: Type) -> str:
        """A constant: small, or any, built from 32-bit pieces because literals end at 64 bits."""
        if self.rng.random() < 0.5:
            return f"({kind}){self.rng.randint(0, min(3, (1 << kind.width - 1) - 1))}"
        value = self.rng.getrandbits(kind.width)
        text = f"(uint<{kind.width}>)0"
        for low in range(0, kind.width, 32):
            piece = value >> low & 0xFFFFFFFF
            text = f"({text} | (uint<{kind.width}>)((uint<{kind.width}>){piece}u << {low}))"
        return f"({kind})({text})"

    # Statements

    def line(self, text: str) -> None:
        self.lines.append("    " * (self.depth + 1) + text)

    def local(self, kind: Type, text: str) -> Value:
        self.count += 1
        value = Value(f"v{self.count}", kind)
        self.line(f"{kind} {value.text} = {text};")
        self.values.append(value)
        return value

    def read_streams(self, inputs: list[int]) -> None:
        conditions = [self.condition() if self.rng.random() < 0.5 else "" for _ in inputs]
        beats = []
        for index, condition in enumerate(conditions):
            if condition:
                self.line(f"const bool reads{index} = {condition};")
        for index, (width, condition) in enumerate(zip(inputs, conditions, strict=True)):
            kind = Type(width)
            if not condition:
                self.line(f"const {kind} x{index} = p.s{index}.read();")
            else:
                self.line(f"{kind} x{index} = {self.number(kind)};")
                self.line(f"if (reads{index}) x{index} = p.s{index}.read();")
            beats.append(Value(f"x{index}", kind))
        self.values += beats

    def read_ram(self) -> None:
        assert self.ram
        width, depth = self.ram
        for _ in range(self.rng.choice([1, 1, 2])):
            self.local(Type(width), f"ram.read({self.address(depth)})")

    def write_ram(self) -> None:
        assert self.ram
        width, depth = self.ram
        guard = f"if ({self.condition()}) " if self.rng.random() < 0.7 else ""
        self.line(f"{guard}ram.write({self.address(depth)}, {self.expression(Type(width), 2)});")

    def address(self, depth: int) -> str:
        width = (depth - 1).bit_length()
        if depth & (depth - 1):
            return f"(std::uint32_t)(({self.expression(Type(16), 2)}) % (uint<16>){depth})"
        return f"(std::uint32_t)({self.expression(Type(max(width, 1)), 2)})" if width else "0u"

    def write_stream(self, index: int, width: int) -> None:
        beat = self.expression(Type(width), 3)
        style = self.rng.random()
        if style < 0.4:
            self.line(f"p.m{index}.write({beat});")
        elif style < 0.8:
            self.line(f"if ({self.condition()}) p.m{index}.write({beat});")
        else:
            other = self.expression(Type(width), 2)
            self.line(f"if ({self.condition()}) p.m{index}.write({beat}); else p.m{index}.write({other});")

    def statement(self) -> None:
        style = self.rng.random()
        if style < 0.35 or self.depth > 3:
            target = self.rng.choice(self.members)
            self.line(f"{target.text} = {self.expression(target.type, 3)};")
        elif style < 0.6:
            kind = self.type()
            self.local(kind, self.expression(kind, 3))
        elif style < 0.9:
            self.branch()
        else:
            self.switch()

    def branch(self) -> None:
        self.line(f"if ({self.condition()}) {{")
        self.block()
        if self.rng.random() < 0.6:
            self.line("} else {")
            self.block()
        self.line("}")

    def switch(self) -> None:
        self.line(f"switch ((std::uint32_t)({self.expression(Type(3), 2)})) {{")
        for case in self.rng.sample(range(8), self.rng.randint(2, 5)):
            self.line(f"case {case}: {{")
            self.block()
            self.line("break; }")
        self.line("default: break; }")

    def block(self) -> None:
        outer = list(self.values)
        self.depth += 1
        for _ in range(self.rng.randint(1, 3)):
            self.statement()
        self.depth -= 1
        self.values = outer

    # Expressions

    def condition(self) -> str:
        kind = self.type()
        a, b = self.expression(kind, 2), self.expression(kind, 1)
        return f"{a} {self.rng.choice(['<', '<=', '>', '>=', '==', '!='])} {b}"

    def expression(self, kind: Type, depth: int) -> str:
        """An expression of exactly this type, in parentheses or atomic."""
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        return f"({kind})({self.rng.choice(_OPERATIONS)(self, kind, depth - 1)})"

    def leaf(self, kind: Type) -> str:
        if not self.values or self.rng.random() < 0.2:
            return self.number(kind)
        return f"({kind}){self.rng.choice(self.values).text}"

    def arithmetic(self, kind: Type, depth: int) -> str:
        operator = self.rng.choice("+-*&|^")
        wide = Type(2 * kind.width + 1, True) if kind.signed else kind
        a, b = self.expression(kind, depth), self.expression(kind, depth)
        return f"({wide}){a} {operator} ({wide}){b}"

    def shift(self, kind: Type, depth: int) -> str:
        operator, value = self.rng.choice(["<<", ">>"]), self.expression(kind, depth)
        if self.rng.random() < 0.5:
            return f"{value} {operator} {self.rng.randrange(kind.width)}"
        bits = max(kind.width.bit_length() - 1, 1) if kind.width > 1 else 0
        amount = f"(int)({self.expression(Type(bits), depth)})" if bits else "0"
        return f"{value} {operator} {amount}"

    def resized(self, kind: Type, depth: int) -> str:
        return self.expression(self.type(), depth)

    def chosen(self, kind: Type, depth: int) -> str:
        return f"{self.condition()} ? {self.expression(kind, depth)} : {self.expression(kind, depth)}"

    def compared(self, kind: Type, depth: int) -> str:
        return self.condition()

    def counted(self, kind: Type, depth: int) -> str:
        return f"popcount<{(other := self.type(False)).width}>({self.expression(other, depth)})"

    def inverted(self, kind: Type, depth: int) -> str:
        return f"~{self.expression(kind, depth)}"

    def divided(self, kind: Type, depth: int) -> str:
        divisor = self.rng.randint(
            1, min(100, (1 << kind.width - 1) - 1 if kind.signed else (1 << kind.width) - 1)
        )
        return f"{self.expression(kind, depth)} {self.rng.choice('/%')} ({kind}){divisor}"

    def field(self, kind: Type, depth: int) -> str:
        word = self.type(False)
        width = self.rng.randint(1, word.width)
        low = self.rng.randint(0, word.width - width)
        text = self.expression(word, depth)
        if self.rng.random() < 0.5:
            return f"bits_at<{width}, {word.width}>({text}, {low})"
        ones = f"({word})(({word})(~({word})0 >> {word.width - width}) << {low})"
        hole = f"({word})({text} & ~{ones})"
        return f"with_bits<{width}, {word.width}>({hole}, {low}, {self.expression(Type(width), depth)})"

    def looked_up(self, kind: Type, depth: int) -> str:
        if not self.tables:
            return self.leaf(kind)
        name, width, rows = self.rng.choice(self.tables)
        return f"rom_read<{width}>({name}, {self.address(rows)})"


_OPERATIONS = [
    _Generator.arithmetic,
    _Generator.arithmetic,
    _Generator.arithmetic,
    _Generator.shift,
    _Generator.resized,
    _Generator.chosen,
    _Generator.compared,
    _Generator.counted,
    _Generator.inverted,
    _Generator.divided,
    _Generator.field,
    _Generator.looked_up,
]
