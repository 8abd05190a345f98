"""Our integers and AMD's mean the same: every operator on many pairs of types, held to Python's numbers.

The widths and signs of results are those that UG1399 gives for arbitrary precision integers.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hlsc.random_expressions import Type
from thresher_sim.toolchain import find_amd_include, find_clang, find_gxx

HLS = Path(__file__).resolve().parents[2] / "hls"
PAIRS = 45
WIDTHS = (1, 1, 2, 2, 3, 5, 8, 13, 16, 31, 32, 33, 63, 64, 65, 100, 128)
NATIVE = {
    "bool": Type(1),
    "std::uint8_t": Type(8),
    "std::int16_t": Type(16, True),
    "int": Type(32, True),
    "unsigned": Type(32),
    "long long": Type(64, True),
    "unsigned long long": Type(64),
}
BITS = 320
PROGRAM = """\
#include <cstdio>
#include "thresher/bits.hpp"
using thresher::sint;
namespace t {
using thresher::uint;
using Word = unsigned long long;
using Wide = uint<%(bits)d>;

// A line: the width, whether it is signed, and the value with its sign extended.
void put(int width, bool is_signed, const sint<%(bits)d>& value) {
  const Wide word = value;
  std::printf("%%d %%d ", width, is_signed);
  for (int low = %(bits)d - 64; low >= 0; low -= 64) {
    const uint<64> part = thresher::bits_at<64, %(bits)d>(word, low);
    std::printf("%%016llx", static_cast<Word>(part.to_uint64()));
  }
  std::printf("\\n");
}
template <int Width> void put(const uint<Width>& value) { put(Width, false, sint<%(bits)d>(value)); }
template <int Width> void put(const sint<Width>& value) { put(Width, true, sint<%(bits)d>(value)); }
void put(bool value) { put(uint<1>(value)); }

// The low bits of two words.
template <class Type> Type make(const Word* words) {
  return static_cast<Type>(uint<128>((Wide(words[1]) << 64) | words[0]));
}
template <> bool make<bool>(const Word* words) { return words[0] & 1; }
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


@dataclass(frozen=True)
class Operand:
    """A value of a type; `name` is the type in C++."""

    name: str
    type: Type
    value: int

    @property
    def words(self) -> str:
        """The value as two words of 64 bits."""
        return ", ".join(f"{self.value >> low & (1 << 64) - 1}ull" for low in (0, 64))


@dataclass(frozen=True)
class Case:
    """One operator on two values, and what it gives."""

