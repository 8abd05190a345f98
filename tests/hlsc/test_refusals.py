"""What cannot become hardware is refused with the line of C++ and a remedy, in one line."""

from __future__ import annotations

import re
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


RECURSION = "write a loop with a constant number of iterations, or a template that ends at compile time"
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
        f"hlsc: unit 'Unit': unit.hpp:9: 'f' calls itself; {RECURSION}",
    ),
    # clang makes a loop of it, which no line of the C++ holds.
    "recursion at the end": (
        unit(
            "p.m_axis.write(f(p.s_axis.read().to_int()));",
            before="static int f(int x) { return x < 2 ? 1 : x * f(x - 1); }",
        ),
        f"hlsc: unit 'Unit': unit.hpp:5: 'f' calls itself; {RECURSION}",
    ),
    "recursion of two at their ends": (
        unit(
            "p.m_axis.write(f(p.s_axis.read().to_int()));",
            before="static int f(int); static int g(int x) { return x < 2 ? x : f(x - 1); } "
            "static int f(int x) { return x % 3 ? g(x / 2) : 0; }",
        ),
        f"hlsc: unit 'Unit': unit.hpp:5: 'g' calls itself; {RECURSION}",
    ),
    "std::sort": (
        unit(
            "unsigned char x[4] = {3, 1, n, 2};\nstd::sort(x, x + 4);\np.m_axis.write(x[0]);\n"
            "n = p.s_axis.read().to_uint();",
            "unsigned char n = 0;",
            before="#include <algorithm>",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: '__sort' is called, which has no body here (in 'std::sort' of the "
        "standard library); write a sorting network: nested loops of a constant size that compare two "
        "elements and exchange them",
    ),
    "std::map": (
        unit(
            "std::map<int, int> k;\nk[1] = p.s_axis.read().to_int();\np.m_axis.write(k[1]);",
            before="#include <map>",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: memory is allocated or freed in a step ('operator new', in "
        "'std::map::operator[]' of the standard library); keep keys and values in arrays of a constant size, "
        "which a loop searches, or in a Ram",
    ),
    "std::function": (
        unit(
            "std::function<int(int)> f = [](int x) { return x + 1; };\n"
            "p.m_axis.write(f(p.s_axis.read().to_int()));",
            before="#include <functional>",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: an address is stored (in 'std::function::function' of the standard "
        "library); give the function its own type: 'auto f = [](int x) { ... };', a template argument",
    ),
    "a member that is a std::vector": (
        unit(
            "v[0] += p.s_axis.read().to_int();\np.m_axis.write(v[0]);",
            "std::vector<int> v = {1, 2};",
            before="#include <vector>",
        ),
        "hlsc: unit 'Unit': unit.hpp:12: the member 'v' is a std::vector, which holds pointers; use "
        "std::array or an array of a constant size, with the number of elements as a member, or a Ram",
    ),
    "a member with a std::set in it": (
        unit(
            "x[1].s.insert(p.s_axis.read().to_int());\np.m_axis.write(x[0].s.size());",
            "struct { std::set<int> s; } x[2];",
            before="#include <set>",
        ),
        "hlsc: unit 'Unit': unit.hpp:12: the member 'x_0_s' is a std::set, which holds pointers; keep keys "
        "and values in arrays of a constant size, which a loop searches, or in a Ram",
    ),
    "a loop of the standard library": (
        unit(
            "p.m_axis.write(std::accumulate(x, x + p.s_axis.read().to_int(), 0));",
            "unsigned char x[4] = {};",
            before="#include <numeric>",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: a loop is left after unrolling, and a step is one clock cycle (in "
        "'std::accumulate' of the standard library); give the loop a constant number of iterations, or do "
        "one iteration in each step",
    ),
    "std::cout": (
        unit(
            "uint<8> x = p.s_axis.read();\nstd::cout << x.to_int();\np.m_axis.write(x);",
            before="#include <iostream>",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: 'operator<<' prints, which hardware cannot (in "
        "'std::basic_ostream::operator<<' of the standard library); print in the C simulation only: put it "
        "between `#ifndef THRESHER_HLSC` and `#endif`",
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
            "uint<8> a = 0, b = 0;\nuint<8>* where;",
        ),
        "hlsc: unit 'Unit': unit.hpp:13: the member 'where' is a pointer or a reference; hold objects as "
        "members of the unit, and choose between them by an index or by `if`",
    ),
    "reference member": (
        unit("p.m_axis.write(where);\na += p.s_axis.read();", "uint<8> a = 0; uint<8>& where = a;"),
        "hlsc: unit 'Unit': unit.hpp:12: the member 'where' is a pointer or a reference; hold objects as "
        "members of the unit, and choose between them by an index or by `if`",
    ),
    "function pointer member": (
        unit("p.m_axis.write(f(p.s_axis.read()));", "uint<8> (*f)(uint<8>) = nullptr;"),
        "hlsc: unit 'Unit': unit.hpp:11: the member 'f' is a pointer or a reference; hold objects as "
        "members of the unit, and choose between them by an index or by `if`",
    ),
    "escaping pointer": (
        unit("keep(&a);\np.m_axis.write(a);", "uint<8> a = 0;", before="void keep(uint<8>*);"),
        "hlsc: unit 'Unit': unit.hpp:9: 'keep' is called, which has no body here; call only functions that "
        "the unit's headers define",
    ),
    "function pointer": (
        unit(
            "auto f = p.s_axis.read() & 1 ? g : h;\np.m_axis.write(f(p.t_axis.read()));",
            before="uint<8> g(uint<8>); uint<8> h(uint<8>);",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: a function is called through a pointer that is not known; "
        "choose the "
        "function by a template argument, or by `if`",
    ),
    "virtual function": (
        unit(
            "p.m_axis.write(x.f());",
            "X x;",
            before="struct Base { virtual int f() = 0; }; struct X : Base { int f() { return 1; } };",
        ),
        "hlsc: unit 'Unit': unit.hpp:11: a class has virtual functions; choose the function by a template "
        "argument, or by `if`",
    ),
    "member of the type of nullptr": (
        unit("p.m_axis.write(p.s_axis.read());", "decltype(nullptr) n = nullptr;"),
        "hlsc: unit 'Unit': unit.hpp:11: the member 'n' is a pointer or a reference; hold objects as "
        "members of the unit, and choose between them by an index or by `if`",
    ),
    "array without a size": (
        unit("p.m_axis.write(p.s_axis.read());", "int n = 0; int x[];"),
        "hlsc: unit 'Unit': unit.hpp:11: the member 'x' is an array without a size; give it a constant size",
    ),
    "function without debug information": (
        unit(
            "p.m_axis.write(f(p.s_axis.read().to_int()));",
            before="__attribute__((nodebug, noinline)) static int f(int x) { return x + 1; }",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: the call of '_ZL1fi' cannot be inlined; a step calls no "
        "function marked noinline, and has no computed `goto`",
    ),
    # The initial values of such a constructor come from a function that has no name in C++.
    "unknown function beside a constructor that runs": (
        unit(
            "p.m_axis.write(elsewhere(p.s_axis.read().to_int()) + a[0]);",
            "int a[5];\nUnit() {\nfor (int i = 0; i < 5; ++i) a[i] = elsewhere(i);\n}",
            before="int elsewhere(int);",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: 'elsewhere' is called, which has no body here; call only "
        "functions that the unit's headers define",
    ),
    "dynamic allocation": (
        unit("int* x = new int[(int)p.s_axis.read()];\nx[0] = 3;\nx[n] = 4;\nn = x[1];", "int n = 0;"),
        "hlsc: unit 'Unit': unit.hpp:9: memory is allocated or freed in a step ('operator new[]'); use "
        "arrays "
        "of a constant size, as members or local variables",
    ),
    "array of variable size": (
        unit("int n = p.s_axis.read();\nint x[n];\nx[0] = 3;\nx[n - 1] = n;\np.m_axis.write(x[n >> 1]);"),
        "hlsc: unit 'Unit': unit.hpp:10: an array of variable size; give it a constant size",
    ),
    "assembly": (
        unit('int x = p.s_axis.read();\nasm volatile("nop" : "+r"(x));\np.m_axis.write(x);'),
        "hlsc: unit 'Unit': unit.hpp:10: assembly is embedded; write it in C++",
    ),
    "static variable": (
        unit("static uint<8> n = 0;\nn += p.s_axis.read();\np.m_axis.write(n);"),
        "hlsc: unit 'Unit': unit.hpp:10: the variable 'n' is read, which is no constant; declare it "
        "constexpr, or make it a member of the unit",
    ),
    "global variable": (
        unit("p.m_axis.write(n);\nn += p.s_axis.read();", before="uint<8> n = 0;"),
        "hlsc: unit 'Unit': unit.hpp:9: the variable 'n' is read, which is no constant; declare it "
        "constexpr, or make it a member of the unit",
    ),
    "thread-local variable": (
        unit("p.m_axis.write(n);\nn += p.s_axis.read();", before="thread_local uint<8> n = 0;"),
        "hlsc: unit 'Unit': unit.hpp:9: the variable 'n' is read, which is no constant; declare it "
        "constexpr, or make it a member of the unit",
    ),
    "global variable that is written": (
        unit("n = p.s_axis.read();\np.m_axis.write(1);", before="uint<8> n = 0;"),
        "hlsc: unit 'Unit': unit.hpp:9: memory is written that is neither the unit's nor a local "
        "variable's; keep what lasts in members of the unit",
    ),
    "endless loop": (
        unit("for (;;) n = n + 1;\np.m_axis.write(n);", "uint<8> n = 0;"),
        "hlsc: unit 'Unit': unit.hpp:9: the step never ends; do one iteration of an endless loop in each "
        "step",
    ),
    "jump to a computed label": (
        unit("void* to[2] = {&&a, &&b};\ngoto *to[(int)(p.s_axis.read() & 1)];\na: return;\nb: return;"),
        "hlsc: unit 'Unit': unit.hpp:8: the call of 'step' cannot be inlined; a step calls no "
        "function marked noinline, and has no computed `goto`",
    ),
    "floating-point member": (
        unit("x = x * 0.5f + (int)p.s_axis.read();\np.m_axis.write((int)x);", "float x = 0;"),
        "hlsc: unit 'Unit': unit.hpp:12: the member 'x' is a floating-point number; scale it to an integer "
        "of fixed point",
    ),
    "copied stream": (
        unit("InStream<8> s = p.s_axis;\np.m_axis.write(s.read());"),
        "hlsc: unit 'Unit': unit.hpp:9: a stream is copied; pass streams, and 'Ports', by reference",
    ),
    "stream by variable": (
        "struct Unit {\n  struct Ports { InStream<8> s[2]; OutStream<8> m; };\n  void step(Ports& p) {\n"
        "p.m.write(p.s[(int)n].read());\nn = n + 1;\n}\nuint<1> n = 0;\n};\n",
        "hlsc: unit 'Unit': unit.hpp:8: which stream is used depends on a variable, or it is not a member; "
        "name each stream in a branch of its own",
    ),
    "two streams of one name": (
        "struct In { InStream<8> x; };\nstruct Unit {\n  struct Ports { In a; InStream<8> a_x; };\n"
        "  void step(Ports& p) { p.a.x.read(); }\n};\n",
        "hlsc: unit 'Unit': unit.hpp:7: two streams have the name 'a_x'; rename one of them",
    ),
    "copy of variable size": (
        unit("__builtin_memcpy(a, b, (int)p.s_axis.read());\np.m_axis.write(a[0]);", "char a[8], b[8];"),
        "hlsc: unit 'Unit': unit.hpp:9: memory of variable size is copied; copy a constant number of "
        "elements",
    ),
    "table that is a member": (
        unit(
            "p.m_axis.write(rom_read<8>(table, p.s_axis.read() & 1));\ntable[0][0]++;",
            "std::uint64_t table[2][1] = {};",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: `rom_read` reads what is no constant; declare the table static "
        "constexpr; what a unit changes is a member array or a Ram",
    ),
    "atomic instruction": (
        unit("__atomic_fetch_add(&n, 1, 0);\np.m_axis.write(n);", "int n = 0;"),
        "hlsc: unit 'Unit': unit.hpp:9: an atomic operation is done; use plain operators: a step is "
        "alone with "
        "the members, and the next begins with what it has left",
    ),
    "printing": (
        unit('uint<8> x = p.s_axis.read();\n__builtin_printf("%d", (int)x);\np.m_axis.write(x);'),
        "hlsc: unit 'Unit': unit.hpp:10: 'printf' prints, which hardware cannot; print in the C "
        "simulation only: "
        "put it between `#ifndef THRESHER_HLSC` and `#endif`",
    ),
    "pointers in a table": (
        unit(
            "int x = p.s_axis.read();\np.m_axis.write((uint<8>)*tables[x & 1]);",
            before="static constexpr int a[2] = {1, 2}; static constexpr const int* tables[2] = {a, a + 1};",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: a pointer is loaded from memory; keep an index in place of the "
        "pointer, "
        "and choose between objects by it or by `if`",
    ),
    "order of different objects": (
        unit(
            "int a[2] = {1, n}, b[2] = {n, 3};\n(p.s_axis.read() & 1 ? a : b)[n & 1] = 4;\n"
            "p.m_axis.write((uint<8>)(a < b));\nn = a[n & 1] + b[n & 1];",
            "int n = 0;",
        ),
        "hlsc: unit 'Unit': unit.hpp:11: the addresses of different objects are ordered, which have no "
        "order in "
        "hardware; compare indices, or pointers into one array",
    ),
    "bytes of a variable number": (
        unit(
            "p.m_axis.write((uint<8>)__builtin_memcmp(a, b, (int)p.s_axis.read()));",
            "char a[8] = {}, b[8] = {};",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: memory of variable size is compared; make the number of elements a "
        "constant, with a condition for each element",
    ),
    "search of many": (
        unit(
            "a[n & 1] = 3;\nconst void* x = __builtin_memchr(a, (int)p.s_axis.read(), 65);\n"
            "p.m_axis.write((uint<8>)(x != nullptr));",
            "char a[65] = {}; int n = 0;",
        ),
        "hlsc: unit 'Unit': unit.hpp:10: an array of 65 elements is searched in one step, of which 64 "
        "can be; "
        "search a few elements in each step, with the place in a member",
    ),
    "unknown intrinsic": (
        unit("p.m_axis.write((uint<8>)__builtin_readcyclecounter());"),
        "hlsc: unit 'Unit': unit.hpp:9: clang makes of this line the LLVM intrinsic 'llvm.readcyclecounter', "
        "which hlsc has no hardware for; write it in another way; if it holds nothing but integer operators, "
        "report it: hlsc should take it",
    ),
    "float table": (
        unit(
            "p.m_axis.write((uint<8>)(bits[p.s_axis.read() & 1] & 255));",
            before="static const float t[2] = {1, 2}; static const int* const bits = (const int*)t;",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: the constant 't' is read, which does not hold integers alone; "
        "make it a "
        "table of integers: indices in place of pointers, fixed point in place of floating point",
    ),
    "large array": (
        unit("p.m_axis.write(a[(int)p.s_axis.read()]);\na[3] = 4;", "uint<8> a[100];"),
        "hlsc: unit 'Unit': unit.hpp:9: a variable index into an array of 100 elements; index with "
        "constants (unroll the loop), or keep the array in a Ram or a constant",
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
        "unit.hpp:9), and a read sees the contents before the step; move the read before the write, or let "
        "reads see earlier writes of their step: Ram<8, 4, RamOrder::kWriteFirst>",
    ),
    "three ram writes": (
        unit(
            "m.write(0, 1);\nif (p.s_axis.read() == 1) m.write(1, 2);\nm.write(2, p.t_axis.read());",
            "Ram<8, 4> m;",
        ),
        "hlsc: unit 'Unit': unit.hpp:11: 'm' is written at 3 places of one step (at unit.hpp:9, unit.hpp:10 "
        "and unit.hpp:11), and a memory has 2 write ports; put all but two of them on different branches of "
        "one `if`, widen the word to hold what is written together, or write in several steps",
    ),
    "ram filled in a step": (
        unit(
            "m.~Ram();\nnew (&m) Ram<8, 2>(t);\np.m_axis.write(m.read(p.s_axis.read().to_uint() & 1));",
            "Ram<8, 2> m;",
            before="#include <new>\nstatic constexpr unsigned char t[2] = {1, 2};",
        ),
        "hlsc: unit 'Unit': unit.hpp:11: 'm' is made from a table in a step; write it word by word: a memory "
        "is filled by configuration alone",
    ),
    "ram of a variable table": (
        unit(
            "p.m_axis.write(m.read(p.s_axis.read().to_uint() & 1));",
            "Ram<8, 2> m{t};",
            before="unsigned char t[2] = {1, 2};",
        ),
        "hlsc: unit 'Unit': unit.hpp:11: the variable 't' is read, which is no constant; declare it "
        "constexpr, or make it a member of the unit",
    ),
    "ram read in the constructor": (
        unit(
            "p.m_axis.write(x + p.s_axis.read() + m.read(1));",
            "Ram<8, 2> m;\nuint<8> x;\nUnit() {\nx = m.read(0);\n}",
        ),
        "hlsc: unit 'Unit': unit.hpp:14: 'm' is read in the constructor; keep in a constant what the "
        "constructor needs",
    ),
    "ram written beyond its words": (
        unit(
            "p.m_axis.write(m.read(p.s_axis.read().to_uint() & 1));",
            "Ram<8, 3> m;\nUnit() {\nfor (int i = 0; i < 9; ++i) m.write(i, 1);\n}",
        ),
        "hlsc: unit 'Unit': unit.hpp:13: the constructor writes to address 3 of 'm', which has 3 words; keep "
        "the address within the words, or give more words",
    ),
    "ram copied": (
        unit("Ram<8, 3> n(m);\np.m_axis.write(n.read(p.s_axis.read().to_uint() & 1));", "Ram<8, 3> m;"),
        "hlsc: unit 'Unit': unit.hpp:9: a Ram is copied; read it and write the other one word by word",
    ),
    "table by variable": (
        unit(
            "p.m_axis.write(rom_read<8>(tables[(int)p.s_axis.read()], 1));",
            before="static constexpr std::uint64_t tables[4][2][1] = {{{1}, {2}}, {{3}, {4}}, {{5}, {6}}};",
        ),
        "hlsc: unit 'Unit': unit.hpp:9: a table is chosen by a variable; read each table at constant "
        "indices, "
        "with the variable in the address",
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
            "v4 x = {(unsigned char)p.s_axis.read(), 1, 2, 3};\nv4 y = x * x;\n"
            "p.m_axis.write(y[n.to_int()]);\n"
            "n += 1;",
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


CAUSES = {
    "constexpr int f(int n) { return n ? f(n - 1) : 0; } constexpr int x = f(4000);": (
        "constexpr variable 'x' must be initialized by a constant expression (unit.hpp:5: constexpr "
        "evaluation "
        "exceeded maximum depth of 2048 calls)"
    ),
    "inline int f(int n) { return n; } inline int x = f(1, 2);": (
        "no matching function for call to 'f' (unit.hpp:5: candidate function not viable: requires single "
        "argument 'n', but 2 arguments were provided)"
    ),
}


@pytest.mark.parametrize("before", CAUSES)
def test_what_clang_notes_as_the_cause_is_shown(before: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit("p.m_axis.write(1);", before=before))

    assert str(refused.value) == (
        f"hlsc: unit 'Unit': unit.hpp:5: clang says: {CAUSES[before]}; mend the C++"
    )


A_BIT = (
    "unit.hpp:14: a number has 1 bit or more (bit_access.hpp:{line}); give its type a width from 1 to 4096",
    "a number has 1 bit or more",
)
ASKED = {
    "a width of 0": ("uint<0> x = 0;", *A_BIT),
    "a signed width of 0": ("sint<0> x = 0;", *A_BIT),
    "a negative width": ("uint<-3> x = 0;", *A_BIT),
    "a width of 0, two templates away": ("fixed<0, 4> x = 1.5;", *A_BIT),
    "a wide condition": (
        "if (uint<100>(p.s_axis.read())) return;",
        "unit.hpp:14: Vitis HLS would take the low 64 bits of so wide a condition (integer.hpp:{line}); "
        "compare it with 0",
        "Vitis HLS would take",
    ),
    "the root of a signed number": (
        "p.m_axis.write(square_root(sint<8>(p.s_axis.read())).root);",
        "unit.hpp:14: a negative number has no square root (square_root.hpp:{line}); convert to uint what "
        "cannot be negative",
        "a negative number",
    ),
    "a table of long words": (
        "p.m_axis.write(rom_read<8>(table, 0));",
        "unit.hpp:14: a table has the 64-bit words that its width needs (rom.hpp:{line}); give each address "
        "(Width + 63) / 64 words",
        "static_assert(Words",
    ),
    "a table that is too short for a Ram": (
        "Ram<8, 2> x = kShort;",
        "unit.hpp:14: a Ram begins with a table that has a word for each address (ram.hpp:{line}); give it "
        "as many",
        "a Ram begins with",
    ),
    "a std::array that is too long for a Ram": (
        "Ram<8, 2> x = std::array<int, 3>{};",
        "unit.hpp:14: a Ram begins with a table that has a word for each address (ram.hpp:{line}); give it "
        "as many",
        "a Ram begins with",
    ),
    "a signal of no bits": (
        "Beat<8, User<0>> x;",
        "unit.hpp:14: User has 1 bit or more (beat.hpp:{line}); give it a width, or leave it out",
        "User has 1 bit",
    ),
    "bytes of a number that has none": (
        "Beat<12, Keep> x;",
        "unit.hpp:14: Keep is a bit for each byte of the data (beat.hpp:{line}); give it whole bytes",
        "Keep is a bit",
    ),
    # clang says where the template was asked for with a warning ahead of the error.
    "a signal twice": (
        "Beat<16, Last, Last> x;",
        "unit.hpp:14: a stream has each signal once (beat.hpp:{line}); leave the second one out",
        "a stream has each signal",
    ),
    "in the standard library": (
        "std::array<int, 3> x = {}; std::get<3>(x) = 1;",
        "unit.hpp:14: clang says: static assertion failed due to requirement '3UL < 3UL': Index out of "
        "bounds in std::get<> (std::array); mend the C++",
        "",
    ),
}
"""A step, its refusal by a header of Thresher's or of C++'s, and words of Thresher's line."""

BEFORE = """\
#include <array>
#include "thresher/fixed.hpp"
#include "thresher/square_root.hpp"
static constexpr std::uint64_t table[1][2] = {}, kShort[1] = {};
//
//"""


@pytest.mark.parametrize("name", ASKED)
def test_what_a_library_refuses_is_said_at_the_line_that_asked(name: str, tmp_path: Path) -> None:
    step, expected, words = ASKED[name]

    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit(step, before=BEFORE))

    header = re.search(r"\((\w+\.hpp):", expected)
    if header:
        lines = (HLS / "thresher" / header[1]).read_text().splitlines()
        place = next(number for number, text in enumerate(lines, 1) if words in text)
        expected = expected.format(line=place)
    assert str(refused.value) == f"hlsc: unit 'Unit': {expected}"


def test_a_choice_between_two_widths_names_the_conversion(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit("uint<8> x = p.s_axis.read();\np.m_axis.write(x == 4 ? 0 : x);"))

    assert str(refused.value) == (
        "hlsc: unit 'Unit': unit.hpp:10: clang says: conditional expression is ambiguous; 'int' can be "
        "converted to 'uint<8>' (aka 'Integer<8, false>') and vice versa; convert both results of ?: to the "
        "type that is meant, as in 'last ? uint<8>(0) : uint<8>(x + 1)'"
    )


def test_a_long_computation_of_a_table_is_taken(tmp_path: Path) -> None:
    """It takes more steps, a deeper recursion and more brackets than clang allows by itself.

    An empty statement is a step, too, and takes little time.
    """
    text = f"""\
struct Table {{ std::uint16_t of[256]; }};
constexpr Table made() {{
  Table table{{}};
  for (unsigned i = 0; i < 256; ++i) {{
    unsigned state = i;
    for (int k = 0; k < 50; ++k) {{ state = state * 5 + 1; {";" * 100} }}
    table.of[i] = (std::uint16_t)state;
  }}
  return table;
}}
static constexpr Table table = made();
constexpr int deep(int n) {{ return n ? 1 + deep(n - 1) : 0; }}
constexpr int large = {"(" * 1000}deep(1500){")" * 1000};
"""
    step = "p.m_axis.write((uint<8>)(table.of[(int)p.s_axis.read()] + large));"
    compile_text(tmp_path, unit(step, before=text))


NO_HARDWARE = {
    "throw": (
        "if (p.s_axis.read() == 3) throw 1;",
        "cannot use 'throw' with exceptions disabled; hardware has no exceptions: keep what went wrong in a "
        "member, or write a beat that says so",
    ),
    "try": (
        "try { p.m_axis.write(1); } catch (int) { p.m_axis.write(2); }",
        "cannot use 'try' with exceptions disabled; hardware has no exceptions: keep what went wrong in a "
        "member, or write a beat that says so",
    ),
    "dynamic_cast": (
        "Two two; One* one = &two; p.m_axis.write(dynamic_cast<Two*>(one)->f());",
        "use of dynamic_cast requires -frtti; choose the type by a template argument",
    ),
    "typeid": (
        "p.m_axis.write(typeid(*this) == typeid(p));",
        "use of typeid requires -frtti; choose the type by a template argument",
    ),
}


@pytest.mark.parametrize("name", NO_HARDWARE)
def test_cpp_without_a_counterpart_in_hardware(name: str, tmp_path: Path) -> None:
    step, expected = NO_HARDWARE[name]
    before = """#include <typeinfo>
struct One { virtual int f() { return 1; } }; struct Two : One {};"""

    with pytest.raises(UnsupportedModelError) as refused:
        compile_text(tmp_path, unit(step, before=before))

    assert str(refused.value) == f"hlsc: unit 'Unit': unit.hpp:10: clang says: {expected}"


STANDS_FOR = "behind 'using namespace thresher;': it stands for AMD's own type under Vitis HLS"
OURS = "write 'thresher::' in front of it, or 'using namespace thresher;' at the top, and include its header"
NAMES = {
    "ap_uint<8> x = 0;": (
        "no template named 'ap_uint'",
        f"write thresher::uint<8>, or the same without 'thresher::' {STANDS_FOR}",
    ),
    "ap_int<8> x = 0;": (
        "no template named 'ap_int'",
        f"write thresher::sint<8>, or the same without 'thresher::' {STANDS_FOR}",
    ),
    "ap_fixed<8, 4> x = 0;": (
        "no template named 'ap_fixed'",
        f"write thresher::fixed<8, 4>, or the same without 'thresher::' {STANDS_FOR}",
    ),
    "hls::stream<int> x;": (
        "use of undeclared identifier 'hls'",
        "write thresher::InStream<8> and thresher::OutStream<8>, or the same without 'thresher::' "
        f"{STANDS_FOR}",
    ),
    "std::array<ap_ufixed<8, 4>, 2> x;": (
        "use of undeclared identifier 'ap_ufixed'",
        f"write thresher::ufixed<8, 4>, or the same without 'thresher::' {STANDS_FOR}",
    ),
    "fixed<8, 4> x = 0;": ("no template named 'fixed'", OURS),
    "p.m_axis.write(divide(p.s_axis.read(), p.t_axis.read()).quotient);": (
        "use of undeclared identifier 'divide'",
        OURS,
    ),
}


@pytest.mark.parametrize("step", NAMES)
def test_a_type_under_another_name_is_told_by_thresher_s(step: str, tmp_path: Path) -> None:
    what, remedy = NAMES[step]

    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit(step, before="#include <array>"))

    assert str(refused.value) == f"hlsc: unit 'Unit': unit.hpp:9: clang says: {what}; {remedy}"


def test_headers_of_amd_s_are_told_by_thresher_s(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit("p.m_axis.write(1);", before="#include <ap_int.h>"))

    assert str(refused.value) == (
        "hlsc: unit 'Unit': unit.hpp:5: clang says: 'ap_int.h' file not found; include thresher/bits.hpp, "
        "thresher/fixed.hpp and thresher/stream.hpp, whose types are AMD's under Vitis HLS"
    )


CLANG = {
    "use of undeclared identifier 'nothing'": "p.m_axis.write(nothing);",
    "variable 'x' is uninitialized when used here": "std::uint8_t x; p.m_axis.write(x);",
    "variable 'x' is used uninitialized whenever 'if' condition is false": (
        "std::uint8_t x; if (p.s_axis.read() & 1) x = 3;\np.m_axis.write(x);"
    ),
    "division by zero is undefined": "p.m_axis.write(p.s_axis.read() / (uint<8>)0);",
    "array index 4 is past the end of the array (that has type 'char[4]')": (
        "char x[4] = {}; x[4] = 1; p.m_axis.write(x[0]);"
    ),
}


@pytest.mark.parametrize("what", CLANG)
def test_cpp_that_does_not_compile_or_has_no_meaning(what: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as refused:
        compile_text(tmp_path, unit(CLANG[what]))

    assert str(refused.value) == f"hlsc: unit 'Unit': unit.hpp:9: clang says: {what}; mend the C++"


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
