"""What hlsc prints, the cells and a generated top: accepted by every tool, and the same in Icarus."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyslang
import pytest

import thresher
from tests.hlsc.native import HLS, NativeUnits
from tests.hlsc.rtl import RTL
from tests.kernels.bench import make_bench
from tests.needs import missing, require_yosys
from tests.small_models import save_small_model
from thresher.hlsc import UnitSource, compile_unit
from thresher.ir.integer import IntArgMax, IntThreshold, TensorType
from thresher.kernels.argmax import Argmax
from thresher.kernels.threshold import Threshold
from thresher.tools.open_synthesis import yosys
from thresher_sim.streams import IntType
from thresher_sim.toolchain import verilator_environment

UNITS = Path(__file__).parent / "units.hpp"
STREAM_UNITS = Path(__file__).parent / "stream_units.hpp"
STREAMS = ("Signals", "Drop", "Spread", "Forward")
TABLES = ("LongTable", "ShortBlockTable")
NAMES = ("Wire", "MatrixVector", "Mixed", "Counter", "Awkward", "Language", "Blocks", *TABLES)
CLOCKS = (60.0, 240.0)
BEATS = 200

# Beats come and are taken at random; without a beat the data is undefined, which must do no harm.
ICARUS_BENCH = """
module bench;
  reg ap_clk = 0, ap_rst_n = 0;
  reg [{width}-1:0] beats [0:{beats}-1];
  reg [{width}-1:0] s_axis_tdata;
  reg s_axis_tvalid = 0, m_axis_tready = 0;
  wire [{result}-1:0] m_axis_tdata;
  wire s_axis_tready, m_axis_tvalid;
  integer next = 0, cycle = 0;

  {name} dut (
    .ap_clk(ap_clk), .ap_rst_n(ap_rst_n),
    .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready)
  );

  initial $readmemh("{name}.in", beats);
  always #5 ap_clk = !ap_clk;
  always @(posedge ap_clk) begin
    cycle <= cycle + 1;
    ap_rst_n <= cycle >= 3;
    m_axis_tready <= $urandom % 3 != 0;
    if (!s_axis_tvalid || s_axis_tready) begin
      if (ap_rst_n && next < {beats} && $urandom % 4 != 0) begin
        s_axis_tvalid <= 1;
        s_axis_tdata <= beats[next];
        next <= next + 1;
      end else begin
        s_axis_tvalid <= 0;
        s_axis_tdata <= 'bx;
      end
    end
    if (ap_rst_n && m_axis_tvalid && m_axis_tready) $display("%h", m_axis_tdata);
    if (cycle == 20 * {beats}) $finish;
  end
endmodule
"""


@dataclass(frozen=True)
class Sources:
    """SystemVerilog files in one folder; `tops` are the modules that no other instantiates."""

    folder: Path
    files: tuple[str, ...]
    tops: tuple[str, ...]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Units of each kind, the units and the top of a project, all cells."""
    folder = tmp_path_factory.mktemp("sources")
    project = thresher.build(save_small_model(folder / "small.onnx"), folder / "project").directory
    units = [path for path in project.glob("rtl/*.sv") if not (RTL / path.name).exists()]
    kernels = make_bench(folder / "kernels", [_threshold(), _argmax()], np.random.default_rng(0), 1)
    kernels.compile()
    units += (folder / "kernels" / "rtl").glob("*.sv")
    for path in (*units, *RTL.glob("*.sv")):
        shutil.copy(path, folder)
    for name in NAMES:
        for clock in CLOCKS:
            unit = compile_unit(_source(name), f"{name.lower()}_{clock:g}", clock)
            (folder / f"{unit.module_name}.sv").write_text(unit.verilog)
    for name in STREAMS:
        unit = compile_unit(UnitSource(STREAM_UNITS, f"streams::{name}", (HLS,)), name.lower(), CLOCKS[1])
        (folder / f"{unit.module_name}.sv").write_text(unit.verilog)
    files = sorted(path.name for path in folder.glob("*.sv"))
    return Sources(folder, tuple(files), tuple(name.removesuffix(".sv") for name in files))