    operator: str
    a: Operand
    b: Operand
    type: Type
    value: int


def wrapped(value: int, kind: Type) -> int:
    low = value % (1 << kind.width)
    return low - (1 << kind.width) if kind.signed and low >> (kind.width - 1) else low


def common(a: Type, b: Type, more: int = 0, signed: bool = False) -> Type:
    """As wide as both, an unsigned one beside a signed one with a bit more."""
    either = a.signed or b.signed
    width = max(each.width + (either and not each.signed) for each in (a, b))
    return Type(width + more, either or signed)


def quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def shifted(a: int, amount: int) -> int:
    return a << amount if amount >= 0 else a >> min(-amount, 10_000)


RESULTS: dict[str, tuple[Callable[[Type, Type], Type], Callable[[int, int], int]]] = {
    "+": (lambda a, b: common(a, b, 1), lambda a, b: a + b),
    "-": (lambda a, b: common(a, b, 1, True), lambda a, b: a - b),
    "*": (lambda a, b: Type(a.width + b.width, a.signed or b.signed), lambda a, b: a * b),
    "/": (lambda a, b: Type(a.width + b.signed, a.signed or b.signed), quotient),
    "%": (
        lambda a, b: Type(min(a.width, b.width + (a.signed and not b.signed)), a.signed),
        lambda a, b: a - quotient(a, b) * b,
    ),
    "&": (common, lambda a, b: a & b),
    "|": (common, lambda a, b: a | b),
    "^": (common, lambda a, b: a ^ b),
    "<<": (lambda a, b: a, shifted),
    ">>": (lambda a, b: a, lambda a, b: shifted(a, -b)),
    "==": (lambda a, b: Type(1), lambda a, b: a == b),
    "!=": (lambda a, b: Type(1), lambda a, b: a != b),
    "<": (lambda a, b: Type(1), lambda a, b: a < b),
    "<=": (lambda a, b: Type(1), lambda a, b: a <= b),
    ">": (lambda a, b: Type(1), lambda a, b: a > b),
    ">=": (lambda a, b: Type(1), lambda a, b: a >= b),
}


def cases() -> Iterator[Case]:
    rng = random.Random(14)
    for index in range(PAIRS):
        kinds = [Type(rng.choice(WIDTHS), rng.random() < 0.5) for _ in range(2)]
        names = [f"{'sint' if kind.signed else 'uint'}<{kind.width}>" for kind in kinds]
        if index % 3 == 0:
            place = rng.randrange(2)
            names[place], kinds[place] = rng.choice(list(NATIVE.items()))
        for operator, (result, compute) in RESULTS.items():
            if operator in ("<<", ">>") and names[0] in NATIVE:
                continue
            for _ in range(4):
                a, b = (operand(rng, name, kind) for name, kind in zip(names, kinds, strict=True))
                if operator in "/%" and b.value == 0:
                    continue
                if operator in ("<<", ">>"):
                    b = Operand(b.name, b.type, wrapped(b.value % 300 - 150 * b.type.signed, b.type))
                kind = result(*kinds)
                yield Case(operator, a, b, kind, wrapped(compute(a.value, b.value), kind))


def operand(rng: random.Random, name: str, kind: Type) -> Operand:
    ends = [0, 1, -1, (1 << kind.width - 1) - 1, 1 << kind.width - 1]
    return Operand(name, kind, wrapped(rng.choice([*ends, *[rng.getrandbits(kind.width)] * 4]), kind))


def program(wanted: list[Case]) -> str:
    """A function for each operator on each pair of types, so that nothing is computed by the compiler."""
    functions: dict[tuple[str, str, str], str] = {}
    for case in wanted:
        key = (case.operator, case.a.name, case.b.name)
        functions.setdefault(key, f"f{len(functions)}")
    texts = [
        f"void {name}(const Word* w) {{ put(make<{a}>(w) {operator} make<{b}>(w + 2)); }}"
        for (operator, a, b), name in functions.items()
    ]
    calls = [
        f"  {{{functions[case.operator, case.a.name, case.b.name]}, {{{case.a.words}, {case.b.words}}}}},"
        for case in wanted
    ]
    return PROGRAM % {"bits": BITS, "functions": "\n".join(texts), "calls": "\n".join(calls)}


def amd_differs(case: Case) -> bool:
    """Whether AMD's simulation headers (those of hls4ml 1.3) do not do as UG1399 says.

    They leave the order of numbers of different signs to C++, as `-1 < 1u`, and divide them as it does;
    and where C++'s own integer is divided, the width of the result is that of the other operand.
    """
    mixed = case.a.type.signed != case.b.type.signed
    if case.operator in ("/", "%"):
        return mixed or case.a.name in NATIVE
    return mixed and case.operator in ("<", "<=", ">", ">=")


def compilers() -> dict[str, list[str]]:
    amd = [find_gxx(), "-std=c++14", "-w", "-O0", "-DTHRESHER_AMD", f"-isystem{find_amd_include()}"]
    return {
        "ours": [*find_clang(), "-std=c++20", "-O0", "-fno-sanitize=all", "-fno-exceptions"],
        "AMD's": amd,
    }


@pytest.mark.parametrize("types", ["ours", "AMD's"])
def test_every_operator_gives_the_number_and_the_type_that_it_must(types: str, tmp_path: Path) -> None:
    wanted = list(cases())
    source, binary = tmp_path / "integers.cpp", tmp_path / "integers"
    source.write_text(program(wanted))
    steps = [[*compilers()[types], "-c", "-I", str(HLS), str(source), "-o", str(tmp_path / "integers.o")]]
    steps.append([find_gxx(), str(tmp_path / "integers.o"), "-o", str(binary)])
    for step in steps:
        subprocess.run(step, check=True)
    lines = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines()

    assert len(wanted) > 1500
    wrong = []
    for case, line in zip(wanted, lines, strict=True):
        if types == "AMD's" and amd_differs(case):
            continue
        width, signed, digits = line.split()
        found = wrapped(int(digits, 16), Type(BITS, True))
        if (int(width), signed == "1", found) != (case.type.width, case.type.signed, case.value):
            wrong.append((case, width, signed, found))
    assert wrong == []


ENUMERATIONS = """\
#include "thresher/bits.hpp"
using thresher::sint;
using Five = thresher::uint<5>;
enum Plain { kOne = 1, kThree = 3 };
enum Lower { kMinus = -1 };
enum Bytes : unsigned char { kMost = 255 };
static_assert(Five(4) + kThree == 7 && kThree - Five(4) == -1);
static_assert(Five(3) == kThree && (Five(kOne) << kThree) == 8);
static_assert(__is_same(decltype(Five(4) * kMost), thresher::uint<13>));
static_assert(__is_same(decltype(Five(4) * kMinus), sint<37>) && Five(4) * kMinus == -4);
"""


def test_enumerations_take_part_as_the_integers_that_hold_them(tmp_path: Path) -> None:
    source = tmp_path / "enumerations.cpp"
    source.write_text(ENUMERATIONS)
    command = [*compilers()["ours"], "-c", "-I", str(HLS), str(source), "-o", str(tmp_path / "made.o")]
    subprocess.run(command, check=True)
