"""The clang inside zig, called without zig, does what zig's own command does."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from thresher.hlsc import zig
from thresher.hlsc.clang import UnitSource, emit_llvm
from thresher_sim.toolchain import find_clang, is_zig

HLS = Path(__file__).resolve().parents[2] / "hls"
FLAGS = ("-ftrivial-auto-var-init=pattern", "-Xclang", "-disable-llvm-passes")
# Of the C++ library, whose headers zig has to find, with what it sets them up by.
UNIT = """\
#include <algorithm>
#include <array>
#include "thresher/bits.hpp"
#include "thresher/stream.hpp"
struct Unit {
  struct Ports { thresher::InStream<8> s_axis; thresher::OutStream<8> m_axis; };
  void step(Ports& p) {
    std::array<std::uint8_t, 2> both{3, static_cast<std::uint8_t>(p.s_axis.read())};
    p.m_axis.write(*std::max_element(both.begin(), both.end()));
  }
};
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UnitSource:
    # With no clang on PATH it is that of the wheel ziglang.
    monkeypatch.setenv("PATH", "")
    # Of a folder below which no file of a compilation lies, whose names then are whole paths.
    monkeypatch.chdir("/dev")
    assert is_zig(find_clang())
    header = tmp_path / "unit.hpp"
    header.write_text(UNIT)
    return UnitSource(header, "Unit", (HLS,))


@pytest.mark.parametrize("flags", [(), FLAGS])
def test_the_ir_is_that_of_zig_itself(
    source: UnitSource, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = zig.front_end(find_clang(), ("-S",), "any.cpp")
    alone = emit_llvm(source, *flags).text
    monkeypatch.setattr("thresher.hlsc.clang.front_end", lambda compiler, flags, name: (*compiler, *flags))
    around = emit_llvm(source, *flags).text

    assert told[1] == "-cc1"
    assert without_folders(alone) == without_folders(around)


def test_the_command_holds_in_any_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(Path(find_clang()[0]).parent)
    front_end = zig.front_end.__wrapped__

    folders = front_end(find_clang(), ("-S",), "any.cpp")
    monkeypatch.chdir(tmp_path)

    assert folders.count("-isystem") > 3
    assert all(Path(path).is_absolute() for word, path in pairwise(folders) if word == "-isystem")


def test_a_compiler_that_does_not_tell_its_command_is_called_itself() -> None:
    assert zig.front_end((sys.executable, "c++"), ("-O2",), "any.cpp") == (sys.executable, "c++", "-O2")


def without_folders(text: str) -> str:
    """LLVM IR without the names of temporary folders, which are drawn, and of those that clang worked in."""
    return re.sub(r'(?<=directory: ")[^"]*', "", re.sub(r"/tmp/tmp\w+/", "/", text))
