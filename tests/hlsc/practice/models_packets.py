"""What is done to streams of bytes and words, on whole lists."""

from __future__ import annotations

import itertools
import random
import struct

import numpy as np

from tests.hlsc.practice.case import Case, Streams, beats, drawn
from tests.hlsc.practice.models_codes import frames_of


def run_lengths(streams: Streams) -> Streams:
    runs: list[int] = []
    for value, run in itertools.groupby(streams["s_axis"]):
        whole, rest = divmod(len(list(run)), 255)
        runs += [255 << 8 | value] * whole + [rest << 8 | value] * (rest > 0)
    return {"m_axis": runs[:-1]}


def draw_runs(rng: random.Random) -> Streams:
    lengths = [1, 1, 2, 254, 1, 255, 1, 256, 1, 511, *(rng.randrange(1, 5) for _ in range(20))]
    return {
        "s_axis": [value for place, length in enumerate(lengths) for value in [place * 77 % 256] * length]
    }


def packer(streams: Streams) -> Streams:
    pairs = zip(streams["field"], streams["length"], strict=True)
    text = "".join(f"{field:016b}"[::-1][:length] for field, length in pairs)
    return {"m_axis": [int(text[at : at + 32][::-1], 2) for at in range(0, len(text) // 32 * 32, 32)]}


def draw_fields(rng: random.Random) -> Streams:
    lengths = [16, 16, 0, 15, 16, 1, 16, 16, *(rng.randrange(17) for _ in range(100))]
    return {"field": [rng.choice((rng.getrandbits(16), 0xFFFF)) for _ in lengths], "length": lengths}


def match_length(streams: Streams) -> Streams:
    pairs = zip(streams["here"], streams["there"], strict=True)
    rows = [zip(here.to_bytes(8, "big"), there.to_bytes(8, "big"), strict=True) for here, there in pairs]
    alike = [itertools.takewhile(lambda couple: couple[0] == couple[1], row) for row in rows]
    return {"m_axis": [len(list(row)) for row in alike]}


def draw_matches(rng: random.Random) -> Streams:
    here = drawn(64)(rng)
    differences = [0, 1, 1 << 63, *(rng.getrandbits(64) >> rng.randrange(65) for _ in here[3:])]
    return {"here": here, "there": [a ^ b for a, b in zip(here, differences, strict=True)]}


def internet_checksum(streams: Streams) -> Streams:
    """RFC 1071: 0xFFFF less the sum modulo 0xFFFF, where only a sum of nothing is 0."""
    totals = [sum(frame) for frame in frames_of(streams, width=16)]
    return {"m_axis": [0xFFFF - (total and (total - 1) % 0xFFFF + 1) for total in totals]}


def draw_words(rng: random.Random) -> Streams:
    """The header of a published example first, without its checksum 0xB861; then the ends."""
    example = [0x4500, 0x0073, 0x0000, 0x4000, 0x4011, 0x0000, 0xC0A8, 0x0001, 0xC0A8, 0x00C7]
    packets = [example, [0], [0xFFFF], [0xFFFF, 0xFFFF], [1, 0xFFFE], [1, 0xFFFF]]
    packets += [[rng.getrandbits(16) for _ in range(rng.randrange(1, 9))] for _ in range(12)]
    return {"s_axis": [word | (at == len(one) - 1) << 16 for one in packets for at, word in enumerate(one)]}


def header_parser(streams: Streams) -> Streams:
    found = []
    for frame in map(bytes, frames_of(streams)):
        kind = struct.unpack_from(">H", frame, 12)[0] if len(frame) >= 14 else None
        if kind == 0x0800 and len(frame) >= 34:
            version, protocol, source = struct.unpack_from(">14xB8xB2xI", frame)
            found.append(kind << 44 | version >> 4 << 40 | protocol << 32 | source)
        elif kind is not None and kind != 0x0800:
            found.append(kind << 44)
    return {"m_axis": found}


def draw_packets(rng: random.Random) -> Streams:
    kinds, lengths = (0x0800, 0x0800, 0x0806, 0x86DD, 0x0008), (1, 6, 13, 14, 15, 33, 34, 35, 40)
    frames = [
        (rng.randbytes(12) + struct.pack(">H", kind) + rng.randbytes(30))[:length]
        for length in lengths
        for kind in [*rng.sample(kinds, 2), 0x0800]
    ]
    return {
        "s_axis": [byte | (at == len(frame) - 1) << 8 for frame in frames for at, byte in enumerate(frame)]
    }


def reorder(streams: Streams) -> Streams:
    pairs = list(zip(streams["number"], streams["word"], strict=True))
    groups = [sorted(pairs[at : at + 8]) for at in range(0, len(pairs), 8)]
    return {"m_axis": [word for group in groups for _, word in group]}


def draw_numbered(rng: random.Random) -> Streams:
    orders = [list(range(8)), list(range(7, -1, -1)), *(rng.sample(range(8), 8) for _ in range(10))]
    numbers = [number for order in orders for number in order]
    return {"number": numbers, "word": [rng.getrandbits(12) for _ in numbers]}


def transpose(streams: Streams) -> Streams:
    blocks = np.array(streams["s_axis"]).reshape(-1, 8, 8)
    return {"m_axis": blocks[:-1].swapaxes(1, 2).ravel().tolist()}


def interleaver(streams: Streams) -> Streams:
    words = streams["s_axis"]
    sources = [at - 4 * 3 * (at % 4) for at in range(len(words))]
    return {"m_axis": [words[source] if source >= 0 else 0 for source in sources]}


CASES = (
    Case("RunLengths", 200, draw_runs, run_lengths),
    Case("Packer", 250, draw_fields, packer),
    Case("MatchLength", 300, draw_matches, match_length),
    Case("InternetChecksum", 150, draw_words, internet_checksum),
    Case("HeaderParser", 125, draw_packets, header_parser),
    Case("Reorder", 100, draw_numbered, reorder),
    Case("Transpose", 300, lambda rng: {"s_axis": [rng.getrandbits(10) for _ in range(256)]}, transpose),
    Case("Interleaver", 300, beats(s_axis=7), interleaver),
)
