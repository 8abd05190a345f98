"""What each value is called in each stage, and which bits of each name are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.schedule.carry import Carried
from thresher.hlsc.schedule.stages import Schedule
from thresher.hlsc.verilog.names import Names, wanted_name
from thresher.hlsc.verilog.uses import Uses
from thresher_sim.signals import fields


@dataclass(frozen=True)
class Signal:
    """A declared vector. Bit 0 of it is bit `low` of the value that it carries."""

    name: str
    width: int
    low: int = 0


@dataclass
class Signals:
    """The declared names of values.

    `read` collects, for each name, a mask of the bits that some expression uses.
    """

    graph: UnitGraph
    plan: Schedule
    crossing: Carried
    uses: Uses
    names: Names
    read: dict[str, int] = field(default_factory=dict)
    _signals: dict[tuple[Node, int], Signal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = sorted(self.uses.named, key=lambda node: node.index)
        plain = dict(zip(named, self._numbered(named), strict=True))
        for node in named:
            self._signals[node, self.plan.ready(node)] = Signal(plain[node], node.width)
        for stage, values in self.crossing.items():
            for node, bits in values.items():
                base = plain[node].removesuffix("_tdata").removesuffix("_q")
                name = self.names.take(f"{base}_s{stage}_q")
                self._signals[node, stage] = Signal(name, bits.width, bits.low)

    def _numbered(self, nodes: Sequence[Node]) -> list[str]:
        """A name for each node; those that would be called the same are numbered from 0."""
        wanted = [wanted_name(node, self.graph.origins.get(node)) for node in nodes]
        total, used = Counter(wanted), Counter[str]()
        ports = {
            (port.name, field.low): f"{port.name}_t{field.name}"
            for port in self.graph.inputs
            for field in fields(port.width, port.signals)
        }
        result = []
        for node, name in zip(nodes, wanted, strict=True):
            if node.op is Op.INPUT:
                result.append(ports[node.symbol, node.value])
            elif node.op in (Op.VALID, Op.FULL):
                result.append(name)
            elif node.op is Op.STATE:
                result.append(self.names.take(f"{name}_q"))
            else:
                numbered = f"{name}_{used[name]}" if total[name] > 1 else name
                register = "_q" if node in self.plan.registered else ""
                result.append(self.names.take(f"{numbered}{register}"))
                used[name] += 1
        return result

    def find(self, node: Node, stage: int) -> Signal | None:
        """The signal that carries a value in a stage, if it has one."""
        return self._signals.get((node, stage))

    def home(self, node: Node) -> Signal:
        """The signal of a value in the first stage that has it."""
        return self._signals[node, self.plan.ready(node)]

    def add(self, node: Node, stage: int) -> Signal:
        """Declare a name for a value that had none."""
        wanted = wanted_name(node, self.graph.origins.get(node))
        signal = Signal(self.names.take(wanted), node.width)
        self._signals[node, stage] = signal
        return signal

    def reference(self, signal: Signal, low: int, width: int) -> str:
        """The bits `low..low+width-1` of the value that a signal carries, as an expression."""
        at = low - signal.low
        mask = ((1 << width) - 1) << at
        self.read[signal.name] = self.read.get(signal.name, 0) | mask
        if (at, width) == (0, signal.width):
            return signal.name
        return f"{signal.name}[{at}]" if width == 1 else f"{signal.name}[{at + width - 1}:{at}]"
