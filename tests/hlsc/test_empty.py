"""Units that ask whether a stream is empty: they wait for no beat, and their beats are the C++'s."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.hlsc.native import HLS, NativeUnits
from tests.hlsc.rtl import Module, RtlModules
from tests.hlsc.test_refusals import compile_text, unit
from thresher.errors import SimulationMismatchError, ToolFailedError, UnsupportedModelError
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiler import optimise
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model
from thresher.unit import UnitRequest, write_unit_project
from thresher_sim.compile import TYPE_SETS, compile_program
from thresher_sim.scoreboard import UnitOptions, simulate_unit
from thresher_sim.unit import load_unit

UNITS = Path(__file__).with_name("ahead_units.hpp")
CLOCKS = (50.0, 300.0)
STALLS = ((0, 0), (70, 0), (0, 70), (50, 50))
BEATS = 60
STEPS = 4 * BEATS
CYCLES = 1000

Streams = Mapping[str, Sequence[int]]


def reversed_groups(streams: Streams) -> list[int]:
    beats = [(5 * beat + 1) % 256 for beat in streams["s_axis"]]
    return [beat for start in range(0, len(beats), 4) for beat in reversed(beats[start : start + 4])]


def scaled(streams: Streams) -> list[int]:
    return [number * factor for number, factor in zip(streams["number"], streams["factor"], strict=True)]


def counted(streams: Streams) -> list[int]:
    return [count * 2**40 + beat for count, beat in enumerate(streams["s_axis"])]


EXPECTED: dict[str, Callable[[Streams], list[int]]] = {
    "Reverse": reversed_groups,
    "Scale": scaled,
    "Count": counted,
}
"""What each unit writes to `m_axis`, in plain Python."""


def source(name: str) -> UnitSource:
    return UnitSource(UNITS, f"ahead::{name}", (HLS,))


def streams_of(inputs: Sequence[tuple[str, int]], seed: int) -> dict[str, list[int]]:
    rng = random.Random(seed)
    return {port: [rng.getrandbits(width) for _ in range(BEATS)] for port, width in inputs}


def test_the_systemverilog_gives_every_beat_under_stalls(tmp_path: Path) -> None:
    """The last ones, too, behind which no input comes."""
    modules: list[Module] = []
    files: list[Path] = []
    streams: list[dict[str, list[int]]] = []
    expected: list[list[int]] = []
    for name, wanted in EXPECTED.items():
        for clock in CLOCKS:
            module = compile_unit(source(name), f"{name.lower()}_{clock:.0f}", clock)
            assert (module.stages > 1) == (clock == CLOCKS[1] and name != "Count")
            files.append(tmp_path / f"{module.module_name}.sv")
            files[-1].write_text(module.verilog)
            for idle, busy in STALLS:
                modules.append(
                    Module(module.module_name, module.inputs, module.outputs, idle=idle, busy=busy)
                )
                streams.append(streams_of(module.inputs, len(streams)))
                expected.append(wanted(streams[-1]))

    results = RtlModules(tmp_path, modules, files, BEATS, random_start=True).run(streams, CYCLES)

    wrong = [
        (module.name, module.idle, module.busy)
        for module, result, wanted in zip(modules, results, expected, strict=True)
        if result["m_axis"] != wanted
    ]
    assert wrong == []


def test_the_cpp_and_its_graphs_give_every_beat(tmp_path: Path) -> None:
    native = NativeUnits(tmp_path, UNITS, [f"ahead::{name}" for name in EXPECTED])
    for index, (name, wanted) in enumerate(EXPECTED.items()):
        plain = unit_graph(parse(emit_llvm(source(name)).text))
        inputs = [(port.name, port.width) for port in plain.inputs]
        outputs = [(port.name, port.width) for port in plain.outputs]
        streams = streams_of(inputs, index)

        done = native.run(index, inputs, outputs, streams, STEPS)
        assert done.outputs["m_axis"] == wanted(streams), name
        for graph in (plain, optimise(plain, delay_model("xc7"))):
            assert Interpreter(graph).run(streams, STEPS)["m_axis"] == wanted(streams), name


def test_a_step_that_only_asks_is_always_there() -> None:
    reverse, scale = (compile_unit(source(name), "unit", 50.0).verilog for name in ("Reverse", "Scale"))

    assert "assign stage0_valid = 1'b1;" in reverse
    assert "//   s_axis: reads 8 bits in some steps, and waits for none\n" in reverse
    assert "assign stage0_valid = !number_needed || number_tvalid;" in scale
    assert "//   number: reads 8 bits in some steps\n" in scale


def test_a_stream_is_asked_before_it_is_read(tmp_path: Path) -> None:
    text = unit("p.m_axis.write(p.s_axis.read());\nif (p.s_axis.empty()) n = 1;", "int n = 0;")
    with pytest.raises(UnsupportedModelError) as error:
        compile_text(tmp_path, text)

    assert str(error.value) == (
        "hlsc: unit 'Unit': unit.hpp:10: 's_axis' is tested after it is read in one step (at unit.hpp:9), "
        "and a test sees the stream before the step; move the test before the read"
    )


def test_an_output_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match="no member named 'empty' in 'thresher::OutStream<8>'"):
        compile_text(tmp_path, unit("if (p.m_axis.empty()) p.m_axis.write(p.s_axis.read());"))


# The C simulation

FRAME = 8
CSIM = """
#include "thresher/csim.hpp"

