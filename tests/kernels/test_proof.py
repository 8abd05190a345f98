"""Every kernel's unit is proved to do what its C++ does: small layers, pipelined where they can be.

A proof holds for all beats and stalls in the `CYCLES` cycles after reset: two whole vectors of the
matrices below, which take four steps each, and what five stages hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.hlsc.proving import in_blocks, pipelined
from tests.kernels import small_branches
from tests.kernels.windows import int_window
from tests.needs import require_yosys
from thresher.emit.layer_header import layer_header, unit_type
from thresher.hlsc import UnitSource
from thresher.hlsc_proof import Claim, decide
from thresher.hlsc_proof.harness import FAULTS
from thresher.ir.hardware import HwNode
from thresher.ir.integer import (
    EdgeCorrections,
    IntArgMax,
    IntDepthwise,
    IntGlobalPool,
    IntMatMul,
    IntPool,
    IntThreshold,
    TensorType,
    reachable,
)
from thresher.ir.window import Window
from thresher.kernels import Kernel, all_kernels
from thresher.kernels.argmax import Argmax
from thresher.kernels.global_pool import GlobalPool
from thresher.kernels.mvu import Mvu
from thresher.kernels.pool import Pool
from thresher.kernels.products import Products
from thresher.kernels.select import Select
from thresher.kernels.swg import Swg
from thresher.kernels.threshold import Threshold
from thresher.kernels.vvu import Vvu
from thresher.kernels.width_converter import WidthConverter
from thresher.share import share_dir
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

UINT1 = IntType(0, 1)
UINT2 = IntType(0, 3)
TERNARY = IntType(-1, 1)
INT3 = IntType(-4, 3)
SIGNS = ((1, -1, 1, 1), (-1, -1, 1, -1), (1, 1, -1, 1), (-1, 1, 1, -1))
BITS = ((1, 0, 1, 1), (0, 0, 1, 0), (1, 1, 0, 1), (0, 1, 1, 0))
THREE = ((1, 0, -1, 1), (-1, 0, 1, 0), (0, 0, 0, -1), (1, 1, -1, -1))
NUMBERS = ((1, -4, 3, 0), (2, 2, -1, -3), (0, 1, -2, 3), (-4, 0, 1, 1))
BIPOLAR_THRESHOLDS = [[0], [1], [-2], [2]]
CYCLES = 13


Matrix = tuple[tuple[int, ...], ...]


def sums(source: IntType, matrix: Matrix = SIGNS, kind: IntType = BIPOLAR, simd: int = 2) -> Mvu:
    """The sums of a matrix of signs or others, two rows and two columns at a time."""
    weights = np.array(matrix)
    rows, columns = weights.shape
    low, high = reachable(weights, source)
    target = TensorType(IntType(int(low.min()), int(high.max())), 1, rows)
    matmul = IntMatMul("matmul", "x", "sum", (), TensorType(source, 1, columns), target, weights, kind)
    return Mvu(matmul, None, 2, simd)


def levels(mvu: Mvu, thresholds: list[list[int]], element: IntType) -> Mvu:
    """The same matrix with thresholds for each of its four rows, of which the last descends."""
    source, target = mvu.matmul.output_type, TensorType(element, 1, 4)
    descending = np.array([False, False, False, True])
    steps = IntThreshold("threshold", "sum", "y", (), source, target, np.array(thresholds), descending)
    return Mvu(mvu.matmul, steps, mvu.pe, mvu.simd)


def at_edges(source: IntType) -> Mvu:
    """A row of three windows, the first and the last of which lack something; the last row descends."""
    plain = levels(sums(source), BIPOLAR_THRESHOLDS, BIPOLAR)
    values = np.array([[[1, -2, 3, 0], [0, 0, 0, 0], [2, 1, 0, -1]]])
    matmul = replace(
        plain.matmul,
        input_type=replace(plain.matmul.input_type, vectors=3),
        output_type=replace(plain.matmul.output_type, vectors=3),
        corrections=EdgeCorrections(np.array([0]), np.array([0, 1, 2]), values),
    )
    return Mvu(matmul, plain.threshold, 4, 2)


def grouped() -> Mvu:
    """Two matrices of two rows, which vectors of two taps and one channel meet in turn."""
    weights = np.array([row[:2] for row in SIGNS])
    source, target = TensorType(INT3, 1, 4), TensorType(IntType(-8, 8), 1, 4)
    return Mvu(IntMatMul("matmul", "x", "sum", (), source, target, weights, BIPOLAR, 2, 2), None, 1, 1)


def filters(weights: list[list[int]], source: IntType, pe: int, simd: int) -> Vvu:
    """Sums of taps of channels, one window a frame."""
    bank = np.array(weights)
    channels, taps = bank.shape
    low, high = reachable(bank, source)
    target = TensorType(IntType(int(low.min()), int(high.max())), 1, channels)
    inputs = TensorType(source, 1, taps * channels)
    return Vvu(IntDepthwise("filters", "x", "y", (), inputs, target, bank, INT3), None, pe, simd)


def largest(pe: int, simd: int) -> Pool:
    """The largest of three taps of three channels, of which one is mirrored."""
    source, target = TensorType(INT3, 1, 9), TensorType(INT3, 1, 3)
    mirrored = np.array([False, True, False])
    return Pool(IntPool("pool", "x", "y", (), source, target, 3, mirrored), pe, simd)


def over_frames(largest: bool) -> GlobalPool:
    """Over two vectors of three channels, two a beat."""
    source = TensorType(UINT2, 2, 3)
    target = TensorType(UINT2 if largest else IntType(0, 6), 1, 3)
    mirrored = np.array([largest, False, False])
    return GlobalPool(IntGlobalPool("pool", "x", "y", (), source, target, largest, mirrored), None, 2)


def windows(channels: int, tile: int, simd: int) -> Swg:
    """The pairs of pixels in a row of two, the first with a pixel of padding ahead of the row."""
    window = Window(1, 2, (1, 2), (1, 1), (1, 1), (0, 1), (1, 2))
    return Swg(int_window(window, BIPOLAR, channels, 1), tile=tile, simd=simd)


def whole_windows() -> Swg:
    """All four taps at once of the two windows of a square, with a column of padding behind it."""
    window = Window(2, 2, (2, 2), (1, 1), (1, 1), (0, 0), (1, 2))
    return Swg(int_window(window, BIPOLAR, 1, 1), simd=4)


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
    "mvu: bits times signs": lambda: sums(UINT1),
    "mvu: signs times bits": lambda: levels(sums(BIPOLAR, BITS, UINT1), BIPOLAR_THRESHOLDS, BIPOLAR),
    "mvu: signs times three": lambda: sums(BIPOLAR, THREE, TERNARY),
    "mvu: bits times three, several thresholds": lambda: levels(
        sums(UINT1, THREE, TERNARY), [[-1, 0, 2], [-1, 0, 1], [-2, -1, 0], [0, 1, 2]], UINT2
    ),
    "mvu: three bits times three, counted bit by bit": lambda: sums(INT3, THREE, TERNARY, 4),
    "mvu: signs times numbers": lambda: sums(BIPOLAR, NUMBERS, INT3),
    "mvu: several thresholds": lambda: levels(
        sums(BIPOLAR), [[-2, 0, 2], [-1, 1, 3], [-3, -2, 0], [0, 1, 2]], UINT2
    ),
    "mvu: sums": lambda: sums(UINT2),
    "mvu: bipolar sums, with a row and a column of padding": lambda: sums(
        BIPOLAR, tuple(row[:3] for row in SIGNS[:3])
    ),
    "mvu: bipolar, with what windows at edges lack": lambda: at_edges(BIPOLAR),
    "mvu: two groups": grouped,
    "vvu": lambda: filters([[1, -2], [-3, 1], [2, 2]], UINT2, 2, 1),
    "vvu: all channels, two of three taps": lambda: filters([[1, -2, 3], [-1, 1, 0]], UINT2, 2, 2),
    "vvu: averages": lambda: filters([[1, 1]] * 3, UINT2, 2, 1),
    "pool": lambda: largest(2, 1),
    "pool: all channels, two of three taps": lambda: largest(3, 2),
    "global pool: sums": lambda: over_frames(largest=False),
    "global pool: largest": lambda: over_frames(largest=True),
    "swg": lambda: windows(3, 0, 2),
    "swg: tiles": lambda: windows(2, 1, 1),
    "swg: whole windows": whole_windows,
    "threshold": staircase,
    "argmax": class_index,
    "width converter: upsize": lambda: converter(4, 1, 2),
    "width converter: upsize by one and a half": lambda: converter(6, 2, 3),
    "width converter: downsize": lambda: converter(3, 4, 2),
    "width converter: downsize by one and a half": lambda: converter(5, 3, 2),
    "width converter: gearbox": lambda: converter(5, 2, 3),
    "width converter: three vectors of three become one of nine": lambda: converter(3, 2, 4, vectors=3),
    "fork: two": lambda: small_branches.forked(2),
    "fork: four": lambda: small_branches.forked(4),
    "add": lambda: small_branches.sum_of(UINT2, INT3),
    "add: several thresholds": small_branches.levels_of_sum,
    "concat": small_branches.joined,
    "concat: whole vectors": small_branches.joined_at_once,
    "select: beats": lambda: small_branches.selected([2, 3, 4], 2, 5),
    "select: a shuffle": lambda: small_branches.selected([0, 2, 1, 3], 2),
    "select: more than there were": lambda: small_branches.selected([0, 3, 1, 2, 0], 2),
    "select: through a memory": lambda: small_branches.selected([2, 3, 0, 1, 3], 1),
    "upsample: down": lambda: small_branches.enlarged(2, 1),
    "upsample: across": lambda: small_branches.enlarged(1, 2),
    "rescale: lines": small_branches.rescaled,
    "rescale: a shift": small_branches.halved,
}

# How a unit is compiled; no clock cuts a shift register into stages, and some units only into two.
ONE_STAGE, TWO_STAGES, PIPELINED = "one stage", "two stages", "three stages or more"
BLOCK_MEMORY = "block memory"
STAGES = {ONE_STAGE: (1, 1), TWO_STAGES: (2, 2), PIPELINED: (3, 5), BLOCK_MEMORY: (2, 5)}
NEVER_CUT = (
    *("width converter: upsize", "width converter: downsize", "fork: two", "fork: four"),
    *("concat", "concat: whole vectors"),
)
CUT_ONCE = (
    *("vvu: averages", "global pool: sums", "global pool: largest", "swg: whole windows", "add"),
    *("select: beats", "upsample: across", "rescale: a shift"),
)
IN_BLOCKS = (
    *("mvu: two bits times signs, by complements", "threshold", "swg", "add: several thresholds"),
    *("upsample: down", "rescale: lines", "select: through a memory"),
)
IN_STAGES = [
    *[(name, ONE_STAGE) for name in NEVER_CUT],
    *[(name, PIPELINED) for name in KERNELS if name not in (*NEVER_CUT, *CUT_ONCE)],
    *[(name, TWO_STAGES) for name in CUT_ONCE],
    *[(name, BLOCK_MEMORY) for name in IN_BLOCKS],
]
"""Each kernel in as many stages as it can be cut into, which is what projects mostly have."""

IN_ONE_STAGE = [(name, ONE_STAGE) for name in KERNELS if name not in NEVER_CUT]
"""The others in one stage, which `tests.kernels.prove` proves as well."""


def unit(kernel: Kernel, folder: Path) -> UnitSource:
    """The C++ of a kernel's unit, as a project has it."""
    node = HwNode("layer", kernel.input_ports, kernel.output_ports, (), kernel)
    header = folder / "layer.hpp"
    header.write_text(layer_header(node), encoding="utf-8")
    return UnitSource(header, unit_type(node), (share_dir("hls"),))


