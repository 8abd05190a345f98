"""Division, roots and fixed point: the SystemVerilog under stalls and the C++, held to Python."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from tests.hlsc.fixed_point import Format, exact, nearest
from tests.hlsc.native import HLS, NativeUnits
from tests.hlsc.rtl import Module, RtlModules
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit

UNITS = Path(__file__).parent / "arithmetic_units.hpp"
BEATS = 50
CYCLES = 800
SLOWNESS = (0, 35)

# Widths and signs of dividend and divisor, and the clock in MHz.
DIVISIONS = [
    (1, True, 1, True, 100),
    (2, True, 3, False, 400),
    (5, False, 3, True, 50),
    (8, False, 8, False, 200),
    (13, False, 4, False, 300),
    (4, False, 13, False, 300),
    (16, True, 16, True, 200),
    (33, False, 33, False, 50),
    (65, True, 65, True, 20),
]
ROOTS = [(1, 100), (2, 100), (7, 400), (16, 200), (33, 100), (66, 50)]
SCALES = [
    (Format(10, 4, True, "kNearestEven", "kSaturate"), 200),
    (Format(7, 1, True, "kNearestFromZero", "kSaturateSymmetric"), 100),
    (Format(14, 5, True, "kToZero", "kSaturateToZero"), 300),
    (Format(9, 3, True, "kDown", "kWrap"), 100),
]

Streams = dict[str, list[int]]


def wrapped(value: int, width: int, signed: bool) -> int:
    low = value % (1 << width)
    return low - (1 << width) if signed and low >> (width - 1) else low


@dataclass(frozen=True)
class Unit:
    """A unit, what it is fed, and what Python says that it writes."""

    name: str
    clock_mhz: float
    inputs: tuple[tuple[str, int], ...]
    streams: Streams
    answer: Streams


def numbers(rng: random.Random, width: int) -> Iterator[int]:
    """Bits at the ends of the range, of any size, and of any kind."""
    while True:
        top = 1 << width - 1
        ends = [0, 1, top, top - 1, 2 * top - 1, rng.getrandbits(rng.randint(1, width))]
        yield rng.choice([*ends, *[rng.getrandbits(width)] * 3]) % (1 << width)


def divisions(a: int, a_signed: bool, b: int, b_signed: bool, clock_mhz: float) -> Unit:
    rng = random.Random(f"{a} {b}")
    dividends, divisors = (dict(zip(range(BEATS), numbers(rng, width), strict=False)) for width in (a, b))
    out = max(a, b) + 8
    remainder_bits = min(a, b + (a_signed and not b_signed))
    found: Streams = {"quotient": [], "remainder": [], "plain_quotient": [], "plain_remainder": []}
    for index in range(BEATS):
        x, y = wrapped(dividends[index], a, a_signed), wrapped(divisors[index], b, b_signed)
        whole = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1) if y else -1
        if y == 0 and not (a_signed or b_signed):
            whole = (1 << a) - 1
        rest = x - whole * y if y else wrapped(x, remainder_bits, a_signed)
        for prefix in ("", "plain_") if y else ("",):
            found[f"{prefix}quotient"].append(whole % (1 << out))
            found[f"{prefix}remainder"].append(rest % (1 << out))
    name = f"Divide<{a}, {str(a_signed).lower()}, {b}, {str(b_signed).lower()}>"
    streams = {"a": list(dividends.values()), "b": list(divisors.values())}
    return Unit(name, clock_mhz, (("a", a), ("b", b)), streams, found)


def roots(width: int, clock_mhz: float) -> Unit:
    rng = random.Random(width)
    beats = [beat for _, beat in zip(range(BEATS // 2), numbers(rng, width), strict=False)]
    # Squares and their neighbours.
    while len(beats) < BEATS:
        beats.append((rng.getrandbits((width + 1) // 2) ** 2 - rng.randint(0, 1)) % (1 << width))
    answer = {
        "root": [math.isqrt(beat) for beat in beats],
        "remainder": [beat - math.isqrt(beat) ** 2 for beat in beats],
    }
    return Unit(f"Root<{width}>", clock_mhz, (("a", width),), {"a": beats}, answer)


def decay() -> Unit:
    rng = random.Random(3)
    beats, total, found = [rng.getrandbits(8) for _ in range(BEATS)], 0, []
    for beat in beats:
        total = (total // (beat | 1) + beat) % 256
        found.append(total)
    return Unit("Decay", 100.0, (("s_axis", 8),), {"s_axis": beats}, {"m_axis": found})


def natives() -> Unit:
    rng = random.Random(4)
    a, b = ([beat for _, beat in zip(range(BEATS), numbers(rng, 32), strict=False)] for _ in range(2))
    found: Streams = {"quotient": [], "remainder": []}
    for dividend, divisor in zip(a, (each | 1 for each in b), strict=True):
        x, y = wrapped(dividend, 32, True), wrapped(divisor, 32, True)
        if y != -1:
            found["quotient"].append(abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1) % (1 << 32))
        found["remainder"].append(dividend % divisor)
    return Unit("Natives", 150.0, (("a", 32), ("b", 32)), {"a": a, "b": b}, found)


def scales(out: Format, clock_mhz: float) -> Unit:
    """`Scale`, whose operands are `fixed<12, 5>` and `ufixed<6, 2>`."""
    rng = random.Random(out.width)
    first, second = Format(12, 5, True), Format(6, 2)
    gain = Format(8, 1, True)
    added = gain.value(gain.of(Fraction(-0.71)))
    divided = exact(first, second, "/")
    streams = {
        name: [beat for _, beat in zip(range(BEATS), numbers(rng, width), strict=False)]
        for name, width in (("a", 12), ("b", 6))
    }
    found: Streams = {"product": [], "quotient": [], "sum": []}
    for a, b in zip(map(first.value, streams["a"]), map(second.value, streams["b"]), strict=True):
        found["product"].append(out.of(a * b) % (1 << out.width))
        found["sum"].append(out.of(a + added) % (1 << out.width))
        whole = nearest(a / b * Fraction(2) ** divided.fraction, "kToZero") if b else 0
        found["quotient"].append(out.of(divided.value(whole)) % (1 << out.width))
    modes = f"thresher::Rounding::{out.rounding}, thresher::Overflow::{out.overflow}"
    name = f"Scale<{out.width}, {out.integer}, {modes}>"
    return Unit(name, clock_mhz, (("a", 12), ("b", 6)), streams, found)


def every_unit() -> list[Unit]:
    return [
        *(divisions(*each) for each in DIVISIONS),
        *(roots(*each) for each in ROOTS),
        *(scales(*each) for each in SCALES),
        decay(),
        natives(),
    ]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Unit, CompiledUnit]]:
    return [
        (unit, compile_unit(source(unit.name), f"unit{index}", unit.clock_mhz))
        for index, unit in enumerate(every_unit())
    ]


def source(name: str) -> UnitSource:
    return UnitSource(UNITS, f"arithmetic_units::{name}", (HLS,))


def test_the_hardware_is_what_python_says(compiled: list[tuple[Unit, CompiledUnit]], tmp_path: Path) -> None:
    modules, sources = [], []
    for index, (_, unit) in enumerate(compiled):
        sources.append(tmp_path / f"{unit.module_name}.sv")
        sources[-1].write_text(unit.verilog)
        slow = SLOWNESS[index % 2]
        modules.append(Module(unit.module_name, unit.inputs, unit.outputs, idle=slow, busy=slow))
    model = RtlModules(tmp_path, modules, sources, BEATS)
    results = model.run([unit.streams for unit, _ in compiled], CYCLES)
    wrong = [
        (unit.name, name)
        for (unit, _), result in zip(compiled, results, strict=True)
        for name, beats in unit.answer.items()
        if result[name] != beats
    ]
    assert wrong == []


def test_the_cpp_is_what_python_says(compiled: list[tuple[Unit, CompiledUnit]], tmp_path: Path) -> None:
    native = NativeUnits(tmp_path, UNITS, [f"arithmetic_units::{unit.name}" for unit, _ in compiled])
    for index, (unit, hardware) in enumerate(compiled):
        run = native.run(index, hardware.inputs, hardware.outputs, unit.streams, BEATS)
        assert run.outputs == unit.answer, unit.name
