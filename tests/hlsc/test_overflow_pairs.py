"""The pair that an intrinsic gives, a number and whether it overflowed, chosen as one value.

clang does so seldom, where it joins two selects or phis. So the IR of a unit is changed here, by text.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from tests.hlsc.native import HLS
from tests.needs import require_yosys
from thresher.hlsc import UnitSource, compiler
from thresher.hlsc.clang import UnitIr, emit_llvm
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import read_unit
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc_proof import Claim, checked, claim, decide

HEADER = """\
#include "thresher/stream.hpp"
struct Sum {
  struct Ports { thresher::InStream<64> s_axis; thresher::OutStream<33> m_axis; };
  void step(Ports& ports) {
    const thresher::uint<64> beat = ports.s_axis.read();
    const std::int32_t a = (beat >> 32).to_int(), b = beat.to_int();
    std::int32_t sum;
    const bool over = __builtin_sadd_overflow(a, b, &sum);
    ports.m_axis.write(thresher::uint<33>(over) << 32 | thresher::uint<32>(sum));
  }
};
"""
PAIR = "{ i32, i1 }"
CONSTANTS = {"{ i32 -7, i1 true }": (-7, 1), "{ i32 12, i1 false }": (12, 0), "zeroinitializer": (0, 0)}


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> tuple[UnitSource, UnitIr]:
    header = tmp_path_factory.mktemp("pairs") / "sum.hpp"
    header.write_text(HEADER, encoding="utf-8")
    source = UnitSource(header, "Sum", (HLS,))
    return source, emit_llvm(source)


def chosen(ir: UnitIr, constant: str, phi: bool) -> UnitIr:
    """The IR in which the pair is the constant where the first number is below the second."""
    call = re.search(
        r"\n +(%\S+) = [^\n]*call \{ i32, i1 \} @llvm\.sadd[^(]*\(i32 (\S+), i32 (\S+)\)[^\n]*", ir.text
    )
    assert call is not None
    pair, a, b = call.groups()
    below = f"\n  %below = icmp slt i32 {a}, {b}"
    if phi:
        made = f"{below}\n  br i1 %below, label %less, label %join\nless:\n  br label %join\njoin:\n"
        made += f"  %chosen = phi {PAIR} [ {pair}, %ENTRY ], [ {constant}, %less ]"
    else:
        made = f"{below}\n  %chosen = select i1 %below, {PAIR} {constant}, {PAIR} {pair}"
    head, tail = ir.text[: call.end()], ir.text[call.end() :]
    tail = tail.replace(f"extractvalue {PAIR} {pair},", f"extractvalue {PAIR} %chosen,")
    function = head[head.rindex("\ndefine ") :]
    entry = re.findall(r"\n([-\w.]+):", function)
    made = made.replace("%ENTRY", f"%{entry[-1]}" if entry else "%0")
    return replace(ir, text=head + made + tail)


def expected(beat: int, constant: str) -> int:
    a, b = (part - (part >> 31 << 32) for part in (beat >> 32, beat & 0xFFFFFFFF))
    number, over = CONSTANTS[constant] if a < b else (a + b, int(not -(2**31) <= a + b < 2**31))
    return over << 32 | number % 2**32


@pytest.mark.parametrize("constant", CONSTANTS)
@pytest.mark.parametrize("phi", [False, True])
def test_a_chosen_pair(unit: tuple[UnitSource, UnitIr], constant: str, phi: bool) -> None:
    graph = read_unit(parse(chosen(unit[1], constant, phi).text)).graph
    interpreter = Interpreter(graph)
    rng = random.Random(3)
    for _ in range(200):
        beat = rng.getrandbits(32) << 32 | rng.getrandbits(32)
        assert interpreter.evaluate({"s_axis": beat})[graph.outputs[0].value] == expected(beat, constant)


@pytest.mark.parametrize("phi", [False, True])
def test_a_chosen_pair_is_proved(
    unit: tuple[UnitSource, UnitIr], phi: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_yosys()
    source, ir = unit
    made = {constant: chosen(ir, constant, phi) for constant in CONSTANTS}
    claims: list[Claim] = []
    for changed in made.values():
        for module in (compiler, checked):
            monkeypatch.setattr(module, "emit_llvm", lambda *_, changed=changed: changed)
        claims.append(claim(source, 100.0, 6))

    assert [proof.counterexample for proof in decide(claims)] == [""] * len(made)
