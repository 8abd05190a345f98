"""`python -m bench.routing`: the clock that each unit reaches, routed for ECP5 by nextpnr."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.units import UNITS, compile_kernel
from thresher.hlsc import CompiledUnit
from thresher.tools import nextpnr_report
from thresher.tools.nextpnr_report import Hop
from thresher.tools.open_synthesis import find_nextpnr_ecp5, find_yosys, nextpnr_ecp5, yosys

DEVICE = ("--45k", "--package", "CABGA381", "--speed", "6")
TARGET_MHZ = 150.0
SEED = 1

# Few pins, whatever the widths: beats are shifted in, and come out folded. Every path of the unit runs
# from register to register: stream registers stand on both sides, and do not count among its own.
HARNESS = """\
module harness (
  input  logic ap_clk,
  input  logic rst_n_i,
  input  logic bit_i,
  input  logic valid_i,
  input  logic ready_i,
  output logic bit_o,
  output logic valid_o
);

  logic                 rst_n_q, bit_q, valid_q, ready_q;
  logic [{inputs}-1:0]  shift_q, in_tdata;
  logic [{outputs}-1:0] fold_q, unit_tdata, out_tdata;
  logic                 in_tvalid, in_tready, unit_tvalid, unit_tready, out_tvalid;

  always_ff @(posedge ap_clk) begin
    rst_n_q <= rst_n_i;
    bit_q <= bit_i;
    valid_q <= valid_i;
    ready_q <= ready_i;
    shift_q <= {inputs}'({{shift_q, bit_q}});
    fold_q <= out_tvalid ? out_tdata : fold_q >> 1;
    bit_o <= fold_q[0];
    valid_o <= out_tvalid;
  end

  stream_register #(.Width({inputs})) u_in (
    .ap_clk, .ap_rst_n(rst_n_q), .s_axis_tdata(shift_q), .s_axis_tvalid(valid_q), .s_axis_tready(),
    .m_axis_tdata(in_tdata), .m_axis_tvalid(in_tvalid), .m_axis_tready(in_tready)
  );

  {unit} u_unit (
    .ap_clk, .ap_rst_n(rst_n_q),
    .s_axis_tdata(in_tdata), .s_axis_tvalid(in_tvalid), .s_axis_tready(in_tready),
    .m_axis_tdata(unit_tdata), .m_axis_tvalid(unit_tvalid), .m_axis_tready(unit_tready)
  );

  stream_register #(.Width({outputs})) u_out (
    .ap_clk, .ap_rst_n(rst_n_q),
    .s_axis_tdata(unit_tdata), .s_axis_tvalid(unit_tvalid), .s_axis_tready(unit_tready),
    .m_axis_tdata(out_tdata), .m_axis_tvalid(out_tvalid), .m_axis_tready(ready_q)
  );

endmodule
"""


@dataclass(frozen=True)
class Routed:
    """A unit as routed; LUTs (of four inputs) and registers are those of unit and harness."""

    unit: str
    target_mhz: float
    stages: int
    fmax_mhz: float
    lut4: int
    ff: int
    block_memories: int
    critical_path: tuple[Hop, ...]
    yosys_seconds: float
    nextpnr_seconds: float


def main() -> int:
    """Route the units and return the exit code: 1 if one misses its target."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__)
    parser.add_argument("units", nargs="*", metavar="UNIT", help=f"of {', '.join(UNITS)}; all at first")
    parser.add_argument("--clock-mhz", type=float, default=TARGET_MHZ, help="the target")
    parser.add_argument("--output", type=Path, default=Path("build/routing"), help="folder to work in")
    parser.add_argument("--json", type=Path, default=Path("build/routing.json"), help="file for the figures")
    arguments = parser.parse_args()
    if unknown := set(arguments.units) - set(UNITS):
        parser.error(f"no unit {', '.join(sorted(unknown))}; choose of {', '.join(UNITS)}")
    console = Console()
    results = []
    for name in arguments.units or UNITS:
        with console.status(f"{name} ..."):
            results.append(route(name, arguments.output / name, arguments.clock_mhz))
        console.print(describe(results[-1]), highlight=False, soft_wrap=True)
    console.print(table(results))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    tools = {"yosys": find_yosys().version, "nextpnr-ecp5": find_nextpnr_ecp5().version}
    figures = {"tools": tools, "device": DEVICE, "units": [asdict(routed) for routed in results]}
    arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {arguments.json}.")
    return 1 if any(routed.fmax_mhz < routed.target_mhz for routed in results) else 0


