"""A scheduled unit as the text of one SystemVerilog module."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from thresher.hlsc.ir import OF_STREAMS, Memory, Node, Op, Output, Register, UnitGraph, Write
from thresher.hlsc.schedule.carry import carried
from thresher.hlsc.schedule.stages import Schedule
from thresher.hlsc.verilog import flow
from thresher.hlsc.verilog.cells import (
    TABLE_STYLE,
    TableKind,
    TableRead,
    instance,
    table_kind,
)
from thresher.hlsc.verilog.expressions import Expressions, constant
from thresher.hlsc.verilog.header import Heading, header_lines, port_lines
from thresher.hlsc.verilog.layout import statement, title, vector
from thresher.hlsc.verilog.names import Names
from thresher.hlsc.verilog.rams import DUAL_PORT, RamCell, initial_lines, ram_cells, ram_parameters
from thresher.hlsc.verilog.signals import Signal, Signals
from thresher.hlsc.verilog.uses import Uses
from thresher_sim.signals import fields, wires

_DECLARED = OF_STREAMS | {Op.STATE}
"""What is declared ahead of its stage: registers, ports and the handshakes."""


def module_text(graph: UnitGraph, plan: Schedule, heading: Heading) -> str:
    """The module, ending in a newline."""
    lines = _Module(graph, plan, heading).lines()
    wanted = [line for before, line in pairwise(["", *lines]) if line or before]
    return "\n".join(wanted) + "\n"


def cells_used(graph: UnitGraph, plan: Schedule) -> tuple[str, ...]:
    """The names of the cells that the module instantiates, and of those inside of these."""
    nodes = graph.nodes()
    used = {"compressor" for node in nodes if node.op is Op.COMPRESS}
    used |= {module for cell in ram_cells(graph, plan) for module in cell.modules}
    tables = (node for node in nodes if node.op is Op.ROM)
    used |= {"rom" for node in tables if table_kind(graph, plan, node) is TableKind.ROM}
    asked = graph.asked()
    used |= {"output_queue" for output in graph.outputs if flow.has_queue(plan.stages, output, asked)}
    return tuple(sorted(used))


class _Module:
    def __init__(self, graph: UnitGraph, plan: Schedule, heading: Heading) -> None:
        self._graph = graph
        self._plan = plan
        self._heading = heading
        self._crossing = carried(graph, plan)
        self._asked = graph.asked()
        reserved = flow.reserved(plan.stages, graph.inputs, graph.outputs, self._asked)
        self._names = Names([heading.module, *reserved])
        uses = Uses(graph, plan, self._crossing)
        self._signals = Signals(graph, plan, self._crossing, uses, self._names)
        self._expressions = Expressions(self._signals, self._declare)
        self._widths: dict[str, int] = {}
        self._section: list[str] = []
        self._tables: list[str] = []
        self._words: list[str] = []
        self._initials: dict[str, str] = {}
        self._rams = ram_cells(graph, plan)
        self._nodes: dict[int, list[Node]] = {}
        self._states: dict[str, Node] = {}
        for point, stage in plan.stage.items():
            if isinstance(point, Node):
                self._nodes.setdefault(stage, []).append(point)
                if point.op is Op.STATE:
                    self._states[point.symbol] = point
        self._gone: set[str] = set()

    def lines(self) -> list[str]:
        """The whole file."""
        stages = [self._stage_lines(stage) for stage in range(self._plan.stages)]
        outputs = self._output_lines()
        lines = [
            *header_lines(self._graph, self._plan, self._heading),
            *port_lines(self._graph, self._heading),
        ]
        lines += title("Flow control")
        graph, alone = self._graph, self._heading.alone
        lines += flow.handshake_lines(
            self._plan.stages, graph.inputs, graph.outputs, self._gone, self._asked, alone
        )
        lines += [*title("Initial words"), *self._words] if self._words else []
        for stage in stages:
            lines += stage
        tables = [*title("Tables"), *self._tables] if self._tables else []
        return [*lines, *outputs, *tables, *self._unused_lines(), "", "endmodule"]

    # Stages

    def _stage_lines(self, stage: int) -> list[str]:
        self._section = []
        self._register_declarations(stage)
        for node in sorted(self._nodes.get(stage, ()), key=lambda node: node.index):
            self._node(node, stage)
        for cell in self._rams:
            if self._plan.stage[cell.memory] == stage:
                self._ram(cell, stage)
        if stage == 0:
            for port in self._graph.inputs:
                self._condition(f"{port.name}_needed", port.needed, 0)
                for field in fields(port.width, port.signals):
                    self._widths[f"{port.name}_t{field.name}"] = field.width
        self._updates(stage)
        return [*title(self._stage_title(stage)), *self._section] if any(self._section) else []

    def _stage_title(self, stage: int) -> str:
        state = [self._name_of(register).removesuffix("_q") for register in self._registers(stage)]
        return f"Stage {stage}" + (f": keeps {_listed(state)}" if state else "")

    def _registers(self, stage: int) -> list[Register]:
        """Those that are read in a stage."""
        states = self._states
        return [
            register
            for register in self._graph.registers
            if register.name in states and self._plan.stage[states[register.name]] == stage
        ]

    def _register_declarations(self, stage: int) -> None:
        for register in self._registers(stage):
            self._declaration(self._signals.home(self._states[register.name]).name, register.width)
        if self._section:
            self._section.append("")

    def _declaration(self, name: str, width: int) -> None:
        self._widths[name] = width
        self._section.append(f"  {vector(width)} {name};")

    def _declare(self, signal: Signal, text: str, node: Node) -> None:
        """Define a signal by an expression; also called back by the expressions."""
        self._declaration(signal.name, signal.width)
        self._section += statement(f"assign {signal.name} = {text};", 2, self._graph.describe(node))

    def _condition(self, name: str, node: Node, stage: int) -> None:
        if not flow.is_always(node):
            self._section += statement(f"assign {name} = {self._expressions.text(node, stage)};")

    def _node(self, node: Node, stage: int) -> None:
        if node not in self._signals.uses.named or node.op in _DECLARED:
            return
        signal = self._signals.home(node)
        if node.op is Op.COMPRESS:
            self._count(node, signal, stage)
        elif node.op is Op.ROM:
            self._table(node, signal, stage)
        elif node.op is Op.RAM:
            self._word(node, signal)
        else:
            self._declare(signal, self._expressions.definition(node, stage), node)

    def _word(self, node: Node, signal: Signal) -> None:
        """Declare what a cell or a table drives."""
        self._declaration(signal.name, signal.width)
        line = self._graph.describe(node)
        if line:
            self._section[-1] += f"  // {line}"

    def _count(self, node: Node, signal: Signal, stage: int) -> None:
        self._word(node, signal)
        parameters = [("Width", str(node.args[0].width)), ("Group", str(node.value))]
        ports = [("word_i", self._expressions.text(node.args[0], stage)), ("columns_o", signal.name)]
        self._section += instance("compressor", parameters, self._names.take(f"u_{signal.name}"), ports)

    def _table(self, node: Node, signal: Signal, stage: int) -> None:
        """The word of a table; the table itself stands in a section of its own."""
        address, text = node.args[0], self._expressions.text(node.args[0], stage)
        if not text.isidentifier():
            name = self._names.take(f"{signal.name.removesuffix('_q')}_address")
            self._section.append(f"  {vector(address.width)} {name};")
            self._section += statement(f"assign {name} = {text};")
            text = name
        table = self._graph.tables[node.symbol]
        read = TableRead(signal.name, text, address.width, table, node.value, node.width)
        name = self._names.take(f"{table.name}_table")
        kind = table_kind(self._graph, self._plan, node)
        if kind is TableKind.ROM:
            self._tables += read.rom_lines(flow.ADVANCE, name, self._names.take(f"u_{name}"))
        elif kind is TableKind.BLOCK:
            self._tables += read.block_lines(flow.ADVANCE, name)
        else:
            self._section.append(f"  {TABLE_STYLE}")
            self._tables += read.logic_lines(name)
        self._word(node, signal)

    def _ram(self, cell: RamCell, stage: int) -> None:
        """A ram, after all that its stage declares: what it writes may come of what it reads."""
        words = [self._signals.home(read) for read in cell.reads]
        ports = [("clk_i", "ap_clk"), *self._write_ports(cell.memory, stage)]
        if cell.is_block:
            ports.append(("read_i", flow.ADVANCE))
        ports += self._read_ports(cell, words, stage)
        parameters = ram_parameters(cell.memory, self._initial(cell.memory))
        self._section += instance(cell.cell, parameters, self._names.take(f"u_{words[0].name}"), ports)

    def _initial(self, memory: Memory) -> str:
        """The name of a memory's initial words, which are then declared; empty where there are none."""
        if memory.initial is None:
            return ""
        if memory.name not in self._initials:
            self._initials[memory.name] = self._names.take(f"{memory.name}_initial")
            self._words += initial_lines(memory, self._initials[memory.name])
        return self._initials[memory.name]

    def _write_ports(self, memory: Memory, stage: int) -> list[tuple[str, str]]:
        writes = [self._write(write, memory, stage) for write in memory.writes]
        addresses, data = (
            [self._expressions.text(node, stage) for node in nodes]
            for nodes in zip(*(write.nodes[1:] for write in memory.writes), strict=True)
        )
        names = ("write_i", "write_address_i", "write_data_i")
        return list(zip(names, map(_packed, (writes, addresses, data)), strict=True))

    def _write(self, write: Write, memory: Memory, stage: int) -> str:
        """Whether a port writes in this cycle: never in reset where that would change an initial word."""
        conditions = [self._go(stage)] if memory.initial is None else ["ap_rst_n", self._go(stage)]
        if not flow.is_always(write.written):
            conditions.append(self._expressions.atom(write.written, stage))
        return " && ".join(conditions)

    def _read_ports(self, cell: RamCell, words: Sequence[Signal], stage: int) -> list[tuple[str, str]]:
        addresses = [self._expressions.text(read.args[0], stage) for read in cell.reads]
        names = [word.name for word in words]
        if cell.cell == DUAL_PORT and len(names) == 1:
            addresses.append(constant(cell.reads[0].args[0].width, 0))
            names.append(self._names.take(f"{names[0].removesuffix('_q')}_other"))
            self._declaration(names[1], cell.memory.width)
        return [("read_address_i", _packed(addresses)), ("read_data_o", _packed(names))]

    # Registers

    def _updates(self, stage: int) -> None:
        registers = self._registers(stage)
        control = [register for register in registers if register.reset is not None]
        data = [
            line for register in registers if register.reset is None for line in self._update(register, stage)
        ]
        crossing = self._crossings(stage) if stage + 1 in self._crossing else []
        if control:
            resets = [
                f"{self._name_of(register)} <= {constant(register.width, register.reset or 0)};"
                for register in control
            ]
            updates = [line for register in control for line in self._update(register, stage)]
            self._clocked("if (!ap_rst_n)", resets, f"else if ({self._go(stage)})", updates)
        if data:
            self._clocked(f"if ({self._go(stage)})", data)
        if crossing:
            self._clocked(f"if ({flow.ADVANCE})", crossing)

    def _go(self, stage: int) -> str:
        """The signal that tells that a step moves on, which is then declared."""
        self._gone.add(flow.go(stage))
        return flow.go(stage)

    def _name_of(self, register: Register) -> str:
        return self._signals.home(self._states[register.name]).name

    def _update(self, register: Register, stage: int) -> list[str]:
        """The assignment of a register's next value, under a condition where there is one."""
        name, following = self._name_of(register), register.next
        if following.op is Op.STATE and following.symbol == register.name:
            return []
        if following.op is Op.SELECT and self._signals.find(following, stage) is None:
            condition, a, b = following.args
            for chosen, other, sign in ((a, b, ""), (b, a, "!")):
                if (other.op, other.symbol) == (Op.STATE, register.name):
                    when = f"{sign}{self._expressions.atom(condition, stage)}"
                    when = when if sign else self._expressions.text(condition, stage)
                    return [f"if ({when}) {name} <= {self._expressions.text(chosen, stage)};"]
        return [f"{name} <= {self._expressions.text(following, stage)};"]

    def _crossings(self, stage: int) -> list[str]:
        """What moves on to the next stage; the registers are declared first."""
        lines = []
        if self._crossing[stage + 1]:
            self._section.append("")
        for node, bits in self._crossing[stage + 1].items():
            target, source = self._signals.find(node, stage + 1), self._signals.find(node, stage)
            assert target is not None and source is not None
            self._declaration(target.name, target.width)
            lines.append(f"{target.name} <= {self._signals.reference(source, bits.low, bits.width)};")
        return lines

    def _clocked(self, first: str, body: Sequence[str], second: str = "", rest: Sequence[str] = ()) -> None:
        section = self._section
        section += ["", "  always_ff @(posedge ap_clk) begin", f"    {first} begin"]
        for line in body:
            section += statement(line, 6)
        if second:
            section.append(f"    end {second} begin")
            for line in rest:
                section += statement(line, 6)
        section += ["    end", "  end"]

    # Tail

    def _output_lines(self) -> list[str]:
        self._section = []
        last = self._plan.stages - 1
        for output in self._graph.outputs:
            self._section.append("")
            self._condition(flow.written(output), output.written, last)
            if flow.has_queue(self._plan.stages, output, self._asked):
                self._queue(output, last)
                continue
            sends = (
                self._go(last)
                if flow.is_always(output.written)
                else f"{self._go(last)} && {flow.written(output)}"
            )
            value = self._expressions.text(output.value, last)
            valid = f"else if ({output.name}_free)"
            self._clocked(
                "if (!ap_rst_n)",
                [f"{output.name}_tvalid <= 1'b0;"],
                valid,
                [f"{output.name}_tvalid <= {sends};"],
            )
            self._clocked(f"if ({output.name}_free)", [f"{_wires(output)} <= {value};"])
        return [*title("Outputs"), *self._section]

    def _queue(self, output: Output, last: int) -> None:
        """The queue of an output of which steps ask whether it is full."""
        name = output.name
        parameters = [("Width", str(output.width)), ("Stages", str(self._plan.stages))]
        ports = [
            ("clk_i", "ap_clk"),
            ("rst_ni", "ap_rst_n"),
            ("begins_i", self._go(0)),
            ("ends_i", self._go(last)),
            ("write_i", "1'b1" if flow.is_always(output.written) else flow.written(output)),
            ("beat_i", self._expressions.text(output.value, last)),
            ("full_o", f"{name}_full"),
            ("free_o", f"{name}_free"),
            ("tdata_o", _wires(output)),
            ("tvalid_o", f"{name}_tvalid"),
            ("tready_i", f"{name}_tready"),
        ]
        self._section += instance("output_queue", parameters, self._names.take(f"u_{name}_queue"), ports)

    def _unused_lines(self) -> list[str]:
        """Reads of the bits that nothing reads, so that a linter has nothing to say of the rest."""
        lines = []
        for name, width in self._widths.items():
            rest = ((1 << width) - 1) & ~self._signals.read.get(name, 0)
            if rest:
                lines.append(f"  logic {self._names.take(f'unused_{name}')};")
                lines.append(f"  assign {lines[-1].split()[1][:-1]} = ^({name} & {constant(width, rest)});")
        return ["", *lines] if lines else []


def _wires(output: Output) -> str:
    return wires(output.name, output.width, output.signals)


def _packed(texts: Sequence[str]) -> str:
    """One for each port of a cell, the first in the lowest bits."""
    return texts[0] if len(texts) == 1 else f"{{{', '.join(reversed(texts))}}}"


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = list(names[:most])
    return ", ".join(shown) + (", ..." if len(names) > most else "")
