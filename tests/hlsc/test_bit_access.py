"""Bits, ranges and concatenations mean the same with our types and AMD's, and what Python's integers say."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hlsc.random_expressions import Type
from tests.hlsc.test_integer import HLS, compilers, wrapped
from thresher.errors import ToolFailedError
from thresher.hlsc import UnitSource, compile_unit
from thresher_sim.toolchain import find_gxx

TRIPLES = {"ours": 14, "AMD's": 5}
"""Of types. g++ takes seconds for each of them with AMD's."""

VALUES = 3
BITS = 640
PROGRAM = """\
#include <cstdio>
#include "thresher/bits.hpp"
using thresher::sint;
namespace t {
using thresher::uint;
using Word = unsigned long long;
using Wide = uint<%(bits)d>;

// The width, and the bits; AMD's range is as wide as what it is a range of.
void put(int width, const Wide& word) {
  std::printf("%%d ", width);
  for (int low = %(bits)d - 64; low >= 0; low -= 64) {
    const uint<64> part = thresher::bits_at<64, %(bits)d>(word, low);
    std::printf("%%016llx", static_cast<Word>(part.to_uint64()));
  }
  std::printf("\\n");
}
template <int Width> void put(const uint<Width>& value) { put(Width, Wide(value)); }
template <int Width> void put(const sint<Width>& value) { put(Width, Wide(uint<Width>(value))); }
void put(bool value) { put(uint<1>(value)); }

template <class Type> Type make(const Word* words) {
  Wide all = 0;
  for (int at = 3; at >= 0; --at) all = (all << 64) | words[at];
  return static_cast<Type>(all);
}
%(functions)s
struct Call {
  void (*function)(const Word*, const int*);
  Word words[12];
  int at[4];
};
const Call calls[] = {
%(calls)s
};
}
int main() {
  for (const t::Call& call : t::calls) call.function(call.words, call.at);
}
"""


@dataclass(frozen=True)
class Bits:
    """An integer variable of the C++, whose bits are those of `value`."""

    kind: Type
    value: int

    @property
    def width(self) -> int:
        """How many bits there are."""
        return self.kind.width

    @property
    def number(self) -> int:
        """The number that the bits are."""
        return wrapped(self.value, self.kind)

    def read(self, high: int, low: int) -> int:
        """The bits of a range."""
        return self.value >> low & (1 << high - low + 1) - 1

    def written(self, high: int, low: int, bits: int) -> int:
        """All bits, those of a range being the low ones of `bits`."""
        ones = (1 << high - low + 1) - 1 << low
        return self.value & ~ones | bits << low & ones

    def put(self, value: int) -> tuple[int, int]:
        """What the program prints of the variable once it has been given a value."""
        return self.width, value % (1 << self.width)


@dataclass(frozen=True)
class Places:
    """The bits `high` to `low` of `x`, and `top` to `bottom` of `y`; `text` is how the C++ says them."""

    high: int
    low: int
    top: int
    bottom: int
    text: tuple[str, str, str, str]


Results = list[tuple[int, int]]
Statement = Callable[[Bits, Bits, Bits, Places], tuple[str, Results]]


