"""Fixed-point numbers mean what AMD's mean: every mode and operator, held to Python's fractions.

Our class runs over our integers and over AMD's; AMD's own `ap_fixed` answers the same questions.
"""

from __future__ import annotations

import operator
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from tests.hlsc.fixed_point import OVERFLOWS, ROUNDINGS, Format, exact, nearest
from thresher.errors import ToolFailedError
from thresher.hlsc import UnitSource, compile_unit
from thresher_sim.toolchain import find_amd_include, find_clang, find_gxx

HLS = Path(__file__).resolve().parents[2] / "hls"
BITS = 448
NATIVE = {
    "bool": Format(1, 1, native="bool"),
    "std::uint8_t": Format(8, 8, native="std::uint8_t"),
    "short": Format(16, 16, True, native="short"),
    "int": Format(32, 32, True, native="int"),
    "long long": Format(64, 64, True, native="long long"),
    "uint<5>": Format(5, 5, native="thresher::uint<5>"),
    "sint<9>": Format(9, 9, True, native="thresher::sint<9>"),
}
PROGRAM = """\
#include <cstdio>
%(include)s
namespace t {
using namespace thresher;
using Word = unsigned long long;
using Wide = thresher::uint<%(bits)d>;

// A line: the width, the integer bits, whether it is signed, and the bits.
void put(int width, int integer, bool is_signed, const Wide& word) {
  std::printf("%%d %%d %%d ", width, integer, is_signed);
  for (int low = %(bits)d - 64; low >= 0; low -= 64) {
    const thresher::uint<64> part = thresher::bits_at<64, %(bits)d>(word, low);
    std::printf("%%016llx", static_cast<Word>(part.to_uint64()));
  }
  std::printf("\\n");
}
template <int Width> void put(const thresher::uint<Width>& value) { put(Width, Width, false, Wide(value)); }
template <int Width> void put(const thresher::sint<Width>& value) {
  put(Width, Width, true, Wide(thresher::uint<Width>(value)));
}
void put(bool value) { put(thresher::uint<1>(value)); }
void put(int value) { put(thresher::sint<32>(value)); }
%(access)s
template <> struct Make<bool> { static bool of(const Wide& word) { return (word & 1) != 0; } };
template <class Type> Type make(const Word* words) {
  return Make<Type>::of((Wide(words[1]) << 64) | words[0]);
}
%(functions)s
struct Call {
  void (*function)(const Word*);
  Word words[4];
};
const Call calls[] = {
%(calls)s
};
}
int main() {
  for (const t::Call& call : t::calls) call.function(call.words);
}
"""
OURS = """\
template <int W, int I, bool S, Rounding R, Overflow O> void put(const Fixed<W, I, S, R, O>& value) {
  put(W, I, S, Wide(value.bits()));
}
template <class Type> struct Make { static Type of(const Wide& word) { return static_cast<Type>(word); } };
template <int W, int I, bool S, Rounding R, Overflow O> struct Make<Fixed<W, I, S, R, O>> {
  using Type = Fixed<W, I, S, R, O>;
  static Type of(const Wide& word) { return Type::from_bits(thresher::uint<W>(word)); }
};
"""
AMD = """\
template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O, int N>
void put(const ap_fixed_base<W, I, S, Q, O, N>& value) {
  ap_ufixed<W, I> same;
  same.V = value.V;
  put(W, I, S, Wide(ap_uint<W>(same.range())));
}
template <class Type, class = void> struct Make {
  static Type of(const Wide& word) {
    Type result;
    result.range() = ap_uint<Type::width>(word);
    return result;
  }
};
template <class Type> struct Make<Type, typename std::enable_if<std::is_integral<Type>::value>::type> {
  static Type of(const Wide& word) { return static_cast<Type>(word); }
};
template <int W> struct Make<ap_uint<W>> { static ap_uint<W> of(const Wide& word) { return word; } };
template <int W> struct Make<ap_int<W>> { static ap_int<W> of(const Wide& word) { return word; } };
"""


@dataclass(frozen=True)
class Case:
    """An expression of `{a}` and `{b}`, and the type and bits that it has."""

    text: str
    operands: tuple[tuple[Format, int], ...]
    type: Format
    raw: int
    target: Format | None = None

    def expression(self, spelled: Callable[[Format], str]) -> str:
        """The C++ of it, with types as `spelled`."""
        names = ("a", "b")
        made = {
            name: f"make<{spelled(kind)}>(w + {2 * place})"
            for place, (name, (kind, _)) in enumerate(zip(names, self.operands, strict=False))
        }
        target = spelled(self.target) if self.target else ""
        return self.text.format(**made, target=target)

    @property
    def words(self) -> str:
        """The operands' bits as words of 64 bits."""
        found = [bits >> low & (1 << 64) - 1 for _, bits in self.operands for low in (0, 64)]
        return ", ".join(f"{word}ull" for word in [*found, 0, 0, 0, 0][:4])


