"""`python -m bench.peers`: units beside the same of a peer, by Yosys for xc7, alone and flat."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.quality import Size, synthesise
from bench.units import UNITS, compile_kernel, staircase
from thresher.ir.integer import IntWindow, TensorType
from thresher.ir.window import Window
from thresher.kernels import Kernel
from thresher.kernels.swg import Swg
from thresher.kernels.width_converter import WidthConverter
from thresher.tools.open_synthesis import find_yosys
from thresher_sim.streams import BIPOLAR, StreamLayout

CLOCK_MHZ = 200.0


@dataclass(frozen=True)
class Peer:
    """A unit, and the look-up tables of a peer's of the same configuration, those in memories included.

    Ours has to be smaller, and to take no more than so many logic cells and block memories of 36 kbit.
    """

    lut: int
    make: Callable[[], Kernel]
    most_logic_cells: float = math.inf
    most_bram36: float = math.inf


def sliding_window(padding: int, overlap: bool) -> Swg:
    """3x3 windows over signs, 32x32 pixels of 64 channels, 16 channels a cycle.

    With `overlap` the buffer is as large as frames at full rate need.
    """
    output = 30 + 2 * padding
    window = Window(32, 32, (3, 3), (1, 1), (1, 1), (padding, padding), (output, output))
    source = TensorType(BIPOLAR, window.pixels, 64)
    target = TensorType(BIPOLAR, window.count, window.taps * 64)
    return Swg(IntWindow("window", "x", "windows", (), source, target, window, -1), simd=16, overlap=overlap)


def widths(source: int, target: int) -> WidthConverter:
    """Signs, so many a beat, to so many others."""
    return WidthConverter(StreamLayout(BIPOLAR, 64, 1, source), StreamLayout(BIPOLAR, 64, 1, target))


XNOR_MACS = 32 * 32
"""Multiply-accumulates a cycle of the matrix-vector unit."""

PEERS: Mapping[str, Peer] = {
    "mvu_pe32_simd32_block": Peer(
        round(2.09 * XNOR_MACS),
        UNITS["mvu_pe32_simd32_block"],
        most_logic_cells=1.5 * XNOR_MACS,
        most_bram36=16,
    ),
    "threshold_pe4": Peer(136, lambda: staircase(64, 4)),
    "swg_simd16": Peer(355, lambda: sliding_window(0, overlap=False)),
    "swg_simd16_overlap": Peer(355, lambda: sliding_window(0, overlap=True)),
    "swg_simd16_padded": Peer(355, lambda: sliding_window(1, overlap=True)),
    "width_converter_16_to_64": Peer(27, lambda: widths(16, 64)),
}
"""By name, which is also that of the compiled module."""


@dataclass(frozen=True)
class Measured:
    """A unit of ours beside a peer's."""

    unit: str
    peer_lut: int
    ours: Size
    most_logic_cells: float = math.inf
    most_bram36: float = math.inf

    @property
    def is_smaller(self) -> bool:
        """Whether ours takes fewer, counted in look-up tables and in logic cells, and keeps its bounds."""
        return (
            max(self.ours.lut, self.ours.logic_cells) < self.peer_lut
            and self.ours.logic_cells <= self.most_logic_cells
            and self.ours.bram36 <= self.most_bram36
        )

    def to_json(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        return {"unit": self.unit, "peer_lut": self.peer_lut, "ours": asdict(self.ours)}


def main() -> int:
    """Measure the units and return the exit code: 1 if one is not smaller than its peer."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("units", nargs="*", metavar="UNIT", help=f"of {', '.join(PEERS)}; all at first")
    parser.add_argument("--output", type=Path, default=Path("build/peers"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/peers.json"), help="file for the figures")
    arguments = parser.parse_args()
    if unknown := set(arguments.units) - set(PEERS):
        parser.error(f"no unit {', '.join(sorted(unknown))}; choose of {', '.join(PEERS)}")
    console = Console()
    results = []
    for name in arguments.units or PEERS:
        with console.status(f"{name} ..."):
            results.append(measure(name, arguments.output / name))
    console.print(table(results))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    figures = {"yosys": find_yosys().version, "units": [result.to_json() for result in results]}
    arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {arguments.json}.")
    return 0 if all(result.is_smaller for result in results) else 1


def measure(name: str, folder: Path) -> Measured:
    """Compile one of `PEERS` in `folder`, and synthesise it."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.sv"):  # all that lie there are read
        old.unlink()
    compile_kernel(name, PEERS[name].make(), folder, CLOCK_MHZ)
    peer = PEERS[name]
    return Measured(name, peer.lut, synthesise(name, folder), peer.most_logic_cells, peer.most_bram36)


def table(results: list[Measured]) -> Table:
    """A row a unit."""
    result = Table(title="Yosys for xc7, out of context: a peer's unit and ours")
    result.add_column("unit")
    for column in ("peer's LUT", "our LUT", "LCs", "FF", "block RAM", "smaller"):
        result.add_column(column, justify="right")
    for pair in results:
        ours = pair.ours
        figures = (pair.peer_lut, ours.lut, ours.logic_cells, ours.ff)
        result.add_row(
            pair.unit, *map(str, figures), f"{ours.bram36:g}", "yes" if pair.is_smaller else "no (misses)"
        )
    return result


if __name__ == "__main__":
    raise SystemExit(main())
