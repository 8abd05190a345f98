"""The SystemVerilog test bench of one or more devices: a source, a sink and monitors around each.

A *lane* is one device with its input and its output stream. The bench of a project is one lane with
monitors on the streams inside the accelerator, and meters on its FIFOs; the bench of its units alone has
as many lanes as units.
The bench of a user's unit is one device with any number of streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .project import Stream, safe_name
from .unit import UnitStream

TOP = "tb"


@dataclass(frozen=True)
class Lane:
    """A device under test: an instance of `module`, whose ports are `s_axis_*` and `m_axis_*`.

    Streams inside the device are read as `<instance>.<stream name>_tdata`, `_tvalid`, `_tready`. The
    FIFO on a stream that has a depth is the instance `u_<consumer>_fifo` in it, at the output
    `u_result_fifo`.
    `has_last` says that it has `m_axis_tlast`. The edges are padded to whole bytes with `pad_edges`,
    as those of an accelerator are; a unit's are exactly as wide as their layout.
    """

    module: str
    instance: str
    input: Stream
    output: Stream
    internal: tuple[Stream, ...] = ()
    has_last: bool = False
    pad_edges: bool = False

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All its streams, along the network."""
        return (self.input, *self.internal, self.output)

    @property
    def fifos(self) -> tuple[Stream, ...]:
        """Those of its streams that have a FIFO."""
        return tuple(stream for stream in self.streams if stream.depth is not None)

    def edge_width(self, stream: Stream) -> int:
        """Bits of the port of its input or output stream."""
        return 8 * stream.layout.bytes_per_beat if self.pad_edges else stream.layout.width


def accelerator_lane(top: str, streams: Sequence[Stream]) -> Lane:
    """The lane of an accelerator whose streams are given from the input to the output."""
    return Lane(top, "dut", streams[0], streams[-1], tuple(streams[1:-1]), has_last=True, pad_edges=True)


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
    return _testbench([line for index, lane in enumerate(lanes) for line in _lane(lane, index)])


def render_unit_testbench(module: str, inputs: Sequence[UnitStream], outputs: Sequence[UnitStream]) -> str:
    """The text of `tb.sv` for a unit alone, whose ports are named as its streams.

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
        body += _declare(name, width, has_last=False)
        ports += _axis(name, name)
        body += _source(name, width, index + 1) if stream in inputs else _sink(name, index + 1)
        body += _monitor(name, width, 1, name, "1'b0")
    return _testbench([*body, *_instance(module, "dut", ports)])


def _testbench(body: Sequence[str]) -> str:
    return "\n".join(
        [
            "// Written by thresher_sim.testbench. Every stream is recorded; see stream_monitor.",
            f"module {TOP} (",
            "    input logic ap_clk  /*verilator public_flat_rw*/,",
            "    input logic ap_rst_n  /*verilator public_flat_rw*/",
            ");",
            *body,
            "",
            "endmodule",
            "",
        ]
    )


def _lane(lane: Lane, index: int) -> list[str]:
    source, sink = lane.input.name, lane.output.name
    width = lane.edge_width(lane.input)
    last = f"{sink}_tlast" if lane.has_last else "1'b0"
    ports = [".ap_clk", ".ap_rst_n", *_axis("s_axis", source), *_axis("m_axis", sink)]
    if lane.has_last:
        ports.append(f".m_axis_tlast({sink}_tlast)")
    return [
        "",
        *_declare(source, width, has_last=False),
        *_declare(sink, lane.edge_width(lane.output), has_last=lane.has_last),
        *_source(source, width, 2 * index + 1),
        *_instance(lane.module, lane.instance, ports),
        *_sink(sink, 2 * index + 2),
        *_monitor_of(lane.input, width, source, "1'b0"),
        *(
            line
            for stream in lane.internal
            for line in _monitor_of(stream, stream.layout.width, f"{lane.instance}.{stream.name}", "1'b0")
        ),
        *_monitor_of(lane.output, lane.edge_width(lane.output), sink, last),
        *(line for stream in lane.fifos for line in _meter(lane, stream)),
    ]


def _source(name: str, width: int, seed: int) -> list[str]:
    return _instance(
        f'stream_source #(.Width({width}), .Name("{name}"), .Seed({seed}))',
        f"source_{name}",
        [".ap_clk", ".ap_rst_n", *_axis("", name)],
    )


def _sink(name: str, seed: int) -> list[str]:
    ports = [".ap_clk", ".ap_rst_n", f".tready({name}_tready)"]
    return _instance(f"stream_sink #(.Seed({seed}))", f"sink_{name}", ports)


def _declare(name: str, width: int, has_last: bool) -> list[str]:
    bits = [f"{name}_tvalid", f"{name}_tready", *([f"{name}_tlast"] if has_last else [])]
    return [f"  logic [{width - 1}:0] {name}_tdata;", f"  logic {', '.join(bits)};"]


def _axis(port: str, signal: str) -> list[str]:
    prefix = f"{port}_" if port else ""
    return [f".{prefix}{wire}({signal}_{wire})" for wire in ("tdata", "tvalid", "tready")]


def _meter(lane: Lane, stream: Stream) -> list[str]:
    fifo = f"{lane.instance}.u_{stream.consumer or 'result'}_fifo"
    wires = [f".{port}_{wire}({fifo}.{port}_axis_{wire})" for port in "sm" for wire in ("tvalid", "tready")]
    return _instance("fifo_meter", f"meter_{stream.name}", [".ap_clk", ".ap_rst_n", *wires])


def _monitor_of(stream: Stream, width: int, signal: str, last: str) -> list[str]:
    return _monitor(stream.name, width, stream.layout.beats_per_frame, signal, last)


def _monitor(name: str, width: int, beats_per_frame: int, signal: str, last: str) -> list[str]:
    has_last = "1'b0" if last == "1'b0" else "1'b1"
    return _instance(
        f"stream_monitor #(.Width({width}), .BeatsPerFrame({beats_per_frame}), "
        f'.Name("{name}"), .HasLast({has_last}))',
        f"monitor_{name}",
        [".ap_clk", ".ap_rst_n", *_axis("", signal), f".tlast({last})"],
    )


def _instance(kind: str, name: str, ports: Sequence[str]) -> list[str]:
    return [f"  {kind} {name} (", *(f"    {port}," for port in ports[:-1]), f"    {ports[-1]}", "  );"]
