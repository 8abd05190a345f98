"""Figures of whole networks: what keeps the bounds, what is written, and how it is shown."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench.networks import Figures, table
from bench.whole import Latency, Routed, Size

TFC = Size("tfc", "TFC", 64, 200.0, lut=3_400, logic_cells=2_500, ff=2_400, bram36=0, dsp=0, seconds=1.0)
SLOW = Latency(((16, 784), (10, 16)), 200.0, 12_704, 51, 51, 16.0, frames=20, mismatches=0)
FAST = Latency(((16, 784), (10, 16)), 150.0, 12_704, 39, 39, 16.0, frames=20, mismatches=0)
DIGITS = Routed(
    "LFE5U-85F", 150.0, 151.5, 5_000, 4_000, 1_000, frames=64, mismatches=0, notes=(), seconds=9.0
)


@pytest.mark.parametrize(
    ("size", "within"),
    [
        (TFC, True),
        (replace(TFC, lut=3_500), False),
        (replace(TFC, logic_cells=3_500), False),
        (replace(TFC, bram36=0.5), False),
        (replace(TFC, name="cnv", lut=9_999, bram36=70), True),
        (replace(TFC, name="cnv", lut=10_000, bram36=70), False),
        (replace(TFC, name="cnv", lut=9_999, bram36=70.5), False),
    ],
)
def test_a_network_is_below_its_luts_and_within_its_memories(size: Size, within: bool) -> None:
    assert size.within_bounds == within
    assert Figures([size]).within_bounds == within


@pytest.mark.parametrize(
    ("latency", "within"),
    [
        (FAST, True),
        (replace(FAST, cycles=40), True),
        (replace(FAST, cycles=41), False),
        (replace(FAST, cycles_per_frame=16.5), False),
        (replace(FAST, mismatches=1), False),
    ],
)
def test_a_latency_counts_only_at_its_rate_and_if_right(latency: Latency, within: bool) -> None:
    assert latency.within_bounds == within


def test_one_folding_has_to_keep_the_latency_and_all_have_to_be_right() -> None:
    figures = Figures(latencies=[SLOW, FAST])
    assert figures.latency is FAST
    assert figures.within_bounds
    assert not Figures(latencies=[replace(SLOW, mismatches=1), FAST]).within_bounds
    assert not Figures(latencies=[SLOW]).within_bounds


@pytest.mark.parametrize(
    ("routed", "within"),
    [
        (DIGITS, True),
        (replace(DIGITS, fmax_mhz=149.9), False),
        (replace(DIGITS, mismatches=1), False),
        (replace(DIGITS, bitstream_bytes=0), False),
    ],
)
def test_a_routed_network_meets_its_clock_and_is_right(routed: Routed, within: bool) -> None:
    assert routed.within_bounds == within
    assert Figures(routed=routed).within_bounds == within


def test_what_was_not_measured_is_not_written() -> None:
    assert Figures().to_json() == {"networks": []}
    data = Figures([TFC], [SLOW, FAST], DIGITS).to_json()
    assert data.keys() == {"networks", "latency", "latencies", "routed"}
    assert isinstance(data["latency"], dict)
    assert (data["latency"]["cycles"], data["latency"]["clock_mhz"]) == (39, 150.0)


def test_the_table_says_what_misses() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(table(Figures([TFC], [SLOW, FAST], replace(DIGITS, fmax_mhz=140.0))))
    assert isinstance(console.file, io.StringIO)
    shown = [line.split("│")[1:-1] for line in console.file.getvalue().splitlines() if "│" in line]

    assert [[cell.strip() for cell in row] for row in shown] == [
        [
            "TFC, 64 cycles per frame, 200 MHz",
            "3,400 LUT, 2,500 logic cells, 2,400 FF, 0 BRAM36",
            "below 3,500 LUT, at most 0 BRAM36",
        ],
        [
            "SFC_1W1A, 16 cycles per frame, 200 MHz",
            "latency 51 cycles, 12,704 MACs a cycle, 0 mismatches",
            "",
        ],
        [
            "SFC_1W1A, 16 cycles per frame, 150 MHz",
            "latency 39 cycles, 12,704 MACs a cycle, 0 mismatches",
            "at most 40 cycles",
        ],
        [
            "digits, LFE5U-85F",
            "140 MHz, 0 mismatches in 64 frames of netlists",
            "at least 150 MHz, 0 mismatches (misses)",
        ],
    ]
