"""Estimate on xc7: Yosys maps the cases, and arcs of its cell models are added up along their paths.

No open tool places and routes xc7. The cell delays are those of Yosys' `xilinx/cells_sim.v`, which
Project X-Ray extracted from the vendor's tool; the wires' are an assumption: `WIRE_NS`, the allowance
per wire that Yosys gives ABC for xc7, more for a net of many sinks.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from bench.delays.cases import Case, read_cases
from thresher.errors import ToolFailedError
from thresher.tools.open_synthesis import yosys

WIRE_NS = 0.3
FANOUT_GROWTH = 0.17
"""What every doubling of a net's sinks adds to its wire, of `WIRE_NS`: as nextpnr routes it on ECP5."""
REGISTER = "FDRE"
LIBRARY = "+/xilinx/cells_sim.v"

Pin = tuple[str, int]
"""A port of a cell's model and the bit of it."""

SAME_SLICE = {
    ("CARRY4", "CI"),
    ("CARRY4", "S"),
    ("MUXF7", "I0"),
    ("MUXF7", "I1"),
    ("MUXF8", "I0"),
    ("MUXF8", "I1"),
}
"""Inputs that are wired to their drivers within a slice."""


@dataclass(frozen=True)
class Model:
    """The nanoseconds of a cell: through it, from its clock to an output, before its clock."""

    arcs: Mapping[Pin, Mapping[Pin, float]]
    clock_to: Mapping[Pin, float]
    setup: Mapping[Pin, float]


def measure(cases: Sequence[Case], folder: Path) -> tuple[dict[Case, float], float]:
    """The nanoseconds from clock edge to clock edge of each case, and those of which registers take."""
    netlists = synthesise(cases, folder)
    library = models(
        {cell["type"] for module in netlists.values() for cell in module["cells"].values()}, folder
    )
    register = library[REGISTER]
    return (
        {case: slowest_path_ns(netlists[case.name], library) for case in cases},
        register.clock_to["Q", 0] + register.setup["D", 0],
    )


def slowest_path_ns(
    module: Mapping[str, Any], library: Mapping[str, Model], wire_ns: float = WIRE_NS
) -> float:
    """The slowest path to a register of `y_q`, from the clock edge on."""
    return _Timing(module, library, wire_ns).slowest(set(module["netnames"]["y_q"]["bits"]))


def synthesise(group: Sequence[Case], folder: Path) -> dict[str, Any]:
    """The modules of the cases, mapped; pins' and clocks' buffers are left out.

    ABC maps them as it does for other parts: each for itself, for depth, without the wide multiplexers.
    """
    wires = "".join(
        f"  {case.name} u_{case.name} (.clk_i, .io_clk_i, .bit_i, .bit_o(bits_o[{place}]));\n"
        for place, case in enumerate(group)
    )
    ports = f"input wire clk_i, io_clk_i, bit_i, output wire [{len(group) - 1}:0] bits_o"
    (folder / "top.sv").write_text(f"module top ({ports});\n{wires}endmodule\n", encoding="utf-8")
    block_memory = any(case.needs_block_memory for case in group)
    yosys(
        f"{read_cases(group, folder)}read_verilog -sv top.sv\n{map_commands('top', block_memory)}"
        "proc =*\nwrite_json netlist.json\n",
        folder,
    )
    netlist: dict[str, Any] = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))
    return {case.name: netlist["modules"][case.name] for case in group}


def map_commands(top: str, block_memory: bool = False) -> str:
    """The Yosys commands that map a design to xc7's cells, whatever keeps its hierarchy for itself."""
    options = f"-family xc7 -top {top} -flatten -nosrl -nodsp -noclkbuf -noiopad"
    return (
        f"synth_xilinx {options} {'' if block_memory else '-nobram'} -run begin:map_luts\n"
        "abc -luts 2:2,3,6:5\n"
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6\n"
        "clean\n"
    )


def models(kinds: Iterable[str], folder: Path) -> dict[str, Model]:
    """The timing models of kinds of Yosys' xc7 cells."""
    yosys(f"read_verilog -lib -specify {LIBRARY}\nproc =*\nwrite_json library.json\n", folder)
    library = json.loads((folder / "library.json").read_text(encoding="utf-8"))
    return {kind: _model(library["modules"][kind]) for kind in kinds}


