"""Yosys makes of FIFOs and memories what the rule says: look-up tables or block memory, and of two ports."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


ACCESS = """input logic clk, read, input logic [1:0] write,
  input logic [1:0][9:0] write_address, read_address, input logic [1:0][35:0] data"""


@dataclass(frozen=True)
class Ram:
    """A cell with initial words, and the block memories and memories of look-up tables of each family."""

    cell: str
    width: int
    depth: int
    made: dict[str, dict[str, int]]

    @property
    def ports(self) -> int:
        return 2 if self.cell == "dual_port_ram" else 1

    def text(self, index: int) -> str:
        """An instance, and a port that reads a bit of each word."""
        bits = (self.depth - 1).bit_length()
        words = ", ".join(
            f"{self.width}'d{address % 2 ** min(self.width, 16)}" for address in range(self.depth)
        )
        packed = self.cell in ("ram", "block_ram")
        first = "[0]" if packed else ""
        address = f"write_address[0][{bits - 1}:0]"
        addresses = address if packed else f"{{write_address[1][{bits - 1}:0], {address}}}"
        data = f"data[0][{self.width - 1}:0]"
        datas = data if packed else f"{{data[1][{self.width - 1}:0], {data}}}"
        read = f"read_address[0][{bits - 1}:0]"
        reads = f"{{read_address[1][{bits - 1}:0], {read}}}" if self.ports == 2 else read
        enable = "" if self.cell in ("ram", "two_write_ram") else ".read_i(read), "
        parameters = f".Width({self.width}), .Depth({self.depth}), .Filled(1'b1), .Initial({{{words}}})"
        return (
            f"  {self.cell} #({parameters}) u{index} (.clk_i(clk), .write_i(write{first}), "
            f".write_address_i({addresses}), .write_data_i({datas}), {enable}"
            f".read_address_i({reads}), .read_data_o(word{index}));"
        )


RAMS = (
    Ram("ram", 8, 64, {"xc7": {"RAM64M": 3}, "ecp5": {"TRELLIS_DPR16X4": 8}}),
    Ram("block_ram", 36, 512, {"xc7": {"RAMB18E1": 1}, "ecp5": {"DP16KD": 1}}),
    Ram("dual_port_ram", 18, 1024, {"xc7": {"RAMB18E1": 1}, "ecp5": {"DP16KD": 1}}),
    Ram("dual_port_ram", 36, 1024, {"xc7": {"RAMB36E1": 1}, "ecp5": {"DP16KD": 2}}),
    Ram("two_write_ram", 6, 16, {"xc7": {"RAM32M": 6}, "ecp5": {"TRELLIS_DPR16X4": 8}}),
    Ram(
        *("two_write_block_ram", 18, 512),
        {"xc7": {"RAMB18E1": 2, "RAM64M": 32}, "ecp5": {"DP16KD": 2, "TRELLIS_DPR16X4": 128}},
    ),
)


@pytest.mark.parametrize("family", SYNTHESIS)
def test_memories_are_the_cells_of_their_ports(family: str, tmp_path: Path) -> None:
    require_yosys()
    cells = ("ram", "block_ram", "dual_port_ram", "last_writer", "two_write_ram", "two_write_block_ram")
    for cell in cells:
        (tmp_path / f"{cell}.sv").write_bytes((share_dir("rtl") / f"{cell}.sv").read_bytes())
    words = [
        f"output logic {'[1:0]' if ram.ports == 2 else ''}[{ram.width - 1}:0] word{index}"
        for index, ram in enumerate(RAMS)
    ]
    tops = [
        f"(* keep_hierarchy *) module only{index} ({ACCESS}, {words[index]});\n{ram.text(index)}\nendmodule\n"
        for index, ram in enumerate(RAMS)
    ]
    instances = [f"  only{index} u{index} (.*);\n" for index in range(len(RAMS))]
    top = ["module top (", ", ".join([ACCESS, *words]), ");\n", *instances, "endmodule\n"]
    (tmp_path / "top.sv").write_text("".join([*tops, *top]))
    command = SYNTHESIS[family][0] + (" -flatten" if family == "xc7" else "")
    sources = " ".join(f"{cell}.sv" for cell in cells)
    read = f"read_slang --threads 1 --best-effort-hierarchy --top top top.sv {sources}"

    log = yosys(f"{read}\n{command}\nstat\n", tmp_path)

    parts = re.split(r"^=== (.*) ===$", log[log.rindex("Printing statistics") :], flags=re.M)
    used = dict(zip(parts[1::2], parts[2::2], strict=True))
    for index, ram in enumerate(RAMS):
        ((_, text),) = [(name, text) for name, text in used.items() if name.startswith(f"only{index}")]
        found = re.findall(r"^\s+(\d+)\s+(?:[\d.e+]+\s+)?(RAM\w+|DP16KD|TRELLIS_DPR16X4)$", text, re.M)
        assert {name: int(count) for count, name in found} == ram.made[family], ram
