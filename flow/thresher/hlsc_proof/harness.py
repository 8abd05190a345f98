"""The circuit that a solver tries to make fail: a unit beside its reference.

The solver chooses, cycle by cycle, which beats the inputs offer and when, and when the outputs take
one; so all sequences under all stalls are covered. The reference takes a step whenever the beats that
it reads are offered and the unit's `advance` says that the unit moves on. What the step writes goes
into a queue for each output, against which the unit's offers are held. So if there is no fault, the
unit's outputs are what the C++ writes when it reads what the unit took. That `advance` comes from the
unit itself takes nothing from this: were it wrong, beats would not match.

A step that asks whether an output is full finds in the reference what it found in the unit. The unit may
not say so where it offers no beat, nor may a step wait for an output that it writes only where it is not
full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.hlsc.verilog import flow
from thresher.hlsc_proof.streams import Stream, Streams

QUEUE = Path(__file__).with_name("expected_beats.sv")
"""The module that holds an output against what the reference wrote."""

FAULTS = {
    "wrong": "offers another beat than the C++ writes there, or one where it writes none",
    "withdrawn": "takes back a beat that it offered",
    "late": "gives a beat later than its latency allows, or never",
    "reads": "takes a beat when the C++ does not read one, or takes none when it does",
    "full": "says that it is full where it offers no beat",
    "idle": "takes no step although every input offers a beat and every output takes one",
    "waits": "waits for an output that no step writes where it is full",
}
"""What the unit does in the cycle of each fault. The signal of a fault is its name, `_` and the stream's."""


@dataclass(frozen=True)
class Harness:
    """The modules of a unit of `stages` stages and of its reference, which both have `streams`.

    `seen` is the number of beats that each output must have given in a run that is worth anything.
    """

    unit: str
    reference: str
    streams: Streams
    stages: int
    seen: int


def fault_signals(streams: Streams) -> dict[str, tuple[str, str]]:
    """The signals that are 1 in the cycle of a fault, each with its fault and stream, where it has one."""
    faults = [(fault, port.name) for fault in ("wrong", "withdrawn", "late") for port in streams.outputs]
    faults += [("full", name) for name in streams.asked]
    faults += [("reads", port.name) for port in streams.inputs]
    alone = ("idle", "waits") if streams.asked else ("idle",)
    return {f"{fault}_{stream}": (fault, stream) for fault, stream in faults} | {
        fault: (fault, "") for fault in alone
    }


