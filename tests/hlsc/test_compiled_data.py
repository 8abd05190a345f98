"""What hlsc reads of constants and initial values, what clang compiles, and what was written in C++."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.hlsc.native import HLS
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiled_data import compiled_data
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.fault import HlscFaultError
from thresher.hlsc.frontend.state import Constant
from thresher.hlsc.frontend.unit import UnitReading, read_unit
from thresher.hlsc.held import hold_to_compiled
from thresher.hlsc.llvm import constants, reader
from thresher.hlsc.llvm.constants import constant_bytes
from thresher.hlsc.llvm.module import Number, Operand
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.llvm.reader import Reader
from thresher.hlsc.llvm.types import ArrayType, IntegerType

TABLES = 1000
MEMBERS = 250
REMEDY = "this is a fault of hlsc: report it with the unit's C++"
HEADER = """\
#include "thresher/bits.hpp"
#include "thresher/stream.hpp"
template <int N> using U = unsigned _BitInt(N);
template <int N> using S = _BitInt(N);
enum class Kind : std::uint16_t { kFirst };
"""


@dataclass(frozen=True)
class Scalar:
    """An integer type of C++; in memory it takes `size` bytes."""

    name: str
    bits: int
    signed: bool
    size: int

    def draw(self, rng: random.Random) -> int:
        """A value: often an end of the range, often a byte that text writes in a way of its own."""
        low, high = (
            (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if self.signed else (0, 2**self.bits - 1)
        )
        special = [low, high, 0, 34, 64, 92, 0x5C5C, -92]
        value = rng.choice(special) if rng.random() < 0.4 else rng.randint(low, high)
        return max(low, min(high, value))

    def text(self, value: int) -> str:
        """A constant expression, by bytes, as C++ has no literal of more than 64 bits."""
        raw = (value % (1 << self.bits)).to_bytes(-(-self.bits // 8), "little")
        wide = max(self.bits, 8)
        parts = [f"((U<{wide}>){byte} << {8 * place})" for place, byte in enumerate(raw) if byte]
        return f"({self.name})(U<{self.bits}>)({' | '.join(parts) or '0'})"

    def memory(self, value: int) -> bytes:
        """How the value lies in memory."""
        return value.to_bytes(self.size, "little", signed=self.signed)


def bit_int(bits: int, signed: bool) -> Scalar:
    """`_BitInt`: as large as the next integer of C++; of more than 64 bits, whole words."""
    size = next((size for size in (1, 2, 4, 8) if bits <= 8 * size), -(-bits // 64) * 8)
    return Scalar(f"{'S' if signed else 'U'}<{bits}>", bits, signed, size)


PLAIN = [
    *(Scalar(f"std::uint{bits}_t", bits, False, bits // 8) for bits in (8, 16, 32, 64)),
    *(Scalar(f"std::int{bits}_t", bits, True, bits // 8) for bits in (8, 16, 32, 64)),
    Scalar("Kind", 16, False, 2),
    replace(bit_int(1, False), name="bool"),
]


def scalar(rng: random.Random) -> Scalar:
    """Any integer type, of 1 to 200 bits."""
    if rng.random() < 0.5:
        return rng.choice(PLAIN)
    signed = rng.random() < 0.5
    return bit_int(rng.randint(2, 64) if rng.random() < 0.7 else rng.randint(65, 200), signed)


@dataclass(frozen=True)
class Written:
    """A constant: C++ that defines it by a name, and its bytes."""

    define: Callable[[str], str]
    memory: bytes


def table(rng: random.Random, kind: Scalar) -> Written:
    """One or two dimensions of numbers, with some rows of zeros."""
    rows, columns = rng.randint(1, 4), rng.randint(1, 9)
    values = [[kind.draw(rng) if rng.random() < 0.9 else 0 for _ in range(columns)] for _ in range(rows)]
    if rng.random() < 0.3:
        values[-1] = [0] * columns
    listed = ", ".join("{" + ", ".join(kind.text(value) for value in row) + "}" for row in values)
    return Written(
        lambda name: f"extern const {kind.name} {name}[{rows}][{columns}] = {{{listed}}};",
        b"".join(kind.memory(value) for row in values for value in row),
    )


def structures(rng: random.Random) -> Written:
    """Structs of a byte, a number and a bool, with padding between them, which is zero."""
    kind, count = rng.choice(PLAIN[1:8]), rng.randint(1, 4)
    rows = [(rng.randrange(256), kind.draw(rng), rng.randrange(2)) for _ in range(count)]
    listed = ", ".join(f"{{{a}, {kind.text(b)}, {bool(c):d} != 0}}" for a, b, c in rows)
    memory = b"".join(
        bytes([a]).ljust(kind.size, b"\0") + kind.memory(b) + bytes([c]).ljust(kind.size, b"\0")
        for a, b, c in rows
    )
    fields = f"std::uint8_t a; {kind.name} b; bool c;"
    return Written(
        lambda name: f"struct T{name} {{ {fields} }};\nextern const T{name} {name}[{count}] = {{{listed}}};",
        memory,
    )


def written_tables(rng: random.Random) -> list[Written]:
    every_byte = Scalar("std::uint8_t", 8, False, 1)
    listed = ", ".join(map(str, range(256)))
    tables = [
        Written(lambda name: f"extern const std::uint8_t {name}[256] = {{{listed}}};", bytes(range(256)))
    ]
    tables += [table(rng, every_byte) for _ in range(TABLES // 4)]
    tables += [structures(rng) for _ in range(TABLES // 10)]
    return tables + [table(rng, scalar(rng)) for _ in range(TABLES - len(tables))]


def write_unit(folder: Path, before: str, members: str, step: str = "") -> UnitSource:
    header = folder / "unit.hpp"
    header.write_text(
        f"{HEADER}{before}\nstruct Unit {{\n"
        "  struct Ports { thresher::InStream<8> s_axis; thresher::OutStream<8> m_axis; };\n"
        f"  void step(Ports& p) {{ {step or 'p.m_axis.write(p.s_axis.read());'} }}\n{members}\n}};\n"
    )
    return UnitSource(header, "Unit", (HLS,))


def test_tables_are_read_as_they_were_written_and_as_clang_compiles_them(tmp_path: Path) -> None:
    tables = {f"table{index}": each for index, each in enumerate(written_tables(random.Random(14)))}
    text = emit_llvm(
        write_unit(tmp_path, "\n".join(each.define(name) for name, each in tables.items()), "")
    ).text
    module = parse(text)
    with compiled_data(text) as compiled:
        read = {name: constant_bytes(module.globals[name], module.types) for name in tables}
        held = compiled.contents()

    expected = {name: each.memory for name, each in tables.items()}
    assert len(tables) == TABLES
    assert read == expected
    assert {name: held[name] for name in tables} == expected


def read_and_held(source: UnitSource) -> tuple[UnitReading, tuple[str, ...]]:
    text = emit_llvm(source).text
    with compiled_data(text) as compiled:
        reading = read_unit(parse(text))
        return reading, hold_to_compiled(reading, compiled, "Unit")


@pytest.mark.parametrize("seed", range(4))
def test_initial_values_are_those_that_were_written(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    kinds = [scalar(rng) for _ in range(MEMBERS)]
    values = [kind.draw(rng) for kind in kinds]
    drawn = list(zip(kinds, values, strict=True))
    members = "\n".join(
        f"  {kind.name} m{index} = {kind.text(value)};" for index, (kind, value) in enumerate(drawn)
    )
    reading, warnings = read_and_held(write_unit(tmp_path, "", members))

    resets = {register.name: register.reset for register in reading.graph.registers}
    expected = {f"m{index}": value % (1 << kind.bits) for index, (kind, value) in enumerate(drawn)}
    assert resets == expected
    assert warnings == ()


MEMBERS_OF_EVERY_KIND = """\
  struct Inner { thresher::uint<5> low = 21; thresher::sint<70> high = -2; bool both[2] = {true, false}; };
  struct Base { thresher::uint<12> above = 3000; };
  struct Derived : Base {
    Inner inner[2];
    unsigned first : 3 = 5;
    unsigned second : 11 = 1234;
    bool third : 1 = true;
  };
  Derived derived;
  thresher::Ram<4, 8> ram;
  thresher::uint<9> unset;
  thresher::sint<3> rows[2][2] = {{-4, 3}, {-1}};"""


def test_initial_values_of_nested_members(tmp_path: Path) -> None:
    reading, warnings = read_and_held(
        write_unit(tmp_path, '#include "thresher/ram.hpp"', MEMBERS_OF_EVERY_KIND)
    )
    resets = [register.reset for register in reading.graph.registers]
    inner = [21, (1 << 70) - 2, 1, 0]

    assert resets == [3000, *inner, *inner, 5, 1234, 1, None, 4, 3, 7, 0]
    assert warnings == ()


BYTES = "static constexpr std::uint8_t kTable[4] = {92, 65, 66, 7};"
READ_BYTE = "p.m_axis.write(kTable[static_cast<std::uint8_t>(p.s_axis.read()) & 3]);"


def test_the_byte_that_is_a_backslash(tmp_path: Path) -> None:
    source = write_unit(tmp_path, BYTES, "", READ_BYTE)
    reading, _ = read_and_held(source)

    written = Interpreter(reading.graph).run({"s_axis": [0, 1, 2, 3]}, 4)
    assert written == {"m_axis": [92, 65, 66, 7]}


def refusal(source: UnitSource) -> str:
    with pytest.raises(HlscFaultError) as error:
        compile_unit(source, "unit")
    assert error.value.exit_code == 1
    return str(error.value)


def test_a_wrong_number_of_elements_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader as it was: it knew no escape but two digits."""
    monkeypatch.setattr(reader, "_ESCAPE", re.compile(rb"\\([0-9A-Fa-f]{2})"))
    source = write_unit(tmp_path, BYTES, "", READ_BYTE)

    assert refusal(source) == f"hlsc: unit 'Unit': a constant of 4 elements is read as one of 3; {REMEDY}"