#include "ahead_units.hpp"

int main(int argc, char** argv) {{
  thresher::Csim sim(argc, argv);
  thresher::Tape<8> s_axis("s_axis", {frame});
  thresher::Tape<8> m_axis("m_axis", {beats});
  static ahead::{unit} unit;
  while (sim.next_chunk()) {{
    sim.play(s_axis);
    sim.run_ahead(unit, s_axis, m_axis, {steps});
  }}
}}
"""
FRAMES = 150


def run_csim(folder: Path, name: str, beats: int, steps: int, types: str = TYPE_SETS[0]) -> tuple[bytes, str]:
    """What a unit wrote in the C simulation, given 0, 1, ..., 199, 0, ...; and what the program said."""
    (folder / "main.cpp").write_text(CSIM.format(unit=name, frame=FRAME, beats=beats, steps=steps))
    (folder / "s_axis.bin").write_bytes(bytes(place % 200 for place in range(FRAMES * FRAME)))
    program = compile_program(folder / "main.cpp", [HLS, UNITS.parent], folder / "cache", types)
    (folder / "out").mkdir()
    command = [str(program), str(folder), str(folder / "out"), str(FRAMES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    written = folder / "out" / "m_axis.bin"
    return written.read_bytes() if written.is_file() else b"", done.stderr


@pytest.mark.parametrize("types", TYPE_SETS)
def test_the_c_simulation_steps_until_all_is_written(types: str, tmp_path: Path) -> None:
    written, errors = run_csim(tmp_path, "Reverse", FRAME, FRAME, types)

    assert errors == ""
    assert list(written) == reversed_groups({"s_axis": [place % 200 for place in range(FRAMES * FRAME)]})


def test_what_a_chunk_writes_of_the_next_frame_is_kept(tmp_path: Path) -> None:
    written, errors = run_csim(tmp_path, "Header", FRAME + 1, FRAME + 1)

    assert errors == ""
    beats = [place % 200 for place in range(FRAMES * FRAME)]
    frames = [[255, *beats[start : start + FRAME]] for start in range(0, FRAMES * FRAME, FRAME)]
    assert list(written) == [beat for frame in frames for beat in frame]


def test_a_unit_that_writes_too_little_is_named(tmp_path: Path) -> None:
    _, errors = run_csim(tmp_path, "Reverse", FRAME + 2, FRAME)

    assert errors == (
        "csim: stream 'm_axis': the unit ahead of it left 128 beats unwritten after 2048 steps; "
        "check its step\n"
    )


def test_a_unit_that_reads_too_little_is_named(tmp_path: Path) -> None:
    _, errors = run_csim(tmp_path, "Stuck", FRAME, FRAME)

    assert errors == (
        "csim: stream 's_axis': the unit behind it left 509 beats unread after 2048 steps; check its step\n"
    )


# The bench of a unit's project


def test_the_cpp_finds_beats_there_as_the_rtl_did(tmp_path: Path) -> None:
    """A header that waits for its frame is not one that does not wait, whenever beats come."""
    write_unit_project(UnitRequest(UNITS, "ahead::Header", 100.0), tmp_path)
    (header,) = (tmp_path / "hls").rglob(UNITS.name)
    project = load_unit(tmp_path)
    good = simulate_unit(project, UnitOptions(beats=5 * FRAME, both_types=False))
    assert good.mismatches == 0
    assert good.replayed is not None

    text = header.read_text()
    assert text.count("if (place_ == 0) {") == 1
    header.write_text(text.replace("if (place_ == 0) {", "if (place_ == 0 && !ports.s_axis.empty()) {"))
    with pytest.raises(SimulationMismatchError) as caught:
        simulate_unit(project, UnitOptions(beats=5 * FRAME, both_types=False)).check()

    assert re.fullmatch(
        r"sim: unit 'Header': stream 's_axis': in step \d the RTL takes a beat, where the C\+\+ takes none; "
        "look at it with --waves",
        str(caught.value),
    )
