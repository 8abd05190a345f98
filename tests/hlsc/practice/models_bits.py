"""What bits and orders are, by Python's strings and sorts."""

from __future__ import annotations

import itertools
import random

from tests.hlsc.practice.case import Case, Streams, beats, each, fields, packed, signed


def rotated(streams: Streams) -> Streams:
    found = []
    for word, amount in zip(streams["word"], streams["amount"], strict=True):
        digits, turn = f"{word:037b}", signed(amount, 7) % 37
        found.append(int(digits[turn:] + digits[:turn], 2))
    return {"m_axis": found}


def reflected_codes(width: int) -> list[int]:
    """The Gray codes in their order: those of a bit less, and the same backwards with a one in front."""
    codes = ["0", "1"]
    while len(codes) < 1 << width:
        codes = [f"0{code}" for code in codes] + [f"1{code}" for code in reversed(codes)]
    return [int(code, 2) for code in codes]


def gray_codes(streams: Streams) -> Streams:
    codes = reflected_codes(9)
    return {
        "gray": [codes[number] for number in streams["s_axis"]],
        "binary": [codes.index(code) for code in streams["s_axis"]],
    }


def search(streams: Streams) -> Streams:
    rows = [word.to_bytes(8, "little") for word in streams["s_axis"]]
    return {
        "found": [row.find(wanted) % 9 for row, wanted in zip(rows, streams["wanted"], strict=True)],
        "least": [row.index(min(row)) for row in rows],
    }


def draw_search(rng: random.Random) -> Streams:
    rows = [bytes(rng.choices(range(rng.choice((4, 12, 256))), k=8)) for _ in range(100)]
    wanted = [rng.choice((*row, 7, 255)) for row in rows]
    return {"s_axis": [int.from_bytes(row, "little") for row in rows], "wanted": wanted}


def sorted_bytes(beat: int) -> int:
    return packed(sorted(signed(lane, 8) for lane in fields(beat, 8, 8)), 8)


def sorted_jobs(beat: int) -> int:
    def key(job: int) -> tuple[int, int, int]:
        digits = f"{job:016b}"
        return -int(digits[:3], 2), signed(int(digits[3:9], 2), 6), int(digits[9:], 2)

    return packed(sorted(fields(beat, 16, 3), key=key), 16)


def draw_jobs(rng: random.Random) -> Streams:
    def job() -> int:
        return rng.choice((0, 7, 3)) << 13 | rng.choice((0, 31, 32, 63)) << 7 | rng.getrandbits(2)

    alike = [packed(order, 16) for order in itertools.permutations((0xE000, 0xF000, 0xE001))]
    return {"s_axis": alike + [packed((job(), job(), job()), 16) for _ in range(100)]}


CASES = (
    Case("PriorityEncoder", 250, beats(s_axis=40), each(lambda word: word.bit_length() - 1 if word else 63)),
    Case("BarrelShifter", 250, beats(word=37, amount=7), rotated),
    Case("PopulationCount", 300, beats(s_axis=100), each(lambda word: f"{word:b}".count("1"))),
    Case("GrayCodes", 200, beats(s_axis=9), gray_codes),
    Case("BitReverser", 100, beats(s_axis=29), each(lambda word: int(f"{word:029b}"[::-1], 2))),
    Case(
        "ByteSwapper",
        100,
        beats(s_axis=64),
        each(lambda word: int.from_bytes(word.to_bytes(8, "little"), "big")),
    ),
    Case("Search", 250, draw_search, search),
    Case("BitonicSort", 300, beats(s_axis=64), each(sorted_bytes)),
    Case("JobSorter", 150, draw_jobs, each(sorted_jobs)),
)
