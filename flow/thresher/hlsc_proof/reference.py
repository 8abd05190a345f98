"""A unit's graph as the plainest SystemVerilog there is: a whole step in one cycle, no handshakes.

It shares no code with the compiler's own printer, for it is what that is measured against. Every
node of the graph is one signal, memories are arrays, and nothing is optimised, scheduled or named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from thresher.hlsc.ir import Memory, Node, Op, Register, UnitGraph


def reference_text(graph: UnitGraph, name: str) -> str:
    """A module that does a step in each cycle in which `step_i` is 1.

    `STREAM_beat_i` is the next beat of an input, if `STREAM_valid_i` is 1; `STREAM_read_o` is 1 when the
    step reads it. `STREAM_written_o` is 1 when the step writes `STREAM_beat_o`.
    """
    return "\n".join([*_ports(graph, name), *_body(graph), "endmodule", ""])


def _ports(graph: UnitGraph, name: str) -> Iterator[str]:
    ports = ["input logic clk_i", "input logic rst_ni", "input logic step_i"]
    for port in graph.inputs:
        ports += [f"input logic [{port.width - 1}:0] {port.name}_beat_i", f"input logic {port.name}_valid_i"]
        ports.append(f"output logic {port.name}_read_o")
    for output in graph.outputs:
        ports.append(f"output logic {output.name}_written_o")
        ports.append(f"output logic [{output.width - 1}:0] {output.name}_beat_o")
    yield f"module {name} ("
    yield ",\n".join(f"  {port}" for port in ports)
    yield ");"


def _body(graph: UnitGraph) -> Iterator[str]:
    state = {register.name: f"register{index}" for index, register in enumerate(graph.registers)}
    words = {memory.name: f"memory{index}" for index, memory in enumerate(graph.memories)}
    tables = {table: f"table{index}" for index, table in enumerate(graph.tables)}
    for register in graph.registers:
        yield f"  logic [{register.width - 1}:0] {state[register.name]};"
    for memory in graph.memories:
        yield f"  logic [{memory.width - 1}:0] {words[memory.name]} [{memory.depth}];"
    for table in graph.tables.values():
        contents = ", ".join(f"{table.width}'h{word:x}" for word in table.words)
        bits = f"[{table.width - 1}:0] {tables[table.name]} [{len(table.words)}]"
        yield f"  localparam logic {bits} = '{{{contents}}};"
    for node in graph.nodes():
        yield f"  logic [{node.width - 1}:0] {_name(node)};"
        yield f"  assign {_name(node)} = {_value(node, state | words | tables)};"
    yield from _effects(graph, state, words)


def _effects(graph: UnitGraph, state: dict[str, str], words: dict[str, str]) -> Iterator[str]:
    for port in graph.inputs:
        yield f"  assign {port.name}_read_o = {_name(port.needed)};"
    for output in graph.outputs:
        yield f"  assign {output.name}_written_o = {_name(output.written)};"
        yield f"  assign {output.name}_beat_o = {_name(output.value)};"
    yield "  always_ff @(posedge clk_i) begin"
    for register in graph.registers:
        own = state[register.name]
        reset = "" if register.reset is None else f"if (!rst_ni) {own} <= {_number(register)}; else "
        yield f"    {reset}if (step_i) {own} <= {_name(register.next)};"
    for memory in graph.memories:
        yield f"    if (step_i && {_name(memory.written)}) {_word(memory, words)} <= {_name(memory.data)};"
    yield "  end"


def _number(register: Register) -> str:
    return f"{register.width}'h{register.reset or 0:x}"


def _word(memory: Memory, words: dict[str, str]) -> str:
    return f"{words[memory.name]}[{_name(memory.address)}]"


def _name(node: Node) -> str:
    return f"value{node.index}"


def _value(node: Node, symbols: dict[str, str]) -> str:
    """A node's expression; every operand is a name, and as wide as the operator."""
    args = [_name(arg) for arg in node.args]
    if node.op in _OFFERS:
        return f"{node.symbol}_{_OFFERS[node.op]}"
    if node.op is Op.STATE:
        return symbols[node.symbol]
    if node.op is Op.RAM:
        return f"{symbols[node.symbol]}[{args[0]}]"
    if node.op is Op.ROM:
        return f"{node.width}'({symbols[node.symbol]}[{args[0]}] >> {node.value})"
    if node.op is Op.CONST:
        return f"{node.width}'h{node.value:x}"
    return _OPERATIONS[node.op](node, args)


_OFFERS = {Op.INPUT: "beat_i", Op.VALID: "valid_i"}


def _ones(node: Node, args: list[str]) -> str:
    return " + ".join(f"{node.width}'({args[0]}[{bit}])" for bit in range(node.args[0].width))


def _infix(operator: str) -> Callable[[Node, list[str]], str]:
    return lambda node, args: f"{args[0]} {operator} {args[1]}"


_OPERATIONS: dict[Op, Callable[[Node, list[str]], str]] = {
    Op.NOT: lambda node, args: f"~{args[0]}",
    Op.AND: _infix("&"),
    Op.OR: _infix("|"),
    Op.XOR: _infix("^"),
    Op.ADD: _infix("+"),
    Op.SUB: _infix("-"),
    Op.MUL: _infix("*"),
    Op.EQ: _infix("=="),
    Op.ULT: _infix("<"),
    Op.SHL: _infix("<<"),
    Op.LSHR: _infix(">>"),
    Op.SLT: lambda node, args: f"$signed({args[0]}) < $signed({args[1]})",
    Op.ASHR: lambda node, args: f"$unsigned($signed({args[0]}) >>> {args[1]})",
    Op.SELECT: lambda node, args: f"{args[0]} ? {args[1]} : {args[2]}",
    Op.CONCAT: lambda node, args: "{" + ", ".join(reversed(args)) + "}",
    Op.SLICE: lambda node, args: f"{args[0]}[{node.value + node.width - 1}:{node.value}]",
    Op.SEXT: lambda node, args: f"$unsigned({node.width}'($signed({args[0]})))",
    Op.POPCOUNT: _ones,
}