def test_verilator_has_no_warning(sources: Sources) -> None:
    for file in sources.files:
        command = ["verilator", "--lint-only", "--quiet", "-Wall", "-y", ".", file]
        done = subprocess.run(
            command,
            cwd=sources.folder,
            env=verilator_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pyslang_has_no_diagnostic(sources: Sources) -> None:
    compilation = pyslang.ast.Compilation()
    for file in sources.files:
        compilation.addSyntaxTree(pyslang.syntax.SyntaxTree.fromFile(str(sources.folder / file)))

    assert [str(found.code) for found in compilation.getAllDiagnostics()] == []


def test_icarus_says_nothing(sources: Sources) -> None:
    _need_icarus()
    for top in sources.tops:
        command = ["iverilog", "-g2012", "-Wall", "-s", top, "-o", os.devnull, *sources.files]
        done = subprocess.run(command, cwd=sources.folder, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_both_parsers_of_yosys_read_it(sources: Sources) -> None:
    require_yosys()
    files = " ".join(sources.files)
    lines = [f"read_verilog -sv {files}", "design -save all"]
    for top in sources.tops:
        lines += ["design -load all", f"hierarchy -check -top {top}", "proc", "check -assert"]
    for top in sources.tops:
        lines += ["design -reset", f"read_slang --threads 1 --top {top} {files}"]
        lines += [f"hierarchy -check -top {top}", "proc", "check -assert"]

    yosys("\n".join(lines) + "\n", sources.folder)


@pytest.mark.parametrize(
    ("synthesis", "block"),
    [("synth_xilinx -flatten -noiopad -noclkbuf", "RAMB18E1"), ("synth_ecp5", "DP16KD")],
)
def test_block_memory_is_where_the_unit_has_it(sources: Sources, synthesis: str, block: str) -> None:
    require_yosys()
    lines = []
    tops = {"blocks_240": 2, "matrixvector_240": 0, "longtable_240": 0, "shortblocktable_240": 1}
    for top, blocks in tops.items():
        lines += ["design -reset", f"read_slang --threads 1 --top {top} {' '.join(sources.files)}"]
        lines += [f"{synthesis} -top {top}", f"select -assert-count {blocks} t:{block}"]

    yosys("\n".join(lines) + "\n", sources.folder)


@pytest.mark.parametrize("name", ["MatrixVector", "Blocks", "LongTable"])
def test_icarus_simulates_what_the_cpp_does(name: str, sources: Sources, tmp_path: Path) -> None:
    _need_icarus()
    unit = compile_unit(_source(name), name.lower(), CLOCKS[1])
    ((_, width),), ((_, result),) = unit.inputs, unit.outputs
    rng = random.Random(7)
    beats = [rng.getrandbits(width) for _ in range(BEATS)]
    bench = ICARUS_BENCH.format(name=unit.module_name, width=width, result=result, beats=BEATS)
    (tmp_path / "bench.v").write_text(bench)
    (tmp_path / "unit.sv").write_text(unit.verilog)
    (tmp_path / f"{unit.module_name}.in").write_text("".join(f"{beat:x}\n" for beat in beats))
    native = NativeUnits(tmp_path, UNITS, [f"units::{name}"])

    files = ["bench.v", "unit.sv", *(str(RTL / f"{cell}.sv") for cell in unit.cells)]
    _run(["iverilog", "-g2012", "-s", "bench", "-o", "bench.vvp", *files], tmp_path)
    lines = _run(["vvp", "-n", "bench.vvp"], tmp_path).split()

    wanted = native.run(0, unit.inputs, unit.outputs, {"s_axis": beats}, 100 * BEATS)
    assert wanted.blocked
    assert [int(line, 16) for line in lines] == wanted.outputs["m_axis"]


def _source(name: str) -> UnitSource:
    return UnitSource(UNITS, f"units::{name}", (HLS,))


def _threshold() -> Threshold:
    source = TensorType(IntType(-40, 55), 2, 6)
    steps = np.sort(np.random.default_rng(1).integers(-40, 56, (6, 3)), axis=1)
    target = TensorType(IntType(0, 3), 2, 6)
    return Threshold(IntThreshold("threshold", "x", "y", (), source, target, steps, np.zeros(6, bool)), 4)


def _argmax() -> Argmax:
    source, index = TensorType(IntType(-9, 9), 1, 10), TensorType(IntType(0, 9), 1, 1)
    return Argmax(IntArgMax("argmax", "x", "index", (), source, index), 3)


def _run(command: Sequence[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def _need_icarus() -> None:
    if shutil.which("iverilog") is None:
        missing("needs Icarus Verilog: apt-get install iverilog")