def route(name: str, folder: Path, clock_mhz: float) -> Routed:
    """Compile, synthesise, place and route one of `UNITS`."""
    folder.mkdir(parents=True, exist_ok=True)
    unit = compile_kernel(name, UNITS[name](), folder, clock_mhz, "ecp5")
    yosys_seconds = synthesise(unit, folder)
    started = time.perf_counter()
    nextpnr_ecp5(
        [
            *DEVICE,
            *("--json", "harness.json", "--report", "report.json", "--freq", f"{clock_mhz:g}"),
            *("--seed", str(SEED), "--timing-allow-fail", "--lpf-allow-unconstrained"),
        ],
        folder,
    )  # fmt: skip
    nextpnr_seconds = time.perf_counter() - started
    return read_report(folder / "report.json", unit, clock_mhz, yosys_seconds, nextpnr_seconds)


def synthesise(unit: CompiledUnit, folder: Path) -> float:
    """Write the harness, map both to ECP5, and return the seconds it took."""
    (_, inputs), (_, outputs) = unit.inputs[0], unit.outputs[0]
    text = HARNESS.format(unit=unit.module_name, inputs=inputs, outputs=outputs)
    (folder / "harness.sv").write_text(text, encoding="utf-8")
    cells = " ".join(sorted({f"{cell}.sv" for cell in unit.cells} | {"stream_register.sv"}))
    started = time.perf_counter()
    yosys(
        f"read_slang --threads 1 --top harness harness.sv {unit.module_name}.sv {cells}\n"
        "synth_ecp5 -top harness -json harness.json\n",
        folder,
    )
    return time.perf_counter() - started


def read_report(
    path: Path, unit: CompiledUnit, clock_mhz: float, yosys_seconds: float, nextpnr_seconds: float
) -> Routed:
    """The figures of nextpnr's report."""
    design = nextpnr_report.read_report(path)
    return Routed(
        unit=unit.module_name,
        target_mhz=clock_mhz,
        stages=unit.stages,
        fmax_mhz=design.fmax_mhz,
        lut4=design.used["TRELLIS_COMB"],
        ff=design.used["TRELLIS_FF"],
        block_memories=design.used["DP16KD"],
        critical_path=design.critical_path,
        yosys_seconds=round(yosys_seconds, 1),
        nextpnr_seconds=round(nextpnr_seconds, 1),
    )


def describe(routed: Routed) -> str:
    """The slowest path, a line each for the wires."""
    hops = [
        f"  {hop.until_ns:5.2f} ns (logic {hop.logic_ns:.2f}, wire {hop.wire_ns:.2f})  {hop.wire}  {hop.line}"
        for hop in routed.critical_path
    ]
    return "\n".join([f"{routed.unit}: {routed.fmax_mhz:g} MHz; the slowest path:", *hops])


def table(results: list[Routed]) -> Table:
    """One row a unit."""
    result = Table(title="Routed for ECP5 (nextpnr, 45k, speed grade 6)")
    result.add_column("unit")
    for column in ("target MHz", "Fmax MHz", "stages", "LUT4", "FF", "Yosys s", "nextpnr s"):
        result.add_column(column, justify="right")
    for routed in results:
        mark = "" if routed.fmax_mhz >= routed.target_mhz else " (misses)"
        result.add_row(
            routed.unit,
            f"{routed.target_mhz:g}",
            f"{routed.fmax_mhz:g}{mark}",
            *(str(figure) for figure in (routed.stages, routed.lut4, routed.ff)),
            *(f"{seconds:.0f}" for seconds in (routed.yosys_seconds, routed.nextpnr_seconds)),
        )
    return result


if __name__ == "__main__":
    raise SystemExit(main())
