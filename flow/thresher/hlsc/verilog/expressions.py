"""SystemVerilog expressions: every operand is exactly as wide as its operator."""

from __future__ import annotations

from collections.abc import Callable

from thresher.hlsc.ir import GATES, Node, Op
from thresher.hlsc.verilog.layout import together
from thresher.hlsc.verilog.signals import Signal, Signals

LONGEST = 72
"""An expression longer than this gets a name."""

_OPERATORS = {
    Op.AND: "&",
    Op.OR: "|",
    Op.XOR: "^",
    Op.ADD: "+",
    Op.SUB: "-",
    Op.EQ: "==",
    Op.ULT: "<",
    Op.SHL: "<<",
    Op.LSHR: ">>",
}
_SPECIAL = {
    Op.SELECT: "({} ? {} : {})",
    Op.SLT: "($signed({}) < $signed({}))",
    Op.ASHR: "$unsigned($signed({}) >>> {})",
}
_OF_BITS = {Op.AND: "&&", Op.OR: "||"}
_INVERSE = {Op.EQ: "!=", Op.ULT: ">="}


def constant(width: int, value: int) -> str:
    """A sized number."""
    if width == 1:
        return f"1'b{value}"
    return f"{width}'d{value}" if width <= 16 else f"{width}'h{value:x}"


class Expressions:
    """Prints values as expressions over the signals of a stage.

    `declare` is called with a signal and its expression where a part needs a name of its own.
    """

    def __init__(self, signals: Signals, declare: Callable[[Signal, str, Node], None]) -> None:
        self._signals = signals
        self._declare = declare

    def text(self, node: Node, stage: int) -> str:
        """A value as an expression that may stand on the right of an assignment."""
        text = self._text(node, stage)
        return text[1:-1] if _is_wrapped(text) else text

    def definition(self, node: Node, stage: int) -> str:
        """The expression that computes a node that has a name."""
        return self._unwrapped(self._compute(node, stage))

    def atom(self, node: Node, stage: int) -> str:
        """A value as an expression that binds tighter than any operator."""
        return self._text(node, stage)

    def _unwrapped(self, text: str) -> str:
        return text[1:-1] if _is_wrapped(text) else text

    def _text(self, node: Node, stage: int) -> str:
        """A value as an expression that binds tighter than any operator."""
        signal = self._signals.find(node, stage)
        if signal is not None:
            return self._signals.reference(signal, 0, node.width)
        if node.op is Op.CONST:
            return constant(node.width, node.value)
        if node.op is Op.SLICE:
            base = self._signal(node.args[0], stage)
            return self._signals.reference(base, node.value, node.width)
        if node.op is Op.SEXT:
            return self._extended(node, stage)
        shared = (node, stage) in self._signals.uses.shared
        text = self._compute(node, stage)
        return self._named(node, stage, text) if shared or len(text) > LONGEST else text

    def _named(self, node: Node, stage: int, text: str) -> str:
        signal = self._signals.add(node, stage)
        self._declare(signal, self._unwrapped(text), node)
        return self._signals.reference(signal, 0, node.width)

    def _signal(self, node: Node, stage: int) -> Signal:
        """The signal of a value of which single bits are wanted."""
        found = self._signals.find(node, stage)
        if found is None:
            self._named(node, stage, self._compute(node, stage))
            found = self._signals.find(node, stage)
        assert found is not None
        return found

    def _extended(self, node: Node, stage: int) -> str:
        arg = node.args[0]
        copies = node.width - arg.width
        if arg.width == 1:
            return f"{{{node.width}{{{self.text(arg, stage)}}}}}"
        if arg.op is Op.SLICE:
            base = self._signal(arg.args[0], stage)
            sign = self._signals.reference(base, arg.value + arg.width - 1, 1)
        else:
            sign = self._signals.reference(self._signal(arg, stage), arg.width - 1, 1)
        return f"{{{{{copies}{{{sign}}}}}, {self.text(arg, stage)}}}"

    def _compute(self, node: Node, stage: int) -> str:
        if node.op is Op.CONCAT:
            return "{" + ", ".join(together(self.text(part, stage)) for part in reversed(node.args)) + "}"
        if node.op is Op.NOT:
            return self._inverse(node.args[0], stage)
        if node.op is Op.MUL:
            return self._product(node, stage)
        args = [self._text(arg, stage) for arg in self._in_order(node, stage)]
        if node.op in _SPECIAL:
            return _SPECIAL[node.op].format(*args)
        operator = _OPERATORS[node.op]
        if node.width == 1 and node.args[0].width == 1:
            operator = _OF_BITS.get(node.op, operator)
        return f"({args[0]} {operator} {args[1]})"

    def _in_order(self, node: Node, stage: int) -> tuple[Node, ...]:
        """The operands; of a sum, one that no gate of this stage makes comes first.

        A carry chain takes its first operand as it is and through a look-up table, and its second through
        that table only, which has room for a gate.
        """
        if (
            node.op is Op.ADD
            and self._is_gated(node.args[0], stage)
            and not self._is_gated(node.args[1], stage)
        ):
            return node.args[::-1]
        return node.args

    def _is_gated(self, node: Node, stage: int) -> bool:
        if node.op is Op.CONCAT:
            return any(self._is_gated(part, stage) for part in node.args)
        while node.op in (Op.SLICE, Op.SEXT, Op.NOT):
            node = node.args[0]
        return node.op in GATES and self._signals.plan.ready(node) == stage

    def _inverse(self, arg: Node, stage: int) -> str:
        if arg.op in _INVERSE and self._signals.find(arg, stage) is None:
            a, b = (self._text(operand, stage) for operand in arg.args)
            return f"({a} {_INVERSE[arg.op]} {b})"
        if arg.op is Op.SLT and self._signals.find(arg, stage) is None:
            a, b = (self._text(operand, stage) for operand in arg.args)
            return f"($signed({a}) >= $signed({b}))"
        return f"{'!' if arg.width == 1 else '~'}{self._text(arg, stage)}"

    def _product(self, node: Node, stage: int) -> str:
        """A product; of sign-extended numbers as a signed one, so that a small multiplier will do."""
        a, b = node.args
        if a.op is Op.SEXT and b.op in (Op.SEXT, Op.CONST):
            signed = [self._signed(arg, stage) for arg in (a, b)]
            return f"$unsigned({signed[0]} * {signed[1]})"
        return f"({self._text(a, stage)} * {self._text(b, stage)})"

    def _signed(self, node: Node, stage: int) -> str:
        if node.op is Op.CONST:
            return f"$signed({constant(node.width, node.value)})"
        return f"{node.width}'($signed({self.text(node.args[0], stage)}))"


def _is_wrapped(text: str) -> bool:
    """Whether the first parenthesis closes at the end."""
    if not text.startswith("("):
        return False
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place == len(text) - 1
    return False
