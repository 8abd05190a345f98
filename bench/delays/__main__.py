"""`python -m bench.delays --family ecp5|xc7 -o FILE`: measure the table of hlsc's delays."""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.delays import ecp5, xc7
from bench.delays.cases import Case, cases
from thresher.hlsc.schedule.delay import CURVES, FAMILIES, LINEAR, LOGARITHMIC, load_table
from thresher.tools.open_synthesis import find_nextpnr_ecp5, find_yosys

LINEAR_CURVES = frozenset(("add", "compress", "less", "ram", "rom"))
"""Carry chains by their width, memories by the bits of their address."""

MARGINS = {"ecp5": 1.45, "xc7": 1.27}
"""By how much a path of a routed unit may be longer than estimated: fan-out and the room for placement
make the difference. For ECP5 a little more than `bench.routing` at 150 MHz showed: argmax_pe2 took 6.3 ns
behind a register where 4.4 ns were estimated, threshold_pe4 7.1 where 6.0 were. For xc7, which nothing
open routes, it is an assumption.
"""


def main() -> int:
    """Measure, write the table, and read it back as hlsc does."""
    parser = argparse.ArgumentParser(prog="python -m bench.delays", description=__doc__)
    parser.add_argument("--family", choices=FAMILIES, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, help="the table, JSON")
    arguments = parser.parse_args()
    measure = ecp5.measure if arguments.family == "ecp5" else xc7.measure
    with tempfile.TemporaryDirectory() as folder:
        path_ns, register_ns = measure(cases(), Path(folder))
    table = _origin(arguments.family) | delays(path_ns, register_ns) | {"margin": MARGINS[arguments.family]}
    arguments.output.write_text(to_text(table), encoding="utf-8")
    load_table(arguments.output)
    return 0


def delays(path_ns: Mapping[Case, float], register_ns: float) -> dict[str, object]:
    """What the table says of time."""
    measured: dict[str, list[tuple[int, float]]] = {}
    for case, path in sorted(path_ns.items(), key=lambda entry: (entry[0].curve, entry[0].size)):
        measured.setdefault(case.curve, []).append((case.size, path - register_ns))
    gate, select = measured["gate"][0][1], measured["select"][0][1]
    chain = [(size, delay) for size, delay in measured["gate_chain"]]
    # A tree of gates is as deep as the logarithm of its inputs.
    tree = [(size.bit_length() - 1, delay) for size, delay in measured["gate_tree"]]
    return {
        "register_ns": round(register_ns, 3),
        "gate_ns": _step([*chain, *tree], gate),
        "select_ns": _step(measured["select_chain"], select),
        "block_memory_ns": round(measured["block_memory"][0][1], 3),
        "curves": {
            name: {
                "scale": LINEAR if name in LINEAR_CURVES else LOGARITHMIC,
                "points": _rising(measured[name]),
            }
            for name in sorted(CURVES)
        },
    }


def _step(points: list[tuple[int, float]], first: float) -> float:
    """The least that, added for each operation after the first, is enough for every point."""
    return round(max((delay - first) / (count - 1) for count, delay in points if count > 1), 3)


def _rising(points: list[tuple[int, float]]) -> list[list[float]]:
    """The points; a placement that came out luckier than a smaller one's counts as that one."""
    highest = itertools.accumulate((delay for _, delay in points), max)
    return [[size, round(delay, 3)] for (size, _), delay in zip(points, highest, strict=True)]


def _origin(family: str) -> dict[str, object]:
    tools = {"yosys": find_yosys().version}
    if family == "ecp5":
        return {
            "family": family,
            "part": " ".join(ecp5.DEVICE),
            "tools": tools | {"nextpnr-ecp5": find_nextpnr_ecp5().version},
            "source": "synth_ecp5, placed and routed by nextpnr; the slowest path from register to register",
            "assumption": "none: the wires are routed",
        }
    return {
        "family": family,
        "part": "Artix-7, speed grade -1: the slowest values that Project X-Ray found",
        "tools": tools,
        "source": "synth_xilinx -nodsp, mapped by abc -luts; cell delays of Yosys' xilinx/cells_sim.v",
        "assumption": f"a wire takes {xc7.WIRE_NS} ns, Yosys' allowance for ABC (abc9 -W 300), and "
        f"{xc7.FANOUT_GROWTH:.0%} more for each doubling of its sinks, as nextpnr routes on ECP5",
    }


def to_text(table: Mapping[str, object]) -> str:
    """The table as JSON with a line for each curve."""
    curves = table["curves"]
    assert isinstance(curves, dict)
    head = json.dumps({key: value for key, value in table.items() if key != "curves"}, indent=2)
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(curve)}" for name, curve in curves.items())
    return f'{head[:-2]},\n  "curves": {{\n{lines}\n  }}\n}}\n'


if __name__ == "__main__":
    raise SystemExit(main())
