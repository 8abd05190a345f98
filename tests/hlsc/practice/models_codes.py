"""What the codes are: zlib, base64, and code words found by search."""

from __future__ import annotations

import base64
import functools
import itertools
import operator
import random
import zlib

from tests.hlsc.practice.case import Case, Streams, beats, drawn, each, packed

DATA_PLACES = (3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15)


def frames_of(streams: Streams, name: str = "s_axis", width: int = 8) -> list[list[int]]:
    """The words of frames whose last one has a one in front."""
    frames: list[list[int]] = [[]]
    for beat in streams[name]:
        last, word = divmod(beat, 1 << width)
        frames[-1].append(word)
        if last:
            frames.append([])
    return frames[:-1]


def crc32(streams: Streams) -> Streams:
    return {"m_axis": [zlib.crc32(bytes(frame)) for frame in frames_of(streams)]}


@functools.cache
def code_words() -> dict[int, int]:
    """Hamming's words by their data: the numbers of the places with a one cancel out."""
    words: dict[int, int] = {}
    for word in range(1 << 15):
        ones = [place for place in range(1, 16) if word >> (place - 1) & 1]
        if functools.reduce(operator.xor, ones, 0) == 0:
            words[packed((place in ones for place in DATA_PLACES), 1)] = word
    return words


def hamming_decoder(streams: Streams) -> Streams:
    found: Streams = {"m_axis": [], "place": []}
    for got in streams["s_axis"]:
        data, word = min(code_words().items(), key=lambda item: (item[1] ^ got).bit_count())
        found["m_axis"].append(data)
        found["place"].append((word ^ got).bit_length())
    return found


def bits_of(words: list[int], width: int) -> list[int]:
    """All bits in turn, the lowest of each word first."""
    return [int(digit) for word in words for digit in reversed(f"{word:0{width}b}")]


def words_of(bits: list[int], width: int) -> list[int]:
    return [packed(bits[at : at + width], 1) for at in range(0, len(bits), width)]


def scrambler(streams: Streams) -> Streams:
    sent = [1] * 58
    for bit in bits_of(streams["s_axis"], 32):
        sent.append((bit + sent[-39] + sent[-58]) % 2)
    return {"m_axis": words_of(sent[58:], 32)}


def prbs_checker(streams: Streams) -> Streams:
    bits = bits_of(streams["s_axis"], 8)
    wrong = [
        0
        if first == 0
        else sum(bits[at] != (bits[at - 6] + bits[at - 7]) % 2 for at in range(first, first + 8))
        for first in range(0, len(bits), 8)
    ]
    return {"wrong": wrong, "total": list(itertools.accumulate(wrong))}


def draw_prbs(rng: random.Random) -> Streams:
    """The sequence, a bit wrong now and then, and noise in the end."""
    bits = [1, 0, 0, 1, 1, 0, 1]
    while len(bits) < 800:
        bits.append((bits[-6] + bits[-7]) % 2)
    for _ in range(6):
        bits[rng.randrange(60, 800)] ^= 1
    return {"s_axis": words_of(bits, 8) + drawn(8, 10)(rng)}


def manchester(byte: int) -> int:
    return int(f"{byte:08b}".translate({ord("0"): "10", ord("1"): "01"}), 2)


def base64_text(streams: Streams) -> Streams:
    pairs = zip(streams["s_axis"], streams["count"], strict=True)
    texts = [base64.b64encode(word.to_bytes(3, "big")[:count]) for word, count in pairs]
    return {"m_axis": [int.from_bytes(text, "little") for text in texts]}


def draw_base64(rng: random.Random) -> Streams:
    counts = [1, 2, 3] * 30
    words = [rng.getrandbits(8 * count) << (24 - 8 * count) for count in counts]
    return {"s_axis": [*words, 0, 0xFFFFFF, 0xFBEFBE], "count": [*counts, 3, 3, 3]}


@functools.cache
def sent_words() -> list[tuple[int, tuple[int, ...]]]:
    """Of each eight data bits the last two, the newest lowest, and the pairs that are sent."""
    found = []
    for data in itertools.product((0, 1), repeat=8):
        line = (0, 0, *data)
        pairs = tuple(
            (line[at] + line[at - 1] + line[at - 2]) % 2 + 2 * ((line[at] + line[at - 2]) % 2)
            for at in range(2, 10)
        )
        found.append((2 * data[-2] + data[-1], pairs))
    return found


def viterbi(streams: Streams) -> Streams:
    pairs, found = streams["s_axis"], []
    for first in range(0, len(pairs) // 8 * 8, 8):
        nearest = [99] * 4
        for state, sent in sent_words():
            distance = sum((a ^ b).bit_count() for a, b in zip(sent, pairs[first : first + 8], strict=True))
            nearest[state] = min(nearest[state], distance)
        found.append(packed(nearest, 5))
    return {"m_axis": found}


def draw_frames(rng: random.Random) -> Streams:
    """Frames of bytes; the first is the one whose CRC is published."""
    frames = [b"123456789", b"\0", b"\xff" * 4, *(rng.randbytes(rng.randrange(1, 12)) for _ in range(12))]
    return {
        "s_axis": [byte | (at == len(frame) - 1) << 8 for frame in frames for at, byte in enumerate(frame)]
    }


CASES = (
    Case("Crc32", 150, draw_frames, crc32),
    Case("HammingEncoder", 250, beats(s_axis=11), each(lambda data: code_words()[data])),
    Case("HammingDecoder", 200, lambda rng: {"s_axis": drawn(15, 60)(rng)}, hamming_decoder),
    Case("Scrambler", 300, beats(s_axis=32), scrambler),
    Case("PrbsChecker", 250, draw_prbs, prbs_checker),
    Case("Manchester", 300, beats(s_axis=8), each(manchester)),
    Case("Base64", 200, draw_base64, base64_text),
    Case("Viterbi", 150, beats(s_axis=2), viterbi),
)
