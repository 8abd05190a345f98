"""Random units: every integer operator, state, arrays, structs, Rom, Ram, branches, conditional streams.

What C++ leaves undefined is kept out of them but for signed sums that overflow, which wrap: see
`random_expressions`. Addresses are below the depth, and every member has an initial value.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.hlsc.random_expressions import Array, Expressions, Table, Type, Value

LIBRARY = Path(__file__).parent / "random_library.hpp"
PRELUDE = f"""\
#ifndef THRESHER_AMD
#include "{LIBRARY}"
#endif
#include "thresher/bits.hpp"
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace random_units {{
using thresher::Beat;
using thresher::bits_at;
using thresher::InStream;
using thresher::Keep;
using thresher::Last;
using thresher::leading_zeros;
using thresher::OutStream;
using thresher::popcount;
using thresher::Ram;
using thresher::RamOrder;
using thresher::rom_read;
using thresher::sint;
using thresher::trailing_zeros;
using thresher::uint;
using thresher::User;
using thresher::with_bits;
"""
EPILOGUE = "}  // namespace random_units\n"

MAX_NESTING = 3

SPECIAL_BYTES = (92, 34, 0, 255, 10)
"""The bytes that stand for something in a string are among them."""


@dataclass
class RandomUnit:
    """One unit and its name; the same seed gives the same unit. One in three is portable to AMD's types."""

    seed: int
    name: str
    text: str = field(init=False)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        draws = (random.Random(f"{what} {self.seed}") for what in ("streams", "rams", "bits"))
        self.text = _Generator(rng, self.name, self.is_portable, *draws).unit()

    @property
    def is_portable(self) -> bool:
        """Whether AMD's types take it as well."""
        return self.seed % 3 == 0


@dataclass(frozen=True)
class _Ram:
    """A memory; `whole` if all words have values at first, `apart` is the condition of its writes."""

    name: str
    width: int
    depth: int
    write_first: bool
    whole: bool
    apart: str
    constructor: str = ""


class _Generator(Expressions):
    def __init__(
        self,
        rng: random.Random,
        name: str,
        portable: bool,
        streams: random.Random,
        of_rams: random.Random,
        of_bits: random.Random,
    ) -> None:
        super().__init__(rng, portable)
        self.streams = streams
        self.carried: dict[str, str] = {}
        self.of_rams = of_rams
        self.of_bits = of_bits
        # AMD's types have no constexpr constructors.
        self.constant = "static const " if portable else "static constexpr "
        self.name = name
        self.lines: list[str] = []
        self.depth = 1
        self.count = 0
        self.members: list[Value] = []
        self.initial: list[str] = []
        self.rams: list[_Ram] = []

    def unit(self) -> str:
        rng = self.rng
        inputs = [self.type(False) for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 2, 2, 2, 3]))]
        outputs = [self.type(False) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
        tables = self.table_lines()
        members = self.member_lines()
        lines = [*tables, *self.initial, f"struct {self.name} {{", "  struct Ports {"]
        lines += [f"    InStream<{self.stream(f's{at}', kind)}> s{at};" for at, kind in enumerate(inputs)]
        lines += [f"    OutStream<{self.stream(f'm{at}', kind)}> m{at};" for at, kind in enumerate(outputs)]
        lines += ["  };", *members, *self.constructor_lines()]
        self.values = list(self.members)
        if self.streams.random() < 0.2:
            # A step that does nothing where there is no room writes the same, whenever that is.
            full = " || ".join(f"p.m{index}.full()" for index in range(self.streams.randint(1, len(outputs))))
            self.line(f"if ({full}) return;")
        self.line(f"const uint<3> turn = (uint<3>){rng.choice(self.members).text};")
        self.read_streams(inputs)
        for ram in self.rams:
            if ram.apart:
                self.line(f"const bool {ram.apart} = {self.condition()};")
            self.read_ram(ram)
        for _ in range(rng.randint(1, 5)):
            self.statement()
        if rng.random() < 0.1:
            self.line(f"if ({self.condition()}) return;")
        for ram in self.rams:
            self.write_ram(ram)
            self.more_accesses(ram)
        for index, kind in enumerate(outputs):
            self.write_stream(index, kind)
        for _ in range(rng.randint(1, 3)):
            self.statement()
        for array in self.arrays:
            if array.cursor:
                self.line(f"{array.cursor} = (uint<8>)(1 + {self.index(array.sizes[-1])});")
        return "\n".join([*lines, "  void step(Ports& p) {", *self.lines, "  }", "};", ""])

    # Declarations

    def table_lines(self) -> list[str]:
        """Constants: what `rom_read` reads, now and then deep, and an array of integers."""
        lines = []
        for index in range(self.rng.choice([0, 0, 1, 2])):
            deep = self.rng.random() < 0.15
            depth = self.rng.choice([1024, 1100]) if deep else self.rng.choice([1, 2, 3, 5, 8, 16, 40])
            width = self.rng.choice([3, 9, 18]) if deep else self.type(False).width
            table = Table(f"{self.name}_table{index}", width, depth)
            self.tables.append(table)
            words = -(-width // 64)
            rows = []
            for _ in range(depth):
                word = self.rng.getrandbits(width)
                parts = (f"{word >> 64 * part & (1 << 64) - 1}ull" for part in range(words))
                rows.append("{" + ", ".join(parts) + "}")
            head = f"static constexpr std::uint64_t {table.name}[{depth}][{words}]"
            lines.append(f"{head} = {{{', '.join(rows)}}};")
        if self.rng.random() < 0.3:
            lines.append(self.array_line(f"{self.name}_constants", self.constant))
        if self.rng.random() < 0.4:
            lines.append(self.plain_array_line(f"{self.name}_plain", "static constexpr "))
        if self.rng.random() < 0.2:
            lines.append(self.rows_line(f"{self.name}_rows"))
        return lines

    def plain_array_line(self, name: str, before: str = "") -> str:
        """An array of C++'s own integers, most often of bytes."""
        element, kind = self.rng.choice(
            [*[("std::uint8_t", Type(8))] * 3, ("bool", Type(1)), self.standard()]
        )
        size = self.rng.choice([2, 3, 4, 5, 7, 8, 16, 23])
        # The address of a constant is an expression that hlsc does not read, so pointers search members.
        searched = "" if before else element
        self.arrays.append(Array(name + "[{}]", (size,), kind, element=searched))
        values = ", ".join(self.plain_number(kind) for _ in range(size))
        return f"{before}{element} {name}[{size}] = {{{values}}};"

    def plain_number(self, kind: Type) -> str:
        if kind.width == 1:
            return self.rng.choice(["true", "false"])
        if self.rng.random() < 0.3:
            return str(min(self.rng.choice(SPECIAL_BYTES), (1 << kind.width - kind.signed) - 1))
        value = self.rng.getrandbits(kind.width - kind.signed)
        if not kind.signed:
            return f"{value}ull"
        return f"{-value if self.rng.random() < 0.5 else value}ll"

    def rows_line(self, name: str) -> str:
        """A constant array of structures."""
        size = self.rng.choice([2, 3, 4, 6])
        fields = (("x", Type(8)), ("y", Type(16, True)), ("z", Type(1)))
        self.arrays += [Array(f"{name}[{{}}].{field}", (size,), kind) for field, kind in fields]
        rows = ("{" + ", ".join(self.plain_number(kind) for _, kind in fields) + "}" for _ in range(size))
        head = f"struct {name}_row {{ std::uint8_t x; std::int16_t y; bool z; }};"
        return f"{head}\nstatic constexpr {name}_row {name}[{size}] = {{{', '.join(rows)}}};"

    def array_line(self, name: str, before: str = "", cursor: str = "") -> str:
        """An array of one or two dimensions with values."""
        kind = self.type()
        sizes = self.rng.choice([(2,), (3,), (4,), (5,), (8,), (2, 2), (3, 2), (2, 4)])
        self.arrays.append(Array(name + "[{}]" * len(sizes), sizes, kind, cursor))
        rows = [
            "{" + ", ".join(self.number(kind) for _ in range(sizes[-1])) + "}"
            for _ in range(sizes[0] if len(sizes) > 1 else 1)
        ]
        values = rows[0] if len(sizes) == 1 else "{" + ", ".join(rows) + "}"
        return f"{before}{kind} {name}{''.join(f'[{size}]' for size in sizes)} = {values};"

    def member_lines(self) -> list[str]:
        lines = []
        for index in range(self.rng.randint(1, 4)):
            kind = self.type()
            lines.append(f"  {kind} r{index} = {self.number(kind)};")
            self.members.append(Value(f"r{index}", kind))
        constants = len(self.arrays)
        for index in range(self.rng.choice([0, 0, 1, 2])):
            cursor = self.rng.choice(["", f"c{index}"])
            lines.append("  " + self.array_line(f"a{index}", cursor=cursor))
            if cursor:
                lines.append(f"  uint<8> {cursor} = 1;")
        if self.rng.random() < 0.3:
            lines.append("  " + self.plain_array_line("b0"))
        if self.rng.random() < 0.3:
            lines += self.structure_lines()
        for array in self.arrays[constants:]:
            first = array.pattern.format(*(self.rng.randrange(size) for size in array.sizes))
            self.members.append(Value(first, array.type))
        for index in range(self.rng.choice([0, 0, 0, 1, 1, 2])):
            deep = self.rng.random() < 0.25
            width = self.rng.choice([1, 8, 9, 36]) if deep else self.type(False).width
            depth = self.rng.choice([512, 1024, 1500]) if deep else self.rng.choice([2, 3, 4, 8, 11, 32])
            lines.append(self.ram_line(f"ram{index}", width, depth))
            lines.append(f"  uint<{depth}> ram{index}_seen = 0;")
        return lines

    def ram_line(self, name: str, width: int, depth: int) -> str:
        """A memory, that may begin with the words of a table, or with some that the constructor writes."""
        rng = self.of_rams
        write_first, starts = rng.random() < 0.4, rng.random()
        order = ", RamOrder::kWriteFirst" if write_first else rng.choice(["", ", RamOrder::kReadFirst"])
        table = f" = {self.initial_table(name, width, depth)}" if starts < 0.4 else ""
        written = ""
        if 0.3 < starts < 0.5:
            word = f"(uint<{width}>)((std::uint64_t)place * {rng.getrandbits(40)}ull)"
            written = f"for (int place = 0; place < {rng.randint(1, min(depth, 16))}; ++place)"
            written += f" {name}.write({rng.randrange(max(depth - 16, 1))} + place, {word});"
        apart = f"{name}_writes" if rng.random() < 0.3 else ""
        self.rams.append(_Ram(name, width, depth, write_first, bool(table), apart, written))
        return f"  Ram<{width}, {depth}{order}> {name}{table};"

    def initial_table(self, name: str, width: int, depth: int) -> str:
        """The name of a table of integers, of C++'s own or of so many bits, or of 64-bit words."""
        rng, table = self.of_rams, f"{self.name}_{name}"
        if rng.random() < 0.4:
            element, kind = rng.choice(
                [("std::uint8_t", Type(8)), ("std::int16_t", Type(16, True)), ("std::uint64_t", Type(64))]
            )
        elif rng.random() < 0.5:
            kind = Type(rng.choice([2, 7, 12, 40, width]) + 1, rng.random() < 0.5)
            element = str(kind)
        else:
            words = -(-width // 64)
            rows = ", ".join(
                "{" + ", ".join(f"{rng.getrandbits(64)}ull" for _ in range(words)) + "}" for _ in range(depth)
            )
            self.initial.append(f"static constexpr std::uint64_t {table}[{depth}][{words}] = {{{rows}}};")
            return table
        values = (
            rng.getrandbits(min(kind.width, 64)) - (kind.signed << min(kind.width, 64) - 1)
            for _ in range(depth)
        )
        listed = ", ".join(f"({element}){value}{'ll' if kind.signed else 'ull'}" for value in values)
        self.initial.append(f"{self.constant}{element} {table}[{depth}] = {{{listed}}};")
        return table

    def constructor_lines(self) -> list[str]:
        written = [f"    {ram.constructor}" for ram in self.rams if ram.constructor]
        return [f"  {self.name}() {{", *written, "  }"] if written else []

    def structure_lines(self) -> list[str]:
        """A structure, a member of it, and an array of it."""
        first, second = self.type(), self.type()
        size, inner = self.rng.choice([2, 3, 4]), self.rng.choice([0, 2, 3])
        lines = ["  struct Pair {", f"    {first} x = {self.number(first)};"]
        element = f"[{inner}] = {{{self.number(second)}}}" if inner else f" = {self.number(second)}"
        lines += [f"    {second} y{element};", "  };", "  Pair one;", f"  Pair many[{size}];"]
        self.members.append(Value("one.x", first))
        self.arrays.append(Array("many[{}].x", (size,), first))
        if inner:
            self.arrays += [
                Array("one.y[{}]", (inner,), second),
                Array("many[{}].y[{}]", (size, inner), second),
            ]
        else:
            self.members.append(Value("one.y", second))
            self.arrays.append(Array("many[{}].y", (size,), second))
        return lines

    # Streams and memories

    def stream(self, name: str, kind: Type) -> str:
        """The template arguments of a stream with so many bits, which may be those of several signals."""
        width, signals = kind.width, []
        if self.streams.random() < 0.3 and width > 1:
            if width % 9 == 0:
                signals.append("Keep")
                width = width // 9 * 8
            else:
                bits = self.streams.randint(1, min(width - 1, 70))
                signals.append("Last" if bits == 1 else f"User<{bits}>")
                width -= bits
            if width > 1 and signals != ["Keep"] and "Last" not in signals:
                signals.insert(self.streams.randrange(2), "Last")
                width -= 1
        arguments = ", ".join([str(width), *signals])
        self.carried[name] = f"Beat<{arguments}>" if signals else ""
        return arguments

    def read(self, index: int) -> str:
        return f"p.s{index}.read(){'.word()' if self.carried[f's{index}'] else ''}"

    def read_streams(self, inputs: list[Type]) -> None:
        """Each at most once; whether, may depend on what was read before."""
        order = self.rng.sample(range(len(inputs)), len(inputs))
        if len(order) > 1 and self.rng.random() < 0.2:
            self.read_in_both_orders(order.pop(), order.pop(), inputs)
        for index in order:
            kind = inputs[index]
            if self.rng.random() < 0.5:
                self.line(f"const {kind} x{index} = {self.read(index)};")
            else:
                self.line(f"{kind} x{index} = {self.number(kind)};")
                self.line(f"if ({self.condition()}) x{index} = {self.read(index)};")
            self.values.append(Value(f"x{index}", kind))

    def read_in_both_orders(self, a: int, b: int, inputs: list[Type]) -> None:
        """One stream and perhaps the other, or the other way round."""
        for index in (a, b):
            self.line(f"{inputs[index]} x{index} = {self.number(inputs[index])};")
        head = f"if ({self.condition()}) {{"
        for first, second in ((a, b), (b, a)):
            self.line(f"{head} x{first} = {self.read(first)};")
            kind = inputs[first]
            again = f"(x{first} & {self.number(kind)}) == {self.number(kind)}"
            self.line(f"  if ({again}) x{second} = {self.read(second)};")
            head = "} else {"
        self.line("}")
        self.values += [Value(f"x{index}", inputs[index]) for index in (a, b)]

    def read_ram(self, ram: _Ram) -> None:
        """What was never written reads as anything, and is replaced."""
        for _ in range(self.rng.choice([0, 1, 1, 1, 2, 3])):
            kind = Type(ram.width)
            address = self.local_address(ram)
            if self.rng.random() < 0.7 and not ram.apart:
                word = self.local(kind, f"{ram.name}.read({address})")
            else:
                word = self.local(kind, self.number(kind))
                condition = f"!{ram.apart}" if ram.apart else self.condition()
                self.line(f"if ({condition}) {word.text} = {ram.name}.read({address});")
            if ram.whole:
                continue
            unseen = f"(uint<1>)({ram.name}_seen >> {address}) == 0"
            self.line(f"if ({unseen}) {word.text} = {self.number(kind)};")

    def write_ram(self, ram: _Ram) -> None:
        style = self.rng.random()
        condition = self.condition() if style < 0.7 else "true"
        head = f"if ({condition}) " if style < 0.7 else ""
        if ram.apart:
            head = f"if ({ram.apart} && {condition}) "
        self.store(ram, head)
        if style < 0.2:
            self.store(ram, f"else if ({ram.apart}) " if ram.apart else "else ")

    def more_accesses(self, ram: _Ram) -> None:
        """A second write, and reads that see what the step has written."""
        if self.of_rams.random() < 0.5:
            if ram.write_first and not ram.apart and self.of_rams.random() < 0.5:
                self.read_ram(ram)
            self.write_ram(ram)
        if ram.write_first and not ram.apart:
            self.read_ram(ram)

    def store(self, ram: _Ram, head: str) -> None:
        self.line(head + "{")
        self.depth += 1
        address = self.local_address(ram)
        self.line(f"{ram.name}.write({address}, {self.expression(Type(ram.width), 2)});")
        seen = f"{ram.name}_seen"
        self.line(f"{seen} = {seen} | (uint<{ram.depth}>)1 << {address};")
        self.depth -= 1
        self.line("}")

    def local_address(self, ram: _Ram) -> str:
        self.count += 1
        self.line(f"const std::uint32_t d{self.count} = {self.address(ram)};")
        return f"d{self.count}"

    def address(self, ram: _Ram) -> str:
        """Any, or one of a few, so that deep memories are read where they were written."""
        if ram.depth > 100 and self.rng.random() < 0.7:
            return f"{self.index(5, 0.9)} * {self.rng.choice([1, 101])}u"
        return self.index(ram.depth, 0.95)

    def write_stream(self, index: int, kind: Type) -> None:
        write = f"p.m{index}.write"
        beat, other = self.beat(index, self.expression(kind, 3)), self.beat(index, self.expression(kind, 2))
        style = self.rng.random()
        if style < 0.4:
            self.line(f"{write}({beat});")
        elif style < 0.75:
            self.line(f"if ({self.condition()}) {write}({beat});")
        elif style < 0.9:
            self.line(f"if ({self.condition()}) {write}({beat}); else {write}({other});")
        else:
            self.line(f"if (turn == 1) {write}({beat});")
            self.line(f"if (turn > 5) {write}({other});")

    def beat(self, index: int, word: str) -> str:
        carried = self.carried[f"m{index}"]
        return f"{carried}::of({word})" if carried else word

    # Statements

    def line(self, text: str) -> None:
        self.lines.append("    " * (self.depth + 1) + text)

    def local(self, kind: Type, text: str) -> Value:
        self.count += 1
        value = Value(f"v{self.count}", kind)
        self.line(f"{kind} {value.text} = {text};")
        self.values.append(value)
        return value

    def statement(self) -> None:
        if self.of_bits.random() < 0.15:
            self.bits()
        if self.depth > MAX_NESTING:
            self.assignment()
        else:
            self.rng.choice(_STATEMENTS)(self)

    def bits(self) -> None:
        """Bits, a range or a concatenation of members, written; or a member made of such."""
        rng, self.rng = self.rng, self.of_bits
        members = [member for member in self.members if member.text.startswith("r")]
        a, b = self.rng.choice(members), self.rng.choice(members)
        at = self.index(a.type.width)
        high, low = self.range(a.type.width)
        source = self.bits_of() if self.rng.random() < 0.5 else self.natural(1)
        bit = f"{a.text}[(int)({at})]"
        targets = [bit, f"{a.text}.range({high}, {low})", f"{a.text}({high}, {low})"]
        if a != b:
            targets += [f"({a.text}, {b.text})", f"({a.text}({high}, {low}), {b.text}[0])"]
        lines = [*(f"{target} = {source};" for target in targets), f"{a.text} = {source};"]
        lines += [f"{bit} = {bit} ^ {b.text}[0];", f"{a.text}.invert((int)({at}));", f"{a.text}.reverse();"]
        lines += [f"{a.text}.lrotate((int)({at}));", f"{a.text}.rrotate((int)({at}));"]
        self.line(self.rng.choice(lines))
        self.rng = rng

    def assignment(self) -> None:
        arrays = [array for array in self.arrays if not array.pattern.startswith(self.name)]
        if arrays and self.rng.random() < 0.35:
            array = self.rng.choice(arrays)
            self.line(f"{self.element(array)} = {self.expression(array.type, 3)};")
        else:
            target = self.rng.choice(self.members)
            self.line(f"{target.text} = {self.expression(target.type, 3)};")

    def declaration(self) -> None:
        kind = self.type()
        self.local(kind, self.expression(kind, 3))

    def local_array(self) -> None:
        self.count += 1
        self.line(self.array_line(f"l{self.count}"))

    def copied(self) -> None:
        """A structure as a whole, where there is one."""
        if not any(array.pattern.startswith("many") for array in self.arrays):
            self.assignment()
        else:
            size = next(array.sizes[0] for array in self.arrays if array.pattern.startswith("many"))
            pair = [f"many[{self.index(size)}]", self.rng.choice(["one", f"many[{self.index(size)}]"])]
            self.line(" = ".join(self.rng.sample(pair, 2)) + ";")

    def loop(self) -> None:
        """A constant number of iterations over a variable that may carry from one to the next."""
        target = self.rng.choice(self.members)
        self.count += 1
        counter = Value(f"i{self.count}", Type(32))
        self.line(
            f"for (int {counter.text} = 0; {counter.text} < {self.rng.randint(1, 4)}; ++{counter.text})"
        )
        outer, self.values = self.values, [*self.values, counter, target, target]
        self.line(f"  {target.text} = {self.expression(target.type, 2)};")
        self.values = outer

    def branch(self) -> None:
        self.line(f"if ({self.condition()}) {{")
        self.block()
        if self.rng.random() < 0.6:
            self.line("} else {")
            self.block()
        self.line("}")

    def switch(self) -> None:
        """On few or many values, near each other or far apart."""
        bits = self.rng.choice([2, 3, 3, 5, 30])
        self.line(f"switch ((std::uint32_t)({self.expression(Type(bits), 2)})) {{")
        for case in self.rng.sample(range(1 << bits), self.rng.randint(2, min(6, 1 << bits))):
            self.line(f"case {case}: {{")
            self.block()
            self.line("}" if self.rng.random() < 0.2 else "break; }")
        self.line("default: break; }")

    def block(self) -> None:
        outer = list(self.values), list(self.arrays)
        self.depth += 1
        for _ in range(self.rng.randint(1, 3)):
            self.statement()
        self.depth -= 1
        self.values, self.arrays = outer


_STATEMENTS: list[Callable[[_Generator], None]] = [
    *[_Generator.assignment] * 7,
    *[_Generator.declaration] * 5,
    *[_Generator.branch] * 4,
    *[_Generator.switch] * 2,
    _Generator.local_array,
    _Generator.copied,
    _Generator.loop,
]
