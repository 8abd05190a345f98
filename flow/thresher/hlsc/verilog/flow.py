"""The handshakes: when each stage holds a step, and when the step may move on.

A stage moves when the next one is empty or moves itself, so bubbles close up and a full pipeline
moves every cycle. The last stage moves when every stream that its step writes can take a beat.
"""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.ir import Input, Node, Op, Output
from thresher.hlsc.verilog.layout import statement


def go(stage: int) -> str:
    """The signal that is 1 when the step in a stage moves on."""
    return f"stage{stage}_go"


def valid(stage: int) -> str:
    """The signal that is 1 when a stage holds a step."""
    return "stage0_valid" if stage == 0 else f"stage{stage}_valid_q"


def written(output: Output) -> str:
    """The signal that is 1 when the step in the last stage writes a stream."""
    return f"{output.name}_written"


def reserved(stages: int, inputs: Sequence[Input], outputs: Sequence[Output]) -> list[str]:
    """Every name that the handshakes and the ports use."""
    names = ["ap_clk", "ap_rst_n"]
    for stream in [port.name for port in inputs] + [port.name for port in outputs]:
        names += [f"{stream}_t{part}" for part in ("data", "valid", "ready")]
    names += [f"{port.name}_needed" for port in inputs]
    names += [f"{port.name}_{part}" for port in outputs for part in ("written", "free")]
    for stage in range(stages):
        names += [valid(stage), go(stage), f"stage{stage}_ready"]
    return names


def handshake_lines(stages: int, inputs: Sequence[Input], outputs: Sequence[Output]) -> list[str]:
    """The flow control of the whole pipeline; `*_needed` and `*_written` are declared here."""
    lines: list[str] = []
    for port in inputs:
        if not is_always(port.needed):
            lines.append(f"  logic {port.name}_needed;")
    for output in outputs:
        if not is_always(output.written):
            lines.append(f"  logic {written(output)};")
        lines.append(f"  logic {output.name}_free;")
        lines.append(f"  assign {output.name}_free = !{output.name}_tvalid || {output.name}_tready;")
    lines.append("")
    lines.append("  logic stage0_valid, stage0_go;")
    lines += statement(f"assign stage0_valid = {_all([_is_there(port) for port in inputs])};")
    for stage in range(1, stages):
        lines.append(f"  logic stage{stage}_valid_q, stage{stage}_ready, stage{stage}_go;")
        lines.append(f"  assign stage{stage}_ready = !stage{stage}_valid_q || stage{stage}_go;")
    for stage in range(stages):
        lines += statement(f"assign {go(stage)} = {_all([valid(stage), *_room(stage, stages, outputs)])};")
    lines += _ready_lines(stages, inputs, outputs)
    return [*lines, *_valid_lines(stages)]


def is_always(node: Node) -> bool:
    """Whether a condition is the constant 1."""
    return node.op is Op.CONST and node.value == 1


def _all(conditions: Sequence[str]) -> str:
    return " && ".join(conditions) or "1'b1"


def _is_there(port: Input) -> str:
    if is_always(port.needed):
        return f"{port.name}_tvalid"
    return f"(!{port.name}_needed || {port.name}_tvalid)"


def _room(stage: int, stages: int, outputs: Sequence[Output]) -> list[str]:
    """What must hold for the step in a stage to move on."""
    if stage < stages - 1:
        return [f"stage{stage + 1}_ready"]
    return [
        f"{output.name}_free" if is_always(output.written) else f"(!{written(output)} || {output.name}_free)"
        for output in outputs
    ]


def _ready_lines(stages: int, inputs: Sequence[Input], outputs: Sequence[Output]) -> list[str]:
    """A beat is taken when the step needs it, has all the others, and moves on."""
    lines = [""]
    for port in inputs:
        conditions = [] if is_always(port.needed) else [f"{port.name}_needed"]
        conditions += [_is_there(other) for other in inputs if other is not port]
        conditions += _room(0, stages, outputs)
        lines += statement(f"assign {port.name}_tready = {_all(conditions)};")
    return lines if inputs else []


def _valid_lines(stages: int) -> list[str]:
    if stages == 1:
        return []
    lines = ["", "  always_ff @(posedge ap_clk) begin", "    if (!ap_rst_n) begin"]
    lines += [f"      {valid(stage)} <= 1'b0;" for stage in range(1, stages)]
    lines.append("    end else begin")
    for stage in range(1, stages):
        lines.append(f"      if (stage{stage}_ready) {valid(stage)} <= {valid(stage - 1)};")
    return [*lines, "    end", "  end"]
