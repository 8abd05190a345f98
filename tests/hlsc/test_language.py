"""What hlsc understands of C++: the SystemVerilog against the same in Python, under stalls."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hlsc.native import HLS
from tests.hlsc.rtl import Module, RtlModules
from thresher.hlsc import UnitSource, compile_unit

UNITS = Path(__file__).parent / "language.hpp"
BEATS = 40
CYCLES = 800

Streams = dict[str, list[int]]


def operators(width: int) -> Callable[[Streams], Streams]:
    mask = (1 << width) - 1

    def signed(value: int) -> int:
        return value - (1 << width) if value >> (width - 1) else value

    def toward_zero(a: int, b: int) -> int:
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)

    def answer(streams: Streams) -> Streams:
        found: Streams = {}
        for a, b in zip(streams["a"], streams["b"], strict=True):
            x, y = signed(a), signed(b)
            amount = b % (1 << 16) % width
            halved = toward_zero(x, -2)
            order = [(a, b), (x, y)]
            compared = [
                test
                for left, right in order
                for test in (
                    left == right,
                    left != right,
                    left < right,
                    left <= right,
                    left > right,
                    left >= right,
                )
            ]
            values = {
                "sum": a + b,
                "difference": a - b,
                "product": a * b,
                "both": a & b,
                "either": a | b,
                "one": a ^ b,
                "inverse": ~a,
                "negative": -a,
                "up": a << amount,
                "down": a >> amount,
                "down_signed": x >> amount,
                "quotient": a // 3,
                "remainder": a % 3,
                "quotient_signed": halved,
                "remainder_signed": x + 2 * halved,
            }
            values = {name: value & mask for name, value in values.items()}
            values["compared"] = sum(test << bit for bit, test in enumerate(compared))
            values["ones"] = a.bit_count()
            values["extended"] = x % (1 << 2 * width)
            values["cut"] = a % (1 << (width + 1) // 2)
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        return found

    return answer


def follow(streams: Streams) -> Streams:
    data = iter(streams["data"])
    return {"m": [word << 8 | (next(data) if word & 1 else 0) for word in streams["command"]]}


def either_order(streams: Streams) -> Streams:
    left, right = iter(streams["left"]), iter(streams["right"])
    turn, written = 0, list[int]()
    try:
        while True:
            a = b = 0
            if turn:
                a = next(left)
                b = next(right) if a & 2 else 0
            else:
                b = next(right)
                a = next(left) if b & 4 else 0
            written.append(a << 8 | b)
            turn = (a ^ b) & 1
    except StopIteration:
        return {"m": written}


def chain(streams: Streams) -> Streams:
    second, third = iter(streams["second"]), iter(streams["third"])
    found: Streams = {"m": [], "skipped": []}
    for first in streams["first"]:
        if first & 1 == 0:
            found["skipped"].append(first)
            continue
        middle = next(second)
        found["m"].append(first << 6 | middle << 3 | (next(third) if middle > 3 else 7))
    return found


def apart(streams: Streams) -> Streams:
    def words() -> Iterator[int]:
        beats = iter(streams["s"])
        for count in range(BEATS + 1):
            beat = 0 if count == 0 else next(beats) + (count > 1) & 255
            yield 77 if count == 3 else count << 8 | beat if count & 1 else beat

    return {"m": list(words())}


def distance(streams: Streams) -> Streams:
    written = []
    for beat in streams["s"]:
        words = [3, 90, beat >> 8, 200, beat & 255]
        written.append(-beat & ~words.index(beat & 255) & 0xFFFF)
    return {"m": written}


def arrays(streams: Streams) -> Streams:
    before, after, position = [0] * 4, [9, 8, 7, 6], 1
    grid = [[0] * 3 for _ in range(4)]
    keys, values = [0] * 4, [[1, 2, 3] for _ in range(4)]
    left, right, written = 1, 2, list[int]()
    for beat in streams["s"]:
        row, column = beat & 3, (beat >> 2) % 3
        before[position - 1] = beat >> 4 & 255
        grid[row][column] = grid[3 - row][2 - column] + before[4 - position] & 255
        keys[row] = keys[row] + beat & 31
        values[row][column] = grid[row][0]
        if beat & 64:
            keys[0], values[0] = keys[row], list(values[row])
        left = left * 3 + column & 255
        right = right + left & 255
        low = values[3 - row][column]
        written.append(keys[row] << 24 | low << 16 | right << 8 | after[position - 1])
        after[row] = low
        position = 1 + row
    return {"m": written}


def switches(streams: Streams) -> Streams:
    state, written = 12345, list[int]()
    for beat in streams["s"]:
        kind = beat & 7
        if kind == 3:
            continue
        state = {
            0: state + 1,
            1: state * 5 % 65536 ^ beat,
            2: state ^ beat,
            4: state >> 1,
            5: ~state,
        }.get(kind, state - 3) % 65536
        state = {5: 1, 100: 2, 1000: 3, 3000: 3, 4095: 4}.get(beat >> 4, state)
        written.append(state)
    return {"m": written}


def table_of_bytes(streams: Streams) -> Streams:
    return {"m": [(92, 65, 34, 7, 92, 92, 0, 255)[beat] for beat in streams["s"]]}


def asserted(streams: Streams) -> Streams:
    return {"m": [beat << 8 | count for count, beat in enumerate(streams["s"], 1)]}


def nameless(streams: Streams) -> Streams:
    total, both, written = 3, 0x01020304, list[int]()
    for beat in streams["s"]:
        total = (total + beat) % 65536
        both = both & ~255 | (both + total) & 255
        written.append(both)
    return {"m": written}


WIDTHS = (2, 33, 65, 4096)
UNITS_OF = {
    **{f"Operators<{width}>": operators(width) for width in WIDTHS},
    "Follow": follow,
    "EitherOrder": either_order,
    "Chain": chain,
    "Apart": apart,
    "Distance": distance,
    "Arrays": arrays,
    "Switches": switches,
    "Bytes": table_of_bytes,
    "Asserted": asserted,
    "Nameless": nameless,
}


def beats(rng: random.Random, name: str, port: str, width: int) -> list[int]:
    """Random beats; for switches also those that are rarely met, for operators also the extremes."""
    values = [rng.getrandbits(width) for _ in range(BEATS)]
    special = [0, 1, (1 << width) - 1, 1 << (width - 1), (1 << (width - 1)) - 1]
    if name == "Switches":
        special = [case << 4 | low for case in (5, 100, 1000, 3000, 4095) for low in (1, 3)]
    chosen = rng.sample(range(BEATS), len(special))
    return [special[chosen.index(place)] if place in chosen else value for place, value in enumerate(values)]


def test_the_systemverilog_computes_what_python_does(tmp_path: Path) -> None:
    modules, sources, streams = [], [], []
    rng = random.Random(11)
    for name in UNITS_OF:
        module = name.lower().replace("<", "_").strip(">")
        source = UnitSource(UNITS, f"language::{name}", (HLS,))
        # The widest are not cut into stages: a product of 4,096 bits would be a hundred.
        wide = any(f"<{width}>" in name for width in WIDTHS if width > 100)
        clock = 1.0 if wide else rng.choice([50.0, 150.0, 300.0])
        unit = compile_unit(source, module, clock, rng.choice(["xc7", "ecp5"]))
        sources.append(tmp_path / f"{module}.sv")
        sources[-1].write_text(unit.verilog)
        modules.append(Module(module, unit.inputs, unit.outputs, idle=50, busy=50))
        streams.append({port: beats(rng, name, port, width) for port, width in unit.inputs})

    model = RtlModules(tmp_path, modules, sources, BEATS, random_start=True)
    results = model.run(streams, CYCLES)

    wrong = [
        (name, port)
        for (name, expected), given, result in zip(UNITS_OF.items(), streams, results, strict=True)
        for port, wanted in expected(given).items()
        if result[port] != wanted
    ]
    assert wrong == []


def test_an_assertion_costs_nothing(tmp_path: Path) -> None:
    """A wide division and a comparison in the condition leave no trace in the SystemVerilog."""
    header = tmp_path / "unit.hpp"
    found = []
    for before in ("#define ASSERT assert", "#define ASSERT(condition)"):
        header.write_text(
            f"""#include <cassert>
#include "thresher/stream.hpp"
{before}
using namespace thresher;
struct Unit {{
  struct Ports {{ InStream<64> a; InStream<64> b; OutStream<64> m; }};
  void step(Ports& p) {{
    const uint<64> a = p.a.read(), b = p.b.read();
    ASSERT(b != 0 && a / b < 1000);
    p.m.write(a + b);
  }}
}};
"""
        )
        found.append(compile_unit(UnitSource(header, "Unit", (HLS,)), "unit").verilog)

    assert "+" in found[0]
    assert found[0] == found[1]
