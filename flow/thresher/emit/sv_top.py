"""The SystemVerilog top: the units joined by streams, a FIFO on every stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from thresher.emit.layer_header import describe
from thresher.hardware.fifos import is_in_blocks
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, HwNode, stream_layouts
from thresher_sim.project import RESULT_FIFO, fifo_instance

TOP = "accelerator"
READY = "input_ready"
"""The signal that is 1 when the input's FIFO has room."""


def sv_top(graph: HwGraph, depths: Mapping[str, int]) -> str:
    """The text of `rtl/accelerator.sv`.

    Stream S of the graph is `S_tdata/_tvalid/_tready` where its producer drives it; a FIFO of
    `depths[S]` beats stands between it and the `_s_axis_` ports of its consumer, and registers cut every
    path there, so that none runs through two units. Of a consumer of several streams these are its
    `_s_axis0_` ports, and so on.
    """
    layouts = stream_layouts(graph)
    source, target = layouts[INPUT_STREAM], layouts[OUTPUT_STREAM]
    edge_in, edge_out = 8 * source.bytes_per_beat, 8 * target.bytes_per_beat
    lines = [
        f"// {TOP}: {len(graph.nodes)} units, AXI4-Stream between them.",
        "//",
        f"// s_axis: {source.channels} elements ({source.element}) a vector, {source.lanes} a beat in the",
        f"//   low {source.width} bits, element 0 lowest, {source.beats_per_frame} beats a frame.",
        f"// m_axis: {target.channels} elements ({target.element}) a vector, {target.lanes} a beat in the",
        f"//   low {target.width} bits, {target.beats_per_frame} beats a frame, tlast on the last.",
        "// ap_rst_n: synchronous, active low, for a cycle or more. In it s_axis_tready is low, and no beat",
        "//   is taken. What was under way is lost; the next beat begins a frame.",
        "//",
        *(f"// {node.name}: {describe(node)}." for node in graph.nodes),
        f"module {TOP} (",
        "    input  logic ap_clk,",
        "    input  logic ap_rst_n,",
        f"    input  logic [{edge_in - 1}:0] s_axis_tdata,",
        "    input  logic s_axis_tvalid,",
        "    output logic s_axis_tready,",
        f"    output logic [{edge_out - 1}:0] m_axis_tdata,",
        "    output logic m_axis_tvalid,",
        "    input  logic m_axis_tready,",
        "    output logic m_axis_tlast",
        ");",
        "",
    ]
    if edge_in > source.width:
        lines += [
            "  // The input is padded up to whole bytes.",
            "  logic unused_padding;",
            f"  assign unused_padding = ^s_axis_tdata[{edge_in - 1}:{source.width}];",
            "",
        ]
    lines += [
        "  // A source outside of this reset loses no beat to it.",
        f"  logic {READY};",
        f"  assign s_axis_tready = ap_rst_n && {READY};",
        "",
    ]
    for node in graph.nodes:
        lines += _unit(node, depths)
    lines += _output(graph.nodes[-1], target.beats_per_frame, edge_out, depths[OUTPUT_STREAM])
    return "\n".join([*lines, "endmodule", ""])


def _signals(prefix: str, width: int) -> Iterable[str]:
    yield f"  logic [{width - 1}:0] {prefix}_tdata;"
    yield f"  logic {prefix}_tvalid;"
    yield f"  logic {prefix}_tready;"


def _ports(formal: str, actual: str) -> Iterable[str]:
    return (f"      .{formal}_{signal}({actual}_{signal})," for signal in ("tdata", "tvalid", "tready"))


def _fifo(name: str, source: str, target: str, width: int, depth: int) -> list[str]:
    tdata, tready = f"{source}_tdata", f"{source}_tready"
    if source == INPUT_STREAM:
        tdata, tready = f"{tdata}[{width - 1}:0]", READY
    in_blocks = ", .InBlocks(1'b1)" if is_in_blocks(width, depth) else ""
    return [
        f"  fifo #(.Width({width}), .Depth({depth}){in_blocks}) {name} (",
        "      .ap_clk,",
        "      .ap_rst_n,",
        f"      .s_axis_tdata({tdata}),",
        f"      .s_axis_tvalid({source}_tvalid),",
        f"      .s_axis_tready({tready}),",
        f"      .m_axis_tdata({target}_tdata),",
        f"      .m_axis_tvalid({target}_tvalid),",
        f"      .m_axis_tready({target}_tready)",
        "  );",
        "",
    ]


def _unit(node: HwNode, depths: Mapping[str, int]) -> list[str]:
    kernel = node.kernel
    widths = [layout.width for layout in kernel.input_layouts]
    taken = [f"{node.name}_{port}" for port in kernel.input_ports]
    sent = [_produced(node, name) for name in node.outputs]
    fifos = zip(node.inputs, kernel.input_ports, taken, widths, strict=True)
    formals = [*kernel.input_ports, *kernel.output_ports]
    connected = [line for ends in zip(formals, taken + sent, strict=True) for line in _ports(*ends)]
    return [
        *(line for name, width in zip(taken, widths, strict=True) for line in _signals(name, width)),
        *(line for name in sent for line in _signals(name, kernel.output_layout.width)),
        "",
        *(
            line
            for name, port, target, width in fifos
            for line in _fifo(_fifo_name(node, port), name, target, width, depths[name])
        ),
        f"  {node.name} u_{node.name} (",
        "      .ap_clk,",
        "      .ap_rst_n,",
        *_last_without_comma(connected),
        "  );",
        "",
    ]


def _fifo_name(node: HwNode, port: str) -> str:
    return fifo_instance(node.name, port if len(node.inputs) > 1 else None)


def _last_without_comma(lines: Iterable[str]) -> list[str]:
    *head, last = lines
    return [*head, last.removesuffix(",")]


def _produced(node: HwNode, stream: str) -> str:
    # The last unit's stream is not yet the port m_axis: a FIFO and the marker come between.
    return f"{node.name}_out" if stream == OUTPUT_STREAM else stream


def _output(node: HwNode, beats_per_frame: int, edge: int, depth: int) -> list[str]:
    width = node.kernel.output_layout.width
    tdata = "result_tdata" if edge == width else f"{{{edge - width}'b0, result_tdata}}"
    return [
        *_signals("result", width),
        "",
        *_fifo(RESULT_FIFO, _produced(node, OUTPUT_STREAM), "result", width, depth),
        f"  tlast_marker #(.Width({edge}), .BeatsPerFrame({beats_per_frame})) u_tlast_marker (",
        "      .ap_clk,",
        "      .ap_rst_n,",
        f"      .s_axis_tdata({tdata}),",
        "      .s_axis_tvalid(result_tvalid),",
        "      .s_axis_tready(result_tready),",
        *_ports("m_axis", "m_axis"),
        "      .m_axis_tlast(m_axis_tlast)",
        "  );",
        "",
    ]
