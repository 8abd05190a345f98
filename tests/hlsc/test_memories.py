"""Memories with initial words, two writes and reads behind writes: Python, C++ and SystemVerilog."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.hlsc.native import HLS
from tests.hlsc.proving import in_blocks
from tests.hlsc.rtl import Module, RtlModules
from tests.needs import require_yosys
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc_proof import Claim, claim, decide
from thresher_sim.compile import compile_checked, compile_program

UNITS = Path(__file__).parent / "memory_units.hpp"
BEATS = 300
MASK = (1 << 64) - 1

REWRITTEN = ((4, 100.0), (1024, 300.0))
"""The words, and the clock, of units without inputs, which step in each cycle of a reset as well."""


@dataclass(frozen=True)
class Beat:
    """The fields of a beat, as the units take them."""

    a: int
    b: int
    c: int
    first: bool
    second: bool
    data: int

    @property
    def number(self) -> int:
        fields = self.a | self.b << 11 | self.c << 22
        return fields | self.first << 33 | self.second << 34 | self.data << 48


Step = Callable[[list[int], Beat, int, int], list[int] | None]
"""Changes the words by a beat and two words of data; returns the words that are written out."""


def two_writes(words: list[int], beat: Beat, word: int, other: int) -> list[int]:
    read = [words[beat.c], words[beat.a]]
    if beat.first:
        words[beat.a] = word
    if beat.second:
        words[beat.b] = other
    return read


def write_first(words: list[int], beat: Beat, word: int, other: int) -> list[int]:
    read = [words[beat.c]]
    if beat.first:
        words[beat.a] = word
    read.append(words[beat.a if beat.second else beat.c])
    words[beat.b] = other
    return [*read, words[beat.c]]


def latest(words: list[int], beat: Beat, word: int, _: int) -> list[int]:
    if beat.first:
        words[beat.a] = word
    return [words[beat.b]]


def write_or_read(words: list[int], beat: Beat, word: int, other: int) -> list[int] | None:
    if not beat.first:
        return [words[beat.a], words[beat.b], words[beat.c]]
    words[beat.a] = word
    if beat.second:
        words[beat.b] = other
    return None


def swap(words: list[int], beat: Beat, word: int, _: int) -> list[int]:
    read = [words[beat.a], words[beat.b]]
    words[beat.a] = read[1]
    words[beat.b] = word if beat.first else read[0]
    return read


def one_of_two(words: list[int], beat: Beat, word: int, other: int) -> list[int]:
    read = [words[beat.c]]
    words[beat.a if beat.first else beat.b] = word if beat.first else other
    return read


def constructed(words: list[int], beat: Beat, word: int, _: int) -> list[int]:
    read = [words[beat.c]]
    if beat.first:
        words[beat.a] = word
    return read


STEPS: dict[str, tuple[Step, int]] = {
    "TwoWrites": (two_writes, 2),
    "WriteFirst": (write_first, 3),
    "Latest": (latest, 1),
    "WriteOrRead": (write_or_read, 2),
    "Swap": (swap, 2),
    "OneOfTwo": (one_of_two, 1),
    "Constructed": (constructed, 1),
}


@dataclass(frozen=True)
class Case:
    """A unit of a width and a depth, and the cell that its memory is to be."""

    name: str
    width: int
    depth: int
    cell: str
    reads: int = 0

    @property
    def type_name(self) -> str:
        more = f", {self.reads}" if self.reads else ""
        return f"memory_units::{self.name}<{self.width}, {self.depth}{more}>"

    @property
    def module(self) -> str:
        return f"{self.name.lower()}_{self.width}_{self.depth}_{self.reads}"

    @property
    def outputs(self) -> int:
        return self.reads or STEPS[self.name][1]

    def beats(self) -> list[Beat]:
        """Few addresses, so that they are equal often; the first and the last are among them."""
        rng = random.Random(self.type_name)
        places = [0, self.depth - 1, *(rng.randrange(self.depth) for _ in range(3))]
        return [
            Beat(
                a=rng.choice(places),
                b=rng.choice(places),
                c=rng.choice(places),
                first=rng.random() < 0.6,
                second=rng.random() < 0.6,
                data=rng.getrandbits(16),
            )
            for _ in range(BEATS)
        ]

    def initial(self) -> list[int]:
        """The words of the unit's table, or those that its constructor writes."""
        mask, words, state = (1 << self.width) - 1, [], 1
        if self.name == "Constructed":
            words = [(address * address + 1) & mask for address in range(self.depth)]
            words[self.depth // 2] = 77 & mask
            return words
        for _ in range(self.depth):
            word = 0
            for part in range(-(-self.width // 64)):
                state = (state * 6364136223846793005 + 1442695040888963407) & MASK
                word |= state << 64 * part
            words.append(word & mask)
        return words

    def golden(self) -> list[int]:
        """The beats that it writes."""
        words, found, mask = self.initial(), [], (1 << self.width) - 1
        for beat in self.beats():
            word = sum(beat.data << low for low in range(0, self.width, 16)) & mask
            read = STEPS[self.name][0](words, beat, word, ~word & mask)
            if read is not None:
                shown = read[: self.outputs]
                found.append(sum(word << place * self.width for place, word in enumerate(shown)))
        return found


CASES = (
    *(Case("TwoWrites", width, depth, "two_write_ram") for width, depth in ((1, 1), (9, 2), (600, 3))),
    Case("TwoWrites", 36, 512, "two_write_block_ram"),
    Case("TwoWrites", 13, 1500, "two_write_block_ram"),
    *(Case("WriteFirst", width, depth, "two_write_ram") for width, depth in ((1, 2), (33, 5))),
    Case("WriteFirst", 8, 1, "ram"),  # the second write always wins
    Case("WriteFirst", 18, 1024, "two_write_block_ram"),
    *(Case("Latest", width, depth, "ram") for width, depth in ((1, 1), (600, 2), (65, 64))),
    Case("Latest", 36, 513, "block_ram"),
    Case("WriteOrRead", 9, 5, "two_write_ram"),
    Case("WriteOrRead", 36, 512, "dual_port_ram"),
    Case("WriteOrRead", 9, 2000, "dual_port_ram", 1),
    Case("WriteOrRead", 18, 1024, "dual_port_ram", 3),
    Case("Swap", 9, 7, "two_write_ram"),
    Case("OneOfTwo", 9, 3, "ram"),
    Case("OneOfTwo", 36, 1024, "block_ram"),
    Case("Constructed", 9, 6, "ram"),
    Case("Constructed", 36, 512, "block_ram"),
)
CLOCKS = (60.0, 300.0)
STALLS = (0, 35)


@dataclass(frozen=True)
class Built:
    """A case, compiled for a clock."""

    case: Case
    unit: CompiledUnit


def source(case: Case) -> UnitSource:
    return UnitSource(UNITS, case.type_name, (HLS,))


@pytest.fixture(scope="module")
def built() -> list[Built]:
    return [
        Built(case, compile_unit(source(case), f"{case.module}_{clock:g}", clock))
        for index, case in enumerate(CASES)
        for clock in CLOCKS[index % 2 :][:1]
    ]


def test_each_memory_is_the_cell_that_its_accesses_ask_for(built: list[Built]) -> None:
    for each in built:
        assert f" {each.case.cell} #(" in each.unit.verilog, each.case
        inner = {"two_write_ram": ["last_writer", "ram"]}
        inner["two_write_block_ram"] = ["block_ram", "last_writer", "ram"]
        assert list(each.unit.cells) == sorted({each.case.cell, *inner.get(each.case.cell, [])})


def test_the_graph_does_what_python_does() -> None:
    for case in CASES:
        graph = unit_graph(parse(emit_llvm(source(case)).text))
        beats = {"s_axis": [beat.number for beat in case.beats()]}

        assert Interpreter(graph).run(beats, BEATS + 1) == {"m_axis": case.golden()}, case


def test_the_systemverilog_does_what_python_does_under_stalls(built: list[Built], tmp_path: Path) -> None:
    files = []
    for each in built:
        files.append(tmp_path / f"{each.unit.module_name}.sv")
        files[-1].write_text(each.unit.verilog)
    modules = [
        Module(each.unit.module_name, each.unit.inputs, each.unit.outputs, idle=stall, busy=stall)
        for each in built
        for stall in STALLS
    ]
    cases = [each.case for each in built for _ in STALLS]
    streams: list[dict[str, list[int]]] = [
        {"s_axis": [beat.number for beat in case.beats()]} for case in cases
    ]
    for depth, clock in REWRITTEN:
        unit = compile_unit(
            UnitSource(UNITS, f"memory_units::Rewritten<{depth}>", (HLS,)), f"rewritten_{depth}", clock
        )
        files.append(tmp_path / f"{unit.module_name}.sv")
        files[-1].write_text(unit.verilog)
        modules.append(Module(unit.module_name, unit.inputs, unit.outputs, busy=50))
        streams.append({})

    results = RtlModules(tmp_path, modules, files, BEATS).run(streams, 4 * BEATS)

    for case, result in zip(cases, results, strict=False):
        assert result == {"m_axis": case.golden()}, case
    for (depth, _), result in zip(REWRITTEN, results[len(cases) :], strict=True):
        wanted = [(77 * (step % depth) + 5 + step // depth) % (1 << 16) for step in range(BEATS)]
        assert result["m_axis"][:BEATS] == wanted, depth


RUN = """
#include <cstdio>
#include "memory_units.hpp"
#ifdef THRESHER_CHECKED
#include "thresher/undefined.hpp"
#endif

// Reads beats in hexadecimal digits, and prints those that the unit writes, 64 bits at a time.
template <class Unit, int Width>
void run(const char* path, const char* name) {
  static Unit unit;
  thresher::Channel<64> source("source");
  thresher::Channel<Width> sink("sink");
  typename Unit::Ports ports{thresher::InStream<64>(source), thresher::OutStream<Width>(sink)};
  std::FILE* file = std::fopen(path, "r");
  unsigned long long beat;
  while (std::fscanf(file, "%llx", &beat) == 1) {
    source.write(static_cast<thresher::uint<64>>(beat));
    unit.step(ports);
  }
  std::fclose(file);
  std::printf("%s\\n", name);
  while (!sink.empty()) {
    const thresher::uint<Width + 63> wide = sink.read();
    for (int low = (Width - 1) / 64 * 64; low >= 0; low -= 64) {
      std::printf("%016llx", static_cast<unsigned long long>(thresher::bits_at<64, Width + 63>(wide, low)));
    }
    std::printf("\\n");
  }
}

int main() {
CALLS
}
"""


@pytest.mark.parametrize("compiler", ["bitint", "checked", "amd"])
def test_the_cpp_itself_does_what_python_does(compiler: str, tmp_path: Path) -> None:
    """The C simulation: clang with our types, without and with checks, and g++ with AMD's."""
    cases = [case for case in CASES if compiler != "amd" or case.width < 100 or case.depth == 3]
    calls = []
    for case in cases:
        beats = "".join(f"{beat.number:x}\n" for beat in case.beats())
        (tmp_path / f"{case.module}.txt").write_text(beats)
        path = f"{tmp_path}/{case.module}.txt"
        width = case.width * case.outputs
        calls.append(f'  run<{case.type_name}, {width}>("{path}", "{case.module}");')
    driver = tmp_path / "driver.cpp"
    driver.write_text(RUN.replace("CALLS", "\n".join(calls)))
    includes = [HLS, UNITS.parent]
    if compiler == "checked":
        program = compile_checked(driver, includes, tmp_path / "cache")
    else:
        program = compile_program(driver, includes, tmp_path / "cache", compiler)

    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()

    expected = []
    for case in cases:
        expected += [case.module, *case.golden()]
    names = {case.module for case in cases}
    assert [line if line in names else int(line, 16) for line in printed] == expected


def test_words_of_tables_of_all_types() -> None:
    """Numbers are extended or cut to the word, as an assignment does it; written by hand."""
    graph = unit_graph(parse(emit_llvm(UnitSource(UNITS, "memory_units::Tables", (HLS,))).text))
    initial = {memory.name: memory.initial for memory in graph.memories}

    numbers = (0xFFFFF, 0x45678, 0, 5, 1)
    assert initial == {
        "bytes_": (1, 0xFFFFE, 127, 0xFFF80, 0),
        "long__0": numbers,
        "long__1": numbers,
        "bits_": (1, 0, 0, 1, 1),
    }


SMALL = ("SmallTwoWrites", "SmallWriteFirst", "SmallWriteOrRead", "SmallConstructed")


def small(name: str) -> UnitSource:
    return UnitSource(UNITS, f"memory_units::{name}", (HLS,))


def edited(wanted: Claim, pattern: str, text: str) -> Claim:
    verilog, count = re.subn(pattern, text, wanted.verilog, count=1)
    assert count == 1, wanted.verilog
    return replace(wanted, verilog=verilog)


def test_small_units_are_proved_and_broken_ones_are_not() -> None:
    require_yosys()
    plain = [claim(small(name), 100.0, 9) for name in SMALL]
    blocks = [in_blocks(small(name), 300.0, 9) for name in ("SmallTwoWrites", "SmallWriteOrRead")]
    assert [cell for wanted in blocks for cell in wanted.cells if cell.startswith(("two", "dual"))] == [
        *("two_write_block_ram", "dual_port_ram"),
    ]
    broken = [
        edited(plain[0], r"2'd2, 2'd0, 2'd3, 2'd1", "2'd2, 2'd0, 2'd3, 2'd2"),
        edited(plain[3], r"2'd0, 2'd1, 2'd2, 2'd3", "2'd1, 2'd1, 2'd2, 2'd3"),
        edited(plain[0], r"assign both = s_axis_tdata\[4\].*;", "assign both = s_axis_tdata[4];"),
        edited(plain[1], "==", "!="),
    ]

    proofs = decide([*plain, *blocks, *broken])

    assert [proof.proved for proof in proofs] == [True] * 6 + [False] * 4


@pytest.mark.parametrize(
    ("table", "width", "words"),
    [
        ("std::array<std::int8_t, 4> t = {1, -2, 3, -4}", 12, [1, 2**12 - 2, 3, 2**12 - 4]),
        ("std::array<std::uint8_t, 4> t = {1, 255, 3, 254}", 12, [1, 255, 3, 254]),
        ("std::array<uint<5>, 4> t = {1, 2, 3, 30}", 8, [1, 2, 3, 30]),
        (
            "std::array<std::array<std::uint64_t, 2>, 4> t = {{{1, 2}, {3, 4}, {5, 6}, {7, 8}}}",
            100,
            [low + (low + 1 << 64) for low in (1, 3, 5, 7)],
        ),
    ],
)
def test_a_std_array_begins_a_ram(table: str, width: int, words: list[int], tmp_path: Path) -> None:
    header = tmp_path / "unit.hpp"
    header.write_text(
        f"""#include "thresher/ram.hpp"
#include "thresher/stream.hpp"
using namespace thresher;
static constexpr {table};
struct Unit {{
  struct Ports {{ InStream<2> s; OutStream<{width}> m; }};
  void step(Ports& p) {{ p.m.write(r.read(p.s.read().to_uint())); }}
  Ram<{width}, 4> r = t;
}};
"""
    )

    (memory,) = unit_graph(parse(emit_llvm(UnitSource(header, "Unit", (HLS,))).text)).memories

    assert memory.initial == tuple(words)
