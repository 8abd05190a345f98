"""Mutations of the bytes of any file."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Change = Callable[[bytearray, Random], None]

_EXTREMES = (b"\xff" * 10, b"\x80" * 9 + b"\x01", b"\x00" * 8, b"\xff\xff\xff\xff\x07", b"\x7f", b"9" * 40)


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """`data` with one to four changes, most of them small."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if changed:
            random.choice(_CHANGES)(changed, random)
    return bytes(changed)


def _place(data: bytearray, random: Random) -> int:
    """Any place, and places at the front as often as all others."""
    return random.randrange(random.choice((min(len(data), 200), len(data))))


def _flip(data: bytearray, random: Random) -> None:
    data[_place(data, random)] ^= 1 << random.randrange(8)


def _write(data: bytearray, random: Random) -> None:
    data[_place(data, random)] = random.randrange(256)


def _overwrite(data: bytearray, random: Random) -> None:
    place, extreme = _place(data, random), random.choice(_EXTREMES)
    data[place : place + len(extreme)] = extreme


def _insert(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    data[place:place] = random.choice((*_EXTREMES, random.randbytes(random.randrange(1, 9))))


def _delete(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    del data[place : place + random.choice((1, 1, 2, 8, 100))]


def _repeat(data: bytearray, random: Random) -> None:
    place = _place(data, random)
    piece = data[place : place + random.choice((1, 4, 16, 100))]
    data[place:place] = piece * random.choice((1, 2, 50))


def _truncate(data: bytearray, random: Random) -> None:
    del data[_place(data, random) :]


_CHANGES: tuple[Change, ...] = (_flip, _flip, _write, _overwrite, _insert, _delete, _repeat, _truncate)
