"""`python -m bench.quality`: size of hlsc's units beside the same units written by hand, by Yosys for xc7."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.references import FOLDER, REFERENCES, reference_text
from bench.units import UNITS, compile_kernel
from thresher.emit.yosys import yosys_script
from thresher.tools.open_synthesis import find_yosys, yosys
from thresher.tools.yosys_log import read_cells, read_usage

CLOCK_MHZ = 200.0
MOST_LUT_RATIO = 1.05
MOST_FF_RATIO = 1.20


@dataclass(frozen=True)
class Size:
    """LUTs of all sizes and in memories, the logic cells that Yosys expects of them, registers, carries.

    Block memory counts in blocks of 36 kbit, of which there are halves.
    """

    lut: int
    logic_cells: int
    ff: int
    carry4: int
    bram36: float = 0.0


@dataclass(frozen=True)
class Compared:
    """One unit of hlsc and its reference, for one clock."""

    unit: str
    clock_mhz: float
    stages: int
    compiled: Size
    by_hand: Size

    @property
    def lut_ratio(self) -> float:
        """The LUTs of hlsc by those of the reference."""
        return self.compiled.lut / self.by_hand.lut

    @property
    def ff_ratio(self) -> float:
        """The registers of hlsc by those of the reference."""
        return self.compiled.ff / self.by_hand.ff

    @property
    def within_bounds(self) -> bool:
        """Whether hlsc is as good as a hand."""
        return self.lut_ratio <= MOST_LUT_RATIO and self.ff_ratio <= MOST_FF_RATIO

    def to_json(self) -> dict[str, object]:
        """Sizes and ratios as plain JSON values."""
        ratios = {"lut_ratio": round(self.lut_ratio, 3), "ff_ratio": round(self.ff_ratio, 3)}
        return asdict(self) | ratios


def main() -> int:
    """Compare the units and return the exit code: 1 if one of hlsc's is too large."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("units", nargs="*", metavar="UNIT", help=f"of {', '.join(REFERENCES)}; all at first")
    parser.add_argument("--clock-mhz", type=float, default=CLOCK_MHZ, help="the clock to pipeline for")
    parser.add_argument("--output", type=Path, default=Path("build/quality"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/quality.json"), help="file for the figures")
    arguments = parser.parse_args()
    if unknown := set(arguments.units) - set(REFERENCES):
        parser.error(f"no unit {', '.join(sorted(unknown))}; choose of {', '.join(REFERENCES)}")
    console = Console()
    results = []
    for name in arguments.units or REFERENCES:
        with console.status(f"{name} ..."):
            results.append(compare(name, arguments.output / name, arguments.clock_mhz))
    console.print(table(results))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    figures = {"yosys": find_yosys().version, "units": [result.to_json() for result in results]}
    arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {arguments.json}.")
    return 0 if all(result.within_bounds for result in results) else 1


def compare(name: str, folder: Path, clock_mhz: float) -> Compared:
    """Compile one of `REFERENCES`, and synthesise it and its reference."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.sv"):  # all that lie there are read
        old.unlink()
    unit = compile_kernel(name, UNITS[name](), folder, clock_mhz)
    write_reference(name, folder)
    return Compared(
        name, clock_mhz, unit.stages, synthesise(name, folder), synthesise(f"{name}_by_hand", folder)
    )


def write_reference(name: str, folder: Path) -> list[Path]:
    """Write the reference of a unit, and the modules that it is made of, to `folder`."""
    sources = [folder / source.name for source in FOLDER.glob("*.sv")]
    for source in sources:
        source.write_bytes((FOLDER / source.name).read_bytes())
    top = folder / f"{name}_by_hand.sv"
    top.write_text(reference_text(name), encoding="utf-8")
    return [*sources, top]


def synthesise(module: str, folder: Path) -> Size:
    """Map a module to 7-series cells, alone and flat; its source and all that it uses lie in `folder`."""
    sources = sorted(path.name for path in folder.glob("*.sv"))
    return read_size(yosys(yosys_script(module, sources, "xc7"), folder))


def read_size(log: str) -> Size:
    """The sizes in the last statistics of a log of Yosys."""
    usage = read_usage(log)
    assert usage.logic_cells is not None
    carries = read_cells(log).get("CARRY4", 0)
    return Size(usage.lut, usage.logic_cells, usage.ff, carries, usage.bram36)


def table(results: list[Compared]) -> Table:
    """Two rows a unit: hlsc's and the hand-written one, with the ratio."""
    result = Table(title="Yosys for xc7, out of context: hlsc and by hand")
    result.add_column("unit")
    for column in ("MHz", "stages", "LUT", "LCs", "FF", "CARRY4", "LUT ratio", "FF ratio"):
        result.add_column(column, justify="right")
    for pair in results:
        sizes = [
            [str(figure) for figure in (size.lut, size.logic_cells, size.ff, size.carry4)]
            for size in (pair.compiled, pair.by_hand)
        ]
        ratios = [
            f"{ratio:.3f}{'' if ratio <= most else ' (misses)'}"
            for ratio, most in ((pair.lut_ratio, MOST_LUT_RATIO), (pair.ff_ratio, MOST_FF_RATIO))
        ]
        result.add_row(pair.unit, f"{pair.clock_mhz:g}", str(pair.stages), *sizes[0], *ratios)
        result.add_row("  by hand", "", "", *sizes[1], "", "")
    return result


if __name__ == "__main__":
    raise SystemExit(main())
