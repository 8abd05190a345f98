"""The handshakes: when each stage holds a step, and when the steps move on.

All stages move at once, unless a step in the last one writes a stream whose output register holds a
beat that is not taken. So one condition, a few gates from the output registers, enables the whole
pipeline. Bubbles move like steps.

A step that needs a beat only where one is offered waits for none, and is always there.

A step may ask whether an output is full. It asks in stage 0 and writes in the last one, and the steps between
may write too. Where there is one stage, the output is full while its register holds a beat that is not taken.
Where there are more, the register is the end of an `output_queue`, which counts the steps in between.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thresher.hlsc.ir import Input, Node, Op, Output
from thresher.hlsc.verilog.layout import statement
from thresher_sim.signals import fields

ADVANCE = "advance"
"""The signal that is 1 when every step moves on to the next stage."""


def go(stage: int) -> str:
    """The signal that is 1 when there is a step in a stage and it moves on."""
    return f"stage{stage}_go"


def valid(stage: int) -> str:
    """The signal that is 1 when a stage holds a step."""
    return "stage0_valid" if stage == 0 else f"stage{stage}_valid_q"


def written(output: Output) -> str:
    """The signal that is 1 when the step in the last stage writes a stream."""
    return f"{output.name}_written"


def reserved(
    stages: int, inputs: Sequence[Input], outputs: Sequence[Output], asked: Collection[str]
) -> list[str]:
    """Every name that the handshakes and the ports use."""
    names = ["ap_clk", "ap_rst_n", ADVANCE]
    streams: list[Input | Output] = [*inputs, *outputs]
    for stream in streams:
        names += [f"{stream.name}_t{field.name}" for field in fields(stream.width, stream.signals)]
        names += [f"{stream.name}_t{part}" for part in ("valid", "ready")]
    names += [f"{port.name}_needed" for port in inputs]
    names += [f"{port.name}_{part}" for port in outputs for part in ("written", "free")]
    names += [f"{name}_full" for name in asked]
    for stage in range(stages):
        names += [valid(stage), go(stage)]
    return names


def has_queue(stages: int, output: Output, asked: Collection[str]) -> bool:
    """Whether an output ends in an `output_queue`; `asked` are those of which a step asks."""
    return stages > 1 and output.name in asked


def places(stages: int, output: Output, asked: Collection[str]) -> int:
    """The beats that an output holds behind the last stage."""
    return stages + 1 if has_queue(stages, output, asked) else 1


def handshake_lines(
    stages: int,
    inputs: Sequence[Input],
    outputs: Sequence[Output],
    used: Collection[str],
    asked: Collection[str],
    alone: bool = False,
) -> list[str]:
    """The flow control of the whole pipeline; `*_needed` and `*_written` are declared here.

    `used` are the names of signals that other parts of the module read; what nothing reads is left out.
    `asked` are the outputs of which a step asks whether they are full. A module that stands `alone` is not
    ready in reset; between Thresher's own FIFOs that would be logic for nothing, as these offer nothing then.
    """
    lines: list[str] = []
    for port in inputs:
        if not is_always(port.needed):
            lines.append(f"  logic {port.name}_needed;")
    for output in outputs:
        if not is_always(output.written):
            lines.append(f"  logic {written(output)};")
        lines += _room_lines(stages, output, asked)
    lines.append("")
    if stages > 1:
        lines += statement(f"logic {', '.join(valid(stage) for stage in range(1, stages))};")
    if stages > 1 or go(0) in used:
        lines.append(f"  logic {valid(0)};")
        lines += statement(f"assign {valid(0)} = {_all(_are_there(inputs))};")
    lines.append(f"  logic {ADVANCE};")
    lines += statement(f"assign {ADVANCE} = {_all([_has_room(stages, output) for output in outputs])};")
    for stage in range(stages):
        if go(stage) in used:
            lines.append(f"  logic {go(stage)};")
            lines.append(f"  assign {go(stage)} = {valid(stage)} && {ADVANCE};")
    lines += _ready_lines(inputs, ["ap_rst_n"] if alone else [])
    return [*lines, *_valid_lines(stages)]


def _room_lines(stages: int, output: Output, asked: Collection[str]) -> list[str]:
    name = output.name
    if has_queue(stages, output, asked):
        return [f"  logic {name}_free, {name}_full;"]
    free = [f"  logic {name}_free;", f"  assign {name}_free = !{name}_tvalid || {name}_tready;"]
    full = [f"  logic {name}_full;", f"  assign {name}_full = !{name}_free;"]
    return [*free, *full] if name in asked else free


def is_always(node: Node) -> bool:
    """Whether a condition is the constant 1."""
    return node.op is Op.CONST and node.value == 1


def never_waits(port: Input) -> bool:
    """Whether a step needs a beat of an input only where it is offered, as its condition plainly says."""
    return _implies_valid(port.needed, True, port.name)


def _implies_valid(condition: Node, value: bool, stream: str) -> bool:
    """Whether a stream offers a beat wherever a condition has a value."""
    if condition.op is Op.NOT:
        return _implies_valid(condition.args[0], not value, stream)
    if condition.op in (Op.AND, Op.OR):
        enough = any if (condition.op is Op.AND) == value else all
        return enough(_implies_valid(arg, value, stream) for arg in condition.args)
    return value and (condition.op, condition.symbol) == (Op.VALID, stream)


def _all(conditions: Sequence[str]) -> str:
    if len(conditions) == 1:
        return conditions[0].removeprefix("(").removesuffix(")")
    return " && ".join(conditions) or "1'b1"


def _are_there(inputs: Sequence[Input]) -> list[str]:
    """What must hold for a step to have the beats that it waits for."""
    return [_is_there(port) for port in inputs if not never_waits(port)]


def _is_there(port: Input) -> str:
    if is_always(port.needed):
        return f"{port.name}_tvalid"
    return f"(!{port.name}_needed || {port.name}_tvalid)"


def _has_room(stages: int, output: Output) -> str:
    """Whether the step in the last stage, if there is one, need not wait for an output."""
    waits_not = [f"!{valid(stages - 1)}"] if stages > 1 else []
    if not is_always(output.written):
        waits_not.append(f"!{written(output)}")
    return f"({' || '.join([*waits_not, f'{output.name}_free'])})"


def _ready_lines(inputs: Sequence[Input], more: Sequence[str]) -> list[str]:
    """A beat is taken when the step needs it, has all the others, and moves on; and where `more` holds."""
    lines = [""]
    for port in inputs:
        conditions = [*more] if is_always(port.needed) else [*more, f"{port.name}_needed"]
        conditions += _are_there([other for other in inputs if other is not port])
        lines += statement(f"assign {port.name}_tready = {_all([*conditions, ADVANCE])};")
    return lines if inputs else []


def _valid_lines(stages: int) -> list[str]:
    if stages == 1:
        return []
    lines = ["", "  always_ff @(posedge ap_clk) begin", "    if (!ap_rst_n) begin"]
    lines += [f"      {valid(stage)} <= 1'b0;" for stage in range(1, stages)]
    lines.append(f"    end else if ({ADVANCE}) begin")
    lines += [f"      {valid(stage)} <= {valid(stage - 1)};" for stage in range(1, stages)]
    return [*lines, "    end", "  end"]
