"""Random networks held to an executor of the model; `make fuzz-networks` does so with many more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.fuzz_networks.bounds import Bounds
from tests.fuzz_networks.description import Description, Entry, make_frames, write_network
from tests.fuzz_networks.executor import execute
from tests.fuzz_networks.generate import random_description
from tests.fuzz_networks.judge import Verdict, design_of, host_of, judge
from tests.fuzz_networks.layers import Dense
from tests.fuzz_networks.moves import Join
from tests.fuzz_networks.pointwise import Pointwise
from tests.fuzz_networks.quantisers import Quantise
from tests.fuzz_networks.shrink import shrink
from tests.fuzz_networks.values import Style
from tests.kernels.bench import make_bench_of
from tests.models import run_qonnx
from tests.test_random_convolutions import random_folding, streams_of
from thresher.graph import interpret
from thresher.hardware.connect import connect
from thresher.hardware.graph import INPUT_STREAM, OUTPUT_STREAM
from thresher.hardware.select import select_kernels

SEEDS = 150
SIMULATED = (1, 2, 4)
FRAMES = 4
"""A layer between two quantisers."""
SMALL = Description(
    Entry((3,)),
    (Quantise((0,), seed=1), Dense((1,), seed=2, rows=4), Quantise((2,), seed=3), Dense((3,), seed=4, rows=2)),
)


@pytest.mark.parametrize("first", range(0, SEEDS, 30))
def test_golden_gives_what_the_model_gives(first: int) -> None:
    verdicts = {seed: judge(random_description(seed)) for seed in range(first, first + 30)}

    failed = {seed: f"{each.kind} {each.what} {each.detail}" for seed, each in verdicts.items() if each.failed}
    assert not failed
    assert sum(each.kind in ("ok", "tie") for each in verdicts.values()) >= 18
