"""`python -m bench.arithmetic`: stages and size of `divide` and `square_root`, by width and clock."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.quality import Size, synthesise
from thresher.hlsc import CompiledUnit, UnitSource, compile_unit
from thresher.share import share_dir

WIDTHS = (8, 16, 32, 64)
CLOCKS_MHZ = (100.0, 200.0, 300.0)
SIZE_CLOCK_MHZ = 200.0

UNITS = """\
#include "thresher/divide.hpp"
#include "thresher/square_root.hpp"
#include "thresher/stream.hpp"

template <int Width>
struct Divide {
  struct Ports {
    thresher::InStream<Width> a, b;
    thresher::OutStream<Width> quotient, remainder;
  };
  void step(Ports& ports) {
    const thresher::uint<Width> a = ports.a.read(), b = ports.b.read();
    const auto both = thresher::divide(a, b);
    ports.quotient.write(both.quotient);
    ports.remainder.write(both.remainder);
  }
};

template <int Width>
struct SquareRoot {
  struct Ports {
    thresher::InStream<Width> a;
    thresher::OutStream<Width / 2> root;
    thresher::OutStream<Width / 2 + 1> remainder;
  };
  void step(Ports& ports) {
    const thresher::uint<Width> a = ports.a.read();
    const auto both = thresher::square_root(a);
    ports.root.write(both.root);
    ports.remainder.write(both.remainder);
  }
};
"""


@dataclass(frozen=True)
class Measured:
    """A unit at each of the clocks, and its size at one of them."""

    name: str
    stages: tuple[int, ...]
    size: Size


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.arithmetic", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("build/bench/arithmetic"), help="folder to work in"
    )
    arguments = parser.parse_args()
    Console().print(table(list(measured(arguments.output))))
    return 0


def measured(folder: Path) -> Iterator[Measured]:
    """Each unit, compiled and synthesised in `folder`."""
    for name in (f"{kind}<{width}>" for kind in ("Divide", "SquareRoot") for width in WIDTHS):
        place = folder / "".join(filter(str.isalnum, name))
        place.mkdir(parents=True, exist_ok=True)
        stages = tuple(compiled(name, clock, place).stages for clock in CLOCKS_MHZ)
        unit = compiled(name, SIZE_CLOCK_MHZ, place)
        (place / f"{unit.module_name}.sv").write_text(unit.verilog, encoding="utf-8")
        yield Measured(name, stages, synthesise(unit.module_name, place))


def compiled(name: str, clock_mhz: float, folder: Path) -> CompiledUnit:
    """One of `UNITS`, for the 7 series."""
    header = folder / "units.hpp"
    header.write_text(UNITS, encoding="utf-8")
    return compile_unit(UnitSource(header, name, (share_dir("hls"),)), "measured", clock_mhz)


def table(results: list[Measured]) -> Table:
    """A row a unit."""
    result = Table(title=f"xc7: stages by clock, and Yosys' sizes at {SIZE_CLOCK_MHZ:g} MHz")
    result.add_column("unit")
    for column in (*(f"{clock:g} MHz" for clock in CLOCKS_MHZ), "LUT", "logic cells", "FF", "CARRY4"):
        result.add_column(column, justify="right")
    for each in results:
        size = each.size
        figures = (*each.stages, size.lut, size.logic_cells, size.ff, size.carry4)
        result.add_row(each.name, *map(str, figures))
    return result


if __name__ == "__main__":
    raise SystemExit(main())