@dataclass(frozen=True)
class Draw:
    """Draws types and numbers. `few` is for compilers that take long, `ordinary` leaves out far points."""

    rng: random.Random
    few: bool = False
    ordinary: bool = False

    def times(self, count: int) -> range:
        """So many draws, or a part of them."""
        return range(-(-count // 8) if self.few else count)

    def format(self) -> Format:
        """A type of up to 100 bits, its point anywhere."""
        rng = self.rng
        width = rng.choice([2, 3, 5, 8, 12, 16, 24, 32, 33, *([] if self.ordinary else [1, 63, 64, 65, 100])])
        far = [-4, width + 3, rng.randint(-20, width + 20)]
        integer = rng.choice([0, 1, width, width // 2, *([] if self.ordinary else far)])
        rounding, overflow = rng.choice(list(ROUNDINGS)), rng.choice(list(OVERFLOWS))
        return Format(width, integer, rng.random() < 0.5, rounding, overflow)

    def bits(self, kind: Format) -> int:
        """Bits of a number: an end of the range now and then."""
        ends = [0, 1, -1, (1 << kind.width - 1) - 1, 1 << kind.width - 1]
        return self.rng.choice([*ends, *[self.rng.getrandbits(kind.width)] * 4]) % (1 << kind.width)


def small_conversions(draw: Draw) -> Iterator[Case]:
    """Every number of a small source, in every mode and to either sign."""
    modes = list(product(ROUNDINGS, OVERFLOWS, product((False, True), repeat=2)))
    for rounding, overflow, signs in modes[:: 5 if draw.few else 1]:
        source = Format(6, 3, signs[0])
        target = Format(3, 2, signs[1], rounding, overflow)
        for bits in range(1 << source.width):
            raw = target.of(source.value(bits))
            yield Case("{target}({a})", ((source, bits),), target, raw, target)


def single_bits(draw: Draw) -> Iterator[Case]:
    """Every number of a small source as a single bit with a sign."""
    modes = list(product(ROUNDINGS, OVERFLOWS, (0, 1), (False, True)))
    for rounding, overflow, integer, signed in modes[:: 5 if draw.few else 1]:
        source = Format(6, 3, signed)
        target = Format(1, integer, True, rounding, overflow)
        for bits in range(1 << source.width):
            raw = target.of(source.value(bits))
            yield Case("{target}({a})", ((source, bits),), target, raw, target)


def conversions(draw: Draw) -> Iterator[Case]:
    """Random types, and integers among the sources."""
    for index in draw.times(40):
        source = draw.rng.choice(list(NATIVE.values())) if index % 5 == 0 else draw.format()
        target = draw.format()
        for _ in range(8):
            bits = draw.bits(source)
            raw = target.of(source.value(bits))
            yield Case("{target}({a})", ((source, bits),), target, raw, target)


COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
LOGIC: dict[str, Callable[[int, int], int]] = {"&": operator.and_, "|": operator.or_, "^": operator.xor}


def binary_operators(draw: Draw) -> Iterator[Case]:
    for index in draw.times(12):
        kinds = [draw.format() for _ in range(2)]
        if index % 4 == 0:
            kinds[draw.rng.randrange(2)] = draw.rng.choice(list(NATIVE.values()))
        for name in (*ARITHMETIC, *LOGIC, *COMPARISONS):
            for _ in range(4):
                first, second = ((kind, draw.bits(kind)) for kind in kinds)
                if name != "/" or second[1] != 0:
                    yield binary_case(name, first, second)


def binary_case(name: str, *operands: tuple[Format, int]) -> Case:
    (first, _), (second, _) = operands
    a, b = (kind.value(bits) for kind, bits in operands)
    text = f"{{a}} {name} {{b}}"
    if name in COMPARISONS:
        return Case(text, operands, Format(1, 1), int(COMPARISONS[name](a, b)))
    kind = exact(first, second, name)
    if name in LOGIC:
        raws = (int(value * Fraction(2) ** kind.fraction) for value in (a, b))
        return Case(text, operands, kind, kind.raw(LOGIC[name](*raws)))
    whole = nearest(ARITHMETIC[name](a, b) * Fraction(2) ** kind.fraction, "kToZero")
    return Case(text, operands, kind, kind.raw(whole))


def unary_operators(draw: Draw) -> Iterator[Case]:
    for _ in draw.times(12):
        kind = draw.format()
        plain = Format(kind.width, kind.integer, kind.signed)
        amount = draw.rng.randint(0, kind.width - 1)
        for _ in range(4):
            bits = draw.bits(kind)
            raw, one = kind.raw(bits), ((kind, bits),)
            yield Case("-{a}", one, Format(kind.width + 1, kind.integer + 1, True), -raw)
            yield Case("~{a}", one, plain, plain.raw(~raw))
            yield Case("!{a}", one, Format(1, 1), int(raw == 0))
            yield Case(f"{{a}} << {amount}", one, kind, kind.raw(raw << amount))
            yield Case(f"{{a}} >> {amount}", one, kind, raw >> amount)
            yield Case(f"{{a}} << -{amount}", one, kind, raw >> amount)


def integers(draw: Draw) -> Iterator[Case]:
    for _ in draw.times(12):
        kind = draw.format()
        width = draw.rng.choice([1, 7, 20, 70])
        for _ in range(4):
            bits = draw.bits(kind)
            whole, one = nearest(kind.value(bits), "kToZero"), ((kind, bits),)
            word = Format(32, 32, True)
            yield Case("{a}.to_int()", one, word, word.raw(whole))
            for name, signed in (("uint", False), ("sint", True)):
                target = Format(width, width, signed)
                yield Case(f"thresher::{name}<{width}>({{a}})", one, target, target.raw(whole))


def constants(draw: Draw) -> Iterator[Case]:
    rng = draw.rng
    for _ in draw.times(50):
        target = draw.format()
        far = target.integer if draw.ordinary else rng.randint(-300, 300)
        scale = rng.choice([-target.fraction, -target.fraction, target.integer, far])
        value = rng.choice([0.5, -0.5, 1.5, -2.5, rng.uniform(-4, 4), rng.uniform(-4, 4), 1.0, -1.0])
        value *= 2.0 ** (scale - rng.randint(0, 2))
        yield Case(f"{{target}}({value!r})", (), target, target.of(Fraction(value)), target)


def every_case(few: bool = False, ordinary: bool = False) -> list[Case]:
    draw = Draw(random.Random(14), few, ordinary)
    drawn = (
        small_conversions,
        single_bits,
        conversions,
        binary_operators,
        unary_operators,
        integers,
        constants,
    )
    return [case for cases in drawn for case in cases(draw)]


def program(cases: list[Case], include: str, access: str, spelled: Callable[[Format], str]) -> str:
    """A function for each expression, so that only constants are computed by the compiler."""
    functions: dict[str, str] = {}
    for case in cases:
        functions.setdefault(case.expression(spelled), f"f{len(functions)}")
    texts = [f"void {name}(const Word* w) {{ put({text}); }}" for text, name in functions.items()]
    calls = [f"  {{{functions[case.expression(spelled)]}, {{{case.words}}}}}," for case in cases]
    return PROGRAM % {
        "bits": BITS,
        "include": include,
        "access": access,
        "functions": "\n".join(texts),
        "calls": "\n".join(calls),
    }


OUR_HEADER = '#include "thresher/fixed.hpp"'
AMD_HEADERS = '#include "thresher/bits.hpp"\n#include <ap_fixed.h>\n#include <type_traits>'


def compilers() -> dict[str, tuple[list[str], str, str, Callable[[Format], str]]]:
    amd = [find_gxx(), "-std=c++14", "-w", "-O0", "-DTHRESHER_AMD", f"-isystem{find_amd_include()}"]
    ours = [*find_clang(), "-std=c++20", "-O0", "-fno-sanitize=all", "-fno-exceptions"]
    return {
        "ours": (ours, OUR_HEADER, OURS, lambda kind: kind.ours),
        "ours over AMD's integers": (amd, OUR_HEADER, OURS, lambda kind: kind.ours),
        "AMD's": (amd, AMD_HEADERS, AMD, lambda kind: kind.amd),
    }


@pytest.mark.parametrize("types", ["ours", "ours over AMD's integers", "AMD's"])
def test_every_mode_and_operator_gives_the_number_that_it_must(types: str, tmp_path: Path) -> None:
    # g++ takes long with AMD's headers, and these end the program where a point is far outside of the bits.
    cases = every_case(few=types != "ours", ordinary=types == "AMD's")
    compiler, include, access, spelled = compilers()[types]
    source, binary = tmp_path / "fixed.cpp", tmp_path / "fixed"
    source.write_text(program(cases, include, access, spelled))
    steps = [[*compiler, "-c", "-I", str(HLS), str(source), "-o", str(tmp_path / "fixed.o")]]
    steps.append([find_gxx(), str(tmp_path / "fixed.o"), "-o", str(binary)])
    for step in steps:
        subprocess.run(step, check=True)
    lines = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines()

    assert len(cases) > (1500 if types != "ours" else 8000)
    wrong = []
    for case, line in zip(cases, lines, strict=True):
        width, integer, signed, digits = line.split()
        found = Format(int(width), int(integer), signed == "1")
        wanted = Format(case.type.width, case.type.integer, case.type.signed)
        if (found, found.raw(int(digits, 16))) != (wanted, case.raw):
            wrong.append((case, line))
    assert wrong == []


REFUSED = {
    "x.to_int() * 0.5": "rounding.hpp:N: read of non-constexpr variable 'x' is not allowed in a constant "
    "expression",
    "1e300 * 1e300": "fixed.hpp:N: non-constexpr function 'a_constant_must_be_a_finite_number' cannot be "
    "used in a constant expression",
}
"""What clang says of each, without the line of our own headers."""


@pytest.mark.parametrize("value", REFUSED)
def test_a_double_that_is_no_constant_number_is_refused(value: str, tmp_path: Path) -> None:
    header = tmp_path / "unit.hpp"
    header.write_text(
        '#include "thresher/fixed.hpp"\n#include "thresher/stream.hpp"\n'
        "using Number = thresher::fixed<8, 4>;\n"
        "struct Unit {\n  struct Ports { thresher::InStream<8> a; thresher::OutStream<8> q; };\n"
        "  void step(Ports& p) {\n    const Number x = Number::from_bits(p.a.read());\n"
        f"    const Number y = {value};\n    p.q.write(y.bits());\n  }}\n}};\n"
    )
    with pytest.raises(ToolFailedError) as refused:
        compile_unit(UnitSource(header, "Unit", (HLS,)), "unit")

    said = re.sub(r"(rounding|fixed)\.hpp:\d+", r"\1.hpp:N", str(refused.value))
    assert said == (
        "hlsc: unit 'Unit': unit.hpp:8: clang says: call to consteval function 'thresher::Fixed<8, 4, true, "
        "thresher::Rounding::kDown, thresher::Overflow::kWrap>::Fixed<double, double, 0>' is not a constant "
        f"expression ({REFUSED[value]}); mend the C++"
    )


NO_WIDTH = "a constant with a fraction has no width: name its type, as in decltype(x)(0.5) beside x"
WITHOUT_A_WIDTH = {
    "f = f * 0.5": NO_WIDTH,
    "f = 0.5f - f": NO_WIDTH,
    "f += 0.5": NO_WIDTH,
    "if (f > 1.5) f = 1": NO_WIDTH,
    "x = divide(x, 3).quotient": "divide takes integers of a stated width: name it, as in divide(x, "
    "thresher::uint<2>(3))",
    "x = thresher::square_root(5).root": "square_root takes an unsigned integer of a stated width: name it, "
    "as in thresher::uint<10>(x)",
    "x = square_root(thresher::sint<5>(x)).root": "a negative number has no square root: convert to uint "
    "what cannot be negative",
}


@pytest.mark.parametrize("statement", WITHOUT_A_WIDTH)
def test_what_has_no_width_is_refused_by_the_line_of_the_unit(statement: str, tmp_path: Path) -> None:
    header = tmp_path / "unit.hpp"
    header.write_text(
        '#include "thresher/divide.hpp"\n#include "thresher/fixed.hpp"\n#include "thresher/square_root.hpp"\n'
        '#include "thresher/stream.hpp"\n'
        "struct Unit {\n  struct Ports { thresher::InStream<8> a; thresher::OutStream<8> q; };\n"
        "  void step(Ports& p) {\n    auto x = p.a.read();\n    thresher::fixed<8, 4> f = x;\n"
        f"    {statement};\n    p.q.write(x + f.bits());\n  }}\n}};\n"
    )
    with pytest.raises(ToolFailedError) as refused:
        compile_unit(UnitSource(header, "Unit", (HLS,)), "unit")

    reason, remedy = WITHOUT_A_WIDTH[statement].split(": ", 1)
    message = re.sub(r"\((fixed|divide|square_root)\.hpp:\d+\)", "(HEADER)", str(refused.value))
    assert message == f"hlsc: unit 'Unit': unit.hpp:10: {reason} (HEADER); {remedy}"
