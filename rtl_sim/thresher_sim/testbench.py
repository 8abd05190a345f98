"""The SystemVerilog test bench of one or more devices: a source, a sink and monitors around each.

A *lane* is one device with its input and output streams. The bench of a project is one lane with
monitors on the streams inside the accelerator, and meters on its FIFOs; the bench of its units alone has
as many lanes as units.
The bench of a user's unit is one device with any number of streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .project import Stream, safe_name
from .unit import UnitStream

TOP = "tb"
_HANDSHAKE = ("tvalid", "tready")
# What the bench sets in each reset, see `resets.Reset`: signals of the top, by their types.
_SOURCE_SETTINGS = {"first_frame": "int unsigned", "endless": "logic", "early": "logic", "noisy": "logic"}
_SINK_SETTINGS = {"rests": "logic", "eager": "logic"}


@dataclass(frozen=True)
class Lane:
    """A device under test: an instance of `module`, whose ports are `s_axis_*` and `m_axis_*`.

    Where it has several inputs or outputs their ports are numbered: `s_axis0_*`, `s_axis1_*`, ...
    Streams inside the device are read as `<instance>.<stream name>_tdata`, `_tvalid`, `_tready`. The
    FIFO on a stream that has a depth is the instance `Stream.fifo` in it.
    `has_last` says that it has one output, with `m_axis_tlast`. The edges are padded to whole bytes with
    `pad_edges`, as those of an accelerator are; a unit's are exactly as wide as their layout. With
    `ready_rests` it is held to be never ready in reset, as an accelerator is.
    """

    module: str
    instance: str
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    internal: tuple[Stream, ...] = ()
    has_last: bool = False
    pad_edges: bool = False
    ready_rests: bool = False

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All its streams, along the network."""
        return (*self.inputs, *self.internal, *self.outputs)

    @property
    def fifos(self) -> tuple[Stream, ...]:
        """Those of its streams that have a FIFO."""
        return tuple(stream for stream in self.streams if stream.depth is not None)

    def edge_width(self, stream: Stream) -> int:
        """Bits of the port of an input or output stream."""
        return 8 * stream.layout.bytes_per_beat if self.pad_edges else stream.layout.width


def accelerator_lane(top: str, streams: Sequence[Stream]) -> Lane:
    """The lane of an accelerator whose streams are given from the input to the output."""
    ends = (streams[0],), (streams[-1],)
    internal = tuple(streams[1:-1])
    return Lane(top, "dut", *ends, internal, has_last=True, pad_edges=True, ready_rests=True)


def render_testbench(lanes: Sequence[Lane]) -> str:
    """The text of `tb.sv`.

    Raises:
        ValueError: a name is not an identifier, or two streams have the same name.
    """
    names = [stream.name for lane in lanes for stream in lane.streams]
    for name in [*names, *(word for lane in lanes for word in (lane.module, lane.instance))]:
        safe_name(name)
    if len(set(names)) != len(names):
        raise ValueError("two streams of a test bench have the same name")
    ends = [len(lane.inputs) + len(lane.outputs) for lane in lanes]
    seeds = accumulate(ends, initial=1)
    return _testbench([line for lane, seed in zip(lanes, seeds, strict=False) for line in _lane(lane, seed)])


def render_vitis_adapter(top: str, source: Stream, target: Stream) -> tuple[str, str]:
    """A module with the accelerator's ports around `top` as Vitis HLS wrote it: its name, and its text.

    Raises:
        ValueError: the name is not an identifier.
    """
    name = f"{safe_name(top)}_vitis"
    ports = [".ap_clk", ".ap_rst_n"]
    for port in ("s_axis", "m_axis"):
        ports += [f".{port}_{wire.upper()}({port}_{wire})" for wire in ("tdata", "tvalid", "tready")]
    ports += [".s_axis_TKEEP('1)", ".s_axis_TSTRB('1)", ".s_axis_TLAST(1'b0)"]
    ports += [".m_axis_TKEEP()", ".m_axis_TSTRB()", ".m_axis_TLAST(m_axis_tlast)"]
    lines = [
        "// Written by thresher_sim.testbench: the signals of Vitis HLS under the names of the bench.",
        f"module {name} (",
        "    input logic ap_clk,",
        "    input logic ap_rst_n,",
        f"    input logic [{8 * source.layout.bytes_per_beat - 1}:0] s_axis_tdata,",
        "    input logic s_axis_tvalid,",
        "    output logic s_axis_tready,",
        f"    output logic [{8 * target.layout.bytes_per_beat - 1}:0] m_axis_tdata,",
        "    output logic m_axis_tvalid,",
        "    input logic m_axis_tready,",
        "    output logic m_axis_tlast",
        ");",
        *_instance(top, f"u_{top}", ports),
        "endmodule",
        "",
    ]
    return name, "\n".join(lines)


