"""A stream that no step moves a beat of, and a divisor that is always zero, are warned of by their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hlsc.native import HLS
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.uninitialised import unoptimised
from thresher.hlsc.zero_divisors import zero_divisor_warnings
from thresher.unit import UnitRequest, write_unit_project

TEXT = """\
#include "thresher/divide.hpp"
#include "thresher/fixed.hpp"
#include "thresher/stream.hpp"
using namespace thresher;
struct Unit {
  struct Ports {
    InStream<8> a;
    InStream<8> b[2];
    OutStream<16, Last> m;
    OutStream<8> n;
  };
  void step(Ports& p) {
    BODY
  }
  uint<8> count = 0;
};
"""
FIRST = 13
"""The line of a body's first line."""

READ = "its beats are never taken, and what sends them waits; read it, under a condition that can hold, or "
WRITTEN = "it never has a beat, and what reads it waits; write it, under a condition that can hold, or "
LEAVE = "leave it out of 'Ports'"

IDLE = {
    "all are used": (
        "const uint<8> x = p.a.read();\nif (x > 254) p.n.write(p.b[x & 1 ? 0 : 0].read());\n"
        "if (x == 3) p.m.write({p.b[1].read()});",
        [],
    ),
    "one of an array": (
        "p.n.write(p.a.read() + p.b[1].read());\nif (++count == 100) p.m.write({});",
        ["unit.hpp:8: no step reads the input 'b_0': " + READ],
    ),
    "only asked of": (
        "if (!p.a.empty()) p.n.write(1);\nif (!p.m.full()) p.m.write({p.b[0].read() + p.b[1].read()});",
        ["unit.hpp:7: no step reads the input 'a': " + READ],
    ),
    "a condition that never holds": (
        "const uint<8> x = p.a.read() + p.b[0].read();\nif (x != x) p.m.write({1});\n"
        "if ((x & 3) > 5) p.b[1].read();\nif (x > 300) p.n.write(x);",
        [
            "unit.hpp:8: no step reads the input 'b_1': " + READ,
            "unit.hpp:9: no step writes the output 'm': " + WRITTEN,
            "unit.hpp:10: no step writes the output 'n': " + WRITTEN,
        ],
    ),
}


def source(folder: Path, body: str) -> UnitSource:
    header = folder / "unit.hpp"
    header.write_text(TEXT.replace("BODY", body))
    return UnitSource(header, "Unit", (HLS,))


@pytest.mark.parametrize("name", IDLE)
def test_a_stream_without_beats_is_warned_of(name: str, tmp_path: Path) -> None:
    body, expected = IDLE[name]

    unit = compile_unit(source(tmp_path, body), "unit")

    assert list(unit.warnings) == [f"hlsc: unit 'Unit': {text}{LEAVE}" for text in expected]


ALWAYS_ZERO = {
    "a local variable": ("int z = 0;\np.n.write(p.a.read().to_int() / z);", [1]),
    "of Thresher's type": ("uint<8> z = 0;\np.n.write(p.a.read() / z);", [1]),
    "signed, and a remainder": ("sint<5> z = 0;\np.n.write(sint<40>(p.a.read()) % z);", [1]),
    "of fixed point": (
        "fixed<8, 4> x = fixed<8, 4>::from_bits(p.a.read()), z = 0;\np.n.write((x / z).bits());",
        [1],
    ),
    "both results": ("int z = 0, x = p.a.read().to_int();\np.n.write(x / z +\nx % z);", [1, 2]),
    "in one iteration": (
        "int x = p.a.read().to_int(), y = 0;\nfor (int i = 0; i < 4; ++i)\ny += x / i;\np.n.write(y);",
        [2],
    ),
    "under a condition": ("int z = 0;\nif (p.a.read() > 3)\np.n.write(p.b[0].read().to_int() / z);", [2]),
    "in a function": (
        "auto f = [](int x, int y) {\nreturn x / y;\n};\np.n.write(f(p.a.read().to_int(), 0));",
        [1],
    ),
    "a result that is not used": ("int z = 0;\n(void)(p.a.read().to_int() / z);", [1]),
}
NOT_ALWAYS = {
    "variable": "p.n.write(p.a.read() / p.b[0].read());",
    "zero for some": "p.n.write(p.a.read() / (p.b[0].read() & 1));",
    "zero by choice": "const uint<8> x = p.a.read();\np.n.write(x / (x > 4 ? uint<8>(0) : x));",
    "never come to": "int z = 0;\nif (z) p.n.write(p.a.read().to_int() / z);",
    "of a defined result": "p.n.write(divide(p.a.read(), uint<8>(0)).quotient);",
    "another constant": "p.n.write(p.a.read() / 7 + p.b[0].read() % 1);",
    "none": "p.n.write(p.a.read());",
}


def divisors(folder: Path, body: str) -> tuple[str, ...]:
    unit = source(folder, body)
    return zero_divisor_warnings(unit, unoptimised(unit))


@pytest.mark.parametrize("name", ALWAYS_ZERO)
def test_a_divisor_that_is_always_zero_is_warned_of(name: str, tmp_path: Path) -> None:
    body, lines = ALWAYS_ZERO[name]

    assert divisors(tmp_path, body) == tuple(
        f"hlsc: unit 'Unit': unit.hpp:{FIRST + line}: the divisor is always zero, so that the result may be "
        "anything in hardware; divide by another number"
        for line in lines
    )


@pytest.mark.parametrize("name", NOT_ALWAYS)
def test_another_divisor_is_not_warned_of(name: str, tmp_path: Path) -> None:
    assert divisors(tmp_path, NOT_ALWAYS[name]) == ()


def test_a_project_tells_of_it(tmp_path: Path) -> None:
    unit = source(tmp_path, "int z = 0;\np.n.write(p.a.read().to_int() / z + p.b[0].read() + p.b[1].read());")

    done = write_unit_project(UnitRequest(unit.header, "Unit", 100.0, include_dirs=(HLS,)), tmp_path / "out")

    assert list(done.warnings) == [
        f"hlsc: unit 'Unit': unit.hpp:9: no step writes the output 'm': {WRITTEN}{LEAVE}",
        "hlsc: unit 'Unit': unit.hpp:14: the divisor is always zero, so that the result may be anything in "
        "hardware; divide by another number",
    ]