def harness_text(harness: Harness, name: str) -> str:
    """The module, which is in reset in the first cycle only.

    Its inputs are the solver's choices. After a step of which the C++ does not say what it does, nothing is
    held against anything, and `undefined_o` is 1 from then on. `failed_o` is 1 in the cycle of a fault,
    `seen_o` once every output has given `seen` beats, after one that waited.
    """
    streams = harness.streams
    seen = _all(f"{port.name}_given == {_width(harness)}'d{harness.seen}" for port in streams.outputs)
    lines = [
        f"module {name} (",
        ",\n".join(f"  {port}" for port in _ports(streams)),
        ");",
        "  logic rst_n = 1'b0;",
        "  logic step, every_offer, every_take, waited, undefined, was_undefined, is_defined;",
        *[line for port in streams.inputs for line in _input(port)],
        *[line for port in streams.outputs for line in _output(port, harness)],
        f"  assign every_offer = {_all(f'{port.name}_tvalid' for port in streams.inputs)};",
        f"  assign every_take = {_all(f'{port.name}_tready' for port in streams.outputs)};",
        "  logic idle;",
        "  assign idle = every_offer && every_take && !step;",
        *_never_waits(streams),
        "  assign is_defined = rst_n && !was_undefined && !(step && undefined);",
        *_clocked(
            [
                "rst_n <= 1'b1;",
                "waited <= rst_n && (waited || !every_take);",
                "was_undefined <= rst_n && !is_defined;",
            ]
        ),
        *_instance(harness.reference, "reference", _reference_ports(streams)),
        *_instance(harness.unit, "unit", _unit_ports(streams)),
        *[f"  assign {name}_full = unit.{name}_full;" for name in streams.asked],
        f"  assign step = rst_n && unit.{flow.ADVANCE} && {_all(map(_is_there, streams.inputs))};",
        f"  assign failed_o = is_defined && ({' || '.join(fault_signals(streams))});",
        "  assign undefined_o = rst_n && !is_defined;",
        f"  assign seen_o = is_defined && waited && {seen};",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _all(conditions: Iterable[str]) -> str:
    return " && ".join(conditions) or "1'b1"


def _is_there(port: Stream) -> str:
    return f"(!{port.name}_read || {port.name}_tvalid)"


def _never_waits(streams: Streams) -> Iterator[str]:
    """A step waits for no output that is asked, as long as none was to be written where it was full."""
    if not streams.asked:
        return
    others = [port.name for port in streams.outputs if port.name not in streams.asked]
    written = " || ".join(f"({name}_written && {name}_full)" for name in streams.asked)
    yield "  logic waits, rash, was_rash;"
    there = _all(map(_is_there, streams.inputs))
    taken = _all(f"{name}_tready" for name in others)
    yield f"  assign rash = {there} && ({written});"
    yield f"  assign waits = rst_n && {there} && {taken} && !rash && !was_rash && !unit.{flow.ADVANCE};"
    yield from _clocked(["was_rash <= rst_n && (was_rash || rash);"])


def _width(harness: Harness) -> int:
    """The width of a counter of beats seen."""
    return harness.seen.bit_length()


def _ports(streams: Streams) -> Iterator[str]:
    yield "input logic ap_clk"
    for port in streams.inputs:
        yield f"input logic [{port.width - 1}:0] {port.name}_choice_i"
        yield f"input logic {port.name}_offer_i"
    for output in streams.outputs:
        yield f"input logic {output.name}_tready"
    yield "output logic failed_o"
    yield "output logic seen_o"
    yield "output logic undefined_o"


def _input(port: Stream) -> Iterator[str]:
    """An AXI4-Stream: a beat that waits stays. Where none is offered the data may be anything."""
    name = port.name
    yield f"  logic [{port.width - 1}:0] {name}_tdata, {name}_kept;"
    yield f"  logic {name}_read, {name}_waits, {name}_tvalid, {name}_tready, reads_{name};"
    yield f"  assign {name}_tvalid = rst_n && ({name}_offer_i || {name}_waits);"
    yield f"  assign {name}_tdata = {name}_waits ? {name}_kept : {name}_choice_i;"
    yield f"  assign reads_{name} = ({name}_tvalid && {name}_tready) != (step && {name}_read);"
    yield from _clocked(
        [f"{name}_waits <= {name}_tvalid && !{name}_tready;", f"{name}_kept <= {name}_tdata;"]
    )


def _output(port: Stream, harness: Harness) -> Iterator[str]:
    name, width = port.name, _width(harness)
    yield f"  logic [{port.width - 1}:0] {name}_beat, {name}_next, {name}_tdata;"
    yield f"  logic {name}_written, {name}_known, {name}_tvalid, {name}_full;"
    if name in harness.streams.asked:
        yield f"  logic full_{name};"
        yield f"  assign full_{name} = rst_n && {name}_full && !{name}_tvalid;"
    else:
        yield f"  assign {name}_full = 1'b0;"
    yield f"  logic wrong_{name}, withdrawn_{name}, late_{name};"
    yield f"  logic [{width - 1}:0] {name}_given;"
    waiting = harness.stages + 1 if name in harness.streams.asked and harness.stages > 1 else 1
    depth = harness.stages - 1 + waiting
    parameters = f"#(.Width({port.width}), .Stages({harness.stages}), .Depth({depth})) "
    yield from _instance("expected_beats", f"{parameters}{name}_queue", _queue_ports(name))
    more = f"{name}_tvalid && {name}_tready && {name}_given != {width}'d{harness.seen}"
    yield from _clocked([f"{name}_given <= rst_n ? {name}_given + {width}'({more}) : '0;"])


def _queue_ports(name: str) -> Iterator[tuple[str, str]]:
    yield from (("clk_i", "ap_clk"), ("rst_ni", "rst_n"), ("free_i", "every_take"))
    yield from (("written_i", f"step && {name}_written"), ("beat_i", f"{name}_beat"))
    yield from ((f"t{part}_i", f"{name}_t{part}") for part in ("data", "valid", "ready"))
    yield from ((f"{fault}_o", f"{fault}_{name}") for fault in ("wrong", "withdrawn", "late"))
    yield from (("next_o", f"{name}_next"), ("known_o", f"{name}_known"))


def _reference_ports(streams: Streams) -> Iterator[tuple[str, str]]:
    yield from (("clk_i", "ap_clk"), ("rst_ni", "rst_n"), ("step_i", "step"))
    yield ("undefined_o", "undefined")
    for port in streams.inputs:
        yield from (
            (f"{port.name}_beat_i", f"{port.name}_tdata"),
            (f"{port.name}_valid_i", f"{port.name}_tvalid"),
            (f"{port.name}_read_o", f"{port.name}_read"),
        )
    for output in streams.outputs:
        yield from ((f"{output.name}_{part}_o", f"{output.name}_{part}") for part in ("written", "beat"))
        yield f"{output.name}_full_i", f"{output.name}_full"


def _unit_ports(streams: Streams) -> Iterator[tuple[str, str]]:
    yield from (("ap_clk", "ap_clk"), ("ap_rst_n", "rst_n"))
    for port in streams.all:
        word = f"{port.name}_tdata"
        for signal in port.signals:
            yield f"{port.name}_t{signal.name}", signal.of(word) if len(port.signals) > 1 else word
        yield from ((f"{port.name}_t{part}", f"{port.name}_t{part}") for part in ("valid", "ready"))


def _clocked(statements: Sequence[str]) -> Iterator[str]:
    yield "  always_ff @(posedge ap_clk) begin"
    yield from (f"    {statement}" for statement in statements)
    yield "  end"


def _instance(module: str, name: str, ports: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield f"  {module} {name} ("
    yield ",\n".join(f"    .{port}({signal})" for port, signal in ports)
    yield "  );"
