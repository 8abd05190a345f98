"""The top for Vitis HLS: a DATAFLOW region of the units, AXI4-Stream at the edges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from thresher.emit.layer_header import layer_header_name, unit_type
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, HwNode, stream_layouts
from thresher.kernels import Kernel, Lookahead

_TEMPLATES = Path(__file__).with_name("templates") / "hls"
_STEPS = (
    "#ifdef __SYNTHESIS__",
    "#define THRESHER_STEPS(count) for (;;)",
    "#else",
    "#define THRESHER_STEPS(count) for (int step = 0; step < (count); ++step)",
    "#endif",
    "",
)


def hls_top(graph: HwGraph, depths: Mapping[str, int]) -> str:
    """The text of `hls/top.cpp`.

    Under synthesis every unit is a process that never ends, one step a cycle; in a C simulation it
    runs the steps of one frame for each call of the top.
    """
    layouts = stream_layouts(graph)
    source, target = layouts[INPUT_STREAM], layouts[OUTPUT_STREAM]
    internal = [name for node in graph.nodes for name in node.outputs if name != OUTPUT_STREAM]
    lines = [
        "// The accelerator for Vitis HLS (and for a C simulation with AMD's types): one process per",
        "// layer, joined by streams. Build with THRESHER_AMD defined and this folder on the include path.",
        *(f'#include "{layer_header_name(node)}"' for node in graph.nodes),
        '#include "top.hpp"',
        "",
        *_STEPS,
        "namespace {",
        "",
        *(line for node in graph.nodes for line in _process(node, node.name)),
        *_edges(source.beats_per_frame, target.beats_per_frame, source.width, target.width),
        "}  // namespace",
        "",
        "void accelerator(hls::stream<InputBeat>& s_axis, hls::stream<OutputBeat>& m_axis) {",
        "#pragma HLS INTERFACE axis port = s_axis",
        "#pragma HLS INTERFACE axis port = m_axis",
        "#pragma HLS INTERFACE ap_ctrl_none port = return",
        "#pragma HLS DATAFLOW",
        f'  static hls::stream<ap_uint<{source.width}>> {_inner(INPUT_STREAM)}("{_inner(INPUT_STREAM)}");',
    ]
    for name in internal:
        lines.append(f'  static hls::stream<ap_uint<{layouts[name].width}>> {name}("{name}");')
        lines.append(f"#pragma HLS STREAM variable = {name} depth = {depths[name]}")
    lines.append(
        f'  static hls::stream<ap_uint<{target.width}>> {_inner(OUTPUT_STREAM)}("{_inner(OUTPUT_STREAM)}");'
    )
    lines.append(f"  take_input(s_axis, {_inner(INPUT_STREAM)});")
    for node in graph.nodes:
        lines.append(f"  {node.name}({', '.join(map(_inner, node.inputs + node.outputs))});")
    lines += [f"  send_output({_inner(OUTPUT_STREAM)}, m_axis);", "}", ""]
    return "\n".join(lines)


def hls_top_header(graph: HwGraph) -> str:
    """The text of `hls/top.hpp`: the beats at the edges, and the top's signature."""
    layouts = stream_layouts(graph)
    source, target = layouts[INPUT_STREAM], layouts[OUTPUT_STREAM]
    text = (_TEMPLATES / "top.hpp").read_text(encoding="utf-8")
    values = {
        "input_bits": 8 * source.bytes_per_beat,
        "input_beats": source.beats_per_frame,
        "output_bits": 8 * target.bytes_per_beat,
        "output_beats": target.beats_per_frame,
    }
    return re.sub(r"@(\w+)@", lambda found: str(values[found[1]]), text)


def hls_top_bench() -> str:
    """The text of `hls/top_tb.cpp`, the same for all: it plays golden vectors into the top."""
    return (_TEMPLATES / "top_tb.cpp").read_text(encoding="utf-8")


def hls_layer_top_name(node: HwNode) -> str:
    """The path of a layer's own top below the project's `hls`."""
    return f"tops/{node.name}.cpp"


def hls_layer_top(node: HwNode) -> str:
    """The text of a layer's own top, by which Vitis HLS compiles it alone: AXI4-Stream at its ports."""
    return "\n".join(
        [
            f"// {node.name} alone for Vitis HLS: its function is {node.name}_top.",
            f'#include "{layer_header_name(node)}"',
            "",
            *_STEPS,
            *_process(node, f"{node.name}_top", is_top=True),
        ]
    )


def _inner(stream: str) -> str:
    return {INPUT_STREAM: "input", OUTPUT_STREAM: "output"}.get(stream, stream)


def _process(node: HwNode, name: str, is_top: bool = False) -> list[str]:
    kernel, unit = node.kernel, unit_type(node)
    sources, targets = _numbered("source", len(node.inputs)), _numbered("target", len(node.outputs))
    widths = [layout.width for layout in kernel.input_layouts]
    widths += [kernel.output_layout.width] * len(targets)
    kinds = ["InStream"] * len(sources) + ["OutStream"] * len(targets)
    streams = list(zip(kinds, widths, sources + targets, strict=True))
    formals = [f"hls::stream<ap_uint<{width}>>& {stream}" for _, width, stream in streams]
    ports = [f"thresher::{kind}<{width}>({stream})" for kind, width, stream in streams]
    interfaces = [f"#pragma HLS INTERFACE axis port = {stream}" for _, _, stream in streams]
    return [
        f"void {name}({_aligned(formals, len(name) + 6)}) {{",
        *([*interfaces, "#pragma HLS INTERFACE ap_ctrl_none port = return"] if is_top else []),
        f"  static {unit} unit;",
        f"  {unit}::Ports ports{{{_aligned(ports, len(unit) + 15)}}};",
        f"  THRESHER_STEPS({_steps(node.kernel)}) {{",
        "#pragma HLS PIPELINE II = 1",
        "    unit.step(ports);",
        "  }",
        "}",
        "",
    ]


def _aligned(words: Sequence[str], column: int) -> str:
    return f",\n{' ' * column}".join(words)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}{place}" for place in range(count)]


def _steps(kernel: Kernel) -> int:
    """Calls of a step that see a frame through the C simulation.

    A unit that reads ahead may take a beat or do a step of a frame in each, and more of them do no harm.
    """
    schedule = kernel.schedule()
    ahead = schedule.beats if isinstance(schedule, Lookahead) else 0
    return ahead + kernel.cycles_per_frame


def _edges(input_beats: int, output_beats: int, input_width: int, output_width: int) -> list[str]:
    return [
        f"void take_input(hls::stream<InputBeat>& s_axis, hls::stream<ap_uint<{input_width}>>& target) {{",
        f"  THRESHER_STEPS({input_beats}) {{",
        "#pragma HLS PIPELINE II = 1",
        f"    target.write(ap_uint<{input_width}>(s_axis.read().data));",
        "  }",
        "}",
        "",
        f"void send_output(hls::stream<ap_uint<{output_width}>>& source, hls::stream<OutputBeat>& m_axis) {{",
        "  static ap_uint<32> beat = 0;",
        f"  THRESHER_STEPS({output_beats}) {{",
        "#pragma HLS PIPELINE II = 1",
        "    OutputBeat out;",
        "    out.data = source.read();",
        f"    out.last = beat == {output_beats - 1} ? 1 : 0;",
        f"    beat = beat == {output_beats - 1} ? ap_uint<32>(0) : ap_uint<32>(beat + 1);",
        "#ifdef THRESHER_VITIS",
        "    out.keep = -1;",
        "    out.strb = -1;",
        "#endif",
        "    m_axis.write(out);",
        "  }",
        "}",
        "",
    ]
