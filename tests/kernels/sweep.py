"""Sweep matrix-vector units over arithmetic, fan-in, output and folding: `python -m tests.kernels.sweep`.

The grid has one pair of types for each kind of arithmetic, fan-ins 1 to 20 and within 2 of each power of two
to 512, sums as they are, behind one threshold and behind several, and PE and SIMD in full, half and one: each
with each up to a fan-in of 20, both alike beyond. The rest of the space, any types, sizes and foldings, is
sampled from a seed. Every unit gets the frames that give each of its rows the largest and the smallest sum,
and some random ones. Golden is held to Python's own integers, the C++ to golden, and so is the SystemVerilog
of some units in Verilator.

Exit code 1: some units are wrong. They are named, and each is made again from its name.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from rich.console import Console

from tests.kernels.bench import KernelBench, make_bench_of
from tests.kernels.by_hand import by_hand
from tests.kernels.extremes import stimulus
from tests.kernels.values import random_values
from tests.many import Work, found_in, option_parser
from thresher.ir.integer import IntMatMul, Ints, IntThreshold, TensorType, reachable
from thresher.kernels.mvu import Mvu
from thresher_sim.compare import Comparison
from thresher_sim.streams import BIPOLAR, IntType

ARITHMETIC: Mapping[str, tuple[IntType, IntType]] = {
    "xnor": (BIPOLAR, BIPOLAR),
    "and": (IntType(0, 1), IntType(0, 1)),
    "masked": (BIPOLAR, IntType(-1, 1)),
    "add and subtract": (IntType(-8, 7), BIPOLAR),
    "keep or leave out": (IntType(0, 1), IntType(-8, 7)),
    "multiply": (IntType(0, 15), IntType(-8, 7)),
}
"""Types of inputs and weights, by what they make of a product."""

FAN_INS = sorted({*range(1, 21), *(2**bits + off for bits in range(5, 10) for off in range(-2, 3))})
SUMS, ONE, SEVERAL = None, BIPOLAR, IntType(0, 3)
"""Types of outputs: sums as they are, signs behind one threshold, four levels behind three thresholds."""

MOST_CROSSED = 20
"""Up to this fan-in each PE meets each SIMD."""

MOST_LANES = 130
"""Units of a larger fan-in have two rows in place of four. Of units with more lanes see `Point.wide`."""

FRAMES = 12
BATCH = 24
RTL_BATCH = 16


@dataclass(frozen=True)
class Point:
    """A unit of the sweep; weights and thresholds, and whether rows share these, come from `seed`."""

    source: IntType
    weight_type: IntType
    fan_in: int
    rows: int
    output: IntType | None
    pe: int
    simd: int
    seed: int

    @property
    def wide(self) -> bool:
        """Whether optimising it takes a compiler long: many lanes, with inputs of more than a bit.

        Its C++ is compiled as it is written then.
        """
        return self.simd > MOST_LANES and self.source.bits > 1

    def kernel(self) -> Mvu:
        """The unit. Its first two rows are all at the lowest and all at the highest weight."""
        random = np.random.default_rng(self.seed)
        weights = random_values(random, self.weight_type, (self.rows, self.fan_in))
        for row, end in enumerate((self.weight_type.lo, self.weight_type.hi)[: self.rows]):
            weights[row] = end
        low, high = reachable(weights, self.source)
        sums = TensorType(IntType(int(low.min()), int(high.max())), 1, self.rows)
        inputs = TensorType(self.source, 1, self.fan_in)
        matmul = IntMatMul("matmul", "x", "sum", (), inputs, sums, weights, self.weight_type)
        return Mvu(matmul, self._threshold(random, sums, low, high), self.pe, self.simd)

    def _threshold(
        self, random: np.random.Generator, sums: TensorType, low: Ints, high: Ints
    ) -> IntThreshold | None:
        if self.output is None:
            return None
        levels = 1 if self.output.bipolar else self.output.hi - self.output.lo
        steps = np.sort(random.integers(low[:, None], high[:, None] + 2, (self.rows, levels)), axis=1)
        descending = random.random(self.rows) < 0.2
        if random.random() < 0.5:
            # Accumulators of all rows then start from one constant.
            steps[:], descending[:] = (int(low.min()) + int(high.max()) + 1) // 2 + np.arange(levels), False
        target = TensorType(self.output, 1, self.rows)
        return IntThreshold("threshold", "sum", "y", (), sums, target, steps, descending)


def grid() -> list[Point]:
    """All units of the grid."""
    points: list[Point] = []
    for types, fan_in, output in product(ARITHMETIC.values(), FAN_INS, (SUMS, ONE, SEVERAL)):
        rows = 4 if fan_in <= MOST_LANES else 2
        for pe, simd in _foldings(rows, fan_in):
            points.append(Point(*types, fan_in, rows, output, pe, simd, seed=len(points)))
    return points


def _foldings(rows: int, fan_in: int) -> list[tuple[int, int]]:
    """PE and SIMD, each in full, half and one, rounded up; equal ones once."""
    lanes = [[size, -(-size // 2), 1] for size in (rows, fan_in)]
    pairs = product(*lanes) if fan_in <= MOST_CROSSED else zip(*lanes, strict=True)
    return sorted(set(pairs))


def samples(number: int, seed: int) -> list[Point]:
    """So many units from anywhere in the space: any types of up to 8 bits, any sizes, any folding."""
    return [_sample(np.random.default_rng([seed, index]), index) for index in range(number)]


def _sample(random: np.random.Generator, seed: int) -> Point:
    rows, fan_in = int(random.integers(1, 9)), int(2 ** random.uniform(0, 7.5))
    output = (SUMS, ONE, SEVERAL)[random.integers(3)]
    pe, simd = int(random.integers(1, rows + 1)), int(random.integers(1, fan_in + 1))
    return Point(_type(random), _type(random), fan_in, rows, output, pe, simd, seed)


def _type(random: np.random.Generator) -> IntType:
    """Signs, or integers of 1 to 8 bits: a whole range, or part of it."""
    if random.random() < 0.2:
        return BIPOLAR
    bits, signed = int(random.integers(1, 9)), bool(random.integers(2))
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    lo, hi = (least, most) if random.random() < 0.5 else sorted(random.integers(least, most + 1, 2).tolist())
    return IntType(lo, hi) if lo < hi else IntType(least, most)


def wrong_in_cpp(points: Sequence[Point]) -> list[str]:
    """What is wrong with units as golden or as C++, compiled together."""
    with tempfile.TemporaryDirectory() as folder:
        bench, wrong = _bench(Path(folder), points)
        wide = any(point.wide for point in points)
        return wrong + _differing(
            "C++", points, bench, bench.run_plain() if wide else bench.run_cpp("bitint")
        )


def wrong_in_rtl(points: Sequence[Point]) -> list[str]:
    """What is wrong with units as golden or as SystemVerilog, in one Verilator model."""
    with tempfile.TemporaryDirectory() as folder:
        bench, wrong = _bench(Path(folder), points)
        bench.compile()
        return wrong + _differing("SystemVerilog", points, bench, bench.run_rtl(stall=20).comparison)


def _differing(what: str, points: Sequence[Point], bench: KernelBench, found: Comparison) -> list[str]:
    units = {
        output: point for point, node in zip(points, bench.nodes, strict=True) for output in node.outputs
    }
    wrong = [stream for stream in found.streams if stream.wrong]
    return [f"{units[stream.name]}: {what}: {stream.describe()}" for stream in wrong]


def _bench(folder: Path, points: Sequence[Point]) -> tuple[KernelBench, list[str]]:
    """The units with their frames, and those whose golden outputs are not what Python's integers give."""
    wrong, fed = [], []
    for point in points:
        kernel = point.kernel()
        frames = stimulus(np.random.default_rng(point.seed), kernel, max(FRAMES, 3 * point.rows))
        if not np.array_equal(kernel.golden(*frames), by_hand(kernel, *frames)):
            wrong.append(f"{point}: golden differs from plain arithmetic")
        fed.append((kernel, frames))
    most = max(len(frames[0]) for _, frames in fed)
    return make_bench_of(
        folder,
        [
            (kernel, tuple(np.resize(each, (most, *each.shape[1:])) for each in frames))
            for kernel, frames in fed
        ],
    ), wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if no unit is wrong."""
    options = _parser().parse_args(arguments)
    console = Console()
    in_grid = [point for point in grid() if point.fan_in <= options.most]
    units = [*in_grid, *samples(options.samples, options.seed)]
    random = np.random.default_rng(options.seed)
    shuffled = [units[place] for place in random.permutation(len(units))]
    if options.number:
        shuffled = shuffled[: options.number]
    in_rtl = [point for point in shuffled if point.fan_in * point.rows <= 600][: options.rtl]
    console.print(f"sweep: {len(shuffled)} units in C++, {len(in_rtl)} of them in RTL, {options.jobs} jobs")
    begin = time.monotonic()
    wrong = list(_all(shuffled, in_rtl, options.jobs, console))
    minutes = (time.monotonic() - begin) / 60
    console.print(f"sweep: {len(shuffled)} units, {len(wrong)} wrong, in {minutes:.1f} minutes")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = option_parser(
        "tests.kernels.sweep", __doc__, 0, "so many units, drawn; 0: all", "what samples are drawn from"
    )
    parser.add_argument("--most", type=int, default=FAN_INS[-1], help="the largest fan-in of the grid")
    parser.add_argument("--samples", type=int, default=1000, help="units from outside of the grid")
    parser.add_argument(
        "--rtl", type=int, default=64, help="units that are simulated as SystemVerilog as well"
    )
    return parser


def _all(points: Sequence[Point], in_rtl: Sequence[Point], jobs: int, console: Console) -> Iterator[str]:
    works = [
        Work(wrong_in_rtl, in_rtl, RTL_BATCH),
        Work(wrong_in_cpp, [point for point in points if not point.wide], BATCH),
        Work(wrong_in_cpp, [point for point in points if point.wide], BATCH),
    ]
    for line in found_in(works, jobs, console, "units"):
        console.print(line, markup=False, highlight=False)
        yield line


if __name__ == "__main__":
    sys.exit(main())
