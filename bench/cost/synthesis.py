"""Compile units and count their cells with Yosys, several units in one run; what was counted is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from bench.cost.configurations import Configuration
from bench.cost.makers import Fifo, make
from bench.quality import read_size
from bench.units import compile_kernel
from thresher.errors import ToolFailedError
from thresher.share import share_dir
from thresher.tools.open_synthesis import find_yosys, yosys

CLOCK_MHZ = 200.0
FAMILY = "xc7"
BATCH = 16
"""Units in a run of Yosys, which takes some seconds to start."""


@dataclass(frozen=True)
class Measured:
    """What Yosys makes of a unit: look-up tables of all kinds, and the logic cells that it estimates.

    `bram18` counts blocks of 18 kbit. `stages` are those of the pipeline, as hlsc cuts it.
    """

    lut: int
    logic_cells: int
    ff: int
    bram18: int
    dsp: int
    stages: int


@dataclass(frozen=True)
class Prepared:
    """A unit to synthesise: the module, its parameters, the files that it is made of, and a name for all."""

    configuration: Configuration
    module: str
    overrides: str
    sources: tuple[tuple[str, str], ...]
    stages: int

    @property
    def digest(self) -> str:
        """Of all that decides what Yosys counts."""
        content = (find_yosys().version, FAMILY, self.module, self.overrides, self.sources)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:24]


def prepare(configuration: Configuration, folder: Path) -> Prepared:
    """Compile a unit at `CLOCK_MHZ`."""
    cells = tuple(
        (path.name, path.read_text(encoding="utf-8")) for path in sorted(share_dir("rtl").glob("*.sv"))
    )
    kernel = make(configuration.kernel, configuration.values)
    if isinstance(kernel, Fifo):
        overrides = f"-G Width={kernel.width} -G Depth={kernel.depth}"
        return Prepared(configuration, "fifo", overrides, cells, 0)
    folder.mkdir(parents=True, exist_ok=True)
    unit = compile_kernel("unit", kernel, folder, CLOCK_MHZ, FAMILY)
    used = tuple((name, text) for name, text in cells if Path(name).stem in unit.verilog or name in _INSIDE)
    return Prepared(configuration, "unit", "", (("unit.sv", unit.verilog), *used), unit.stages)


# Cells that others are made of.
_INSIDE = {"compressor.sv"}


def measure(
    units: Sequence[Configuration], folder: Path, jobs: int
) -> Iterator[tuple[Configuration, Measured]]:
    """Count the cells of the units, in any order; what lies in `folder` from earlier is not made again.

    Raises `ToolFailedError` where Yosys fails on one.
    """
    (folder / "counted").mkdir(parents=True, exist_ok=True)
    batches = [list(units[place : place + BATCH]) for place in range(0, len(units), BATCH)]
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(_batch, batch, folder, index) for index, batch in enumerate(batches)]
        try:
            for done in as_completed(running):
                yield from done.result()
        finally:
            for each in running:
                each.cancel()


def _batch(batch: Sequence[Configuration], folder: Path, index: int) -> list[tuple[Configuration, Measured]]:
    work = folder / f"batch{index}"
    units = [prepare(unit, work / "compiled") for unit in batch]
    missing = [unit for unit in units if not _counted(folder, unit).is_file()]
    if missing:
        try:
            _synthesise(missing, work, folder)
        except ToolFailedError:
            # One unit's failure must not cost the others, and its own must be told.
            for unit in missing:
                if not _counted(folder, unit).is_file():
                    _synthesise([unit], work, folder)
    return [(unit.configuration, _read(_counted(folder, unit), unit.stages)) for unit in units]


def _counted(folder: Path, unit: Prepared) -> Path:
    return folder / "counted" / f"{unit.digest}.txt"


def _synthesise(units: Sequence[Prepared], work: Path, folder: Path) -> None:
    """Run Yosys once, and keep what it counted even if it fails half-way."""
    script = []
    for place, unit in enumerate(units):
        sources = work / str(place)
        sources.mkdir(parents=True, exist_ok=True)
        for name, text in unit.sources:
            (sources / name).write_text(text, encoding="utf-8")
        paths = " ".join(f"{place}/{name}" for name, _ in unit.sources)
        script += [
            f"read_slang --threads 1 --top {unit.module} {unit.overrides} {paths}",
            f"rename {unit.module} unit{place}",
            "setattr -mod -unset top *",
        ]
    # The library and the steps are those of synth_xilinx, which by itself keeps one module: its first step
    # is left out. `read_slang` leaves no instances but of cells, and calls each module the top.
    script += [
        "read_verilog -lib -specify +/xilinx/cells_sim.v",
        "read_verilog -lib +/xilinx/cells_xtra.v",
        "hierarchy -check",
        f"synth_xilinx -family {FAMILY} -flatten -noiopad -noclkbuf -run prepare:",
        *(f"tee -q -o {place}.txt stat -tech xilinx unit{place}" for place in range(len(units))),
    ]
    counts = {unit.digest: work / f"{place}.txt" for place, unit in enumerate(units)}
    for path in counts.values():
        path.unlink(missing_ok=True)
    try:
        yosys("\n".join(script) + "\n", work)
    finally:
        for digest, path in counts.items():
            if path.is_file() and "Estimated number of LCs" in path.read_text(encoding="utf-8"):
                path.replace(folder / "counted" / f"{digest}.txt")


def _read(path: Path, stages: int) -> Measured:
    log = path.read_text(encoding="utf-8")
    cells = {name: int(count) for count, name in re.findall(r"^\s*(\d+)\s+([A-Z]\w+)$", log, re.M)}
    size = read_size(log)
    bram18 = cells.get("RAMB18E1", 0) + 2 * cells.get("RAMB36E1", 0)
    return Measured(size.lut, size.logic_cells, size.ff, bram18, cells.get("DSP48E1", 0), stages)
