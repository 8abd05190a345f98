"""What cannot become hardware is refused with the line of C++ and a remedy, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hlsc.native import HLS
from thresher.errors import ToolFailedError, UnsupportedModelError, UsageError
from thresher.hlsc import UnitSource, compile_unit

PRELUDE = """\
#include "thresher/ram.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"
using namespace thresher;
"""
PORTS = "  struct Ports { InStream<8> s_axis; InStream<8> t_axis; OutStream<8> m_axis; };\n"


def compile_text(folder: Path, text: str) -> None:
    header = folder / "unit.hpp"
    header.write_text(PRELUDE + text)
    compile_unit(UnitSource(header, "Unit", (HLS,)), "unit")


def unit(step: str, members: str = "", before: str = "") -> str:
    """A unit of which the step begins in line 8; with `members` they are line 7."""
    return (
        f"{before or '//'}\nstruct Unit {{\n{PORTS}  void step(Ports& p) {{\n{step}\n  }}\n{members}\n}};\n"
    )


REFUSED = {
    "loop": (
        unit(
            "int n = p.s_axis.read(), y = 1;\nwhile (n > 0) { y *= 3; n -= y; }\np.m_axis.write((uint<8>)y);"
        ),
        "hlsc: unit 'Unit': unit.hpp:10: a loop is left after unrolling, and a step is one clock "
        "cycle; give the loop a constant number of iterations, or do one iteration in each step",
    ),
    "recursion": (
        unit(
            "p.m_axis.write(f(p.s_axis.read()));",
            before="static uint<8> f(uint<8> x) { return x < 2 ? x : (uint<8>)(f(x - 1) * f(x - 2)); }",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: the call of 'f' cannot be inlined; a step must not call "
        "itself, and calls no function marked noinline",
    ),
    "unknown function": (
        unit("p.m_axis.write(elsewhere(p.s_axis.read()));", before="unsigned char elsewhere(unsigned char);"),
        "hlsc: unit 'Unit': unit.hpp:9: 'elsewhere' is called, which has no body here; call only "
        "functions that the unit's headers define",
    ),
    "floating point": (
        unit("float x = (int)p.s_axis.read();\np.m_axis.write((uint<8>)(int)(x * 0.3f));"),
        "hlsc: unit 'Unit': unit.hpp:9: a floating-point number is computed; scale it to an integer "
        "of fixed point",
    ),
    "pointer member": (
        unit(
            "p.m_axis.write(*where);\nwhere = p.s_axis.read() ? &a : &b;",
            "uint<8> a = 0, b = 0; uint<8>* where;",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: a value of the LLVM type 'ptr' is loaded; use integers; a "
        "unit holds its objects as members, not through pointers",
    ),
    "large array": (
        unit("p.m_axis.write(a[(int)p.s_axis.read()]);\na[3] = 4;", "uint<8> a[100];"),
        "hlsc: unit 'Unit': unit.hpp:9: a variable index into an array of 100 elements; index with "
        "constants (unroll the loop), or keep the array in a Ram or a constant",
    ),
    "variable divisor": (
        unit("p.m_axis.write(p.s_axis.read() / d);\nd = d + 3;", "uint<8> d = 1;"),
        "hlsc: unit 'Unit': unit.hpp:9: a division by a variable; divide by a constant, or compute "
        "the quotient over several steps",
    ),
    "two reads": (
        unit("uint<8> x = p.s_axis.read();\np.m_axis.write(x + p.s_axis.read());"),
        "hlsc: unit 'Unit': unit.hpp:10: 's_axis' is read twice in one step (first at unit.hpp:9); "
        "a step does so at most once: put the two on different branches of one `if`",
    ),
    "two writes": (
        unit("p.m_axis.write(1);\np.m_axis.write(2);"),
        "hlsc: unit 'Unit': unit.hpp:10: 'm_axis' is written twice in one step (first at "
        "unit.hpp:9); a step does so at most once: put the two on different branches of one `if`",
    ),
    "ram read after write": (
        unit("m.write(0, p.s_axis.read());\np.m_axis.write(m.read(1));", "Ram<8, 4> m;"),
        "hlsc: unit 'Unit': unit.hpp:10: 'm' is read after it is written in one step (at "
        "unit.hpp:9), and a read sees the contents before the step; move the read before the write",
    ),
    "two ram writes": (
        unit("m.write(0, 1);\nm.write(1, p.s_axis.read());", "Ram<8, 4> m;"),
        "hlsc: unit 'Unit': unit.hpp:10: 'm' is written twice in one step (first at unit.hpp:9); a "
        "step does so at most once: put the two on different branches of one `if`",
    ),
    "table by variable": (
        unit(
            "p.m_axis.write(rom_read<8>(tables[(int)p.s_axis.read()], 1));",
            before="static constexpr std::uint64_t tables[4][2][1] = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}};",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: a table is chosen by a variable, or is not a constant; read "
        "each table at constant indices, with the variable in the address",
    ),
    "table that is no constant": (
        unit(
            "p.m_axis.write(rom_read<8>(table, 1));\ntable[0][0]++;",
            before="static std::uint64_t table[2][1];",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: the variable 'table' is read, which is no constant; declare "
        "it constexpr, or make it a member of the unit",
    ),
    "variable initial value": (
        unit("p.m_axis.write(a);", "uint<8> a = seed;", before="extern unsigned char seed;"),
        "hlsc: unit 'Unit': unit.hpp:11: the variable 'seed' is read, which is no constant; declare "
        "it constexpr, or make it a member of the unit",
    ),
    "ram by variable": (
        unit(
            "Ram<8, 4>& m = p.s_axis.read() ? a : b;\np.m_axis.write(m.read(1));\na.write(0, 1);",
            "Ram<8, 4> a, b;",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: which Ram is used depends on a variable, or it is not a "
        "member; name each Ram in a branch of its own",
    ),
    "address as number": (
        unit("p.m_axis.write((uint<8>)(std::uintptr_t)this);"),
        "hlsc: unit 'Unit': unit.hpp:9: an address is used as a number; use indices; the addresses "
        "of members mean nothing in hardware",
    ),
    "vector": (
        unit(
            "v4 x = {p.s_axis.read(), 1, 2, 3};\nv4 y = x * x;\np.m_axis.write(y[n]);\nn += 1;",
            "uint<2> n = 0;",
            before="typedef unsigned char v4 __attribute__((vector_size(4)));",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: a vector is computed; write a loop with a constant number "
        "of iterations over its elements",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(name: str, tmp_path: Path) -> None:
    text, message = REFUSED[name]

    with pytest.raises(UnsupportedModelError) as refused:
        compile_text(tmp_path, text)

    assert str(refused.value) == message


def test_cpp_that_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit("p.m_axis.write(nothing);"))

    assert str(refused.value) == (
        "hlsc: unit 'Unit': unit.hpp:9: clang says: use of undeclared identifier 'nothing'; mend the C++"
    )


def test_a_header_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        compile_unit(UnitSource(tmp_path / "none.hpp", "Unit"), "unit")

    assert str(refused.value) == (
        f"hlsc: there is no file '{tmp_path / 'none.hpp'}'; name the header that defines the unit"
    )


@pytest.mark.parametrize("name", ["module", "1st", "a-b", "a b", "endmodule;", "", "é"])
def test_a_module_name_that_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        compile_unit(UnitSource(tmp_path / "none.hpp", "Unit"), name)

    assert str(refused.value) == (
        f"hlsc: '{name}' cannot be a module's name; use letters, digits and _, and no keyword"
    )


@pytest.mark.parametrize("clock_mhz", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clock_that_is_none(clock_mhz: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        compile_unit(UnitSource(tmp_path / "none.hpp", "Unit"), "unit", clock_mhz)

    assert str(refused.value) == (
        f"hlsc: a clock of {clock_mhz:g} MHz makes no sense; give a positive number"
    )
