"""What the arithmetic is, by Python's own means."""

from __future__ import annotations

import itertools
import math
import random
import struct

from tests.hlsc.practice.case import Case, Streams, beats, drawn, each, fields, packed, signed

NOT_A_NUMBER = 0x7FC00000


def cordic(streams: Streams) -> Streams:
    turns = [2 * math.pi * angle / (1 << 16) for angle in streams["s_axis"]]
    return {
        "cosine": [round(math.cos(turn) * (1 << 14)) % (1 << 18) for turn in turns],
        "sine": [round(math.sin(turn) * (1 << 14)) % (1 << 18) for turn in turns],
    }


def divide(streams: Streams) -> Streams:
    pairs = zip(streams["dividend"], streams["divisor"], strict=True)
    return {"m_axis": [packed(divmod(dividend, divisor), 16) for dividend, divisor in pairs]}


def draw_division(rng: random.Random) -> Streams:
    dividends = [0, 0xFFFF, 0xFFFF, 0x8000, 1, 5, 0xFFFE] + [rng.getrandbits(16) for _ in range(18)]
    divisors = [1, 0xFFFF, 1, 0xFFFF, 2, 6, 0x8000] + [
        rng.getrandbits(16) >> rng.randrange(16) | 1 for _ in range(18)
    ]
    return {"dividend": dividends, "divisor": divisors}


def nco(streams: Streams) -> Streams:
    levels = []
    for phase in itertools.accumulate(streams["s_axis"]):
        place = (phase % (1 << 24)) >> 16
        levels.append(round(2047 * math.sin((place + 0.5) * math.pi / 128)) % (1 << 12))
    return {"m_axis": levels}


def softmax(streams: Streams) -> Streams:
    found: Streams = {"weights": [], "sum": []}
    for beat in streams["s_axis"]:
        scores = [signed(lane, 8) for lane in fields(beat, 8, 8)]
        weights = [round(65535 * math.exp((score - max(scores)) / 32)) for score in scores]
        found["weights"].append(packed(weights, 16))
        found["sum"].append(sum(weights))
    return found


def float_range(streams: Streams) -> Streams:
    def key(bits: int) -> tuple[float, float]:
        value = struct.unpack("<f", struct.pack("<I", bits))[0]
        return value, math.copysign(1, value)

    least = greatest = NOT_A_NUMBER
    beats_out = []
    numbers: list[int] = []
    for bits in streams["s_axis"]:
        if not math.isnan(key(bits)[0]):
            numbers.append(bits)
        least = min(numbers, key=key, default=NOT_A_NUMBER)
        greatest = max(numbers, key=key, default=NOT_A_NUMBER)
        beats_out.append(packed((least, greatest), 32))
    return {"m_axis": beats_out}


def draw_floats(rng: random.Random) -> Streams:
    special = [NOT_A_NUMBER, 0xFF800001, 0, 1, 0x80000000, 0x80000001, 0x3F800000, 0xBF800000, 0x7F7FFFFF]
    growing = [
        struct.unpack("<I", struct.pack("<f", rng.choice((-1, 1)) * rng.random() * 1.3**power))[0]
        for power in range(80)
    ]
    return {"s_axis": special + growing + [0x7F800000, 0xFF800000, 0xFFFFFFFF, *drawn(32, 5)(rng)]}


def time_stamps(streams: Streams) -> Streams:
    stamps = streams["s_axis"]
    ticks = [(now - before) % 65536 for before, now in itertools.pairwise([0, *stamps])]
    return {"ticks": ticks, "longest": list(itertools.accumulate(ticks, max))}


def draw_stamps(rng: random.Random) -> Streams:
    gaps = [rng.randrange(1 << rng.randrange(1, 16)) for _ in range(100)]
    return {"s_axis": [total % 65536 for total in itertools.accumulate(gaps)]}


def draw_squares(rng: random.Random) -> Streams:
    roots = [1, 2, 255, 256, 65534, 65535] + [rng.getrandbits(16) for _ in range(30)]
    around = [square + off for root in roots for square in (root * root,) for off in (-1, 0, 1)]
    return {"s_axis": drawn(32, 30)(rng) + around}


def within_four(outputs: Streams, wanted: Streams) -> bool:
    """The last rotation leaves 2^-13 of angle, two units of the last place; roundings add up to two."""
    return all(
        len(outputs[name]) == len(wanted[name])
        and all(
            abs(signed((a - b) % (1 << 18), 18)) <= 4
            for a, b in zip(outputs[name], wanted[name], strict=True)
        )
        for name in wanted
    )


CASES = (
    Case(
        "Cordic",
        300,
        lambda rng: {"s_axis": [*range(0, 1 << 16, 1 << 10), *drawn(16)(rng)]},
        cordic,
        within_four,
    ),
    Case("IntegerSquareRoot", 200, draw_squares, each(math.isqrt)),
    Case("Divider", 200, draw_division, divide),
    Case("Nco", 300, lambda rng: {"s_axis": [rng.getrandbits(22) for _ in range(120)]}, nco),
    Case("Softmax", 200, beats(s_axis=64), softmax),
    Case("DoubleDabble", 150, beats(s_axis=14), each(lambda number: int(str(number), 16))),
    Case("FloatRange", 150, draw_floats, float_range),
    Case("TimeStamps", 300, draw_stamps, time_stamps),
)
