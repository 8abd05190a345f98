"""Reset units of every kernel and three branched networks: `python -m tests.resets -n 200`.

Of each kernel three units are drawn, and compiled for a slow and a fast clock. Each of them, and each
network, goes through all resets without stalls and with; every beat behind every reset must be golden's. Exit
code 1: some are not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import Phase, assume, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.kernels.bench import KernelBench, make_bench
from tests.kernels.cases import batches
from tests.test_branching_networks import EXACT, build
from thresher.kernels import Kernel
from thresher_sim.compare import StreamResult
from thresher_sim.tables import align

CLOCKS_MHZ = (50.0, 300.0)
STALLS = (0, 40)
FRAMES = 9


@dataclass(frozen=True)
class Held:
    """What runs of a kernel's units or of a network gave, over all of them.

    `frames` are whole ones that came out before the last reset of a run, `beats` all that did, of all streams
    that were compared; `wrong` beats are not golden's, before or after that.
    """

    name: str
    runs: int
    resets: int
    frames: int
    beats: int
    wrong: int

    def __add__(self, other: Held) -> Held:
        """Both."""
        numbers = zip(self.numbers, other.numbers, strict=True)
        return Held(self.name, *(one + more for one, more in numbers))

    @property
    def numbers(self) -> tuple[int, ...]:
        """All but the name."""
        return (self.runs, self.resets, self.frames, self.beats, self.wrong)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if every beat is right."""
    options = _parser().parse_args(arguments)
    rows: dict[str, Held] = {}
    for held in (*_kernels(options.number, options.seed), *_networks(options.number, options.seed)):
        rows[held.name] = rows[held.name] + held if held.name in rows else held
    titles = ("", "runs", "resets", "whole frames", "beats", "wrong beats")
    print(align([titles, *((row.name, *map(str, row.numbers)) for row in rows.values())]))
    wrong = sum(row.wrong for row in rows.values())
    print(
        f"resets: {options.number} in each run; whole frames and beats are those before its last; "
        f"{wrong} beats are wrong"
    )
    return 1 if wrong else 0


def _kernels(resets: int, seed: int) -> Iterator[Held]:
    for clock_mhz in CLOCKS_MHZ:
        _announce(f"units for {clock_mhz:g} MHz")
        kernels = _drawn(seed + int(clock_mhz))
        with tempfile.TemporaryDirectory() as folder:
            bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES)
            bench.compile(clock_mhz)
            for stall in STALLS:
                yield from _reset_units(bench, stall, resets, seed)


def _reset_units(bench: KernelBench, stall: int, resets: int, seed: int) -> Iterator[Held]:
    comparison = bench.run_rtl(stall, resets, seed).comparison
    results = {stream.name: stream for stream in comparison.streams}
    for node in bench.nodes:
        kind = type(node.kernel).__name__
        yield _held(kind, comparison.resets, [results[name] for name in (*node.inputs, *node.outputs)])


def _networks(resets: int, seed: int) -> Iterator[Held]:
    for name, plan in EXACT.items():
        _announce(f"the {name} network")
        with tempfile.TemporaryDirectory() as folder:
            accelerator, images, _ = build(*plan, Path(folder))
            for stall in STALLS:
                run = accelerator.sim(images[:FRAMES], stall=stall, seed=seed, resets=resets)
                yield _held(f"{name} network", run.comparison.resets, run.comparison.streams)


def _announce(what: str) -> None:
    print(f"resets: {what} ...", file=sys.stderr, flush=True)


def _held(name: str, resets: int, streams: Sequence[StreamResult]) -> Held:
    for stream in streams:
        if stream.wrong:
            print(f"{name}: {stream.name}: {stream.describe()}")
    beats, wrong = sum(stream.cut.beats for stream in streams), sum(stream.wrong for stream in streams)
    return Held(name, 1, resets, streams[-1].cut.frames, beats, wrong)


def _drawn(seed: int) -> list[Kernel]:
    """Three units of each kernel."""
    drawn: list[list[Kernel]] = []

    @seeded(seed)
    @settings(max_examples=1, phases=[Phase.generate], database=None, deadline=None)
    @given(kernels=batches(), number=st.integers(0, 2**16))
    def draw(kernels: list[Kernel], number: int) -> None:
        assume(number != 0)  # hypothesis begins with the simplest units of all
        drawn.append(kernels)

    draw()
    return drawn[-1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tests.resets", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", "--number", type=int, default=200, help="resets of each run (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of units, stalls and resets (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
