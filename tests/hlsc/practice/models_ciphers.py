"""What the hashes and the cipher are: hashlib, and FIPS 197 over its field."""

from __future__ import annotations

import functools
import hashlib
import random

from tests.hlsc.practice.case import Case, Streams, each

LENGTHS = (0, 1, 3, 54, 55)
# FIPS 197, appendices B and C.1.
PUBLISHED = (
    (0x3243F6A8885A308D313198A2E0370734, 0x2B7E151628AED2A6ABF7158809CF4F3C),
    (0x00112233445566778899AABBCCDDEEFF, 0x000102030405060708090A0B0C0D0E0F),
)
PUBLISHED_CIPHER = (0x3925841D02DC09FBDC118597196A0B32, 0x69C4E0D86A7B0430D8CDB78070B4C55A)


def sha256(block: int) -> int:
    padded = block.to_bytes(64, "big")
    message = padded[: int.from_bytes(padded[56:], "big") // 8]
    return int(hashlib.sha256(message).hexdigest(), 16)


def draw_sha256(rng: random.Random) -> Streams:
    messages = [b"abc", *(rng.randbytes(length) for length in LENGTHS)]
    padded = [m + b"\x80" + bytes(55 - len(m)) + (8 * len(m)).to_bytes(8, "big") for m in messages]
    return {"s_axis": [int.from_bytes(block, "big") for block in padded]}


def sha3(block: int) -> int:
    """Lanes and digest are little-endian; one bit of padding is in the last byte."""
    padded = (block ^ 0x80 << 1080).to_bytes(136, "little")
    message = padded[: padded.rindex(b"\x06")]
    return int.from_bytes(hashlib.sha3_256(message).digest(), "little")


def draw_sha3(rng: random.Random) -> Streams:
    messages = [b"", b"abc", *(rng.randbytes(length) for length in (1, 71, 134, 135))]
    padded = [int.from_bytes(m + b"\x06", "little") | 0x80 << 1080 for m in messages]
    return {"s_axis": padded}


def product(a: int, b: int) -> int:
    """In the field of 256 elements: polynomials modulo x^8 + x^4 + x^3 + x + 1."""
    whole = 0
    for power in range(8):
        whole ^= (a << power) * (b >> power & 1)
    for power in range(14, 7, -1):
        whole ^= (0x11B << (power - 8)) * (whole >> power & 1)
    return whole


@functools.cache
def substituted(byte: int) -> int:
    """The inverse, which is the 254th power, and the affine map of FIPS 197, 5.1.1."""
    inverse = functools.reduce(product, [byte] * 254)
    bits = [inverse >> bit & 1 for bit in range(8)]
    return sum(
        (sum(bits[(bit + off) % 8] for off in (0, 4, 5, 6, 7)) + (0x63 >> bit)) % 2 << bit for bit in range(8)
    )


def round_keys(key: bytes) -> list[bytes]:
    words = [key[at : at + 4] for at in range(0, 16, 4)]
    constant = 1
    for at in range(4, 44):
        word = words[-1]
        if at % 4 == 0:
            word = bytes(map(substituted, word[1:] + word[:1]))
            word, constant = bytes([word[0] ^ constant]) + word[1:], product(constant, 2)
        words.append(added(word, words[at - 4]))
    return [b"".join(words[at : at + 4]) for at in range(0, 44, 4)]


def added(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def mixed(column: bytes) -> bytes:
    """The column times 3 x^3 + x^2 + x + 2, modulo x^4 + 1."""
    result = [0] * 4
    for place, byte in enumerate(column):
        for power, factor in enumerate((2, 1, 1, 3)):
            result[(place + power) % 4] ^= product(byte, factor)
    return bytes(result)


def encrypt(plain: int, key: int) -> int:
    first, *others = round_keys(key.to_bytes(16, "big"))
    state = added(plain.to_bytes(16, "big"), first)
    for number, round_key in enumerate(others, 1):
        state = bytes(map(substituted, state))
        rows = [state[row::4] for row in range(4)]
        turned = [row[by:] + row[:by] for by, row in enumerate(rows)]
        state = bytes(byte for column in zip(*turned, strict=True) for byte in column)
        if number < 10:
            state = b"".join(mixed(state[at : at + 4]) for at in range(0, 16, 4))
        state = added(state, round_key)
    return int.from_bytes(state, "big")


def aes128(streams: Streams) -> Streams:
    pairs = zip(streams["plain"], streams["key"], strict=True)
    return {"m_axis": [encrypt(plain, key) for plain, key in pairs]}


def draw_aes(rng: random.Random) -> Streams:
    pairs = [*PUBLISHED, (0, 0), *((rng.getrandbits(128), rng.getrandbits(128)) for _ in range(8))]
    return {"plain": [plain for plain, _ in pairs], "key": [key for _, key in pairs]}


CASES = (
    Case("Sha256", 100, draw_sha256, each(sha256)),
    Case("Sha3", 200, draw_sha3, each(sha3)),
    Case("Aes128", 100, draw_aes, aes128),
)
