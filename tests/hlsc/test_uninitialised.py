"""Local variables that are read before they are given a value are found, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from thresher.hlsc import UnitSource
from thresher.hlsc.refusal import UnsupportedUnitError
from thresher.hlsc.uninitialised import check_locals, unoptimised

HLS = Path(__file__).resolve().parents[2] / "hls"
TEXT = """\
#include "thresher/bits.hpp"
#include "thresher/stream.hpp"
using thresher::sint;
struct Unit {
  struct Ports {
    thresher::InStream<8> s_axis;
    thresher::OutStream<8> m_axis;
  };
  thresher::uint<8> inner(bool chosen) {
    thresher::uint<8> given;
    if (chosen) given = 7;
    return given;
  }
  void step(Ports& p) {
    const thresher::uint<8> beat = p.s_axis.read();
    %s
  }
};
"""
READ = {
    "always": ("thresher::uint<8> x;\np.m_axis.write(x);", "x", 16),
    "on one path": ("thresher::uint<8> x;\nif (beat & 1) x = 3;\np.m_axis.write(x);", "x", 16),
    "a single bit": ("thresher::uint<1> x;\nif (beat & 1) x = 1;\np.m_axis.write(x);", "x", 16),
    "a wide one": ("sint<200> x;\nif (beat & 1) x = 1;\np.m_axis.write(x >> 150);", "x", 16),
    "an element": ("thresher::uint<8> x[3];\nx[0] = beat;\np.m_axis.write(x[1]);", "x", 16),
    "of a structure": (
        "struct { int a; sint<4> b; } x;\nx.a = 1;\np.m_axis.write(x.a + x.b);",
        "x",
        16,
    ),
    "whether it writes": (
        "bool y = true;\nthresher::uint<2> x;\nif (x == 0) p.m_axis.write(y);",
        "x",
        17,
    ),
    "in a function": ("p.m_axis.write(inner(beat & 1));", "given", 10),
    "one of two": (
        "thresher::uint<8> x;\nthresher::uint<8> y;\nx = beat;\np.m_axis.write(x + y);",
        "y",
        17,
    ),
}
GIVEN = {
    "on both paths": "thresher::uint<8> x;\nif (beat & 1) x = 3; else x = beat;\np.m_axis.write(x);",
    "each element": (
        "thresher::uint<8> x[4];\nfor (int i = 0; i < 4; ++i) x[i] = beat + i;\np.m_axis.write(x[beat & 3]);"
    ),
    "of no effect": "thresher::uint<8> x;\np.m_axis.write(x & 0);",
    "before it is used": (
        "thresher::uint<8> x;\nif (beat & 1) x = 3;\nif (beat & 1) p.m_axis.write(x); else p.m_axis.write(1);"
    ),
}


def source(folder: Path, body: str) -> UnitSource:
    header = folder / "unit.hpp"
    header.write_text(TEXT % body)
    return UnitSource(header, "Unit", (HLS,))


def check(unit: UnitSource) -> None:
    check_locals(unit, unoptimised(unit))


@pytest.mark.parametrize("name", READ)
def test_a_read_of_nothing_is_refused(name: str, tmp_path: Path) -> None:
    body, variable, line = READ[name]
    with pytest.raises(UnsupportedUnitError) as refused:
        check(source(tmp_path, body))

    assert str(refused.value) == (
        f"hlsc: unit 'Unit': unit.hpp:{line}: what is written depends on the local variable '{variable}', "
        "which is given no value; give it one where it is declared"
    )


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_given_a_value_is_taken(name: str, tmp_path: Path) -> None:
    check(source(tmp_path, GIVEN[name]))
