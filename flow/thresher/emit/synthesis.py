"""The folder `synth/`: scripts and constraints for the synthesis tools.

The scripts are files of `templates/synth`, the same in every project. What differs is in `settings.tcl`,
whose values are numbers, checked names of units and parts, and names of files that Thresher chose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from thresher.emit.design import Design
from thresher.emit.sv_top import TOP
from thresher.emit.yosys import netlist_files
from thresher.hardware.boards import Board
from thresher.hardware.dma import PORT_BYTES, DmaStream, dma_stream
from thresher.ir.hardware import INPUT_STREAM, OUTPUT_STREAM, HwGraph, stream_layouts

TEMPLATES = Path(__file__).with_name("templates")
# Where there is no board the words suit a Zynq-7000.
_DEFAULT_PORT_BYTES = 8
# Words of Tcl that hold nothing that Tcl substitutes, groups or ends a command at.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/?*+-]*")


def synthesis_files(design: Design, sources: Sequence[str]) -> Mapping[str, str]:
    """The files below `synth/`, by name; `sources` are the SystemVerilog files below `rtl/`."""
    period = f"create_clock -period {_period(design):.3f} -name ap_clk [get_ports ap_clk]\n"
    scripts = sorted(path for path in (TEMPLATES / "synth").iterdir() if path.suffix in (".tcl", ".sv"))
    return {
        **{path.name: path.read_text(encoding="utf-8") for path in scripts},
        "settings.tcl": _settings(design, sources),
        f"{TOP}_ip.v": _ip_top(design.graph),
        "yosys.ys": _yosys(sources),
        **netlist_files(TOP, [f"rtl/{source}" for source in sources]),
        "clock.xdc": period,
        "clock.sdc": period,
    }


def edge_streams(graph: HwGraph, board: Board | None) -> tuple[DmaStream, DmaStream]:
    """The input and the output as the DMA of `board` moves them."""
    layouts = stream_layouts(graph)
    processor = board.processor if board is not None else None
    port = PORT_BYTES[processor] if processor is not None else _DEFAULT_PORT_BYTES
    return dma_stream(layouts[INPUT_STREAM], port), dma_stream(layouts[OUTPUT_STREAM], port)


def _period(design: Design) -> float:
    return 1000 / design.clock_mhz


def _settings(design: Design, sources: Sequence[str]) -> str:
    """The text of `settings.tcl`."""
    board = design.board
    processor = (board.processor if board is not None else None) or ""
    values: list[tuple[str, object]] = [
        ("project_name", design.model.name),
        ("top", TOP),
        ("part", design.part),
        ("clock_mhz", f"{design.clock_mhz:g}"),
        ("period_ns", f"{_period(design):.3f}"),
        ("layers", [node.name for node in design.graph.nodes]),
        ("rtl_files", [f"rtl/{source}" for source in sources]),
        ("ip_top", f"{TOP}_ip"),
        ("ip_files", ["synth/batch_marker.sv", f"synth/{TOP}_ip.v"]),
        ("ip_vendor", "thresher"),
        ("ip_library", "user"),
        ("ip_version", "1.0"),
        ("board", board.name if board is not None else ""),
        ("board_part", (board.board_part if board is not None else None) or ""),
        ("processor", processor),
        ("port_bytes", PORT_BYTES.get(processor, _DEFAULT_PORT_BYTES)),
    ]
    for name, stream in zip(("input", "output"), edge_streams(design.graph, board), strict=True):
        words = stream.bytes_per_word
        values += [
            (f"{name}_beat_bytes", stream.bytes_per_beat),
            (f"{name}_word_bytes", "" if words is None else words),
        ]
    lines = ["# The facts of this project that the scripts go by."]
    return "\n".join([*lines, *(f"set {name} {_word(value)}" for name, value in values), ""])


def _word(value: object) -> str:
    """A value as one word of Tcl: plain text, a number, or a list of these."""
    words = [str(word) for word in value] if isinstance(value, list) else [str(value)]
    for word in words:
        if not _PLAIN.fullmatch(word):
            raise ValueError(f"{word!r} is not plain enough for a script")
    return "{" + " ".join(words) + "}"


def _ip_top(graph: HwGraph) -> str:
    layouts = stream_layouts(graph)
    source, target = layouts[INPUT_STREAM], layouts[OUTPUT_STREAM]
    values = {
        "top": TOP,
        "input_high": 8 * source.bytes_per_beat - 1,
        "output_high": 8 * target.bytes_per_beat - 1,
        "input_beats": source.beats_per_frame,
    }
    text = (TEMPLATES / "synth" / "accelerator_ip.v").read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@", lambda found: str(values[found[1]]), text)


def _yosys(sources: Sequence[str]) -> str:
    files = " ".join(f"rtl/{source}" for source in sources)
    return f"""\
# LUTs, registers and memories for a Xilinx 7-series part. Run from the project: make synth-yosys
read_slang --threads 1 --top {TOP} {files}
synth_xilinx -flatten -noiopad -noclkbuf -top {TOP}
tee -o build/yosys.txt stat -tech xilinx
"""
