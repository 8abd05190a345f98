"""The program of the C simulation: three lines per layer over `hls/thresher/csim.hpp`."""

from __future__ import annotations

from thresher.emit.layer_header import layer_header_name, unit_type
from thresher.ir.hardware import INPUT_STREAM, HwGraph, HwNode, stream_layouts
from thresher.kernels import Lookahead


def csim_main(graph: HwGraph) -> str:
    """The text of `hls/csim.cpp`."""
    layouts = stream_layouts(graph)
    streams = [INPUT_STREAM, *(name for node in graph.nodes for name in node.outputs)]
    lines = [
        "// The C simulation: csim INPUT_FOLDER OUTPUT_FOLDER FRAMES. See thresher/csim.hpp.",
        '#include "thresher/csim.hpp"',
        *(f'#include "{layer_header_name(node)}"' for node in graph.nodes),
        "",
        "int main(int argc, char** argv) {",
        "  thresher::Csim sim(argc, argv);",
        *(
            f'  thresher::Tape<{layouts[name].width}> {name}("{name}", {layouts[name].beats_per_frame});'
            for name in streams
        ),
        *(f"  static {unit_type(node)} {node.name};" for node in graph.nodes),
        "  while (sim.next_chunk()) {",
        f"    sim.play({INPUT_STREAM});",
        *(f"    {csim_run(node)}" for node in graph.nodes),
        "  }",
        "  return 0;",
        "}",
        "",
    ]
    return "\n".join(lines)


def csim_run(node: HwNode) -> str:
    """The statement that runs a chunk of frames through one unit."""
    schedule = node.kernel.schedule()
    if node.kernel.branches:
        ends = [f"thresher::in({name})" for name in node.inputs]
        ends += [f"thresher::out({name})" for name in node.outputs]
        return f"sim.run({node.name}, {len(schedule.writes)}, {', '.join(ends)});"
    method = "run_ahead" if isinstance(schedule, Lookahead) else "run"
    return f"sim.{method}({node.name}, {node.inputs[0]}, {node.outputs[0]}, {len(schedule.writes)});"
