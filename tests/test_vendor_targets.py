"""Vitis HLS' Verilog from the command line, and what a project's Makefile calls vendors' tools with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import thresher
from tests.small_models import save_small_model
from thresher.cli import main

FOLDING = {"mvu0": {"pe": 4, "simd": 5}, "mvu1": {"pe": 5, "simd": 3}}

# The accelerator's own SystemVerilog under the ports that Vitis HLS writes.
TOP = """
module accelerator (
    input ap_clk, input ap_rst_n,
    input [23:0] s_axis_TDATA, input s_axis_TVALID, output s_axis_TREADY,
    input [2:0] s_axis_TKEEP, input [2:0] s_axis_TSTRB, input [0:0] s_axis_TLAST,
    output [31:0] m_axis_TDATA, output m_axis_TVALID, input m_axis_TREADY,
    output [3:0] m_axis_TKEEP, output [3:0] m_axis_TSTRB, output [0:0] m_axis_TLAST
);
  accelerator_own u (
      .ap_clk(ap_clk), .ap_rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_TDATA), .s_axis_tvalid(s_axis_TVALID), .s_axis_tready(s_axis_TREADY),
      .m_axis_tdata(m_axis_TDATA), .m_axis_tvalid(m_axis_TVALID), .m_axis_tready(m_axis_TREADY),
      .m_axis_tlast(m_axis_TLAST)
  );
endmodule
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendor")
    model = save_small_model(folder / "small.onnx")
    thresher.build(model, folder / "project", folding=FOLDING)
    return folder / "project"


def test_the_verilog_of_vitis_hls_from_the_command_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verilog = project / "build" / "synth" / "vitis-hls" / "accelerator" / "solution" / "syn" / "verilog"
    verilog.mkdir(parents=True)
    (verilog / "accelerator.v").write_text(TOP)
    for path in (project / "rtl").glob("*.sv"):
        text = re.sub(r"\bmodule accelerator\b", "module accelerator_own", path.read_text())
        (verilog / f"own_{path.stem}.v").write_text(text)

    assert main(["sim", str(project), "--rtl", "vitis"]) == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "Verilog of Vitis HLS: 16 frames, 0 mismatches at the output, 9 cycles per frame, latency 17" in shown
    )
    assert "every beat of the input and the output equals the golden model (16 frames)" in shown
    simulation = thresher.load(project).report()["simulation"]
    assert list(simulation) == ["vitis"]
    assert (simulation["vitis"]["frames"], simulation["vitis"]["mismatches"]) == (16, 0)


def test_a_netlist_is_not_of_vitis_hls(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", str(project), "--rtl", "vitis", "--netlist"]) == 2
    assert capsys.readouterr().err == (
        "thresher: error: sim: a netlist is of the project's own RTL; leave --rtl or --netlist out\n"
    )


CALLS = {
    ("synth-vitis", "vitis_hls"): "vitis_hls -f synth/vitis_hls.tcl STEPS= LAYERS=",
    ("synth-vitis STEPS=csynth LAYERS=all", "vitis-run"): (
        "vitis-run --mode hls --tcl synth/vitis_hls.tcl STEPS=csynth LAYERS=all"
    ),
    ("synth-vivado", "vivado"): "synth/vivado.tcl",
    ("vivado-ip", "vivado"): "synth/vivado_ip.tcl",
    ("bitstream", "vivado"): "synth/vivado_board.tcl",
    ("synth-quartus", "quartus_sh"): "quartus_sh -t synth/quartus.tcl STEPS= LAYERS=",
}


@pytest.mark.parametrize(("target", "program"), CALLS)
def test_make_calls_the_tool(target: str, program: str, project: Path, tmp_path: Path) -> None:
    path = tmp_path / program
    path.write_text('#!/bin/sh\necho "$(basename "$0") $* STEPS=$THRESHER_STEPS LAYERS=$THRESHER_LAYERS"\n')
    path.chmod(0o755)
    done = subprocess.run(
        ["make", "-s", "-C", str(project), *target.split()],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"},
    )
    vivado = "vivado -mode batch -nojournal -log build/synth/vivado.log -source {} STEPS= LAYERS="
    expected = CALLS[target, program]
    assert done.stdout == f"{vivado.format(expected) if program == 'vivado' else expected}\n"
    assert (project / "synth" / re.search(r"\w+\.tcl", expected)[0]).is_file()  # type: ignore[index]
