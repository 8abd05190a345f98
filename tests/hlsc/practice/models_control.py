"""What the machines do, by regular expressions and windows over the whole of a stream."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter

from tests.hlsc.practice.case import Case, Streams, drawn, signed


def round_robin(streams: Streams) -> Streams:
    """With all beats there from the first step each input has its turn, as long as it has beats."""
    tagged = [[place << 8 | beat for beat in streams[name]] for place, name in enumerate("abc")]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*tagged))
    return {"m_axis": [beat for beat in turns if beat is not None]}


def by_input(outputs: Streams) -> Streams:
    """The grants of each input in their order, which do not depend on when beats come."""
    beats_out = outputs["m_axis"]
    return {name: [beat for beat in beats_out if beat >> 8 == place] for place, name in enumerate("abc")}


def draw_three(rng: random.Random) -> Streams:
    return {name: drawn(8, count)(rng) for name, count in (("a", 20), ("b", 60), ("c", 40))}


def uart_receiver(streams: Streams) -> Streams:
    """A start bit is sampled in its middle, two after it began, and each further bit four later."""
    line, at, found = "".join(map(str, streams["s_axis"])), 0, []
    while (start := line.find("0", at)) >= 0 and start + 38 < len(line):
        samples = line[start + 2 : start + 39 : 4]
        if samples[0] == "1":
            at = start + 3
            continue
        if samples[9] == "1":
            found.append(int(samples[8:0:-1], 2))
        at = start + 39
    return {"m_axis": found}


def draw_line(rng: random.Random) -> Streams:
    """Bytes with pauses, spikes of a sample, and a byte without a stop bit."""
    line = "1" * 5
    for byte in (0x00, 0xFF, 0x55, *rng.randbytes(15)):
        digits = "0" + f"{byte:08b}"[::-1] + "1"
        line += "".join(4 * digit for digit in digits) + "1" * rng.randrange(6)
        line += rng.choice(("", "01" + "1" * 4, "1" * 9))
    line += "0" * 40 + "1" * 80
    return {"s_axis": [int(digit) for digit in line]}


def debouncer(streams: Streams) -> Streams:
    level, levels = 0, []
    for end in range(1, len(streams["s_axis"]) + 1):
        window = streams["s_axis"][max(end - 10, 0) : end]
        if len(window) == 10 and len(set(window)) == 1:
            level = window[0]
        levels.append(level)
    return {"m_axis": levels}


def draw_bounces(rng: random.Random) -> Streams:
    lengths = [9, 1, 10, 1, 11, 9, 9, 10, 10, *(rng.randrange(1, 15) for _ in range(16))]
    return {"s_axis": [place % 2 for place, length in enumerate(lengths, 1) for _ in range(length)]}


def pulse_width(streams: Streams) -> Streams:
    return {"m_axis": [int(time < duty) for duty in streams["s_axis"] for time in range(25)]}


def hysteresis_edge(streams: Streams) -> Streams:
    samples = [signed(beat, 8) for beat in streams["s_axis"]]
    text = "".join("h" if sample > 20 else "l" if sample < -20 else "-" for sample in samples)
    return {"m_axis": [rise.end() - 1 for rise in re.finditer("l[^h]*h", text)]}


def draw_wave(rng: random.Random) -> Streams:
    near = [sample % 256 for sample in (-20, 20, 21, -21, 20, 21, 22, -20, -22, 0, 21)]
    return {"s_axis": near + [rng.randrange(-40, 40) % 256 for _ in range(100)] + drawn(8, 10)(rng)}


def sequence_detector(streams: Streams) -> Streams:
    text = "".join(map(str, streams["s_axis"]))
    return {"m_axis": [int(text[:end].endswith("1011")) for end in range(1, len(text) + 1)]}


def histogram(streams: Streams) -> Streams:
    samples, found = streams["s_axis"], []
    for first in range(0, len(samples) // 128 * 128, 128):
        counted = Counter(samples[first : first + 128])
        found += [counted[value] for value in range(64)]
    return {"m_axis": found}


def draw_samples(rng: random.Random) -> Streams:
    return {
        "s_axis": [rng.randrange(64) for _ in range(128)]
        + [63] * 128
        + [rng.choice((0, 5)) for _ in range(128)]
    }


CASES = (
    Case("RoundRobin", 125, draw_three, round_robin, view=by_input),
    Case("UartReceiver", 200, draw_line, uart_receiver),
    Case("Debouncer", 300, draw_bounces, debouncer),
    Case("PulseWidth", 300, lambda rng: {"s_axis": [0, 1, 24, 25, 31, 12, 0]}, pulse_width),
    Case("HysteresisEdge", 300, draw_wave, hysteresis_edge),
    Case(
        "SequenceDetector",
        250,
        lambda rng: {"s_axis": [rng.getrandbits(1) for _ in range(150)]},
        sequence_detector,
    ),
    Case("Histogram", 150, draw_samples, histogram),
)
