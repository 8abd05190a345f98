"""The units that are measured as hardware: typical shapes, random weights and thresholds of a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from thresher.emit.layer_header import layer_header, unit_type
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.ir.hardware import HwNode
from thresher.ir.integer import IntArgMax, IntMatMul, IntThreshold, TensorType, reachable
from thresher.kernels import Folding, Kernel, RamStyle
from thresher.kernels.argmax import Argmax
from thresher.kernels.mvu import Mvu
from thresher.kernels.threshold import Threshold
from thresher.kernels.width_converter import WidthConverter
from thresher.share import share_dir
from thresher_sim.streams import BIPOLAR, IntType, StreamLayout

SEED = 20
UINT8 = IntType(0, 255)
INT8 = IntType(-128, 127)
UINT2 = IntType(0, 3)


def binary_mvu(rows: int, columns: int, pe: int, simd: int, source: IntType = BIPOLAR) -> Mvu:
    """A matrix of signs with a threshold for each row, somewhere around the middle of its sums."""
    random = np.random.default_rng(SEED)
    weights = random.integers(0, 2, (rows, columns)) * 2 - 1
    low, high = reachable(weights, source)
    sums = TensorType(IntType(int(low.min()), int(high.max())), 1, rows)
    inputs = TensorType(source, 1, columns)
    middle, spread = (low + high) // 2, (high - low) // 8
    thresholds = (middle + random.integers(-spread, spread + 1))[:, None]
    rising = np.zeros(rows, np.bool_)
    matmul = IntMatMul("matmul", "x", "sum", (), inputs, sums, weights, BIPOLAR)
    signs = TensorType(BIPOLAR, 1, rows)
    return Mvu(matmul, IntThreshold("threshold", "sum", "y", (), sums, signs, thresholds, rising), pe, simd)


def without_threshold(mvu: Mvu) -> Mvu:
    """The same matrix, whose sums leave as they are."""
    return Mvu(mvu.matmul, None, mvu.pe, mvu.simd)


def staircase(channels: int, pe: int) -> Threshold:
    """Signed bytes to two bits, another staircase for each channel."""
    random = np.random.default_rng(SEED)
    thresholds = np.sort(random.integers(INT8.lo, INT8.hi, (channels, UINT2.hi)), axis=1)
    source, target = TensorType(INT8, 1, channels), TensorType(UINT2, 1, channels)
    rising = np.zeros(channels, np.bool_)
    return Threshold(IntThreshold("threshold", "x", "y", (), source, target, thresholds, rising), pe)


def class_index(classes: int, pe: int) -> Argmax:
    """The best of some classes, scored by sums of 12 bits."""
    scores = TensorType(IntType(-2048, 2047), 1, classes)
    return Argmax(
        IntArgMax("argmax", "x", "index", (), scores, TensorType(IntType(0, classes - 1), 1, 1)), pe
    )


UNITS: Mapping[str, Callable[[], Kernel]] = {
    "mvu_pe16_simd49": lambda: binary_mvu(64, 784, 16, 49),
    "mvu_pe32_simd32": lambda: binary_mvu(256, 256, 32, 32),
    "mvu_pe32_simd32_block": lambda: binary_mvu(256, 256, 32, 32).fold(Folding(32, 32, RamStyle.BLOCK)),
    "mvu_8bit_pe4_simd9": lambda: binary_mvu(64, 27, 4, 9, UINT8),
    "threshold_pe4": lambda: staircase(64, 4),
    "argmax_pe2": lambda: class_index(10, 2),
    "width_converter_24_to_16": lambda: WidthConverter(
        StreamLayout(UINT2, 48, 1, 24), StreamLayout(UINT2, 48, 1, 16)
    ),
}
"""The units of the issue's targets, by name; the name is also that of the compiled module."""


def write_header(name: str, kernel: Kernel, folder: Path) -> UnitSource:
    """Write the unit's C++ below `folder`, as a project has it, and say where it is."""
    node = HwNode(name, kernel.input_ports, kernel.output_ports, (), kernel)
    header = folder / "layers" / f"{name}.hpp"
    header.parent.mkdir(parents=True, exist_ok=True)
    header.write_text(layer_header(node), encoding="utf-8")
    return UnitSource(header, unit_type(node), (share_dir("hls"),))


def compile_kernel(
    name: str, kernel: Kernel, folder: Path, clock_mhz: float, family: str = "xc7"
) -> CompiledUnit:
    """Compile the unit, and leave its SystemVerilog and the cells that it uses in `folder`."""
    unit = compile_unit(write_header(name, kernel, folder), name, clock_mhz, family)
    (folder / f"{name}.sv").write_text(unit.verilog, encoding="utf-8")
    copy_cells(folder)
    return unit


def copy_cells(folder: Path) -> None:
    """Copy all cells to `folder`."""
    for cell in share_dir("rtl").glob("*.sv"):
        (folder / cell.name).write_bytes(cell.read_bytes())
