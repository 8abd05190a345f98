"""What nextpnr-ecp5 says of a design: its JSON report, and the table of use in its log."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.tools.synthesis import Usage

# A line such as `Info: TRELLIS_COMB: 5435/ 83640     6%`.
_USE = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", re.M)
SET_UP = "set-up"


@dataclass(frozen=True)
class Hop:
    """A wire of a path: the ns from the clock to its end, and those of the cell before it and of itself.

    `wire` is the name in the source that its name comes from, `line` a place in the source.
    """

    until_ns: float
    logic_ns: float
    wire_ns: float
    wire: str
    line: str


@dataclass(frozen=True)
class RoutedDesign:
    """A routed design of one clock: what it takes, by the kinds of nextpnr, how fast it is and why."""

    fmax_mhz: float
    used: Mapping[str, int]
    critical_path: tuple[Hop, ...]

    @property
    def usage(self) -> Usage:
        """The same in the units of every tool; the write port of a 16 x 4 memory takes two look-up tables."""
        return Usage(
            lut=self.used.get("TRELLIS_COMB", 0) + 2 * self.used.get("TRELLIS_RAMW", 0),
            ff=self.used.get("TRELLIS_FF", 0),
            bram36=self.used.get("DP16KD", 0) / 2,
            dsp=self.used.get("MULT18X18D", 0),
        )

    @property
    def ends(self) -> str:
        """The first and the last wire of the slowest path, with the delay to its end; empty where none is."""
        wires = [hop for hop in self.critical_path if hop.wire != SET_UP]
        if not wires:
            return ""
        return f"{wires[0].wire} to {wires[-1].wire} ({self.critical_path[-1].until_ns:.2f} ns)"


def read_report(path: Path) -> RoutedDesign:
    """The figures of nextpnr's report of a design of one clock."""
    report = json.loads(path.read_text(encoding="utf-8"))
    (clock,) = report["fmax"].values()
    used = {kind: figures["used"] for kind, figures in report["utilization"].items()}
    return RoutedDesign(round(clock["achieved"], 1), used, critical_path(report))


def find_overuse(log: str) -> dict[str, tuple[int, int]]:
    """Of what a design takes more than there is, by a log: how many, and how many there are."""
    uses = {kind: (int(used), int(there)) for kind, used, there in _USE.findall(log)}
    return {kind: use for kind, use in uses.items() if use[0] > use[1]}


def critical_path(report: dict[str, list[dict[str, Any]]]) -> tuple[Hop, ...]:
    """The slowest path from register to register: its wires, each with the delay up to its end."""
    paths = [path["path"] for path in report["critical_paths"] if _within_clock(path)]
    hops: list[Hop] = []
    total = logic = 0.0
    for part in paths[0] if paths else ():
        total += part["delay"]
        if part["type"] != "routing":
            logic += part["delay"]
        elif part["delay"] > 0:  # what costs nothing stays within a carry chain
            line = next((source for source in part["sources"] if not source.startswith("/")), "")
            hops.append(
                Hop(round(total, 2), round(logic, 2), round(part["delay"], 2), _wire(part["net"]), line)
            )
            logic = 0.0
    return (*hops, Hop(round(total, 2), round(logic, 2), 0.0, SET_UP, ""))


def _within_clock(path: dict[str, Any]) -> bool:
    return all(path[end].startswith("posedge") for end in ("from", "to"))


def _wire(net: str) -> str:
    """The name of a wire in the source that a wire of the netlist is nearest to."""
    return re.split(r"_(?:LUT4|CCU2C|TRELLIS_|PFUMX|L6MUX21)|\$", net)[0]