def test_elements_of_another_type_are_a_fault() -> None:
    with pytest.raises(HlscFaultError) as error:
        Reader("[i16 1, i8 2]").value(ArrayType(2, IntegerType(8)))

    assert str(error.value) == f"hlsc: a constant is read as one of another type; {REMEDY}"


def test_a_wrong_byte_of_a_table_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_unescaped", lambda escape: b"/" if escape == b"\\" else b"\x07")
    source = write_unit(tmp_path, BYTES, "", READ_BYTE)

    assert refusal(source) == (
        "hlsc: unit 'Unit': byte 0 of the table 'kTable' is read as 0x2f, where the compiled C++ holds 0x5c; "
        + REMEDY
    )


def test_elements_in_another_order_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reversed_(kind: ArrayType) -> list[int]:
        return list(range(kind.count))[::-1]

    monkeypatch.setattr(constants, "_offsets", reversed_)
    source = write_unit(tmp_path, BYTES, "", READ_BYTE)

    assert refusal(source) == (
        "hlsc: unit 'Unit': byte 0 of the table 'kTable' is read as 0x07, where the compiled C++ holds 0x5c; "
        + REMEDY
    )


def test_a_wrong_initial_value_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Reader.operand

    def halved(self: Reader) -> Operand:
        found = plain(self)
        is_value = isinstance(found.value, Number) and found.value.value == -200
        return replace(found, value=Number(-100)) if is_value else found

    monkeypatch.setattr(Reader, "operand", halved)
    source = write_unit(tmp_path, "", "  std::int16_t first = 1;\n  thresher::sint<9> second = -200;")

    assert refusal(source) == (
        "hlsc: unit 'Unit': unit.hpp:11: the initial value of 'second' is read as 0xff9c at byte 2 of the "
        f"unit, where the compiled C++ holds 0xff38; {REMEDY}"
    )


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (Constant("kRead", b"\1"), "the table 'kRead' is read as 1 bytes, where the compiled C++ holds 4"),
        (None, "the table 'kTable' is not among the constants that clang compiles"),
    ],
)
def test_a_table_of_another_size_or_name_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Constant | None, what: str
) -> None:
    text = emit_llvm(write_unit(tmp_path, BYTES, "", READ_BYTE)).text
    reading = read_unit(parse(text))
    ((symbol, constant),) = reading.constants.items()
    renamed = {symbol: read} if read else {"other": constant}
    with compiled_data(text) as compiled, pytest.raises(HlscFaultError) as error:
        hold_to_compiled(replace(reading, constants=renamed), compiled, "Unit")

    assert str(error.value) == f"hlsc: {what}; {REMEDY}"


def test_initial_values_that_clang_does_not_evaluate_are_warned_of(tmp_path: Path) -> None:
    before = '#include "thresher/rom.hpp"\nstatic constexpr std::uint64_t kRom[2][1] = {{5}, {92}};'
    members = "  thresher::uint<8> start = thresher::rom_read<8>(kRom, 1);"
    step = "start = start + p.s_axis.read(); p.m_axis.write(start);"
    unit = compile_unit(write_unit(tmp_path, before, members, step), "unit")

    assert "start_q <= 8'd92;" in unit.verilog
    assert unit.warnings == (
        "hlsc: unit 'Unit': clang does not evaluate the constructor, so the initial values that hlsc has "
        "read are not held to the compiled C++; give every member an initial value where it is declared, by "
        "a constant expression, and a Ram a table",
    )


def names_of(text: str, names: Sequence[str]) -> set[str]:
    module = parse(text)
    return {name for name in names if name in module.globals and module.globals[name].startswith("constant")}


def test_names_in_quotes() -> None:
    text = '@"\\5C\\22\\C3\\A9" = constant i8 1\n@"a\\\\b" = constant i8 2\n@plain = constant i8 3\n'
    names = ['\\"é', "a\\b", "plain"]

    assert names_of(text, names) == set(names)