def render_unit_testbench(
    module: str,
    inputs: Sequence[UnitStream],
    outputs: Sequence[UnitStream],
    records_steps: bool = False,
    asked: Sequence[str] = (),
) -> str:
    """The text of `tb.sv` for a unit alone, whose ports are named as its streams.

    With `records_steps` its steps are recorded, see `step_recorder`: hlsc says by `stage0_valid` that a
    step has what it waits for, by `advance` that it may begin, and by `*_full` of the outputs `asked` that
    they have no room.

    Raises:
        ValueError: a name is not an identifier.
    """
    streams = [*inputs, *outputs]
    for name in [module, *(stream.name for stream in streams)]:
        safe_name(name)
    ports = [".ap_clk", ".ap_rst_n"]
    body = [""]
    for index, stream in enumerate(streams):
        name, width = stream.name, stream.width
        body += _declare_signals(stream)
        ports += [f".{wire}({wire})" for wire in _wires(stream)]
        driven = stream in outputs
        body += _sink(name, index + 1) if driven else _source(name, width, 1, index + 1, stream.wires)
        body += _monitor(
            name, width, 1, name, "1'b0", stream.wires, valid_rests=driven, ready_rests=not driven
        )
    body += _instance(module, "dut", ports)
    return _testbench([*body, *(_step_recorder(inputs, asked) if records_steps else [])])


def _wires(stream: UnitStream) -> list[str]:
    parts = [*(f"t{field.name}" for field in stream.fields), *_HANDSHAKE]
    return [f"{stream.name}_{part}" for part in parts]


def _declare_signals(stream: UnitStream) -> list[str]:
    named = ((field.bits, f"{stream.name}_t{field.name}") for field in stream.fields)
    lines = [f"  logic {f'{bits} {name}'.strip()};" for bits, name in named]
    return [*lines, f"  logic {', '.join(f'{stream.name}_{wire}' for wire in _HANDSHAKE)};"]


def _testbench(body: Sequence[str]) -> str:
    settings = _SOURCE_SETTINGS | _SINK_SETTINGS
    return "\n".join(
        [
            "// Written by thresher_sim.testbench. Every stream is recorded; see stream_monitor.",
            f"module {TOP} (",
            "    input logic ap_clk  /*verilator public_flat_rw*/,",
            "    input logic ap_rst_n  /*verilator public_flat_rw*/",
            ");",
            "",
            *(f"  {kind} {name}  /*verilator public_flat_rw*/;" for name, kind in settings.items()),
            f"  initial {{{', '.join(settings)}}} = '0;",
            *body,
            "",
            "endmodule",
            "",
        ]
    )


def _lane(lane: Lane, seed: int) -> list[str]:
    """The lane, whose sources and sinks have the seeds from `seed` on."""
    ports = [".ap_clk", ".ap_rst_n", *_ports("s_axis", lane.inputs), *_ports("m_axis", lane.outputs)]
    if lane.has_last:
        ports.append(f".m_axis_tlast({lane.outputs[0].name}_tlast)")
    lines = [""]
    for stream in lane.inputs:
        lines += _declare(stream.name, lane.edge_width(stream), has_last=False)
    for stream in lane.outputs:
        lines += _declare(stream.name, lane.edge_width(stream), lane.has_last)
    for place, stream in enumerate(lane.inputs, seed):
        beats = stream.layout.beats_per_frame
        lines += _source(stream.name, lane.edge_width(stream), beats, place)
    lines += _instance(lane.module, lane.instance, ports)
    for place, stream in enumerate(lane.outputs, seed + len(lane.inputs)):
        lines += _sink(stream.name, place)
    for stream in lane.inputs:
        lines += _monitor_of(stream, lane.edge_width(stream), stream.name, ready_rests=lane.ready_rests)
    for stream in lane.internal:
        signal = f"{lane.instance}.{stream.name}"
        lines += _monitor_of(stream, stream.layout.width, signal, valid_rests=True)
    for stream in lane.outputs:
        last = f"{stream.name}_tlast" if lane.has_last else "1'b0"
        lines += _monitor_of(stream, lane.edge_width(stream), stream.name, last, valid_rests=True)
    for stream in lane.fifos:
        lines += _meter(lane, stream)
    return lines


