"""What the tests that prove units share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from thresher.hlsc import UnitSource, compile_unit, compiler
from thresher.hlsc.clang import UnitIr, emit_llvm
from thresher.hlsc.schedule import memories
from thresher.hlsc_proof import Claim, claim, sat
from thresher.hlsc_proof.checked import checked_text
from thresher.hlsc_proof.sat import MODULE

CLOCKS = (50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 800.0)


def pipelined(source: UnitSource, stages: int, cycles: int) -> Claim:
    """A claim for a unit at the lowest clock that cuts it into so many stages at least."""
    with _front_end_once():
        cut = (claim(source, clock, cycles) for clock in CLOCKS)
        return next(wanted for wanted in cut if wanted.stages >= stages)


@contextmanager
def _front_end_once() -> Iterator[None]:
    """A unit's C++ is compiled once for all clocks: clang takes most of the time of a claim."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "emit_llvm", lambda source: _emitted(source, source.header.read_text()))
        patch.setattr(sat, "checked_text", lambda source: _checked(source, source.header.read_text()))
        yield


@cache
def _emitted(source: UnitSource, _: str) -> UnitIr:
    return emit_llvm(source)


@cache
def _checked(source: UnitSource, _: str) -> str:
    return checked_text(source)


@contextmanager
def block_memory_preferred() -> Iterator[None]:
    """Tables and memories become block memory wherever they can.

    The rule leaves those that are small enough for a proof in look-up tables, so its limit is lowered.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memories, "LUTS_PER_BLOCK", 0)
        yield


def in_blocks(source: UnitSource, clock_mhz: float, cycles: int) -> Claim:
    """A claim for a unit all of whose tables and memories are block memory, which is checked."""
    with block_memory_preferred(), _front_end_once():
        unit = compile_unit(source, MODULE, clock_mhz)
        wanted = claim(source, clock_mhz, cycles)
    assert {memory.kind for memory in unit.memories} == {"block"}, unit.memories
    assert wanted.verilog == unit.verilog
    return wanted
