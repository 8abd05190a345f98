"""The accelerator as an IP: `tlast` of frames, or of batches as a DMA wants it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import thresher
from tests.needs import missing
from tests.small_models import save_small_model
from thresher_sim.project import Project, Stream
from thresher_sim.rtl import RtlOptions, simulate_lanes, sv_files
from thresher_sim.testbench import Lane
from thresher_sim.vectors import beats_path

FOLDING = {"mvu0": {"pe": 4, "simd": 5}, "mvu1": {"pe": 5, "simd": 3}}
BATCH = 4

# The IP under the ports of the bench. `last` comes with the last beat of each batch, as a DMA sends it.
AROUND = """
module {name} (
    input logic ap_clk, input logic ap_rst_n,
    input logic [23:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
    output logic [31:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready,
    output logic m_axis_tlast
);
  int beat;
  wire last = beat == {beats} - 1;
  always_ff @(posedge ap_clk)
    if (!ap_rst_n) beat <= 0;
    else if (s_axis_tvalid && s_axis_tready) beat <= last ? 0 : beat + 1;
  accelerator_ip #(.BATCH_TLAST({batch})) u (.s_axis_tlast(last && s_axis_tvalid), .*);
endmodule
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("ip")
    model = save_small_model(folder / "small.onnx")
    built: Project = thresher.build(model, folder / "project", folding=FOLDING).project
    return built


def batched(stream: Stream, frames: int, name: str) -> Stream:
    """The stream with so many frames taken as one, which is what its `tlast` then has to mark."""
    layout = replace(stream.layout, vectors=stream.layout.vectors * frames)
    return replace(stream, name=f"{name}_{stream.name}", layout=layout, depth=None)


@pytest.mark.parametrize("stall", [0, 60])
def test_tlast_ends_a_frame_or_a_batch(stall: int, project: Project, tmp_path: Path) -> None:
    lanes, sources = [], [*sv_files(project.root / "rtl"), *sorted((project.root / "synth").glob("*.*v"))]
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    for name, batch, frames in (("frames", 0, 1), ("batches", 1, BATCH)):
        ends = [batched(stream, frames, name) for stream in (project.input, project.output)]
        for stream, end in zip((project.input, project.output), ends, strict=True):
            beats_path(vectors, end).write_bytes(beats_path(project.vectors, stream).read_bytes())
        lanes.append(Lane(name, f"dut_{name}", (ends[0],), (ends[1],), has_last=True, pad_edges=True))
        text = AROUND.format(name=name, batch=batch, beats=project.input.layout.beats_per_frame * BATCH)
        (tmp_path / f"{name}.sv").write_text(text)
        sources.append(tmp_path / f"{name}.sv")

    # A `tlast` that is missing or too many is an error of the bench.
    result = simulate_lanes(
        lanes, sources, vectors, tmp_path / "results", project.build / "ip", 4, RtlOptions(stall=stall)
    )

    assert [(stream.name, stream.beats, stream.wrong) for stream in result.comparison.streams] == [
        ("frames_s_axis", 12, 0),
        ("frames_m_axis", 4, 0),
        ("batches_s_axis", 48, 0),
        ("batches_m_axis", 16, 0),
    ]


def test_the_top_of_the_ip_is_plain_verilog(project: Project) -> None:
    """Vivado takes no SystemVerilog as the top of an IP."""
    if shutil.which("iverilog") is None:
        missing("needs Icarus Verilog: apt-get install iverilog")
    top = project.root / "synth" / "accelerator_ip.v"
    done = subprocess.run(
        ["iverilog", "-g2005", "-i", "-t", "null", str(top)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
