"""The program of the C simulation: three lines per layer over `hls/thresher/csim.hpp`."""

from __future__ import annotations

from thresher.emit.layer_header import layer_header_name, unit_type
from thresher.hardware.graph import INPUT_STREAM, HwGraph, stream_layouts


def csim_main(graph: HwGraph) -> str:
    """The text of `hls/csim.cpp`."""
    layouts = stream_layouts(graph)
    streams = [INPUT_STREAM, *(node.output for node in graph.nodes)]
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
        *(
            f"    sim.run({node.name}, {node.input}, {node.output}, {node.kernel.cycles_per_frame});"
            for node in graph.nodes
        ),
        "  }",
        "  return 0;",
        "}",
        "",
    ]
    return "\n".join(lines)
