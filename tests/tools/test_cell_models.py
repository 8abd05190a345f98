"""Block memories and multipliers as Yosys maps them, by the models of their cells, against Python."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.needs import require_yosys
from thresher.emit.yosys import yosys_script
from thresher.share import share_dir
from thresher.tools.open_synthesis import yosys
from thresher.tools.yosys_log import read_cells
from thresher_sim.netlist import CELLS
from thresher_sim.project import Stream
from thresher_sim.rtl import simulate_lanes
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.testbench import Lane
from thresher_sim.toolchain import find_yosys_cells
from thresher_sim.vectors import write_frames

BEATS = 600
FIELDS = (("write", 1), ("write_address", 14), ("read_address", 14), ("data", 72))
# Width and depth of each memory: parts of a byte, bytes, a word of one port, and of both ports together.
SHAPES = ((1, 16384), (4, 4096), (9, 2048), (18, 1024), (36, 512), (72, 512))
ROM = (18, 512)
# What each family has of block memories for these.
BLOCKS = {
    "xc7": {"RAMB18E1": 6, "RAMB36E1": 1, "DSP48E1": 2},
    "ecp5": {"DP16KD": 8, "MULT18X18D": 2},
}

MEMORY = """
  block_ram #(.Width({width}), .Depth({depth})) u{index} (
    .clk_i(ap_clk), .write_i(accepted && write), .write_address_i(write_address[{high}:0]),
    .write_data_i(data[{width}-1:0]), .read_i(accepted), .read_address_i(read_address[{high}:0]),
    .read_data_o(m_axis_tdata[{low}+:{width}])
  );
"""
MODULE = """
module memories (
  input logic ap_clk, input logic ap_rst_n,
  input logic [103:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [{bits}-1:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready
);
  logic write, accepted;
  logic [13:0] write_address, read_address;
  logic [71:0] data;
  assign {{write, write_address, read_address, data}} = s_axis_tdata[100:0];
  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;
  assign accepted = s_axis_tvalid && s_axis_tready;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) m_axis_tvalid <= 1'b0;
    else if (s_axis_tready) m_axis_tvalid <= accepted;
  end
{memories}
  (* rom_style = "block" *) logic [{rom}-1:0] word;
  always_ff @(posedge ap_clk) begin
    if (accepted) begin
      case (read_address[8:0])
{rows}
      endcase
    end
  end
  logic signed [35:0] signed_q;
  logic [31:0] unsigned_q;
  always_ff @(posedge ap_clk) begin
    if (accepted) begin
      signed_q <= $signed(data[17:0]) * $signed(data[35:18]);
      unsigned_q <= data[15:0] * data[31:16];
    end
  end
  assign m_axis_tdata[{low}+:{rom}+68] = {{unsigned_q, signed_q, word}};
  assign m_axis_tdata[{bits}-1:{end}] = '0;
endmodule
"""


@dataclass(frozen=True)
class Beats:
    """A stream's beats as bytes `[1, beats, bytes]`."""

    stream: Stream
    beats: np.ndarray


def rom_words() -> list[int]:
    rng = random.Random(5)
    return [rng.getrandbits(ROM[0]) for _ in range(ROM[1])]


def module_text(bits: int) -> str:
    lows = np.cumsum([0, *(width for width, _ in SHAPES)])
    memories = [
        MEMORY.format(width=width, depth=depth, index=index, low=low, high=(depth - 1).bit_length() - 1)
        for index, ((width, depth), low) in enumerate(zip(SHAPES, lows[:-1], strict=True))
    ]
    rows = [f"        9'd{address}: word <= 18'd{word};" for address, word in enumerate(rom_words())]
    end = lows[-1] + ROM[0] + 36 + 32
    return MODULE.format(
        bits=bits, memories="".join(memories), rows="\n".join(rows), rom=ROM[0], low=lows[-1], end=end
    )


def signed(data: int) -> int:
    """The low 18 bits in two's complement."""
    return (data & 0x1FFFF) - (data & 0x20000)


def golden() -> tuple[list[int], list[int]]:
    """Beats in and out: few addresses, so that what was written is read, and in the very cycle too."""
    rng = random.Random(7)
    addresses = [rng.getrandbits(14) for _ in range(8)]
    memories: list[dict[int, int]] = [{} for _ in SHAPES]
    words = rom_words()
    beats, results = [], []
    for beat in range(BEATS):
        # A word is undefined until it is written; reads stay with what is.
        known = addresses[: max(1, min(beat, 8))]
        write = beat < 8 or rng.random() < 0.5
        write_address = addresses[beat] if beat < 8 else rng.choice(addresses)
        read_address = rng.choice(known) if beat else addresses[0]
        data = rng.getrandbits(72)
        beats.append(write << 100 | write_address << 86 | read_address << 72 | data)
        result = low = 0
        for memory, (width, depth) in zip(memories, SHAPES, strict=True):
            result |= memory.get(read_address % depth, 0) << low
            if write:
                memory[write_address % depth] = data % (1 << width)
            low += width
        result |= words[read_address % ROM[1]] << low
        low += ROM[0]
        result |= (signed(data) * signed(data >> 18) % (1 << 36)) << low
        result |= (data % (1 << 16)) * (data >> 16 & 0xFFFF) << low + 36
        results.append(result)
    return beats, results


def stream(name: str, role: str, beats: list[int]) -> Beats:
    count = -(-max(beats).bit_length() // 8)
    layout = StreamLayout(IntType(0, 255), count, len(beats), count)
    data = b"".join(beat.to_bytes(count, "little") for beat in beats)
    return Beats(Stream(name, layout, role), np.frombuffer(data, np.uint8).reshape(1, len(beats), count))


@pytest.mark.parametrize("family", ["xc7", "ecp5"])
def test_block_memories_and_multipliers_do_what_their_cells_do(family: str, tmp_path: Path) -> None:
    require_yosys()
    beats, results = golden()
    source, sink = stream("given", "input", beats), stream("seen", "output", results)
    (tmp_path / "memories.sv").write_text(module_text(sink.stream.layout.width))
    (tmp_path / "block_ram.sv").write_bytes((share_dir("rtl") / "block_ram.sv").read_bytes())
    for each in (source, sink):
        write_frames(tmp_path / "vectors", each.stream, each.beats)

    script = yosys_script("memories", ["block_ram.sv", "memories.sv"], family, verilog="memories.v")
    cells = read_cells(yosys(script, tmp_path))
    result = simulate_lanes(
        [Lane("memories", "dut", (source.stream,), (sink.stream,))],
        [*sorted(CELLS.glob("*.sv")), *sorted((CELLS / family).glob("*.sv")), tmp_path / "memories.v"],
        tmp_path / "vectors",
        tmp_path / "results",
        tmp_path / "cache",
        library=find_yosys_cells(family),
    )

    assert {name: cells.get(name, 0) for name in BLOCKS[family]} == BLOCKS[family]
    (_, seen) = result.comparison.streams
    assert seen.beats == BEATS
    # The first beat reads words that were never written.
    assert seen.mismatches == 0 or (seen.mismatches == 1 and seen.first is not None and seen.first.beat == 0)