def read_bit(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, _ = at.text
    text = f"put(uint<1>(x[{high}])); put(x.test({low})); put(y.bit({top}) ? x : decltype(x)(0));"
    chosen = x.value if y.read(at.top, at.top) else 0
    return text, [(1, x.read(at.high, at.high)), (1, x.read(at.low, at.low)), x.put(chosen)]


def write_bit(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, bottom = at.text
    text = f"x[{high}] = z; put(x); y[{top}] = x[{low}]; put(y); y[{bottom}] = y[{bottom}] ^ true; put(y);"
    first = Bits(x.kind, x.written(at.high, at.high, z.value != 0))
    second = Bits(y.kind, y.written(at.top, at.top, first.read(at.low, at.low)))
    third = second.written(at.bottom, at.bottom, 1 - second.read(at.bottom, at.bottom))
    return text, [x.put(first.value), y.put(second.value), y.put(third)]


def change_bits(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, bottom = at.text
    text = f"x.set({high}); x.set({low}, false); put(x); y.clear({top}); y.invert({bottom}); put(y);"
    first = Bits(x.kind, x.written(at.high, at.high, 1)).written(at.low, at.low, 0)
    second = Bits(y.kind, y.written(at.top, at.top, 0))
    return text, [
        x.put(first),
        y.put(second.written(at.bottom, at.bottom, 1 - second.read(at.bottom, at.bottom))),
    ]


def read_range(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, bottom = at.text
    text = f"put(uint<{x.width}>(x.range({high}, {low}))); put(sint<9>(y({top}, {bottom}))); "
    text += f"put(x.range({high}, {low}) == y({top}, {bottom})); put(x({high}, {low}) + z({low}, {low}));"
    text = text if z.width > at.low else text.replace(f"z({low}, {low})", "z(0, 0)")
    first, second = x.read(at.high, at.low), y.read(at.top, at.bottom)
    third = z.read(at.low, at.low) if z.width > at.low else z.read(0, 0)
    total = max(x.width, z.width) + 1
    return text, [(x.width, first), (9, second % 512), (1, int(first == second)), (total, first + third)]


def write_range(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, bottom = at.text
    text = f"x.range({high}, {low}) = z; put(x); y({top}, {bottom}) = x({high}, {low}); put(y); "
    text += f"y({bottom}, {bottom}) = -1; put(y);"
    first = Bits(x.kind, x.written(at.high, at.low, z.number))
    second = Bits(y.kind, y.written(at.top, at.bottom, first.read(at.high, at.low)))
    third = second.written(at.bottom, at.bottom, 1)
    return text, [x.put(first.value), y.put(second.value), y.put(third)]


def concatenate(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, _ = at.text
    width, three = x.width + y.width, x.width + y.width + z.width
    text = f"put(uint<{width}>((x, y))); put(uint<{three}>((z, x, y))); put(uint<{width}>(y.concat(x))); "
    text += f"put(uint<{three + 1}>((x({high}, {low}), y[{top}], z))); "
    text += f"put(uint<{width + 1}>((x[{low}], y, true))); put(uint<{y.width + 33}>((5u, y, x[{high}]))); "
    text += f"put((x, y) == uint<{width}>((y, x)));"
    pair = x.value << y.width | y.value
    return text, [
        (width, pair),
        (three, z.value << width | pair),
        (width, y.value << x.width | x.value),
        (three + 1, (x.read(at.high, at.low) << 1 | y.read(at.top, at.top)) << z.width | z.value),
        (width + 1, (x.read(at.low, at.low) << y.width | y.value) << 1 | 1),
        (y.width + 33, (5 << y.width | y.value) << 1 | x.read(at.high, at.high)),
        (1, int(pair == y.value << x.width | x.value)),
    ]


def take_apart(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    text = "(x, y) = z; put(x); put(y); (y, x) = (x, y); put(x); put(y);"
    bits = z.number % (1 << x.width + y.width)
    first, second = bits >> y.width, bits % (1 << y.width)
    swapped = first << y.width | second
    return text, [
        x.put(first),
        y.put(second),
        x.put(swapped % (1 << x.width)),
        y.put(swapped >> x.width),
    ]


def take_parts(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    high, low, top, bottom = at.text
    text = (
        f"(x({high}, {low}), y[{bottom}]) = z; put(x); put(y); (y({top}, {bottom}), x) = z; put(x); put(y);"
    )
    second = y.written(at.bottom, at.bottom, z.number)
    first = x.written(at.high, at.low, z.number >> 1)
    third = Bits(y.kind, second).written(at.top, at.bottom, z.number >> x.width)
    return text, [x.put(first), y.put(second), x.put(z.number), y.put(third)]


def reduce(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    text = "put(x.and_reduce()); put(x.or_reduce()); put(x.nor_reduce()); put(x.xor_reduce()); "
    text += "put(x.xnor_reduce()); put(z.sign()); put(uint<12>(x.length() + (x, y).length()));"
    ones = x.value.bit_count()
    found = [ones == x.width, ones > 0, ones == 0, ones % 2, 1 - ones % 2, z.number < 0]
    return text, [*((1, int(each)) for each in found), (12, 2 * x.width + y.width)]


def move(x: Bits, y: Bits, z: Bits, at: Places) -> tuple[str, Results]:
    text = f"x.reverse(); put(x); y.lrotate({at.text[2]}); put(y); y.rrotate({at.text[3]}); put(y);"
    backwards = int(f"{x.value:0{x.width}b}"[::-1], 2)
    first, second = (rotated(y, y.value, amount) for amount in (at.top, at.top - at.bottom))
    return text, [x.put(backwards), y.put(first), y.put(second)]


def rotated(of: Bits, value: int, amount: int) -> int:
    up = amount % of.width
    return (value << up | value >> of.width - up) % (1 << of.width)


STATEMENTS: tuple[Statement, ...] = (
    read_bit,
    write_bit,
    change_bits,
    read_range,
    write_range,
    concatenate,
    take_apart,
    take_parts,
    reduce,
    move,
)


@dataclass(frozen=True)
class Case:
    """Statements, the integers that they begin with, and what they put out."""

    kinds: tuple[Type, ...]
    text: str
    values: tuple[int, ...]
    places: Places
    results: Results

    @property
    def amd_differs(self) -> bool:
        """Whether AMD's simulation headers (those of hls4ml 1.3) count the bits that extend a sign."""
        return "xor_reduce" in self.text and self.kinds[0].signed

    @property
    def call(self) -> str:
        """The arguments in C++."""
        words = (value >> low & (1 << 64) - 1 for value in self.values for low in (0, 64, 128, 192))
        at = (self.places.high, self.places.low, self.places.top, self.places.bottom)
        return f"{{{', '.join(f'{word}ull' for word in words)}}}, {{{', '.join(map(str, at))}}}"


def cases(triples: int) -> Iterator[Case]:
    rng = random.Random(14)
    for triple in range(triples):
        widths = [rng.choice([1, 8, 31, 32, 33, 63, 64, 65, 128, rng.randint(1, 200)]) for _ in range(3)]
        # AMD's types give the sum with a range of a signed number a type that is too narrow.
        kinds = [Type(max(width, 2), triple % 3 == place) for place, width in enumerate(widths)]
        kinds = [Type(1, kind.signed) if rng.random() < 0.1 else kind for kind in kinds]
        for statement in STATEMENTS:
            constant = rng.random() < 0.5
            places = drawn_places(rng, kinds, constant)
            for _ in range(VALUES):
                x, y, z = (drawn_bits(rng, kind) for kind in kinds)
                text, results = statement(x, y, z, places)
                yield Case(tuple(kinds), text, (x.value, y.value, z.value), places, results)
                if not constant:
                    places = drawn_places(rng, kinds, constant)


def drawn_places(rng: random.Random, kinds: list[Type], constant: bool) -> Places:
    (low, high), (bottom, top) = (sorted(rng.randrange(kind.width) for _ in range(2)) for kind in kinds[:2])
    places = (high, low, top, bottom)
    text = [str(place) if constant else f"at[{index}]" for index, place in enumerate(places)]
    return Places(*places, (text[0], text[1], text[2], text[3]))


def drawn_bits(rng: random.Random, kind: Type) -> Bits:
    ends = [0, 1, (1 << kind.width) - 1, 1 << kind.width - 1]
    return Bits(kind, rng.choice([*ends, *[rng.getrandbits(kind.width)] * 4]) % (1 << kind.width))


def program(wanted: list[Case]) -> str:
    """A function for each text on each triple of types, so that nothing is computed by the compiler."""
    functions: dict[tuple[tuple[Type, ...], str], str] = {}
    for case in wanted:
        functions.setdefault((case.kinds, case.text), f"f{len(functions)}")
    texts = []
    for (kinds, text), name in functions.items():
        made = " ".join(
            f"{kind} {variable} = make<{kind}>(w + {4 * place});"
            for place, (kind, variable) in enumerate(zip(kinds, "xyz", strict=True))
        )
        texts.append(f"void {name}(const Word* w, const int* at) {{ {made} {text} }}")
    calls = [f"  {{{functions[case.kinds, case.text]}, {case.call}}}," for case in wanted]
    return PROGRAM % {"bits": BITS, "functions": "\n".join(texts), "calls": "\n".join(calls)}


@pytest.mark.parametrize("types", ["ours", "AMD's"])
def test_bits_are_read_and_written_as_they_must(types: str, tmp_path: Path) -> None:
    wanted = list(cases(TRIPLES[types]))
    source, binary = tmp_path / "bits.cpp", tmp_path / "bits"
    source.write_text(program(wanted))
    flags = ["-Wno-unused-value"] if types == "ours" else []
    steps = [[*compilers()[types], *flags, "-c", "-I", str(HLS), str(source), "-o", str(tmp_path / "bits.o")]]
    steps.append([find_gxx(), str(tmp_path / "bits.o"), "-o", str(binary)])
    for step in steps:
        subprocess.run(step, check=True)
    lines = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines()

    found = [(int(width), int(digits, 16)) for width, digits in (line.split() for line in lines)]
    wrong = []
    for case in wanted:
        put, found = found[: len(case.results)], found[len(case.results) :]
        if types == "AMD's" and case.amd_differs:
            continue
        if put != case.results:
            wrong.append((case, put))
    assert wrong == []
    assert found == []


NO_BIT = "there is no such bit in the integer; mend the C++"
LOW_BITS = (
    "AMD's types take only the low 64 bits of a concatenation here (HEADER); name its type, as in "
    "thresher::uint<16>((a, b))"
)
SMEARED = (
    "AMD's types set all bits ahead of a negative number here (HEADER); give it a type of its own, as in "
    "(a, b, thresher::sint<32>(c))"
)
NOT_WRITABLE = (
    "a constant or a result would be written to (HEADER); only variables, their bits and their ranges may "
    "stand in a concatenation that is assigned to"
)
NO_COMMA = (
    "overload resolution selected deleted operator ','; concatenate integers only, such as the bits() of a "
    "fixed-point number"
)
REFUSED = {
    "q = a[8]": NO_BIT,
    "a[-1] = 1": NO_BIT,
    "a.set(8)": NO_BIT,
    "q = a(8, 4)": NO_BIT,
    "q = a.range(3, 4)": "a range is given by its higher bit first; reverse() reverses bits; mend the C++",
    "a.lrotate(8)": "rotate by less than the width; mend the C++",
    "(a, 3) = q": NOT_WRITABLE,
    "(a, a + b) = q": NOT_WRITABLE,
    "(c, a) = q": NOT_WRITABLE,
    "(a, c(3, 0)) = q": NOT_WRITABLE,
    "q = (a, b) + 1": LOW_BITS,
    "q = q & (a, b)": LOW_BITS,
    "q = (a, b) == (b, a)": LOW_BITS,
    "q = (a, b, 3)": SMEARED,
    "q = (3, a(3, 0))": SMEARED,
    "q = (a, 0.5)": NO_COMMA,
    "q = (a, f)": NO_COMMA,
    "q = s(7, 0) + a": "AMD's types give the range of a signed number its sign here, and lose a bit "
    "(HEADER); name the type, as in thresher::uint<8>(x(hi, lo))",
    "a[1] ^= 1": "no viable overloaded '^='; write it out, as in 'x[i] = x[i] ^ y': bits and ranges take '=' "
    "alone",
    "auto r = (a + b)[3]; q = r": "temporary whose address is used as value of local variable 'r' will be "
    "destroyed at the end of the full-expression; mend the C++",
}
UNIT = """\
#include "thresher/fixed.hpp"
#include "thresher/stream.hpp"
struct Unit {
  struct Ports { thresher::InStream<8> x; thresher::OutStream<64> z; };
  void step(Ports& p) {
    thresher::uint<8> a = p.x.read(), b = a + 1;
    const thresher::uint<8> c = b;
    const thresher::sint<8> s = a;
    const thresher::fixed<8, 4> f = 1;
    thresher::uint<64> q = 0;
    %s;
    p.z.write(q);
  }
};
"""


@pytest.mark.parametrize("statement", REFUSED)
def test_what_amd_does_otherwise_is_refused(statement: str, tmp_path: Path) -> None:
    header = tmp_path / "unit.hpp"
    header.write_text(UNIT % statement)
    with pytest.raises(ToolFailedError) as refused:
        compile_unit(UnitSource(header, "Unit", (HLS,)), "unit")

    said = REFUSED[statement] if "(HEADER)" in REFUSED[statement] else f"clang says: {REFUSED[statement]}"
    message = re.sub(r"\(bit_references\.hpp:\d+\)", "(HEADER)", str(refused.value))
    assert message == f"hlsc: unit 'Unit': unit.hpp:11: {said}"


COMMAS = """\
#include "thresher/bits.hpp"
constexpr int counted() {
  int sum = 0, n = 0;
  thresher::uint<3> i;
  thresher::sint<5> j;
  for (i = 0, j = 0; i < 5; i += 1, j += 1) sum += i + j;
  for (i = 0, n = 7; i < 3; i += 1, ++n) sum += n;
  for (n = 0, i = 1; n < 3; ++n, i += 1) sum += i;
  return sum;
}
static_assert(counted() == 20 + 24 + 6);
"""


def test_the_commas_of_a_loop_are_what_they_were(tmp_path: Path) -> None:
    source = tmp_path / "commas.cpp"
    source.write_text(COMMAS)
    command = [*compilers()["ours"], "-c", "-I", str(HLS), str(source), "-o", str(tmp_path / "made.o")]
    subprocess.run(command, check=True)
