"""Run many modules in one Verilator model, each under its own random stalls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thresher_sim.signals import Signals, fields
from thresher_sim.toolchain import verilator_environment

RTL = Path(__file__).resolve().parents[2] / "rtl"

_BENCH = """
/* verilator lint_off DECLFILENAME */
/* verilator lint_off MULTITOP */
/* verilator lint_off UNSIGNED */
/* verilator lint_off WIDTHTRUNC */
/* verilator lint_off WIDTHEXPAND */
module beat_source #(
  parameter int Width = 1, parameter int Count = 1, parameter int Idle = 0, parameter string File = ""
) (
  input logic clk, input logic rst_n,
  output logic [Width-1:0] tdata, output logic tvalid, input logic tready
);
  logic [Width-1:0] beats[Count + 1];
  int unsigned next;
  bit freely;
  initial freely = $test$plusargs("freely") != 0;
  initial $readmemh(File, beats);
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      next <= 0;
      tvalid <= 1'b0;
    end else if (!tvalid || tready) begin
      if (next < Count && (freely || $urandom_range(99) >= Idle)) begin
        tvalid <= 1'b1;
        tdata <= beats[next];
        next <= next + 1;
      end else begin
        tvalid <= 1'b0;
        tdata <= ~tdata;
      end
    end
  end
endmodule

module beat_sink #(
  parameter int Width = 1, parameter int Busy = 0, parameter string File = ""
) (
  input logic clk, input logic rst_n,
  input logic [Width-1:0] tdata, input logic tvalid, output logic tready
);
  int file;
  logic held;
  logic [Width-1:0] held_data;
  bit freely;
  initial freely = $test$plusargs("freely") != 0;
  initial file = $fopen(File, "w");
  always_ff @(posedge clk) begin
    tready <= rst_n && (freely || $urandom_range(99) >= Busy);
    held <= rst_n && tvalid && !tready;
    held_data <= tdata;
    if (rst_n && held && (!tvalid || tdata != held_data))
      $fatal(1, "%m: a beat that was offered was changed");
    if (rst_n && tvalid && tready) $fdisplay(file, "%h", tdata);
  end
  final $fclose(file);
endmodule
"""

_MAIN = """
#include "Vbench.h"
#include "verilated.h"
int main(int argc, char** argv) {
  VerilatedContext context;
  context.commandArgs(argc, argv);
  Vbench bench{&context};
  const long cycles = atol(argv[1]);
  for (long cycle = 0; cycle < cycles && !context.gotFinish(); ++cycle) {
    bench.rst_n = cycle >= 4;
    bench.clk = 0; bench.eval();
    bench.clk = 1; bench.eval();
    context.timeInc(1);
  }
  bench.final();
}
"""


_MAKE = f"PYTHON3={sys.executable} CXX=g++ LINK=g++ OPT_FAST=-O0 CFG_CXXFLAGS_PCH_I=-include"


class BuildError(Exception):
    """Verilator or the C++ compiler refused the modules, or warned; the text is what they said."""


@dataclass(frozen=True)
class Module:
    """A module with AXI4-Streams; ports are (name, bits). `parameters` is `.A(1), .B(2)`.

    `beats` is the number of beats of inputs that get fewer than the most.
    `signals` are those of the streams that have more than data.
    """

    name: str
    inputs: Sequence[tuple[str, int]]
    outputs: Sequence[tuple[str, int]]
    parameters: str = ""
    idle: int = 0
    busy: int = 0
    beats: Mapping[str, int] = field(default_factory=dict)
    signals: Mapping[str, Signals] = field(default_factory=dict)


class RtlModules:
    """Modules built together. `run` feeds each its streams and returns what came out of each.

    With `random_start` everything that no reset reaches holds a random value at first, else 0.
    """

    def __init__(
        self,
        folder: Path,
        modules: Sequence[Module],
        sources: Sequence[Path],
        most_beats: int,
        jobs: int = 2,
        random_start: bool = False,
    ) -> None:
        self._folder = folder
        self._modules = modules
        self._beats = most_beats
        instances = "\n".join(self._instance(index, module) for index, module in enumerate(modules))
        bench = f"{_BENCH}\nmodule bench (input logic clk, input logic rst_n);\n{instances}\nendmodule\n"
        (folder / "bench.sv").write_text(bench)
        (folder / "main.cpp").write_text(_MAIN)
        command = ["verilator", "--cc", "--exe", "--build", "--quiet", "-Wall", "-j", str(jobs), "-O1"]
        command += [
            "--x-initial",
            "unique" if random_start else "fast",
            "--timescale",
            "1ns/1ns",
            "--MAKEFLAGS",
            _MAKE,
        ]
        command += ["--top-module", "bench", "-y", str(RTL), "--Mdir", str(folder / "model")]
        command += [str(path) for path in (folder / "bench.sv", *sources, folder / "main.cpp")]
        done = subprocess.run(
            command, env=verilator_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BuildError(done.stderr)

    def run(
        self,
        streams: Sequence[Mapping[str, Sequence[int]]],
        cycles: int,
        seed: int = 1,
        stalled: bool = True,
    ) -> list[dict[str, list[int]]]:
        """Feed `streams[i]` to module i; return the beats that came out of each.

        Unless `stalled`, every beat comes and is taken as soon as it can be.
        """
        for index, module in enumerate(self._modules):
            for name, _ in module.inputs:
                beats = list(streams[index][name])
                padding = [0] * (module.beats.get(name, self._beats) + 1 - len(beats))
                text = "\n".join(f"{beat:x}" for beat in beats + padding)
                (self._folder / f"{index}_{name}.in").write_text(text + "\n")
        model = self._folder / "model" / "Vbench"
        subprocess.run(
            [
                *(model, str(cycles), f"+verilator+seed+{seed}", "+verilator+rand+reset+2"),
                *([] if stalled else ["+freely"]),
            ],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        return [
            {name: self._read(self._folder / f"{index}_{name}.out") for name, _ in module.outputs}
            for index, module in enumerate(self._modules)
        ]

    def _read(self, path: Path) -> list[int]:
        return [int(line, 16) for line in path.read_text().split()]

    def _instance(self, index: int, module: Module) -> str:
        lines, connections = [], [".ap_clk(clk)", ".ap_rst_n(rst_n)"]
        for name, width in (*module.inputs, *module.outputs):
            wire = f"w{index}_{name}"
            lines.append(f"  logic [{width - 1}:0] {wire}_tdata; logic {wire}_tvalid, {wire}_tready;")
            connections += [f".{name}_t{part}({wire}_t{part})" for part in ("valid", "ready")]
            for signal in fields(width, module.signals.get(name, ())):
                bits = f"{signal.low + signal.width - 1}:{signal.low}"
                connections.append(f".{name}_t{signal.name}({wire}_tdata[{bits}])")
            common = f".clk, .rst_n, .tdata({wire}_tdata), .tvalid({wire}_tvalid), .tready({wire}_tready)"
            file = f'.File("{index}_{name}'
            if (name, width) in module.inputs:
                count = module.beats.get(name, self._beats)
                settings = f'.Width({width}), .Count({count}), .Idle({module.idle}), {file}.in")'
                lines.append(f"  beat_source #({settings}) source_{wire} ({common});")
            else:
                settings = f'.Width({width}), .Busy({module.busy}), {file}.out")'
                lines.append(f"  beat_sink #({settings}) sink_{wire} ({common});")
        parameters = f" #({module.parameters})" if module.parameters else ""
        return "\n".join([*lines, f"  {module.name}{parameters} u{index} ({', '.join(connections)});"])
