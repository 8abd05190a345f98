"""What the filters are, by numpy's convolutions and exact fractions."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np

from tests.hlsc.practice.case import Case, Streams, beats, drawn, fields, packed, signed

TAPS = (-3, 11, -97, 511, 509, -101, 13, -512)
COLUMNS, ROWS = 16, 10


def samples_of(streams: Streams, width: int, name: str = "s_axis") -> list[int]:
    return [signed(beat, width) for beat in streams[name]]


def nearest(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def fir(streams: Streams) -> Streams:
    samples = samples_of(streams, 12)
    sums = np.convolve(samples, TAPS)[: len(samples)]
    return {"m_axis": [int(value) % (1 << 24) for value in sums]}


def biquad(streams: Streams) -> Streams:
    zeros = [Fraction(4096, 1 << 14), Fraction(8192, 1 << 14), Fraction(4096, 1 << 14)]
    poles = [Fraction(18000, 1 << 14), Fraction(-9000, 1 << 14)]
    x, y = [0, 0, *samples_of(streams, 16)], [0, 0]
    for now in range(2, len(x)):
        exact = sum((gain * x[now - ago] for ago, gain in enumerate(zeros)), Fraction(0))
        exact += sum((gain * y[now - ago] for ago, gain in enumerate(poles, 1)), Fraction(0))
        y.append(min(max(nearest(exact), -(1 << 15)), (1 << 15) - 1))
    return {"m_axis": [value % (1 << 16) for value in y[2:]]}


def moving_average(streams: Streams) -> Streams:
    padded = [0] * 15 + streams["s_axis"]
    return {"m_axis": [sum(padded[end - 16 : end]) // 16 for end in range(16, len(padded) + 1)]}


def cic_decimator(streams: Streams) -> Streams:
    box = np.ones(8, dtype=np.int64)
    response = np.convolve(np.convolve(box, box), box)
    whole = np.convolve(samples_of(streams, 8), response)[: len(streams["s_axis"])]
    return {"m_axis": [int(value) % (1 << 17) for value in whole[7::8]]}


def one_pole(streams: Streams) -> Streams:
    level, levels = 0, []
    for sample in samples_of(streams, 12):
        level += nearest(Fraction(16 * sample - level, 8))
        levels.append(level % (1 << 16))
    return {"m_axis": levels}


def median_of_nine(streams: Streams) -> Streams:
    columns = [[0, 0, 0]] * 2 + [fields(beat, 8, 3) for beat in streams["s_axis"]]
    windows = [itertools.chain(*columns[at - 2 : at + 1]) for at in range(2, len(columns))]
    return {"m_axis": [sorted(window)[4] for window in windows]}


def sobel(streams: Streams) -> Streams:
    kernel = np.outer([1, 2, 1], [-1, 0, 1])
    found: list[int] = []
    for picture in np.array(streams["s_axis"]).reshape(-1, ROWS, COLUMNS):
        windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3))
        across, down = (np.abs((windows * each).sum(axis=(2, 3))) for each in (kernel, kernel.T))
        found += np.minimum(across + down, 255).ravel().tolist()
    return {"m_axis": found}


def draw_pictures(rng: random.Random) -> Streams:
    def noise() -> list[int]:
        return [rng.choice((rng.getrandbits(8), 0, 255)) for _ in range(ROWS * COLUMNS)]

    smooth = [(3 * row + 5 * column + rng.randrange(3)) for row in range(ROWS) for column in range(COLUMNS)]
    return {"s_axis": noise() + smooth + noise()}


def saturating_mac(streams: Streams) -> Streams:
    total, totals = 0, []
    pairs = zip(samples_of(streams, 18, "a"), samples_of(streams, 18, "b"), strict=True)
    for (a, b), clear in zip(pairs, streams["clear"], strict=True):
        product = a * b * 16
        total = min(max((0 if clear else total) + product, -(1 << 39)), (1 << 39) - 1)
        totals.append(total % (1 << 40))
    return {"m_axis": totals}


def draw_mac(rng: random.Random) -> Streams:
    """Long sums of large numbers, so that both ends are reached and left again."""
    count = 150
    large = [rng.choice((131071, -131072, 131070, rng.randrange(-131072, 131072))) for _ in range(count)]
    towards = [1 if place // 30 % 2 else -1 for place in range(count)]
    b = [sign * abs(value) - (sign > 0) for sign, value in zip(towards, large, strict=True)]
    return {
        "a": [value % (1 << 18) for value in (abs(value) - 1 for value in large)],
        "b": [value % (1 << 18) for value in b],
        "clear": [int(rng.randrange(60) == 0) for _ in range(count)],
    }


def matrix_vector(streams: Streams) -> Streams:
    matrix = np.array(
        [[1, -2, 3, -4, 5, -6], [127, -128] * 3, [0, 0, 0, 0, 0, 1], [7, 6, 5, 4, 3, 2]], dtype=np.int64
    )
    elements = samples_of(streams, 8)
    whole = len(elements) // 6 * 6
    vectors = np.array(elements[:whole], dtype=np.int64).reshape(-1, 6)
    return {"m_axis": [packed(sums, 20) for sums in (vectors @ matrix.T).tolist()]}


CASES = (
    Case("Fir", 250, beats(s_axis=12), fir),
    Case("Biquad", 100, beats(s_axis=16), biquad),
    Case("MovingAverage", 300, beats(s_axis=10), moving_average),
    Case(
        "CicDecimator",
        250,
        lambda rng: {"s_axis": drawn(8, 200)(rng) + [127] * 40 + [128] * 40},
        cic_decimator,
    ),
    Case("OnePole", 150, beats(s_axis=12), one_pole),
    Case("MedianOfNine", 300, beats(s_axis=24), median_of_nine),
    Case("Sobel", 200, draw_pictures, sobel),
    Case("SaturatingMac", 100, draw_mac, saturating_mac),
    Case("MatrixVector", 250, beats(s_axis=8), matrix_vector),
)
