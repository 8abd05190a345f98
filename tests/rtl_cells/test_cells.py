"""The SystemVerilog cells under idle inputs and busy outputs, and their parameter checks."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hlsc.rtl import RTL, Module, RtlModules
from thresher_sim.toolchain import verilator_environment

BEATS = 200
STALLS = ((0, 0), (50, 0), (0, 50), (50, 50))

LINT = "/* verilator lint_off DECLFILENAME */\n/* verilator lint_off UNUSEDSIGNAL */\n"

# A combinational cell between two streams.
AROUND_COMPRESSOR = """
module {name} (
  input logic ap_clk, input logic ap_rst_n,
  input logic [{width}-1:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [{result}-1:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready
);
  assign m_axis_tvalid = s_axis_tvalid;
  assign s_axis_tready = m_axis_tready;
  compressor #(.Width({width}), .Group({group})) u (.word_i(s_axis_tdata), .columns_o(m_axis_tdata));
endmodule
"""

# A table between two streams: a beat is an address, and whether the word at it is read.
AROUND_TABLE = """
module {name} (
  input logic ap_clk, input logic ap_rst_n,
  input logic [{address}:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [{width}-1:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready
);
  logic accepted;
  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;
  assign accepted = s_axis_tvalid && s_axis_tready;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) m_axis_tvalid <= 1'b0;
    else if (s_axis_tready) m_axis_tvalid <= accepted;
  end
  rom #(.Width({width}), .Depth({depth}), .Words({{{words}}})) u (
    .clk_i(ap_clk), .read_i(accepted && s_axis_tdata[{address}]), .address_i(s_axis_tdata[{address}-1:0]),
    .word_o(m_axis_tdata)
  );
endmodule
"""

# A memory between two streams: a beat says what to write and to read, the next stage has the word read.
AROUND_MEMORY = """
module {name} (
  input logic ap_clk, input logic ap_rst_n,
  input logic [{fields}-1:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [{width}-1:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready
);
  logic write, read, accepted;
  logic [{address}-1:0] write_address, read_address;
  logic [{width}-1:0] data;
  assign {{write, read, write_address, read_address, data}} = s_axis_tdata;
  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;
  assign accepted = s_axis_tvalid && s_axis_tready;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) m_axis_tvalid <= 1'b0;
    else if (s_axis_tready) m_axis_tvalid <= accepted;
  end
  {read}
  {cell} #(.Width({width}), .Depth({depth})) u (
    .clk_i(ap_clk), .write_i(accepted && write), .write_address_i(write_address), .write_data_i(data),
    .read_address_i(read_address), {port}
  );
endmodule
"""
# The last stages of a pipeline in front of its queue. A step takes a beat where the queue is not full, or
# where the beat's lowest bit says that it may wait; only then may stages be held.
AROUND_QUEUE = """
module {name} (
  input logic ap_clk, input logic ap_rst_n,
  input logic [{width}:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [{width}-1:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready
);
  localparam int Last = {stages} - 1;
  logic full, free, advance, begins, rash, taken;
  logic [Last:1] steps, writes;
  logic [Last:1][{width}-1:0] beats;
  assign taken = s_axis_tvalid && s_axis_tready;
  assign s_axis_tready = advance && (s_axis_tdata[0] || !full);
  assign begins = advance && ({begins});
  assign advance = !(steps[Last] && writes[Last]) || free;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) steps <= '0;
    else if (advance) steps <= Last'({{steps, begins}});
    if (advance) begin
      writes <= Last'({{writes, taken}});
      beats <= (Last * {width})'({{beats, s_axis_tdata[{width}:1]}});
    end
    rash <= ap_rst_n && (rash || (taken && full));
    if (ap_rst_n && !advance && !rash) $fatal(1, "%m: a step waits that found room");
  end
  output_queue #(.Width({width}), .Stages({stages})) u (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .begins_i(begins), .ends_i(steps[Last] && advance),
    .write_i(writes[Last]), .beat_i(beats[Last]), .full_o(full), .free_o(free),
    .tdata_o(m_axis_tdata), .tvalid_o(m_axis_tvalid), .tready_i(m_axis_tready)
  );
endmodule
"""
BEGINS = {"every": "1'b1", "needed": "taken"}
"""Whether a step begins in every cycle, or where it takes a beat."""

READS = {
    "ram": (
        "logic [{width}-1:0] word; always_ff @(posedge ap_clk) if (accepted && read) m_axis_tdata <= word;",
        ".read_data_o(word)",
    ),
    "block_ram": ("", ".read_i(accepted && read), .read_data_o(m_axis_tdata)"),
}


@dataclass(frozen=True)
class Case:
    """A module, what goes in, what has to come out; of the first `undefined` beats nothing is said."""

    module: Module
    beats: Sequence[int]
    expected: Sequence[int]
    undefined: int = 0
    text: str = ""


def compressor(rng: random.Random, width: int, group: int) -> Case:
    groups, weights = -(-width // group), group.bit_length()
    name = f"compressor{width}_{group}"
    text = AROUND_COMPRESSOR.format(name=name, width=width, group=group, result=groups * weights)
    beats = [0, (1 << width) - 1, *(rng.getrandbits(width) for _ in range(BEATS - 2))]
    module = Module(name, [("s_axis", width)], [("m_axis", groups * weights)])
    return Case(module, beats, [columns(beat, groups, group) for beat in beats], text=text)


def columns(word: int, groups: int, group: int) -> int:
    """Bit `groups * weight + n` is bit `weight` of the count of group `n`."""
    counts = [(word >> group * place & ((1 << group) - 1)).bit_count() for place in range(groups)]
    bits = [
        (count >> weight & 1) << groups * weight + place
        for weight in range(group.bit_length())
        for place, count in enumerate(counts)
    ]
    return sum(bits)


def table(rng: random.Random, width: int, depth: int, idle: int, busy: int) -> Case:
    """Every word is read; at some beats none is, and the last one stays."""
    address = max(1, (depth - 1).bit_length())
    words = [rng.getrandbits(width) for _ in range(depth)]
    name = f"table_{width}_{depth}_{idle}_{busy}"
    text = AROUND_TABLE.format(
        name=name,
        width=width,
        depth=depth,
        address=address,
        words=", ".join(f"{width}'h{word:x}" for word in reversed(words)),
    )
    addresses = [*range(depth), *(rng.randrange(depth) for _ in range(BEATS))][:BEATS]
    if depth > BEATS:
        addresses[:2] = [0, depth - 1]
    reads = [step == 0 or rng.random() < 0.8 for step in range(BEATS)]
    expected, shown = [], 0
    for place, read in zip(addresses, reads, strict=True):
        shown = words[place] if read else shown
        expected.append(shown)
    beats = [read << address | place for place, read in zip(addresses, reads, strict=True)]
    module = Module(name, [("s_axis", address + 1)], [("m_axis", width)], idle=idle, busy=busy)
    return Case(module, beats, expected, text=text)


def memory(rng: random.Random, cell: str, width: int, depth: int, idle: int, busy: int) -> Case:
    """Each word is written once before the first read; half of the reads are of what is being written."""
    address = max(1, (depth - 1).bit_length())
    name = f"{cell}_{width}_{depth}_{idle}_{busy}"
    fields = 2 + 2 * address + width
    read, port = (text.format(width=width) for text in READS[cell])
    text = AROUND_MEMORY.format(
        name=name, cell=cell, width=width, depth=depth, address=address, fields=fields, read=read, port=port
    )
    words, shown = [0] * depth, 0
    beats, expected = [], []
    for step in range(BEATS):
        filling = step < depth
        writes = filling or rng.random() < 0.5
        reads = not filling and (step == depth or rng.random() < 0.5)
        target = step if filling else rng.randrange(depth)
        source = rng.choice((target, rng.randrange(depth)))
        data = rng.getrandbits(width)
        beat = writes << 1 | reads
        for field, bits in ((target, address), (source, address), (data, width)):
            beat = beat << bits | field
        shown = words[source] if reads else shown
        words[target] = data if writes else words[target]
        beats.append(beat)
        expected.append(shown)
    module = Module(name, [("s_axis", fields)], [("m_axis", width)], idle=idle, busy=busy)
    return Case(module, beats, expected, depth, text)


def buffers(rng: random.Random) -> Iterator[Case]:
    cells = [("stream_register", 9, ".Width(9)")]
    shapes = ((1, 2), (1, 3), (1, 7), (9, 2), (9, 4), (9, 8), (9, 33), (33, 130))
    cells += [("fifo", width, f".Width({width}), .Depth({depth})") for width, depth in shapes]
    cells.append(("fifo", 9, ".Width(9), .Depth(9), .InBlocks(1'b1)"))
    for name, width, parameters in cells:
        for idle, busy in STALLS:
            beats = [rng.getrandbits(width) for _ in range(BEATS)]
            module = Module(name, [("s_axis", width)], [("m_axis", width)], parameters, idle, busy)
            yield Case(module, beats, beats)


def queue(rng: random.Random, stages: int, begins: str, rash: bool, idle: int, busy: int) -> Case:
    """A beat in every cycle where each is taken at once; one step in four may wait, with `rash`."""
    width = rng.choice([1, 9, 40])
    name = f"queue{stages}_{begins}_{idle}_{busy}"
    text = AROUND_QUEUE.format(name=name, width=width, stages=stages, begins=BEGINS[begins])
    expected = [rng.getrandbits(width) for _ in range(BEATS)]
    beats = [beat << 1 | (rash and rng.random() < 0.25) for beat in expected]
    module = Module(name, [("s_axis", width + 1)], [("m_axis", width)], idle=idle, busy=busy)
    return Case(module, beats, expected, text=text)


def test_cells(tmp_path: Path) -> None:
    rng = random.Random(0)
    cases = [compressor(rng, width, group) for group in (3, 4, 5, 6) for width in (1, 3, 5, 6, 7, 18, 49)]
    cases += [
        table(rng, 9, depth, idle, busy)
        for depth in (1, 2, 33, 64, 65, 300)
        for idle, busy in ((0, 0), (50, 50))
    ]
    cases += [
        memory(rng, cell, width, depth, idle, busy)
        for cell in READS
        for width, depth in ((1, 1), (9, 3), (8, 64))
        for idle, busy in ((0, 0), (50, 50))
    ]
    cases += buffers(rng)
    cases += [
        queue(rng, stages, begins, rash, idle, busy)
        for stages, begins, rash in (
            *((2, "every", False), (2, "needed", True), (3, "needed", False)),
            *((4, "every", True), (5, "every", False), (8, "needed", False), (9, "every", True)),
        )
        for idle, busy in STALLS
    ]
    around = tmp_path / "around.sv"
    around.write_text(LINT + "".join(case.text for case in cases))
    streams = [{"s_axis": case.beats} for case in cases]

    model = RtlModules(tmp_path, [case.module for case in cases], [around], BEATS)
    results = model.run(streams, 6 * BEATS)
    soon = model.run(streams, BEATS + 16)

    for case, result, early in zip(cases, results, soon, strict=True):
        wanted = list(case.expected)[case.undefined :]
        assert len(result["m_axis"]) == BEATS, case.module
        assert result["m_axis"][case.undefined :] == wanted, case.module
        if (case.module.idle, case.module.busy) == (0, 0):  # a beat passes every cycle
            assert early["m_axis"][case.undefined :] == wanted, case.module


@pytest.mark.parametrize(
    ("cell", "parameters", "message"),
    [
        (
            "fifo",
            {"Depth": 1},
            "fifo %m: Width 8 must be at least 1 and Depth 1 at least 2",
        ),
        (
            "compressor",
            {"Group": 7},
            "compressor %m: Width 8 must be at least 1 and Group 7 from 3 to 6",
        ),
        (
            "output_queue",
            {"Stages": 1},
            "output_queue %m: Width 8 must be at least 1 and Stages 1 at least 2",
        ),
        ("rom", {"Width": 0}, "rom %m: Width 0 and Depth 2 must be at least 1"),
        ("ram", {"Depth": 0}, "ram %m: Width 8 and Depth 0 must be at least 1"),
        ("block_ram", {"Width": -1}, "block_ram %m: Width -1 and Depth 2 must be at least 1"),
        ("dual_port_ram", {"Depth": 0}, "dual_port_ram %m: Width 8 and Depth 0 must be at least 1"),
    ],
)
def test_illegal_parameters_are_refused(cell: str, parameters: dict[str, int], message: str) -> None:
    flags = [f"-G{name}={value}" for name, value in parameters.items()]
    command = ["verilator", "--lint-only", "--quiet", "-y", str(RTL), *flags, str(RTL / f"{cell}.sv")]

    done = subprocess.run(command, env=verilator_environment(), capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert message in done.stderr
