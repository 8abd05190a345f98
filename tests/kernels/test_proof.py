"""Every kernel's unit is proved to do what its C++ does: small layers, not pipelined and pipelined.

A proof holds for all beats and stalls in the `CYCLES` cycles after reset: two whole vectors of the
matrices below, which take four steps each, and what five stages hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.hlsc.proving import in_blocks, pipelined
from tests.needs import require_yosys
from thresher.emit.layer_header import layer_header, unit_type
from thresher.hardware.graph import HwNode
from thresher.hlsc import UnitSource
from thresher.hlsc_proof import Claim, decide
from thresher.hlsc_proof.harness import FAULTS
from thresher.kernels import Kernel, all_kernels
from thresher.kernels.argmax import Argmax
from thresher.kernels.mvu import Mvu
from thresher.kernels.threshold import Threshold
from thresher.kernels.width_converter import WidthConverter
from thresher.lower.integer import IntArgMax, IntMatMul, IntThreshold, TensorType, reachable
from thresher.share import share_dir
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

UINT2 = IntType(0, 3)
INT3 = IntType(-4, 3)
SIGNS = ((1, -1, 1, 1), (-1, -1, 1, -1), (1, 1, -1, 1), (-1, 1, 1, -1))
BIPOLAR_THRESHOLDS = [[0], [1], [-2], [2]]
CYCLES = 13


def sums(source: IntType, signs: tuple[tuple[int, ...], ...] = SIGNS) -> Mvu:
    """The sums of a matrix of signs, two rows and two columns at a time."""
    weights = np.array(signs)
    rows, columns = weights.shape
    low, high = reachable(weights, source)
    target = TensorType(IntType(int(low.min()), int(high.max())), 1, rows)
    matmul = IntMatMul("matmul", "x", "sum", (), TensorType(source, 1, columns), target, weights, BIPOLAR)
    return Mvu(matmul, None, 2, 2)


def levels(mvu: Mvu, thresholds: list[list[int]], element: IntType) -> Mvu:
    """The same matrix with thresholds for each of its four rows, of which the last descends."""
    source, target = mvu.matmul.output_type, TensorType(element, 1, 4)
    descending = np.array([False, False, False, True])
    steps = IntThreshold("threshold", "sum", "y", (), source, target, np.array(thresholds), descending)
    return Mvu(mvu.matmul, steps, mvu.pe, mvu.simd)


def staircase() -> Threshold:
    """Signed numbers to two bits, another staircase for each of three channels; one lane pads."""
    steps = np.array([[-2, 0, 2], [-3, -1, 3], [0, 1, 2]])
    descending = np.array([False, True, False])
    source, target = TensorType(INT3, 1, 3), TensorType(UINT2, 1, 3)
    return Threshold(IntThreshold("threshold", "x", "y", (), source, target, steps, descending), 2)


def class_index() -> Argmax:
    """The best of three classes, two a beat."""
    scores, index = TensorType(INT3, 1, 3), TensorType(IntType(0, 2), 1, 1)
    return Argmax(IntArgMax("argmax", "x", "index", (), scores, index), 2)


def converter(channels: int, lanes: int, others: int, vectors: int = 1) -> WidthConverter:
    """From some lanes to others; `vectors` at the input are one at the output."""
    source = StreamLayout(UINT2, channels, vectors, lanes)
    return WidthConverter(source, StreamLayout(UINT2, vectors * channels, 1, others))


KERNELS: Mapping[str, Callable[[], Kernel]] = {
    "mvu: bipolar": lambda: levels(sums(BIPOLAR), BIPOLAR_THRESHOLDS, BIPOLAR),
    "mvu: two bits times signs, by complements": lambda: levels(sums(UINT2), [[1], [-4], [3], [0]], BIPOLAR),
    "mvu: several thresholds": lambda: levels(
        sums(BIPOLAR), [[-2, 0, 2], [-1, 1, 3], [-3, -2, 0], [0, 1, 2]], UINT2
    ),
    "mvu: sums": lambda: sums(UINT2),
    "mvu: bipolar sums, with a row and a column of padding": lambda: sums(
        BIPOLAR, tuple(row[:3] for row in SIGNS[:3])
    ),
    "threshold": staircase,
    "argmax": class_index,
    "width converter: upsize": lambda: converter(4, 1, 2),
    "width converter: downsize": lambda: converter(3, 4, 2),
    "width converter: gearbox": lambda: converter(5, 2, 3),
}

# How a unit is compiled; no clock cuts a shift register into stages.
ONE_STAGE, PIPELINED, BLOCK_MEMORY = "one stage", "three stages or more", "block memory"
NEVER_CUT = ("width converter: upsize", "width converter: downsize")
PLANS = [
    *[(name, ONE_STAGE) for name in KERNELS],
    *[(name, PIPELINED) for name in KERNELS if name not in NEVER_CUT],
    *[(name, BLOCK_MEMORY) for name in ("mvu: two bits times signs, by complements", "threshold")],
]


def unit(kernel: Kernel, folder: Path) -> UnitSource:
    """The C++ of a kernel's unit, as a project has it."""
    node = HwNode("layer", "s_axis", "m_axis", (), kernel)
    header = folder / "layer.hpp"
    header.write_text(layer_header(node), encoding="utf-8")
    return UnitSource(header, unit_type(node), (share_dir("hls"),))


def compiled(source: UnitSource, plan: str) -> Claim:
    """What is to be proved of a unit that is compiled by a plan."""
    if plan == BLOCK_MEMORY:
        return in_blocks(source, 100.0, CYCLES)
    return pipelined(source, 1 if plan == ONE_STAGE else 3, CYCLES)


def test_every_kernel_and_every_circuit_of_one_is_proved() -> None:
    kernels = [make() for make in KERNELS.values()]
    modes = {kernel.mode for kernel in kernels if isinstance(kernel, WidthConverter)}
    complements = [kernel.constants()["kComplements"] for kernel in kernels if isinstance(kernel, Mvu)]

    assert {type(kernel) for kernel in kernels} == set(all_kernels())
    assert modes == {"kUpsize", "kDownsize", "kGearbox"}
    assert complements == [False, True, False, False, False]


def test_every_unit_does_what_its_cpp_does(tmp_path: Path) -> None:
    """One test, so that they share one run of Yosys."""
    require_yosys()
    claims = [compiled(unit(KERNELS[name](), tmp_path), plan) for name, plan in PLANS]
    proofs = dict(zip(PLANS, decide(claims), strict=True))

    assert {plan: proof.counterexample for plan, proof in proofs.items()} == dict.fromkeys(PLANS, "")
    for (name, plan), proof in proofs.items():
        least, most = {ONE_STAGE: (1, 1), PIPELINED: (3, 5), BLOCK_MEMORY: (2, 5)}[plan]
        assert least <= proof.stages <= most, (name, plan)


def test_a_wrong_weight_is_found(tmp_path: Path) -> None:
    require_yosys()
    (first, *row), *others = SIGNS
    other = levels(sums(BIPOLAR, ((-first, *row), *others)), BIPOLAR_THRESHOLDS, BIPOLAR)
    right = compiled(unit(KERNELS["mvu: bipolar"](), tmp_path), PIPELINED)
    wrong = compiled(unit(other, tmp_path), PIPELINED)
    (proof,) = decide([replace(wrong, graph=right.graph)])

    last = proof.counterexample.splitlines()[-1]
    assert last.endswith(f", m_axis: the unit {FAULTS['wrong']}")
