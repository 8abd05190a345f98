"""What `thresher_sim unit` and `thresher sim` do with a unit's project."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from .progress import ProgressLine
from .scoreboard import UnitOptions, UnitResult, simulate_unit
from .stimulus import parse_ranges
from .tables import align
from .unit import UnitProject, load_unit


def add_unit_options(parser: argparse.ArgumentParser) -> None:
    """The options of `unit_options`."""
    plain = UnitOptions()
    parser.add_argument(
        "--beats",
        type=int,
        default=plain.beats,
        metavar="N",
        help="random beats for each input (%(default)s)",
    )
    parser.add_argument(
        "--range",
        action="append",
        default=[],
        metavar="NAME=LO..HI",
        help="limits of an input's random beats, as unsigned numbers; NAME.SIGNAL=LO..HI where it has more "
        "than data; may be given again",
    )
    parser.add_argument(
        "--resets",
        type=int,
        default=plain.resets,
        metavar="N",
        help="reset at N random moments before all beats are played (%(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=plain.seed, help="of beats, stalls and resets (%(default)s)"
    )
    parser.add_argument(
        "--stall",
        type=int,
        default=plain.stall,
        metavar="P",
        help="percent of cycles to rest, every stream (%(default)s)",
    )
    parser.add_argument(
        "--steps", type=int, default=plain.steps, metavar="N", help="most steps of the C++ (%(default)s)"
    )
    parser.add_argument(
        "--types",
        choices=("both", "bitint"),
        default="both",
        help="run the C++ with AMD's integers too, where they are installed, or with Thresher's alone "
        "(%(default)s)",
    )
    parser.add_argument("--waves", type=Path, metavar="FILE", help="write an FST file")


def unit_options(options: argparse.Namespace) -> UnitOptions:
    """What the command line's options say.

    Raises:
        UsageError: it cannot be.
    """
    return UnitOptions(
        beats=options.beats,
        seed=options.seed,
        stall=options.stall,
        steps=options.steps,
        ranges=parse_ranges(options.range),
        both_types=options.types == "both",
        waves=options.waves,
        resets=options.resets,
    )


def run_unit(root: Path, options: UnitOptions) -> int:
    """Simulate the unit's project in `root`, print what every stream gave and the verdict; 0.

    Raises:
        The same as `load_unit`, `simulate_unit` and `UnitResult.check`.
    """
    unit = load_unit(root)
    progress = ProgressLine("sim", "resets" if options.resets else "beats")
    print("sim: building what changed, then running ...", file=sys.stderr, flush=True)
    try:
        result = simulate_unit(unit, replace(options, progress=progress))
    finally:
        progress.close()
    print(unit_table(unit, result))
    print(unit_summary(result))
    result.check()
    print("every beat of every output equals the C++")
    return 0


def unit_table(unit: UnitProject, result: UnitResult) -> str:
    """One line per stream: its beats, and how many of them are wrong."""
    rows = [("stream", "direction", "bits", "beats", "mismatches")]
    rows += [
        (stream.name, "input", str(stream.width), str(result.reference.taken[stream.name]), "-")
        for stream in unit.inputs
    ]
    rows += [
        (score.stream.name, "output", str(score.stream.width), str(score.expected), str(score.wrong))
        for score in result.scores
    ]
    return align(rows)


def unit_summary(result: UnitResult) -> str:
    """How far the C++ went, and what the RTL simulation took."""
    steps = result.reference.steps
    rtl = f"RTL: {result.cycles:,} cycles in {result.seconds:.2f} s, {result.mismatches} mismatches"
    if result.resets:
        beats = sum(score.cut.beats for score in result.scores)
        rtl += (
            f"\nresets: {result.resets} at random moments; {beats:,} beats came out before the last of them"
        )
    rtl += f"\n{result.other_types.summary}"
    if result.replayed is not None:
        return (
            f"C++: {steps:,} steps, each of which found its streams as the RTL's step did, as it asks\n{rtl}"
        )
    end = "until an input ran dry" if result.reference.ran_dry else "which is the most that were asked for"
    if result.reference.idle:
        end += f"; the last {result.reference.idle:,} neither read nor wrote"
    return f"C++: {steps:,} steps, {end}\n{rtl}"
