"""Sideband signals and `full()`: units against models in Python, their SystemVerilog under stalls."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.hlsc.native import HLS
from tests.hlsc.rtl import Module, RtlModules
from tests.hlsc.test_refusals import compile_text
from tests.hlsc.test_refusals import unit as unit_text
from thresher.errors import ToolFailedError, UnsupportedModelError
from thresher.hlsc import UnitSource, compile_unit
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiler import optimise
from thresher.hlsc.evaluate import Interpreter
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model
from thresher.unit import UnitRequest, write_unit_project
from thresher_sim.compile import TYPE_SETS, compile_program
from thresher_sim.errors import SimulationMismatchError
from thresher_sim.replay import RecordedSteps
from thresher_sim.scoreboard import UnitOptions, UnitResult, simulate_unit
from thresher_sim.signals import packed
from thresher_sim.stimulus import stimulus
from thresher_sim.unit import UnitProject, UnitStream, load_unit

UNITS = Path(__file__).with_name("stream_units.hpp")
BEATS = 200
STEPS = 4000
PACKETS = 30

Beat = Mapping[str, int]
Written = dict[str, list[Beat]]


def beats_of(stream: UnitStream, words: Sequence[int]) -> list[Beat]:
    return [{field.name: word >> field.low & field.mask for field in stream.fields} for word in words]


def packetise(beats: Sequence[Beat], _: RecordedSteps | None) -> Written:
    rows: list[Beat] = [
        {"data": beat["data"], "keep": 15, "last": int(place % 5 == 4), "user": place % 5}
        for place, beat in enumerate(beats)
    ]
    return {"m_axis": rows}


def signals(beats: Sequence[Beat], _: RecordedSteps | None) -> Written:
    rows: list[Beat] = [
        {
            "data": 0xFFFF - beat["data"],
            "keep": beat["keep"],
            "strb": beat["strb"] & beat["keep"],
            "last": beat["last"],
            "user": (beat["user"] + beat["data"].bit_count()) % 2**70,
            "id": 1 - beat["id"],
            "dest": (beat["dest"] + 1) % 32,
        }
        for beat in beats
    ]
    return {"m_axis": rows}


def compact(beats: Sequence[Beat], _: RecordedSteps | None) -> Written:
    written: list[Beat] = []
    kept: list[int] = []

    def write(last: bool) -> None:
        here, rest = kept[:4], kept[4:]
        data = int.from_bytes(bytes(here), "little")
        written.append({"data": data, "keep": (1 << len(here)) - 1, "last": int(last)})
        kept[:] = rest

    for beat in beats:
        data = beat["data"].to_bytes(4, "little")
        kept += [byte for place, byte in enumerate(data) if beat["keep"] >> place & 1]
        if len(kept) > 4 and beat["last"]:
            write(False)
            write(True)
        elif len(kept) >= 4 or beat["last"]:
            write(bool(beat["last"]))
    return {"m_axis": written}


def forward(beats: Sequence[Beat], _: RecordedSteps | None) -> Written:
    written: list[Beat] = []
    packet: list[Beat] = []
    for beat in beats:
        packet.append({"data": beat["data"], "last": beat["last"]})
        if beat["last"]:
            written += [] if beat["user"] else packet
            packet = []
    return {"m_axis": written}


def drop(beats: Sequence[Beat], steps: RecordedSteps | None) -> Written:
    assert steps is not None
    written: list[Beat] = []
    dropped = 0
    for beat, (full,) in zip(beats, steps.full, strict=True):
        if full:
            dropped += 1
        else:
            written.append({"data": beat["data"] ** 2, "user": dropped % 256})
            dropped = 0
    return {"m_axis": written}


def spread(beats: Sequence[Beat], steps: RecordedSteps | None) -> Written:
    assert steps is not None
    written: Written = {"left": [], "right": []}
    waiting, last = list(beats), "right"
    for found in steps.full:
        free = [name for name, full in zip(("left", "right"), found, strict=True) if not full]
        if free:
            last = next((name for name in free if name != last), free[0])
            written[last].append({"data": waiting.pop(0)["data"] ** 2})
    return written


MODELS: dict[str, Callable[[Sequence[Beat], RecordedSteps | None], Written]] = {
    "Packetise": packetise,
    "Signals": signals,
    "Compact": compact,
    "Forward": forward,
    "Drop": drop,
    "Spread": spread,
}
IN_BENCH = {"Signals": (200.0, 3), "Drop": (600.0, 6), "Spread": (100.0, 1)}
"""The units that the bench runs, at which clock, and the stages that they then have."""

TOGETHER = (
    ("Packetise", 100.0),
    ("Signals", 300.0),
    ("Compact", 50.0),
    ("Compact", 200.0),
    ("Forward", 100.0),
)
"""The units that never wait for an answer, in one model."""

STALLS = ((0, 0), (35, 35), (90, 0), (0, 90))


def packets() -> list[Beat]:
    """Packets of 1 to 16 beats, for a unit that has room for no longer ones."""
    rng = random.Random(1)
    beats: list[Beat] = []
    for _ in range(PACKETS):
        rest = rng.randint(1, 16)
        while rest:
            rest -= 1
            beats.append({"data": rng.getrandbits(8), "last": int(rest == 0), "user": rng.getrandbits(1)})
    return beats


def test_modules_give_every_beat_whatever_stalls(tmp_path: Path) -> None:
    modules: list[Module] = []
    streams: list[dict[str, list[int]]] = []
    expected: list[list[Beat]] = []
    most = len(packets())
    for place, (name, clock) in enumerate(TOGETHER):
        made = compile_unit(UnitSource(UNITS, f"streams::{name}", (HLS,)), f"{name.lower()}{place}", clock)
        (tmp_path / f"{made.module_name}.sv").write_text(made.verilog)
        source = UnitStream(*made.inputs[0], made.signals.get("s_axis", ()))
        for idle, busy in STALLS:
            rng = random.Random(len(modules))
            words = [rng.getrandbits(source.width) for _ in range(most)]
            if name == "Forward":
                words = [packed(source.width, source.signals, beat) for beat in packets()]
            streams.append({"s_axis": words})
            expected.append(MODELS[name](beats_of(source, words), None)["m_axis"])
            modules.append(
                Module(made.module_name, made.inputs, made.outputs, "", idle, busy, signals=made.signals)
            )
    files = sorted(tmp_path.glob("*.sv"))

    results = RtlModules(tmp_path, modules, files, most, random_start=True).run(streams, 12 * most)

    for module, result, wanted in zip(modules, results, expected, strict=True):
        target = UnitStream(*module.outputs[0], module.signals["m_axis"])
        assert beats_of(target, result["m_axis"]) == wanted, (module.name, module.idle, module.busy)


Projects = Callable[[str], UnitProject]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Projects:
    """The project of a unit, made when it is asked for first; its runs share a model."""
    folder = tmp_path_factory.mktemp("streams")

    def made(name: str) -> UnitProject:
        root = folder / name
        if not root.is_dir():
            clock, stages = IN_BENCH.get(name, (100.0, 1))
            assert write_unit_project(UnitRequest(UNITS, f"streams::{name}", clock), root).stages == stages
        if name == "Spread":
            plant(root / "rtl" / "Spread.sv")
        return load_unit(root)

    return made


ALWAYS_FULL = 101
"""The seed of a run in which an output of `Spread` says that it is full whatever it holds."""


def plant(rtl: Path) -> None:
    text = rtl.read_text()
    full = "assign left_full = !left_free"
    fault = f'int unsigned seed; initial if ($value$plusargs("seed=%d", seed) == 0) seed = 0; {full}'
    rtl.write_text(text.replace(f"  {full};", f"  {fault} || seed == {ALWAYS_FULL};"))


def run(unit: UnitProject, stall: int, seed: int | None = None) -> UnitResult:
    return simulate_unit(
        unit, UnitOptions(BEATS, stall if seed is None else seed, stall, STEPS, both_types=False)
    )


@pytest.mark.parametrize("name", IN_BENCH)
def test_every_beat_is_that_of_the_model_whatever_stalls(name: str, project: Projects) -> None:
    found = project(name)
    (source,) = found.inputs
    for stall in (0, 35, 90):
        result = run(found, stall)
        result.check()

        beats = beats_of(source, stimulus(found, BEATS, stall, {})[source.name])
        assert result.reference.taken == {source.name: len(beats)}
        expected = MODELS[name](beats, result.replayed)
        for score in result.scores:
            rows = result.reference.beats[score.stream.name]
            words = [int.from_bytes(row.tobytes(), "little") for row in rows]
            assert beats_of(score.stream, words) == expected[score.stream.name], (name, stall)
            # The last ones may still wait in a unit that asks.
            waiting = found.stages + found.places(score.stream) if result.replayed else 0
            assert score.expected >= len(words) - waiting
        if found.asked:
            check_fullness(result, stall)


def check_fullness(result: UnitResult, stall: int) -> None:
    """Where each beat is taken at once a beat passes in every cycle, and no output is full."""
    assert result.replayed is not None
    share = result.replayed.full.mean(axis=0)
    if stall:
        assert np.all((share > 0) & (share < 0.99))
    else:
        assert not share.any()
        assert len(result.replayed) == BEATS


def test_a_unit_that_says_full_without_a_beat_is_at_fault(project: Projects) -> None:
    with pytest.raises(SimulationMismatchError) as error:
        run(project("Spread"), 0, ALWAYS_FULL)

    assert str(error.value) == (
        "sim: unit 'Spread': stream 'left': the RTL says in step 0 that it is full, where it offers no beat; "
        "look at it with --waves"
    )


# What a project says of its streams


def test_the_ports_are_those_of_axi4_stream(project: Projects) -> None:
    text = (project("Signals").root / "rtl" / "Signals.sv").read_text()

    ports = re.findall(r"^  (?:input |output) logic +(.*_axis_t\w+)", text, re.MULTILINE)
    assert [" ".join(port.split()) for port in ports] == [
        "[15:0] s_axis_tdata",
        "[69:0] s_axis_tuser",
        "s_axis_tlast",
        "[4:0] s_axis_tdest",
        "[1:0] s_axis_tstrb",
        "[0:0] s_axis_tid",
        "[1:0] s_axis_tkeep",
        "s_axis_tvalid",
        "s_axis_tready",
        "[15:0] m_axis_tdata",
        "[1:0] m_axis_tkeep",
        "[1:0] m_axis_tstrb",
        "m_axis_tlast",
        "[69:0] m_axis_tuser",
        "[0:0] m_axis_tid",
        "[4:0] m_axis_tdest",
        "m_axis_tvalid",
        "m_axis_tready",
    ]
    assert "//   s_axis: reads 16 bits with tuser, tlast, tdest, tstrb, tid, tkeep in every step\n" in text


def test_the_report_lists_signals_with_their_bits(project: Projects) -> None:
    folder = project("Drop").root
    report = json.loads((folder / "report.json").read_text())

    assert report["inputs"] == {"s_axis": 12}
    assert report["outputs"] == {"m_axis": {"data": 24, "user": 8}}
    assert "outputs        m_axis (data 24, user 8)\n" in (folder / "README.md").read_text()


def test_an_output_that_is_asked_is_said_to_be(project: Projects) -> None:
    text = (project("Drop").root / "rtl" / "Drop.sv").read_text()

    assert "//   m_axis: writes 24 bits with tuser in some steps, and asks whether there is room\n" in text
    assert text.count("output_queue #(") == 1


# What is refused


def test_a_stream_is_asked_before_it_is_written(tmp_path: Path) -> None:
    text = unit_text("p.m_axis.write(p.s_axis.read());\nif (p.m_axis.full()) n = 1;", "int n = 0;")
    with pytest.raises(UnsupportedModelError) as error:
        compile_text(tmp_path, text)

    assert str(error.value) == (
        "hlsc: unit 'Unit': unit.hpp:10: 'm_axis' is tested after it is written in one step (at unit.hpp:9), "
        "and a test sees the stream before the step; move the test before the write"
    )


def test_an_input_cannot_be_full(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match="no member named 'full' in 'thresher::InStream<8>'"):
        compile_text(tmp_path, unit_text("if (!p.s_axis.full()) p.m_axis.write(p.s_axis.read());"))


def compile_port(folder: Path, port: str) -> None:
    header = folder / "unit.hpp"
    header.write_text(
        '#include "thresher/stream.hpp"\nusing namespace thresher;\nstruct Unit {\n'
        f"  struct Ports {{ InStream<8> s_axis; {port} m_axis; }};\n"
        "  void step(Ports& p) { p.s_axis.read(); p.m_axis.write({}); }\n};\n"
    )
    compile_unit(UnitSource(header, "Unit", (HLS,)), "unit")


@pytest.mark.parametrize(
    ("port", "why", "remedy"),
    [
        ("OutStream<12, Keep>", "Keep is a bit for each byte of the data", "give it whole bytes"),
        ("OutStream<1, Last, Strb>", "Strb is a bit for each byte of the data", "give it whole bytes"),
        ("OutStream<8, User<0>>", "User has 1 bit or more", "give it a width, or leave it out"),
        ("OutStream<8, Id<-1>>", "Id has 1 bit or more", "give it a width, or leave it out"),
        ("OutStream<8, Last, Dest<0>>", "Dest has 1 bit or more", "give it a width, or leave it out"),
        ("OutStream<8, User<3>, Last, User<3>>", "a stream has each signal once", "leave the second one out"),
        ("OutStream<8, User<3>, User<4>>", "a stream has each signal once", "leave the second one out"),
    ],
)
def test_signals_that_make_no_sense_are_refused(port: str, why: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as error:
        compile_port(tmp_path, port)
    said = re.sub(r"beat\.hpp:\d+", "beat.hpp:N", str(error.value))
    assert said == f"hlsc: unit 'Unit': unit.hpp:4: {why} (beat.hpp:N); {remedy}"


# The C++ itself

PROGRAM = """
#include <cstdio>
#include <cstdlib>