def _ports(stem: str, streams: Sequence[Stream]) -> list[str]:
    names = [stem] if len(streams) == 1 else [f"{stem}{place}" for place in range(len(streams))]
    return [wire for name, stream in zip(names, streams, strict=True) for wire in _axis(name, stream.name)]


def _source(name: str, width: int, beats_per_frame: int, seed: int, beat: str = "") -> list[str]:
    return _instance(
        f"stream_source #(.Width({width}), .BeatsPerFrame({beats_per_frame}), "
        f'.Name("{name}"), .Seed({seed}))',
        f"source_{name}",
        [".ap_clk", ".ap_rst_n", *(f".{name}" for name in _SOURCE_SETTINGS), *_axis("", name, beat)],
    )


def _sink(name: str, seed: int) -> list[str]:
    settings = [f".{name}" for name in _SINK_SETTINGS]
    ports = [".ap_clk", ".ap_rst_n", *settings, f".tready({name}_tready)"]
    return _instance(f"stream_sink #(.Seed({seed}))", f"sink_{name}", ports)


def _declare(name: str, width: int, has_last: bool) -> list[str]:
    bits = [f"{name}_tvalid", f"{name}_tready", *([f"{name}_tlast"] if has_last else [])]
    return [f"  logic [{width - 1}:0] {name}_tdata;", f"  logic {', '.join(bits)};"]


def _axis(port: str, signal: str, beat: str = "") -> list[str]:
    """The ports of a stream; `beat` is what its data is connected to, where that is not `SIGNAL_tdata`."""
    prefix = f"{port}_" if port else ""
    data = f".{prefix}tdata({beat or f'{signal}_tdata'})"
    return [data, *(f".{prefix}{wire}({signal}_{wire})" for wire in _HANDSHAKE)]


def _meter(lane: Lane, stream: Stream) -> list[str]:
    fifo = f"{lane.instance}.{stream.fifo}"
    wires = [f".{port}_{wire}({fifo}.{port}_axis_{wire})" for port in "sm" for wire in ("tvalid", "tready")]
    return _instance("fifo_meter", f"meter_{stream.name}", [".ap_clk", ".ap_rst_n", *wires])


def _step_recorder(inputs: Sequence[UnitStream], asked: Sequence[str]) -> list[str]:
    """Records what `replay.load_steps` reads."""
    seen = [f"{stream.name}_tvalid" for stream in inputs]
    seen += [f"{stream.name}_tvalid && {stream.name}_tready" for stream in inputs]
    seen += [f"dut.{name}_full" for name in asked]
    seen += [f"{name}_tvalid" for name in asked]
    kind = f"step_recorder #(.Bits({len(seen)}))"
    begins = ".begins(dut.stage0_valid && dut.advance)"
    return _instance(
        kind, "recorder", [".ap_clk", ".ap_rst_n", begins, f".seen({{{', '.join(reversed(seen))}}})"]
    )


def _monitor_of(
    stream: Stream,
    width: int,
    signal: str,
    last: str = "1'b0",
    *,
    valid_rests: bool = False,
    ready_rests: bool = False,
) -> list[str]:
    return _monitor(
        stream.name,
        width,
        stream.layout.beats_per_frame,
        signal,
        last,
        valid_rests=valid_rests,
        ready_rests=ready_rests,
    )


def _monitor(
    name: str,
    width: int,
    beats_per_frame: int,
    signal: str,
    last: str,
    beat: str = "",
    *,
    valid_rests: bool,
    ready_rests: bool,
) -> list[str]:
    flags = {"HasLast": last != "1'b0", "ValidRests": valid_rests, "ReadyRests": ready_rests}
    given = "".join(f", .{flag}(1'b1)" for flag, is_set in flags.items() if is_set)
    return _instance(
        f'stream_monitor #(.Width({width}), .BeatsPerFrame({beats_per_frame}), .Name("{name}"){given})',
        f"monitor_{name}",
        [".ap_clk", ".ap_rst_n", *_axis("", signal, beat), f".tlast({last})"],
    )


def _instance(kind: str, name: str, ports: Sequence[str]) -> list[str]:
    return [f"  {kind} {name} (", *(f"    {port}," for port in ports[:-1]), f"    {ports[-1]}", "  );"]
