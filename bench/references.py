"""The units that are also written by hand: their tables as parameters of what lies in `reference/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.units import UNITS
from thresher.ir.kernel import signed_bits, tile_rows
from thresher.kernels import Kernel
from thresher.kernels.mvu import Mvu
from thresher.kernels.threshold import Threshold

Ints = npt.NDArray[np.int64]

FOLDER = Path(__file__).parent / "reference"

PORTS = """\
  input  logic ap_clk,
  input  logic ap_rst_n,
  input  logic [{inputs}-1:0] s_axis_tdata,
  input  logic s_axis_tvalid,
  output logic s_axis_tready,
  output logic [{outputs}-1:0] m_axis_tdata,
  output logic m_axis_tvalid,
  input  logic m_axis_tready
"""


@dataclass(frozen=True)
class Words:
    """A table that a parameter takes: `fields[word, field]` in two's complement of `bits`, lowest first."""

    fields: Ints
    bits: int

    def declaration(self, name: str) -> str:
        """The table as one number, with word 0 lowest."""
        depth, fields = self.fields.shape
        width, mask = fields * self.bits, (1 << self.bits) - 1
        words = (
            sum((field & mask) << (index * self.bits) for index, field in enumerate(word))
            for word in self.fields.tolist()
        )
        literals = [f"{width}'h{word:x}" for word in words]
        number = ", ".join(reversed(literals))
        return f"  localparam logic [{depth * width - 1}:0] {name} = {{{number}}};\n"


Parameters = Mapping[str, int | Words]


def reference_text(name: str) -> str:
    """The module `<name>_by_hand`: the reference for one of `REFERENCES`, with the ports of hlsc's unit."""
    kernel = UNITS[name]()
    module, parameters = REFERENCES[name](kernel)
    inputs, outputs = kernel.input_layout.width, kernel.output_layout.width
    tables = {key: value for key, value in parameters.items() if isinstance(value, Words)}
    settings = ",\n".join(
        f"    .{key}({key if key in tables else value})" for key, value in parameters.items()
    )
    return (
        f"module {name}_by_hand (\n{PORTS.format(inputs=inputs, outputs=outputs)});\n"
        + "".join(table.declaration(key) for key, table in tables.items())
        + f"  {module} #(\n{settings}\n  ) u_unit (.*);\nendmodule\n"
    )


def _binary(kernel: Kernel) -> tuple[str, Parameters]:
    """A sum is 2 * matches - columns, so it has reached t where matches >= ceil((columns + t) / 2)."""
    columns, thresholds = _matrix(kernel)
    starts = (-columns - thresholds) // 2
    return "reference_mvu", {
        **_tables(kernel, starts, signed_bits(int(starts.min()), int(starts.max()) + columns)),
        "Simd": kernel.folding.simd,
    }


def _bytes(kernel: Kernel) -> tuple[str, Parameters]:
    """A byte x times -1 is its complement less 255, and the lanes add up complements."""
    assert isinstance(kernel, Mvu)
    _, thresholds = _matrix(kernel)
    low, high = kernel.matmul.reach
    bits = signed_bits(int((low - thresholds).min()), int((high - thresholds).max()))
    complemented = (kernel.matmul.weights < 0).sum(axis=1)
    return "reference_byte_mvu", _tables(kernel, -thresholds - 255 * complemented, bits)


def _staircase(kernel: Kernel) -> tuple[str, Parameters]:
    assert isinstance(kernel, Threshold)
    tiles = tile_rows(kernel.threshold.thresholds, kernel.pe).transpose(1, 0, 2)
    bits = kernel.input_layout.element.bits
    return "reference_threshold", {
        "Tiles": len(tiles),
        "Pe": kernel.pe,
        "Bits": bits,
        "Thresholds": Words(tiles.reshape(len(tiles), -1), bits),
    }


REFERENCES: Mapping[str, Callable[[Kernel], tuple[str, Parameters]]] = {
    "mvu_pe16_simd49": _binary,
    "mvu_pe32_simd32": _binary,
    "mvu_8bit_pe4_simd9": _bytes,
    "threshold_pe4": _staircase,
}
"""For each unit that has one, its module and its parameters."""


def _matrix(kernel: Kernel) -> tuple[int, Ints]:
    """Columns, and the one threshold of each row."""
    assert isinstance(kernel, Mvu) and kernel.threshold is not None
    return kernel.matmul.weights.shape[1], kernel.threshold.thresholds[:, 0]


def _tables(kernel: Kernel, starts: Ints, sum_bits: int) -> Parameters:
    assert isinstance(kernel, Mvu)
    starts = tile_rows(starts, kernel.pe).T
    bits = (kernel.matmul.weights > 0).astype(np.int64)
    weights = tile_rows(bits, kernel.pe).reshape(kernel.pe, -1, kernel.simd).transpose(1, 0, 2)
    return {
        "RowTiles": len(starts),
        "ColumnTiles": len(weights) // len(starts),
        "Pe": kernel.pe,
        "SumBits": sum_bits,
        "Weights": Words(weights.reshape(len(weights), -1), 1),
        "Starts": Words(starts, sum_bits),
    }
