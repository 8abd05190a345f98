"""Registers that a reset forgets: each one is found by what comes out behind a reset.

The device is a chain of all three kinds of FIFO with the marker of `tlast` behind them. What its cells reset
is left out one register at a time, in all resets but the first: the seed of a run says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from thresher.share import share_dir
from thresher_sim.errors import SimulationMismatchError, ToolFailedError
from thresher_sim.project import Stream
from thresher_sim.rtl import RtlOptions, RtlResult, simulate_lanes
from thresher_sim.streams import IntType, StreamLayout
from thresher_sim.testbench import Lane
from thresher_sim.vectors import write_vectors

FRAMES, BEATS, FIRST, READY_IN_RESET = 5, 7, 1000, 1999
LAYOUT = StreamLayout(IntType(0, 255), BEATS, 1, 1)
SOURCE, TARGET = Stream("source", LAYOUT, "input"), Stream("target", LAYOUT, "output", producer="chain")
LANE = Lane("chain", "dut", (SOURCE,), (TARGET,), has_last=True, ready_rests=True)

# The FIFOs in a row: what each adds to `fifo`'s parameters.
KINDS = (".Depth(2)", ".Depth(6)", ".Depth(5), .InBlocks(1'b1)")
CHAIN = """
module chain (
  input logic ap_clk, input logic ap_rst_n,
  input logic [7:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [7:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready,
  output logic m_axis_tlast
);
  logic [3:0][7:0] data;
  logic [3:0] valid, ready;
  int fault;
  initial if ($value$plusargs("seed=%d", fault) == 0) fault = 0;
  assign {data[0], valid[0]} = {s_axis_tdata, s_axis_tvalid};
  assign s_axis_tready = ready[0] && (ap_rst_n || fault == 1999);
FIFOS
  tlast_marker #(.Width(8), .BeatsPerFrame(7)) marker (
    .ap_clk, .ap_rst_n, .s_axis_tdata(data[3]), .s_axis_tvalid(valid[3]), .s_axis_tready(ready[3]),
    .m_axis_tdata, .m_axis_tvalid, .m_axis_tready, .m_axis_tlast);
endmodule
"""
FIFO = """  fifo #(.Width(8), KIND) fifoINDEX (
    .ap_clk, .ap_rst_n,
    .s_axis_tdata(data[INDEX]), .s_axis_tvalid(valid[INDEX]), .s_axis_tready(ready[INDEX]),
    .m_axis_tdata(data[INDEX+1]), .m_axis_tvalid(valid[INDEX+1]), .m_axis_tready(ready[INDEX+1]));"""
BY_SEED = """);
  int fault;
  logic slept, ran;
  initial {slept, ran} = 2'b0;
  initial if ($value$plusargs("seed=%d", fault) == 0) fault = 0;
  always @(posedge ap_clk) begin
    slept <= slept || !ap_rst_n;
    ran <= ran || (slept && ap_rst_n);
  end
"""


def plant(cell: str, numbers: Iterator[int]) -> tuple[str, dict[str, int]]:
    """A cell of which each register keeps its value in reset with a seed of its own: its text, and these."""
    text = (share_dir("rtl") / f"{cell}.sv").read_text()
    found: dict[str, int] = {}

    def forget(match: re.Match[str]) -> str:
        lines = []
        for line in match[2].splitlines():
            name = line.split()[0]
            found[f"{cell}.{name}"] = next(numbers)
            lines.append(f"if (!ran || fault != {found[f'{cell}.{name}']}) {line.strip()}")
        return f"{match[1]}\n" + "\n".join(lines) + f"\n{match[3]}"

    text = re.sub(r"(if \(!ap_rst_n\) begin)\n(.*?)\n( *end else)", forget, text, flags=re.DOTALL)
    return re.sub(r"^\);\n", BY_SEED, text, count=1, flags=re.MULTILINE), found


NUMBERS = iter(range(FIRST, 2 * FIRST))
CELLS = {cell: plant(cell, NUMBERS) for cell in ("fifo", "stream_register", "tlast_marker")}
FAULTS = {name: number for _, found in CELLS.values() for name, number in found.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources and the vectors; all runs share a model."""
    folder = tmp_path_factory.mktemp("chain")
    for cell, (text, _) in CELLS.items():
        (folder / f"{cell}.sv").write_text(text)
    fifos = [FIFO.replace("KIND", kind).replace("INDEX", str(index)) for index, kind in enumerate(KINDS)]
    (folder / "chain.sv").write_text(CHAIN.replace("FIFOS", "\n".join(fifos)))
    values = np.random.default_rng(3).integers(0, 256, (FRAMES, 1, BEATS))
    write_vectors(folder / "vectors", (SOURCE, TARGET), [{"source": values, "target": values}])
    return folder


def run(folder: Path, work: Path, seed: int, resets: int) -> RtlResult:
    options = RtlOptions(stall=30, seed=seed, patience=2000, resets=resets)
    sources = [folder / f"{name}.sv" for name in (*CELLS, "chain")]
    return simulate_lanes([LANE], sources, folder / "vectors", work, folder / "models", None, options)


def test_every_register_of_the_cells_is_among_the_faults() -> None:
    assert set(FAULTS) == {
        *("fifo.s_axis_tready", "fifo.m_axis_tvalid", "fifo.stored_q"),
        *("fifo.write_q", "fifo.read_q", "fifo.last_q"),
        *("stream_register.m_axis_tvalid", "stream_register.spare_valid_q", "tlast_marker.beat_q"),
    }  # fmt: skip


def test_the_chain_is_right_after_any_reset(folder: Path, tmp_path: Path) -> None:
    result = run(folder, tmp_path, 5, 100)
    source, target = result.comparison.streams
    assert (result.comparison.resets, result.comparison.mismatches) == (100, 0)
    assert target.cut.frames >= 50  # a whole frame comes out between two resets, every second time
    assert target.cut.beats > BEATS * target.cut.frames  # and parts of frames
    assert source.cut.beats > target.cut.beats  # resets found beats inside


# Not of last_q, which only says how many beats fit: where it is wrong there is room for fewer, or for as many
# as the memory has places, and no beat of a chain is wrong.
@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"fifo.last_q"}))
def test_a_register_that_a_reset_forgets_is_found(fault: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises((SimulationMismatchError, ToolFailedError)) as caught:
        run(folder, tmp_path, FAULTS[fault], 40).comparison.check("sim")
    assert re.search(r"(after|from) reset \d+", str(caught.value))


def test_only_resets_find_it(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path, FAULTS["fifo.read_q"], 0).comparison.check("sim")


def test_a_device_that_is_ready_in_reset_is_found(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SimulationMismatchError) as caught:
        run(folder, tmp_path, READY_IN_RESET, 2).comparison.check("sim")
    assert re.sub(r"\d+", "N", str(caught.value)) == (
        "sim: stream 'source': tready is high in a reset, in cycle N, after N beats; look at it with --waves"
    )