def _model(module: Mapping[str, Any]) -> Model:
    pins = {
        bit: (port, place)
        for port, signal in module["ports"].items()
        for place, bit in enumerate(signal["bits"])
    }
    arcs: dict[Pin, dict[Pin, float]] = {}
    clock_to: dict[Pin, float] = {}
    setup: dict[Pin, float] = {}
    for cell in module["cells"].values():
        parameters, wires = cell["parameters"], cell["connections"]
        sources = [pins[bit] for bit in wires.get("SRC", ()) if bit in pins]
        targets = [pins[bit] for bit in wires.get("DST", ()) if bit in pins]
        if cell["type"] == "$specrule" and parameters["TYPE"] == "$setup":
            for source in sources:
                setup[source] = max(setup.get(source, 0.0), _ns(parameters["T_LIMIT_MAX"]))
        elif cell["type"] in ("$specify2", "$specify3"):
            delay = max(_ns(parameters["T_RISE_MAX"]), _ns(parameters["T_FALL_MAX"]))
            full = int(parameters["FULL"], 2)
            pairs = (
                [(a, b) for a in sources for b in targets] if full else zip(sources, targets, strict=False)
            )
            for source, target in pairs:
                if cell["type"] == "$specify2":
                    into = arcs.setdefault(target, {})
                    into[source] = max(into.get(source, 0.0), delay)
            if cell["type"] == "$specify3":
                for target in targets:
                    clock_to[target] = max(clock_to.get(target, 0.0), delay)
    return Model(arcs, clock_to, setup)


def _ns(picoseconds: str) -> float:
    return int(picoseconds, 2) / 1000.0


class _Timing:
    """Arrival times of a mapped module's nets."""

    def __init__(self, module: Mapping[str, Any], library: Mapping[str, Model], wire_ns: float) -> None:
        self._wire_ns = wire_ns
        self._cells: Mapping[str, Any] = module["cells"]
        self._library = library
        self._sinks: Counter[int] = Counter()
        self._drivers: dict[int, tuple[str, Pin]] = {}
        for name, cell in self._cells.items():
            for port, bits in cell["connections"].items():
                for place, bit in enumerate(bits):
                    if cell["port_directions"][port] == "output":
                        self._drivers[bit] = (name, (port, place))
                    else:
                        self._sinks[bit] += 1
        self._arrival: dict[int, float] = {}
        order = TopologicalSorter(
            {bit: [source for source, _, _ in self._into(bit)] for bit in self._drivers}
        )
        for bit in order.static_order():
            self._arrival[bit] = self._when(bit)

    def slowest(self, registered: set[int]) -> float:
        """The latest that a register with an output among `registered` has its data, set-up included."""
        model = self._library[REGISTER]
        return max(
            self._arrival[bit] + self._wire(bit, cell["type"], "D") + model.setup["D", 0]
            for cell in self._cells.values()
            if cell["type"] == REGISTER and registered.issuperset(cell["connections"]["Q"])
            for bit in cell["connections"]["D"]
            if bit in self._arrival
        )

    def _into(self, bit: int) -> Iterator[tuple[int, str, float]]:
        """The nets that a net is computed from, the port that each goes through and its delay."""
        if bit not in self._drivers:
            return
        name, pin = self._drivers[bit]
        cell = self._cells[name]
        for (port, place), delay in self._model(cell["type"]).arcs.get(pin, {}).items():
            for source in cell["connections"].get(port, [])[place : place + 1]:
                if source in self._drivers:
                    yield source, port, delay

    def _when(self, bit: int) -> float:
        if bit not in self._drivers:
            return 0.0
        name, pin = self._drivers[bit]
        kind = self._cells[name]["type"]
        start = self._model(kind).clock_to.get(pin, 0.0)
        through = (
            self._arrival[source] + self._wire(source, kind, port) + delay
            for source, port, delay in self._into(bit)
        )
        return max([start, *through])

    def _wire(self, bit: int, kind: str, port: str) -> float:
        """The wire of a net to an input; none where the two lie in one slice."""
        driver = self._cells[self._drivers[bit][0]]["type"]
        same_slice = (kind, port) in SAME_SLICE or (kind == REGISTER and driver != REGISTER)
        if same_slice and self._sinks[bit] == 1:
            return 0.0
        return self._wire_ns * (1.0 + FANOUT_GROWTH * math.log2(self._sinks[bit]))

    def _model(self, kind: str) -> Model:
        model = self._library[kind]
        if not (model.arcs or model.clock_to):
            raise ToolFailedError(f"bench: Yosys has no timing for {kind}; measure without it")
        return model
