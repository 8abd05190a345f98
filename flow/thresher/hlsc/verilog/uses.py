"""Which values need a name of their own, and which can stand inside the expression that uses them."""

from __future__ import annotations

from dataclasses import dataclass, field

from thresher.hlsc.ir import OF_STREAMS, WIRING, Node, Op, UnitGraph
from thresher.hlsc.schedule.carry import Carried, operands
from thresher.hlsc.schedule.stages import Schedule

_NAMED = OF_STREAMS | {Op.ROM, Op.RAM, Op.COMPRESS, Op.STATE}


@dataclass
class Uses:
    """How often each value is used within a stage.

    `named` are the nodes to be declared in their own stage, `shared` the concatenations that are
    used more than once within a stage.
    """

    graph: UnitGraph
    plan: Schedule
    crossing: Carried
    named: set[Node] = field(default_factory=set)
    shared: set[tuple[Node, int]] = field(default_factory=set)
    _once: set[tuple[Node, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for values in self.crossing.values():
            self.named.update(values)
        self.named.update(node for node in self.graph.nodes() if node.op in _NAMED)
        for stage, operand in operands(self.graph, self.plan):
            self._visit(operand, stage)

    def _visit(self, node: Node, stage: int) -> None:
        """Count a use; what stands inside is used as often as it is printed."""
        if node.op is Op.CONST:
            return
        if node.op in (Op.SLICE, Op.SEXT):
            self._visit_bits_of(node.args[0], stage)
        elif node.op is Op.CONCAT and is_extension(node):
            self._visit(node.args[0], stage)
        elif (node, stage) in self._once:
            (self.shared.add((node, stage)) if node.op in WIRING else self.named.add(node))
        else:
            self._once.add((node, stage))
            if node.op is Op.CONCAT:
                for part in node.args:
                    self._visit(part, stage)

    def _visit_bits_of(self, node: Node, stage: int) -> None:
        """A use of single bits, which only a name can be asked for."""
        if node.op in (Op.SLICE, Op.CONCAT):
            self._visit(node, stage)
            if node.op is Op.CONCAT:
                self.shared.add((node, stage))
        elif node.op is not Op.CONST:
            self.named.add(node)


def is_extension(node: Node) -> bool:
    """Whether a concatenation only puts zeros above one value."""
    return len(node.args) == 2 and node.args[1].op is Op.CONST and node.args[1].value == 0