def compiled(source: UnitSource, plan: str) -> Claim:
    """What is to be proved of a unit that is compiled by a plan."""
    if plan == BLOCK_MEMORY:
        return in_blocks(source, 100.0, CYCLES)
    return pipelined(source, {ONE_STAGE: 1, TWO_STAGES: 2, PIPELINED: 3}[plan], CYCLES)


def test_every_kernel_and_every_circuit_of_one_is_proved() -> None:
    kernels = [make() for make in KERNELS.values()]
    modes = {kernel.mode for kernel in kernels if isinstance(kernel, WidthConverter)}
    multiply = [kernel for kernel in kernels if isinstance(kernel, Mvu | Vvu)]
    arithmetic = {str(kernel.constants()["kProducts"]) for kernel in multiply}

    assert {type(kernel) for kernel in kernels} == set(all_kernels())
    assert modes == {"kUpsize", "kDownsize", "kGearbox"}
    assert arithmetic == {f"Products::{kind.value}" for kind in Products}


def test_every_circuit_of_a_select_is_proved() -> None:
    kernels = [make() for make in KERNELS.values()]
    modes = {kernel.mode for kernel in kernels if isinstance(kernel, Select)}

    assert modes == {"kForward", "kMemory", "kRegisters"}


def unproved(plans: Sequence[tuple[str, str]], folder: Path) -> dict[tuple[str, str], str]:
    """What is wrong with each unit that is not proved, or not in the stages of its plan; one run of Yosys."""
    claims = [compiled(unit(KERNELS[name](), folder), plan) for name, plan in plans]
    found = {}
    for (name, plan), proof in zip(plans, decide(claims), strict=True):
        least, most = STAGES[plan]
        stages = "" if least <= proof.stages <= most else f"it has {proof.stages} stages"
        if proof.counterexample or stages:
            found[name, plan] = proof.counterexample or stages
    return found


def test_every_unit_does_what_its_cpp_does(tmp_path: Path) -> None:
    require_yosys()

    assert unproved(IN_STAGES, tmp_path) == {}


def test_a_wrong_weight_is_found(tmp_path: Path) -> None:
    require_yosys()
    (first, *row), *others = SIGNS
    other = levels(sums(BIPOLAR, ((-first, *row), *others)), BIPOLAR_THRESHOLDS, BIPOLAR)
    right = compiled(unit(KERNELS["mvu: bipolar"](), tmp_path), PIPELINED)
    wrong = compiled(unit(other, tmp_path), PIPELINED)
    (proof,) = decide([replace(wrong, reference=right.reference)])

    last = proof.counterexample.splitlines()[-1]
    assert last.endswith(f", m_axis: the unit {FAULTS['wrong']}")