#include "thresher/csim.hpp"

#include "stream_units.hpp"

// A word of FILE to each step of a unit, and its words to stdout.
template <class Unit, class In, class Out, class InStream, class OutStream, class Source, class Sink>
void go(const char* path) {
  Source source("source");
  Sink sink("sink");
  typename Unit::Ports ports{InStream(source), OutStream(sink)};
  static Unit unit;
  unsigned char bytes[1024];
  std::FILE* file = std::fopen(path, "rb");
  while (std::fread(bytes, 1, (In::kBits + 7) / 8, file) == (In::kBits + 7) / 8) {
    source.write(In::beat(thresher::beat_from_bytes<In::kBits>(bytes)));
    while (!source.empty()) unit.step(ports);
    while (!sink.empty()) {
      thresher::beat_to_bytes<Out::kBits>(Out::word(sink.read()), bytes);
      std::fwrite(bytes, 1, (Out::kBits + 7) / 8, stdout);
    }
  }
  std::fclose(file);
}

int main(int, char** argv) {
  using namespace thresher;
  go<streams::%(name)s, Carried<%(inputs)s>, Carried<%(outputs)s>, InStream<%(inputs)s>,
     OutStream<%(outputs)s>, Channel<%(inputs)s>, Channel<%(outputs)s>>(argv[1]);
}
"""


def run_program(folder: Path, unit: UnitProject, words: Sequence[int], types: str) -> list[Beat]:
    """What a unit writes in a C simulation of its own, where each word is there before its step."""
    (source,), (target,) = unit.inputs, unit.outputs
    arguments = {"name": unit.module, "inputs": cpp(source), "outputs": cpp(target)}
    (folder / "main.cpp").write_text(PROGRAM % arguments)
    data = b"".join(word.to_bytes(source.bytes_per_beat, "little") for word in words)
    (folder / "words.bin").write_bytes(data)
    program = compile_program(folder / "main.cpp", [HLS, UNITS.parent], folder / "cache", types)
    done = subprocess.run([str(program), str(folder / "words.bin")], capture_output=True, check=True)
    size = target.bytes_per_beat
    rows = [done.stdout[at : at + size] for at in range(0, len(done.stdout), size)]
    return beats_of(target, [int.from_bytes(row, "little") for row in rows])


def cpp(stream: UnitStream) -> str:
    arguments = [str(stream.fields[0].width)]
    for name, bits in stream.signals:
        arguments.append(name.capitalize() + (f"<{bits}>" if name in ("user", "id", "dest") else ""))
    return ", ".join(arguments)


@pytest.mark.parametrize("types", TYPE_SETS)
def test_the_c_simulation_writes_what_the_model_does(types: str, project: Projects, tmp_path: Path) -> None:
    unit = project("Signals")
    (source,) = unit.inputs
    rng = random.Random(7)
    words = [rng.getrandbits(source.width) for _ in range(BEATS)]

    written = run_program(tmp_path, unit, words, types)

    assert written == signals(beats_of(source, words), None)["m_axis"]


WIDE = """
#include "thresher/stream.hpp"
using namespace thresher;
struct Wide {{
  struct Ports {{
    InStream<{width}, User<{user}>, Last, Id<{id}>> s_axis;
    OutStream<{width}, Id<{user}>, Last, Dest<{id}>> m_axis;
  }};
  void step(Ports& ports) {{
    const auto beat = ports.s_axis.read();
    Beat<{width}, Id<{user}>, Last, Dest<{id}>> out;
    out.data = beat.data + 1;
    out.id = beat.user;
    out.last = beat.last;
    out.dest = ~beat.id;
    ports.m_axis.write(out);
  }}
}};
"""


@pytest.mark.parametrize(
    ("width", "user", "id_"),
    [(1, 1, 1), (7, 64, 65), (63, 2, 129), (64, 33, 7), (513, 4096, 31), (4096, 5, 2)],
)
def test_every_width_keeps_its_bits(width: int, user: int, id_: int, tmp_path: Path) -> None:
    header = tmp_path / "wide.hpp"
    header.write_text(WIDE.format(width=width, user=user, id=id_))
    graph = unit_graph(parse(emit_llvm(UnitSource(header, "Wide", (HLS,))).text))
    rng = random.Random(width)
    rows = [(0, 0, 0, 0), (2**width - 1, 2**user - 1, 1, 2**id_ - 1)]
    rows += [tuple(map(rng.getrandbits, (width, user, 1, id_))) for _ in range(6)]  # type: ignore[misc]
    words = [
        data | users << width | last << width + user | ids << width + user + 1
        for data, users, last, ids in rows
    ]

    for each in (graph, optimise(graph, delay_model("xc7"))):
        written = Interpreter(each).run({"s_axis": words}, len(words))["m_axis"]
        assert written == [
            (data + 1) % 2**width
            | users << width
            | last << width + user
            | (ids ^ 2**id_ - 1) << width + user + 1
            for data, users, last, ids in rows
        ]


def test_a_new_beat_is_all_bytes_of_nothing(tmp_path: Path) -> None:
    header = tmp_path / "fresh.hpp"
    header.write_text(
        '#include "thresher/stream.hpp"\nusing namespace thresher;\nstruct Fresh {\n'
        "  struct Ports { OutStream<16, Last, Keep, User<3>, Strb, Id<2>, Dest<4>> m_axis; };\n"
        "  void step(Ports& p) { p.m_axis.write({}); }\n};\n"
    )
    graph = unit_graph(parse(emit_llvm(UnitSource(header, "Fresh", (HLS,))).text))

    assert Interpreter(graph).run({}, 1)["m_axis"] == [0b0000_00_11_000_11_0 << 16]
