"""Compile units and count their cells with Yosys, several units in one run; what was counted is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from bench.cost.configurations import Configuration
from bench.cost.makers import Fifo, make
from bench.units import compile_kernel
from thresher.errors import ToolFailedError
from thresher.hardware.fifos import is_in_blocks
from thresher.share import share_dir
from thresher.tools.open_synthesis import find_yosys, yosys
from thresher.tools.yosys_log import read_usage

CLOCK_MHZ = 200.0
FAMILY = "xc7"
BATCH = 8
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
    def has_tables(self) -> bool:
        """Whether there are cells whose hierarchy is kept while they are mapped."""
        return any(name == "rom.sv" for name, _ in self.sources)

    @property
    def digest(self) -> str:
        """Of all that decides what Yosys counts."""
        content = (find_yosys().version, FAMILY, self.module, self.overrides, self.sources)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:24]


def prepare(configuration: Configuration, folder: Path) -> Prepared:
    """Compile a unit at `CLOCK_MHZ`."""
    kernel = make(configuration.kernel, configuration.values)
    if isinstance(kernel, Fifo):
        blocks = int(is_in_blocks(kernel.width, kernel.depth))
        overrides = f"-G Width={kernel.width} -G Depth={kernel.depth} -G InBlocks=1'b{blocks}"
        return Prepared(configuration, "fifo", overrides, _cells(_IN_FIFO), 0)
    folder.mkdir(parents=True, exist_ok=True)
    unit = compile_kernel("unit", kernel, folder, CLOCK_MHZ, FAMILY)
    used = set(re.findall(r"^ *(\w+) #\($", unit.verilog, re.M)) - {"unit"}
    return Prepared(configuration, "unit", "", (("unit.sv", unit.verilog), *_cells(used)), unit.stages)


_IN_FIFO = ("fifo", "stream_register")


def _cells(names: Collection[str]) -> tuple[tuple[str, str], ...]:
    paths = [share_dir("rtl") / f"{name}.sv" for name in sorted(names)]
    return tuple((path.name, path.read_text(encoding="utf-8")) for path in paths)


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
    for place, unit in enumerate(units):
        sources = work / str(place)
        sources.mkdir(parents=True, exist_ok=True)
        for name, text in unit.sources:
            # Modules of one run need names of their own.
            named = re.sub(rf"^module {unit.module}\b", f"module unit{place}", text, flags=re.M)
            (sources / name).write_text(named, encoding="utf-8")
    counts = {unit.digest: work / f"{place}.txt" for place, unit in enumerate(units)}
    for path in counts.values():
        path.unlink(missing_ok=True)
    try:
        yosys(_script(units), work)
    finally:
        for digest, path in counts.items():
            if path.is_file() and "Estimated number of LCs" in path.read_text(encoding="utf-8"):
                path.replace(folder / "counted" / f"{digest}.txt")


def _script(units: Sequence[Prepared]) -> str:
    """What `thresher.emit.yosys` does with one module, for several in one run, which reads the cells once.

    Units of one module are mapped side by side. To that end the first step of `synth_xilinx`, which chooses
    one and reads the cells, is left out. ABC looks through all modules for each that it maps, so that units
    of several, with a `rom`, are quicker alone.
    """
    alone = [[place] for place, unit in enumerate(units) if unit.has_tables]
    together = [place for place, unit in enumerate(units) if not unit.has_tables]
    lines = [
        "read_verilog -lib -specify +/xilinx/cells_sim.v",
        "read_verilog -lib +/xilinx/cells_xtra.v",
        "design -save cells",
    ]
    for places in [together, *alone] if together else alone:
        lines += ["design -load cells", *(_reading(place, units[place]) for place in places)]
        lines += _MAPPING
        lines += [f"tee -q -o {place}.txt stat -tech xilinx unit{place}" for place in places]
    return "\n".join([*lines, ""])


def _reading(place: int, unit: Prepared) -> str:
    paths = " ".join(f"{place}/{name}" for name, _ in unit.sources)
    return f"read_slang --threads 1 --best-effort-hierarchy --top unit{place} {unit.overrides} {paths}"


_MAPPING = (
    "setattr -mod -unset top *",
    'setattr -set rom_style "logic" t:$bmux',
    "hierarchy -check",
    f"synth_xilinx -family {FAMILY} -flatten -noiopad -noclkbuf -run prepare:",
    "setattr -mod -unset keep_hierarchy",
    "flatten",
    "opt_clean",
)


def _read(path: Path, stages: int) -> Measured:
    log = path.read_text(encoding="utf-8")
    usage = read_usage(log)
    assert usage.logic_cells is not None
    return Measured(usage.lut, usage.logic_cells, usage.ff, round(2 * usage.bram36), usage.dsp, stages)
