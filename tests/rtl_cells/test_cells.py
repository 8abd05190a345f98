"""The SystemVerilog cells under idle inputs and busy outputs, and their parameter checks."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hlsc.rtl import RTL, Module, RtlModules
from thresher_sim.toolchain import verilator_environment

BEATS = 200
STALLS = ((0, 0), (50, 0), (0, 50), (50, 50))
WORDS = (17, 4, 29, 8, 0, 31, 22)

# Combinational cells between two streams.
AROUND = """
module {name} (
  input logic ap_clk, input logic ap_rst_n,
  input logic [{width}-1:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready,
  output logic [{result}-1:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready
);
  assign m_axis_tvalid = s_axis_tvalid;
  assign s_axis_tready = m_axis_tready;
  {cell}
endmodule
"""


def popcount(width: int) -> tuple[str, Module]:
    result = width.bit_length()
    cell = f"popcount #(.Width({width})) u (.word_i(s_axis_tdata), .count_o(m_axis_tdata));"
    name = f"count{width}"
    text = AROUND.format(name=name, width=width, result=result, cell=cell)
    return text, Module(name, [("s_axis", width)], [("m_axis", result)])


def rom() -> tuple[str, Module]:
    contents = ", ".join(f"5'd{word}" for word in WORDS)
    words = f"localparam logic [4:0] Words [{len(WORDS)}] = '{{{contents}}};"
    parameters = f".Width(5), .Depth({len(WORDS)}), .Contents(Words)"
    cell = f"{words}\n  rom #({parameters}) u (.address_i(s_axis_tdata), .word_o(m_axis_tdata));"
    text = AROUND.format(name="lookup", width=3, result=5, cell=cell)
    return text, Module("lookup", [("s_axis", 3)], [("m_axis", 5)])


def buffers() -> list[Module]:
    one, nine = ([("s_axis", width)] for width in (1, 9))
    modules = [Module("stream_register", nine, [("m_axis", 9)], ".Width(9)")]
    modules += [
        Module("fifo", port, [("m_axis", port[0][1])], f".Width({port[0][1]}), .Depth({depth})")
        for port in (one, nine)
        for depth in (2, 3, 4, 7)
    ]
    return [replace(module, idle=idle, busy=busy) for module in modules for idle, busy in STALLS]


def test_cells(tmp_path: Path) -> None:
    rng = random.Random(0)
    counts = [popcount(width) for width in (1, 2, 3, 4, 5, 6, 7, 18, 19, 49, 100, 128)]
    lookup = rom()
    around = tmp_path / "around.sv"
    around.write_text("".join(text for text, _ in [*counts, lookup]))
    meanings: list[Callable[[int], int]] = [int.bit_count for _ in counts]
    meanings += [lambda address: WORDS[address]] + [lambda beat: beat] * len(buffers())
    modules = [module for _, module in [*counts, lookup]] + buffers()
    streams = [{"s_axis": [rng.getrandbits(module.inputs[0][1]) for _ in range(BEATS)]} for module in modules]
    for beats in streams[: len(counts)]:  # few and many ones, too
        beats["s_axis"][:2] = [0, (1 << max(beats["s_axis"]).bit_length()) - 1]
    addresses = streams[len(counts)]["s_axis"]
    addresses[:] = [address % len(WORDS) for address in addresses]
    expected = [
        [meaning(beat) for beat in beats["s_axis"]] for meaning, beats in zip(meanings, streams, strict=True)
    ]

    model = RtlModules(tmp_path, modules, [around], BEATS)
    results = model.run(streams, 6 * BEATS)
    soon = model.run(streams, BEATS + 12)

    for module, wanted, result, early in zip(modules, expected, results, soon, strict=True):
        assert result["m_axis"] == wanted, module
        if (module.idle, module.busy) == (0, 0):  # a beat passes every cycle
            assert early["m_axis"] == wanted, module


@pytest.mark.parametrize(
    ("cell", "parameters", "message"),
    [
        (
            "fifo",
            {"Depth": 1},
            "fifo %m: Width 8 must be at least 1 and Depth 1 at least 2",
        ),
        (
            "popcount",
            {"Group": 7},
            "popcount %m: Width 8 must be at least 1 and Group 7 from 3 to 6",
        ),
    ],
)
def test_illegal_parameters_are_refused(cell: str, parameters: dict[str, int], message: str) -> None:
    flags = [f"-G{name}={value}" for name, value in parameters.items()]
    command = ["verilator", "--lint-only", "--quiet", "-y", str(RTL), *flags, str(RTL / f"{cell}.sv")]

    done = subprocess.run(command, env=verilator_environment(), capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert message in done.stderr
