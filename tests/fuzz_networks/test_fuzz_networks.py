"""Random networks held to an executor of the model; `make fuzz-networks` does so with many more."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.fuzz_networks.bounds import Bounds
from tests.fuzz_networks.description import Description, Entry, make_frames, write_network
from tests.fuzz_networks.executor import execute
from tests.fuzz_networks.generate import random_description
from tests.fuzz_networks.judge import Verdict, judge, prepare_network
from tests.fuzz_networks.layers import Dense
from tests.fuzz_networks.moves import Join
from tests.fuzz_networks.pointwise import Pointwise
from tests.fuzz_networks.quantisers import Quantise
from tests.fuzz_networks.shrink import shrink
from tests.fuzz_networks.values import Array, Step, Style
from tests.kernels.bench import make_bench_of
from tests.models import run_qonnx
from tests.test_random_convolutions import random_folding, streams_of
from thresher.emit.design import Design
from thresher.errors import ThresherError
from thresher.float_layers import host_of
from thresher.hardware.connect import connect
from thresher.hardware.select import select_kernels
from thresher.host import Host
from thresher.ir.graph import interpret
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM
from thresher.kernels import Kernel

SEEDS = 150
SIMULATED = 2
FRAMES = 6
SMALL = Description(
    Entry((3,)),
    (
        Quantise((0,), seed=1),
        Dense((1,), seed=2, rows=4),
        Quantise((2,), seed=3),
        Dense((3,), seed=4, rows=2),
    ),
)
"""A layer between two quantisers, and another."""


@pytest.mark.parametrize("first", range(0, SEEDS, 30))
def test_golden_gives_what_the_model_gives(first: int) -> None:
    verdicts = {
        seed: judge(random_description(seed), verifies=seed % 3 == 0) for seed in range(first, first + 30)
    }

    failed = {
        seed: f"{each.kind} {each.what} {each.detail}" for seed, each in verdicts.items() if each.failed
    }
    assert not failed
    assert sum(each.kind in ("ok", "tie") for each in verdicts.values()) >= 18


def test_c_and_rtl_give_what_golden_gives(tmp_path: Path) -> None:
    """The units of the networks share one C++ program and one Verilator model."""
    built = (_built(seed) for seed in itertools.count())
    fed: list[tuple[Kernel, tuple[Array, ...]]] = []
    for design, frames in itertools.islice((each for each in built if each is not None), SIMULATED):
        layers = random_folding(select_kernels(design.lowered.graph), np.random.default_rng(len(fed)))
        golden, folded = (
            interpret(graph, {INPUT_STREAM: frames})[OUTPUT_STREAM].reshape(FRAMES, -1)
            for graph in (design.graph, connect(layers))
        )
        assert np.array_equal(golden, folded)
        fed += streams_of(connect(layers), frames)
    bench = make_bench_of(tmp_path, fed)
    assert bench.run_cpp("bitint").mismatches == 0
    bench.compile()
    assert bench.run_rtl(stall=40).comparison.mismatches == 0


def _built(seed: int) -> tuple[Design, Array] | None:
    """The design of a network, and integers for it; None where it is refused."""
    description = random_description(seed)
    try:
        design = prepare_network(description, write_network(description)).design
    except ThresherError:
        return None
    return design, host_of(design).encode(make_frames(description, FRAMES))


def test_a_seed_gives_one_network() -> None:
    first, second = (write_network(random_description(5)).proto for _ in range(2))
    assert first.SerializeToString() == second.SerializeToString()


@pytest.mark.parametrize("seed", range(300, 320))
def test_networks_are_valid_onnx(seed: int) -> None:
    onnx.checker.check_model(write_network(random_description(seed)).proto)


def test_the_oracle_is_qonnx_executor() -> None:
    """Node by node it gives what QONNX's own executor gives for the whole."""
    network, frames = write_network(SMALL), make_frames(SMALL)
    executed = execute(network.proto, frames)

    tensors = run_qonnx(network.proto, frames)
    for name, value in executed.tensors.items():
        np.testing.assert_array_equal(value[:, 0], tensors[name], name)


def test_a_fault_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A golden model that is off by one: what is left is a network that anyone can follow."""
    decode = Host.decode
    monkeypatch.setattr(Host, "decode", lambda host, outputs: decode(host, outputs) + 1)
    large = Description(
        Entry((6,)),
        (Pointwise((0,), seed=9, op="Relu"), *(_behind(step) for step in SMALL.steps)),
        Style(opset=17),
    )
    assert judge(large).kind == "wrong"

    small, verdict = shrink(large)
    assert verdict.kind == "wrong"
    assert (small.entry, small.style) == (Entry((1,)), Style())
    assert len(small.steps) == 2


def _behind(step: Step) -> Step:
    """The step of a network that has one more in front."""
    return replace(step, sources=tuple(source + 1 for source in step.sources))


def test_a_refusal_is_no_fault() -> None:
    """Nothing follows the first quantiser."""
    verdict = judge(Description(Entry((2,)), (Quantise((0,), seed=1),)))

    assert verdict.kind == "refused" and not verdict.failed
    assert "nothing to build" in verdict.what


def test_an_error_of_the_package_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("t1")

    monkeypatch.setattr("tests.fuzz_networks.judge.prepare", broken)
    verdict: Verdict = judge(SMALL)

    assert verdict.kind == "traceback" and verdict.failed
    assert "KeyError" in verdict.detail


def test_bounds_know_what_cannot_be_rounded() -> None:
    """Few bits times powers of two are exact in any order; other scales are not."""
    steps = (*SMALL.steps, Join((4, 4), seed=5, op="Sum"))
    for dyadic in (True, False):
        description = Description(SMALL.entry, steps, Style(dyadic=dyadic))
        network, frames = write_network(description), make_frames(description)
        bounds = Bounds(network.proto, execute(network.proto, frames), frame=6).run()
        assert bool(bounds.error(network.output.name).any()) is not dyadic
