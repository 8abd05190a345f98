"""No kernel's C++ does what the language leaves undefined, by clang's sanitiser and without `-fwrapv`.

And the checks find what is planted: in a line of C++, and in the header that all sums go through.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.kernels.bench import KernelBench, make_bench, make_bench_of
from tests.kernels.cases import batches
from tests.kernels.extremes import extreme_frames
from tests.kernels.sanitiser import compile_checked, reports
from tests.kernels.signed_sums import make_sums_signed
from tests.kernels.values import random_frames
from thresher.ir.integer import IntMatMul, IntThreshold, TensorType
from thresher.kernels import Kernel
from thresher.kernels.mvu import Mvu
from thresher.share import share_dir
from thresher_sim.streams import BIPOLAR, IntType

FRAMES = 30

# A statement that has no meaning where `value` is the second of the pair, and one where it is the first.
PLANTED = {
    "add_overflow": ("sink = (int)((_BitInt(5))value + (_BitInt(5))1);", 14, 15),
    "sub_overflow": ("sink = (int)(-((_BitInt(70))value << 60) - ((_BitInt(70))1 << 68));", 256, 257),
    "mul_overflow": ("sink = (int)((_BitInt(9))value * (_BitInt(9))16);", 15, 16),
    "negate_overflow": ("sink = (int)-(_BitInt(5))value;", -15, -16),
    "shift_out_of_bounds": ("sink = (int)((unsigned _BitInt(12))1 << value);", 11, 12),
    "out_of_bounds": ("int elements[4] = {1, 2, 3, 4}; sink = elements[value];", 3, 4),
    "load_invalid_value": ("unsigned char byte = (unsigned char)value; sink = *(bool*)&byte;", 1, 2),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_reported(tmp_path: Path, what: str) -> None:
    statement, right, wrong = PLANTED[what]
    source = tmp_path / "planted.cpp"
    source.write_text(
        "#include <cstdlib>\n"
        '#include "thresher/bits.hpp"\n'
        "using namespace thresher;\n"
        "volatile int sink;\n"
        "int main(int, char** argv) {\n"
        "  const int value = std::atoi(argv[1]);\n"
        f"  {statement}\n"
        "}\n"
    )
    program = compile_checked(source, [share_dir("hls")], tmp_path / "planted")

    found = [
        reports(subprocess.run([program, str(value)], capture_output=True, text=True, check=True).stderr)
        for value in (right, wrong)
    ]

    assert found == [[], [f"planted.cpp:7: {what}"]]


# Hypothesis begins with the simplest units of all: one channel, one place in a buffer.
@settings(max_examples=2, phases=[Phase.generate])
@given(kernels=batches(), seed=st.integers(0, 2**16))
def test_no_kernel_does_what_cpp_leaves_undefined(kernels: list[Kernel], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(Path(folder), kernels, np.random.default_rng(seed), FRAMES)
        comparison, undefined = bench.run_checked()

        assert undefined == []
        assert [stream.name for stream in comparison.streams if stream.wrong] == []


@pytest.fixture
def signed_headers(tmp_path: Path) -> tuple[Path, int]:
    """The header library with sums that overflow at times, and the line they are in."""
    folder = tmp_path / "signed"
    shutil.copytree(share_dir("hls"), folder)
    return folder, make_sums_signed(folder)


def test_frames_that_reach_bounds_show_a_sum_that_overflows(
    tmp_path: Path, signed_headers: tuple[Path, int]
) -> None:
    headers, line = signed_headers
    kernel = signs_of_sums(64)
    random = (random_frames(np.random.default_rng(0), kernel.input_layout, FRAMES),)
    own, signed, seldom = (
        make_bench_of(tmp_path / name, [(kernel, frames)], library)
        for name, frames, library in (
            ("own", extreme_frames(kernel), None),
            ("signed", extreme_frames(kernel), headers),
            ("seldom", random, headers),
        )
    )

    assert (wrong(own), wrong(seldom)) == (0, 0)
    assert wrong(signed) > 0
    assert own.run_checked()[1] == []
    assert signed.run_checked()[1] == [f"accumulation.hpp:{line}: add_overflow"]


def signs_of_sums(fan_in: int) -> Mvu:
    """Signs of the sums of random signs, all at once and of all rows alike."""
    rows = 8
    weights = np.random.default_rng(fan_in).integers(0, 2, (rows, fan_in)) * 2 - 1
    sums = TensorType(IntType(-fan_in, fan_in), 1, rows)
    matmul = IntMatMul("matmul", "x", "sum", (), TensorType(BIPOLAR, 1, fan_in), sums, weights, BIPOLAR)
    zero, rising = np.zeros((rows, 1), np.int64), np.zeros(rows, np.bool_)
    signs = TensorType(BIPOLAR, 1, rows)
    threshold = IntThreshold("threshold", "sum", "y", (), sums, signs, zero, rising)
    return Mvu(matmul, threshold, rows, fan_in)


def wrong(bench: KernelBench) -> int:
    """Beats of the C simulation that differ from golden."""
    return sum(stream.wrong for stream in bench.run_cpp("bitint").streams)
