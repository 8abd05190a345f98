"""Yosys makes of FIFOs and memories what the rule for memories says: look-up tables or block memory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.needs import require_yosys
from thresher.hardware.fifos import is_in_blocks
from thresher.share import share_dir
from thresher.tools.open_synthesis import yosys

# Width, depth, and by hand whether it is block memory: 128 look-up tables of 64 bits or more for each block.
FIFOS = (
    *((8, 2, False), (1, 9, False), (24, 17, False), (8, 64, False), (16, 181, False), (15, 512, False)),
    *((16, 512, True), (36, 512, True), (4, 2048, True)),
)
FIFO = """
  fifo #(.Width({width}), .Depth({depth}), .InBlocks(1'b{blocks:d})) u{index} (
    .ap_clk, .ap_rst_n, .s_axis_tdata(data[{top}:0]), .s_axis_tvalid(valid[{index}]),
    .s_axis_tready(ready[{index}]), .m_axis_tdata(beat{index}), .m_axis_tvalid(there[{index}]),
    .m_axis_tready(take[{index}])
  );"""
TOP = """module top (
  input logic ap_clk, ap_rst_n, input logic [35:0] data,
  input logic [{last}:0] valid, take, output logic [{last}:0] ready, there, {beats}
);{fifos}
endmodule
"""
SYNTHESIS = {
    "xc7": ("synth_xilinx -family xc7 -noiopad -noclkbuf -top top", "RAMB", r"RAM\d+(?:M|X1D)"),
    "ecp5": ("synth_ecp5 -top top", "DP16KD", "TRELLIS_DPR16X4"),
}


@pytest.mark.parametrize("family", SYNTHESIS)
def test_fifos_are_in_the_memory_of_the_rule(family: str, tmp_path: Path) -> None:
    require_yosys()
    command, block, table = SYNTHESIS[family]
    for cell in ("fifo.sv", "stream_register.sv"):
        text = (share_dir("rtl") / cell).read_text().replace("\nmodule", "\n(* keep_hierarchy *)\nmodule", 1)
        (tmp_path / cell).write_text(text)
    instances = [
        FIFO.format(width=width, depth=depth, top=width - 1, index=index, blocks=is_in_blocks(width, depth))
        for index, (width, depth, _) in enumerate(FIFOS)
    ]
    beats = ", ".join(
        f"output logic [{width - 1}:0] beat{index}" for index, (width, _, _) in enumerate(FIFOS)
    )
    (tmp_path / "top.sv").write_text(TOP.format(last=len(FIFOS) - 1, beats=beats, fifos="".join(instances)))
    read = "read_slang --threads 1 --keep-hierarchy --top top top.sv fifo.sv stream_register.sv"

    log = yosys(f"{read}\n{command}\nstat\n", tmp_path)

    parts = re.split(r"^=== (.*) ===$", log[log.rindex("Printing statistics") :], flags=re.M)
    cells = dict(zip(parts[1::2], parts[2::2], strict=True))
    for index, (width, depth, in_blocks) in enumerate(FIFOS):
        used = cells[f"fifo$top.u{index}"]
        assert bool(re.search(block, used)) == in_blocks, (width, depth)
        assert bool(re.search(table, used)) == (depth > 2 and not in_blocks), (width, depth)
