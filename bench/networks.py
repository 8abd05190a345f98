"""`python -m bench.networks`: whole networks as hardware: size by Yosys, latency in RTL, a routed clock."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.table import Table

from bench.whole import (
    BOUNDS,
    MOST_LATENCY,
    Announce,
    Latency,
    Routed,
    Size,
    measure_cnv,
    measure_digits,
    measure_sfc,
    measure_tfc,
)
from thresher.tools.open_synthesis import find_yosys

NETWORKS = ("tfc", "cnv", "sfc", "digits")


@dataclass
class Figures:
    """What was measured so far; what was not asked for is empty."""

    sizes: list[Size] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    routed: Routed | None = None

    @property
    def latency(self) -> Latency | None:
        """The folding of SFC that comes nearest to its bound."""
        return min(self.latencies, key=lambda each: (not each.within_bounds, each.cycles), default=None)

    @property
    def within_bounds(self) -> bool:
        """Whether all that was measured keeps its bounds, and every simulation is right."""
        parts = [*self.sizes, *(each for each in (self.latency, self.routed) if each is not None)]
        return all(part.within_bounds for part in parts) and not any(
            each.mismatches for each in self.latencies
        )

    def to_json(self) -> dict[str, object]:
        """The figures as plain JSON values; the key of what was not measured is absent."""
        data: dict[str, object] = {"networks": [asdict(size) for size in self.sizes]}
        if self.latency is not None:
            data["latency"] = asdict(self.latency)
            data["latencies"] = [asdict(each) for each in self.latencies]
        if self.routed is not None:
            data["routed"] = asdict(self.routed)
        return data


def main() -> int:
    """Measure the networks and return the exit code: 1 if one misses its bound."""
    parser = argparse.ArgumentParser(prog="python -m bench.networks", description=__doc__)
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(NETWORKS)}; all at first"
    )
    parser.add_argument("--output", type=Path, default=Path("build/networks"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/networks.json"), help="file for the figures")
    arguments = parser.parse_args()
    if unknown := set(arguments.networks) - set(NETWORKS):
        parser.error(f"no network {', '.join(sorted(unknown))}; choose of {', '.join(NETWORKS)}")
    console = Console()
    arguments.output.mkdir(parents=True, exist_ok=True)
    figures = Figures()
    for name in arguments.networks or NETWORKS:
        with console.status(name) as status:
            measure(name, arguments.output, partial(say, status, name), figures)
    console.print(table(figures))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    content = {"yosys": find_yosys().version} | figures.to_json()
    arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {arguments.json}.")
    return 0 if figures.within_bounds else 1


def say(status: Status, name: str, step: str) -> None:
    """Show what is being done for a network."""
    status.update(f"{name}: {step} ...")


def measure(name: str, folder: Path, announce: Announce, figures: Figures) -> None:
    """Measure one of `NETWORKS` and put it to the figures."""
    if name == "tfc":
        figures.sizes.append(measure_tfc(folder, announce))
    elif name == "cnv":
        figures.sizes.append(measure_cnv(folder, announce))
    elif name == "sfc":
        figures.latencies = measure_sfc(folder, announce)
    else:
        figures.routed = measure_digits(folder, announce)


def table(figures: Figures) -> Table:
    """A row a figure: the network, what was measured, the bound."""
    result = Table(title="Whole networks")
    for column in ("network", "measured", "bound"):
        result.add_column(column)
    for size in figures.sizes:
        bounds = BOUNDS[size.name]
        result.add_row(
            f"{size.model}, {size.cycles_per_frame:,} cycles per frame, {size.clock_mhz:g} MHz",
            f"{size.lut:,} LUT, {size.logic_cells:,} logic cells, {size.ff:,} FF, {size.bram36:g} BRAM36",
            f"below {bounds.below_lut:,} LUT, at most {bounds.most_bram36:g} BRAM36" + _mark(size),
        )
    for each in figures.latencies:
        row = f"SFC_1W1A, {each.cycles_per_frame:g} cycles per frame, {each.clock_mhz:g} MHz"
        cycles = f"latency {each.cycles} cycles, {each.macs_per_cycle:,} MACs a cycle"
        bound = f"at most {MOST_LATENCY} cycles" + _mark(each) if each is figures.latency else ""
        result.add_row(row, f"{cycles}, {each.mismatches} mismatches", bound)
    if figures.routed is not None:
        routed = figures.routed
        result.add_row(
            f"digits, {routed.part}",
            f"{routed.fmax_mhz:g} MHz, {routed.mismatches} mismatches in {routed.frames} frames of netlists",
            f"at least {routed.target_mhz:g} MHz, 0 mismatches" + _mark(routed),
        )
    return result


def _mark(part: Size | Latency | Routed) -> str:
    return "" if part.within_bounds else " (misses)"


if __name__ == "__main__":
    raise SystemExit(main())
