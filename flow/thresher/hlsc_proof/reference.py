"""A unit's C++ as the plainest SystemVerilog there is: a whole step in one cycle, no handshakes.

It is made of the LLVM IR as LLVM itself reads it, and shares no code with hlsc's reader, front end,
graph or printer, for these are what is measured against it. The unit's state is the bytes of the C++
object. Bits that the constructor leaves alone begin with anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from thresher.hlsc_proof.llvm_module import LlvmModule
from thresher.hlsc_proof.streams import Streams, streams_of
from thresher.hlsc_proof.translation import Translation

NAME = "reference_unit"
"""The module's name."""


@dataclass(frozen=True)
class Reference:
    """The module as text, and its streams.

    It does a step in each cycle in which `step_i` is 1. `STREAM_beat_i` is the next beat of an input, if
    `STREAM_valid_i` is 1; `STREAM_read_o` is 1 when the step reads it. An output is full if `STREAM_full_i`
    is 1; `STREAM_written_o` is 1 when the step writes `STREAM_beat_o` to it. `undefined_o` is 1 when the
    C++ does not say what the step does, which never is unless `may_be_undefined`.
    """

    text: str
    streams: Streams
    may_be_undefined: bool


def reference_of(unit: str, text: str) -> Reference:
    """The reference of a unit, from the LLVM IR that clang has made of it.

    Raises:
        UntranslatedError: something that hlsc takes has no translation here.
        MissingToolError: llvmlite is not installed.
    """
    module, streams = LlvmModule(unit, text), streams_of(text)
    translation = Translation(module, streams.all)
    translation.step()
    lines = [*_ports(streams), *_declarations(translation), *_step(translation), *_clocked(translation)]
    undefined = any(statement.startswith("undefined_o") for statement in translation.statements)
    return Reference("\n".join([*lines, "endmodule", ""]), streams, undefined)


def _ports(streams: Streams) -> Iterator[str]:
    ports = ["input logic clk_i", "input logic rst_ni", "input logic step_i", "output logic undefined_o"]
    for stream in streams.all:
        bits = f"logic [{stream.width - 1}:0] {stream.name}"
        if stream.is_input:
            ports += [f"input {bits}_beat_i", f"input logic {stream.name}_valid_i"]
            ports.append(f"output logic {stream.name}_read_o")
        else:
            ports += [f"output logic {stream.name}_written_o", f"output {bits}_beat_o"]
            ports.append(f"input logic {stream.name}_full_i")
    yield f"module {NAME} ("
    yield ",\n".join(f"  {port}" for port in ports)
    yield ");"


def _declarations(translation: Translation) -> Iterator[str]:
    for name, width in translation.variables.items():
        yield f"  logic [{width - 1}:0] {name};"
    yield f"  logic [{translation.variables['unit'] - 1}:0] unit_q;"
    for name, data in translation.tables.items():
        number = int.from_bytes(data, "little")
        yield f"  localparam logic [{8 * len(data) - 1}:0] {name} = {8 * len(data)}'h{number:x};"
    for place, ram in translation.rams.items():
        yield f"  logic [{ram.width - 1}:0] ram{place}_q [{ram.depth}];"
    for place, words in translation.module.initial_words().items():
        yield from _initial(place, words, translation)


def _initial(place: int, words: Sequence[int], translation: Translation) -> Iterator[str]:
    """The contents that the constructor gives a memory, if the step uses it."""
    if place in translation.rams:
        width = translation.rams[place].width
        yield "  initial begin"
        yield from (f"    ram{place}_q[{at}] = {width}'h{word:x};" for at, word in enumerate(words))
        yield "  end"


def _step(translation: Translation) -> Iterator[str]:
    yield "  always_comb begin"
    yield "    unit = unit_q;"
    yield "    undefined_o = 1'b0;"
    for stream in translation.streams:
        parts = ("read_o",) if stream.is_input else ("written_o", "beat_o")
        yield from (f"    {stream.name}_{part} = '0;" for part in parts)
    yield from (f"    {statement}" for statement in translation.statements)
    yield "  end"


def _clocked(translation: Translation) -> Iterator[str]:
    initial = translation.module.initial_bits()
    yield "  always_ff @(posedge clk_i) begin"
    bits = range(translation.variables["unit"])
    for is_known, group in groupby(bits, lambda bit: bool(initial.known >> bit & 1)):
        low, *_ = places = list(group)
        value = initial.value >> low & ((1 << len(places)) - 1)
        part = f"[{places[-1]}:{low}]"
        reset = f"if (!rst_ni) unit_q{part} <= {len(places)}'h{value:x}; else " if is_known else ""
        yield f"    {reset}if (step_i) unit_q{part} <= unit{part};"
    for place, ram in translation.rams.items():
        for write in ram.writes:
            assignment = f"ram{place}_q[{write.address}] <= {write.word};"
            yield f"    if (step_i && {write.condition}) {assignment}"
    yield "  end"
