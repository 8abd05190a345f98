"""How long each operation takes on a family of parts, from a table that `bench.delays` measured.

A delay is logic and wires from the operands' registers to the result's, without what the registers
take themselves. It holds for one operation: gates share look-up tables, so a gate behind a gate adds
less than one that stands alone.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import MissingToolError, UsageError
from thresher.hlsc.ir import GATES, OF_STREAMS, Node, Op

FAMILIES = ("xc7", "ecp5")
"""The families of parts for which delays are known."""

CURVES = frozenset(
    (
        "add",
        "compress",
        "equal",
        "equal_constant",
        "gate",
        "less",
        "multiply",
        "ram",
        "rom",
        "select",
        "shift",
    )
)
"""What a table must hold."""

LINEAR = "linear"
LOGARITHMIC = "log2"
TABLES = Path(__file__).with_name("delays")
"""The folder of the families' tables."""
_THROUGH = frozenset((Op.NOT, Op.SLICE, Op.SEXT))
_LARGE_TABLES = frozenset(("xc7",))
"""The families whose look-up tables have six inputs."""
_LEAST_TABLE_INPUTS = 4
"""The inputs of a look-up table in the families with the smallest ones."""
_MOST_TABLE_BITS = 8
_WORD_BITS = 8
"""The width of the memories whose delays are in the table."""


@dataclass(frozen=True)
class Curve:
    """Nanoseconds over a size, between measured points on straight lines over the size or its logarithm.

    Beyond the last point the last line goes on; below the first, its value holds.
    """

    scale: str
    points: tuple[tuple[int, float], ...]

    def at(self, size: int) -> float:
        """The nanoseconds at a size."""
        position = _position(self.scale, max(size, self.points[0][0]))
        places = [_position(self.scale, known) for known, _ in self.points]
        last = next((place for place in range(1, len(places)) if position <= places[place]), len(places) - 1)
        (_, low), (_, high) = self.points[last - 1], self.points[last]
        part = (position - places[last - 1]) / (places[last] - places[last - 1])
        return low + part * (high - low)


def _position(scale: str, size: int) -> float:
    return float(size) if scale == LINEAR else math.log2(size)


@dataclass(frozen=True)
class DelayModel:
    """The delays of one family of parts, in nanoseconds.

    `register_ns` is from the clock to a register's output and from data to the clock. `gate_ns` and
    `select_ns` are what a gate and a selection add behind a gate. `block_memory_ns` is from the clock to
    the word that a block memory read, beyond what any register takes. `margin` is by what factor the
    paths of routed units were longer than estimated.
    """

    family: str
    register_ns: float
    gate_ns: float
    select_ns: float
    block_memory_ns: float
    margin: float
    curves: Mapping[str, Curve]

    def usable_ns(self, clock_mhz: float) -> float:
        """The time for logic between two registers, as sums of `delay_ns`; at least that of a gate."""
        return max((1000.0 / clock_mhz - self.register_ns) / self.margin, self.curves["gate"].at(1))

    def delay_ns(self, node: Node, first: bool = False) -> float:
        """From the last argument of a node to its result.

        `first` says that all arguments come from registers, so that no gate before this one shares its
        look-up tables. What is wires, and inverters, takes no time.
        """
        if node.op in GATES:
            return self._gate(node, not first and _is_behind_gates(node))
        estimate = _DELAYS.get(node.op)
        if estimate is None:
            return 0.0
        whole = estimate(self, node) - (self.gate_ns if self._absorbs_gates(node) else 0.0)
        return min(whole, self._of_few_bits(node))

    def fanout_ns(self, loads: int) -> float:
        """What a wire to so many loads takes more than one to a single load."""
        return self.curve_ns("select", loads) - self.curve_ns("select", 1)

    def curve_ns(self, curve: str, size: int) -> float:
        """The nanoseconds of a curve of the table at a size."""
        return self.curves[curve].at(size)

    def _absorbs_gates(self, node: Node) -> bool:
        """Whether the first look-up tables of an operation have room for the gates ahead of it.

        Those with six inputs do: three bits to count may each be a gate of two, and so may each operand
        of a sum, which the table adds for the carry chain.
        """
        if self.family not in _LARGE_TABLES:
            return False
        if node.op is Op.COMPRESS:
            return node.value <= 3 and _core(node.args[0]).op in (Op.AND, Op.OR, Op.XOR)
        return node.op in (Op.ADD, Op.SUB) and any(_core(arg).op in GATES for arg in node.args)

    def _of_few_bits(self, node: Node) -> float:
        """As a table of all that the unknown bits of the arguments can be: what anything takes at most."""
        bits = sum(_unknown_bits(arg) for arg in node.args)
        if node.op in (Op.ROM, Op.RAM) or bits > _MOST_TABLE_BITS:
            return math.inf
        return self.curve_ns("gate", 1) if bits <= _LEAST_TABLE_INPUTS else self.curve_ns("rom", bits)

    def _gate(self, node: Node, shares: bool) -> float:
        if node.op is not Op.SELECT:
            return self.gate_ns if shares else self.curve_ns("gate", node.width)
        # However it is computed, the condition goes to every bit.
        alone = self.curve_ns("select", node.width)
        return self.select_ns + alone - self.curve_ns("select", 1) if shares else alone


def _is_behind_gates(node: Node) -> bool:
    """Whether every argument that is computed comes from a gate, and one does."""
    cores = [_core(arg).op for arg in node.args]
    computed = [op for op in cores if op not in OF_STREAMS | {Op.STATE, Op.CONST}]
    return bool(computed) and GATES.issuperset(computed)


def _core(node: Node) -> Node:
    """What a node is wired to, if that is one value and constants."""
    while True:
        if node.op in _THROUGH:
            node = node.args[0]
            continue
        if node.op is not Op.CONCAT:
            return node
        parts = [part for part in node.args if part.op is not Op.CONST]
        if len(parts) != 1:
            return node
        node = parts[0]


def _number_bits(node: Node) -> int:
    """The low bits of a node that make its value, signed or not."""
    return max(1, min(node.unsigned_width, node.signed_width))


def _unknown_bits(node: Node) -> int:
    return (node.mask & ~(node.zeros | node.ones)).bit_count()


def _sum(model: DelayModel, node: Node) -> float:
    carries = min(node.width, max(_number_bits(arg) for arg in node.args) + 1)
    return model.curve_ns("add", carries)


def _below(model: DelayModel, node: Node) -> float:
    """Signs take a table behind the carry chain, where no larger one has room for them."""
    signs = model.curve_ns("gate", 1) if node.op is Op.SLT and model.family not in _LARGE_TABLES else 0.0
    return model.curve_ns("less", max(1, *(_number_bits(arg) for arg in node.args))) + signs


def _equal(model: DelayModel, node: Node) -> float:
    unknown = sorted(_unknown_bits(arg) for arg in node.args)
    return model.curve_ns("equal", unknown[1]) if unknown[0] else model.curve_ns("equal_constant", unknown[1])


def _product(model: DelayModel, node: Node) -> float:
    """As of two narrow factors, and the sums of its rows as long as the wide factor makes them."""
    narrow, wide = sorted(min(node.width, _number_bits(arg)) for arg in node.args)
    longer = model.curve_ns("add", narrow + wide) - model.curve_ns("add", 2 * narrow)
    return model.curve_ns("multiply", narrow) + longer


def _shift(model: DelayModel, node: Node) -> float:
    """One selection for each bit of the amount; bits that shift all out are compared first."""
    amount = node.args[1].unsigned_width
    useful = max(1, (node.width - 1).bit_length())
    if node.args[1].op is Op.CONST or not amount:
        return 0.0
    one, all_of_them = model.curve_ns("select", node.width), model.curve_ns("shift", node.width)
    part = (min(amount, useful) - 1) / (useful - 1) if useful > 1 else 1.0
    beyond = model.curve_ns("equal_constant", amount - useful) + model.gate_ns if amount > useful else 0.0
    return one + part * max(all_of_them - one, 0.0) + beyond


def _popcount(model: DelayModel, node: Node) -> float:
    """As the tree of sums that `balance` makes of a count: three bits to a group, one to each sum."""
    groups = -(-(node.args[0].width + 1) // 4)
    levels = (groups - 1).bit_length()
    return model.curve_ns("compress", 3) + levels * model.curve_ns("add", node.width)


def _compress(model: DelayModel, node: Node) -> float:
    return model.curve_ns("compress", node.value)


def _lookup(model: DelayModel, node: Node) -> float:
    """A memory of look-up tables: by the bits of the address, which goes to every bit of the word."""
    fanout = model.curve_ns("select", max(node.width, _WORD_BITS)) - model.curve_ns("select", _WORD_BITS)
    return model.curve_ns(node.op.value, node.args[0].width) + fanout


_DELAYS: dict[Op, Callable[[DelayModel, Node], float]] = {
    Op.ADD: _sum,
    Op.SUB: _sum,
    Op.ULT: _below,
    Op.SLT: _below,
    Op.EQ: _equal,
    Op.POPCOUNT: _popcount,
    Op.COMPRESS: _compress,
    Op.MUL: _product,
    Op.SHL: _shift,
    Op.LSHR: _shift,
    Op.ASHR: _shift,
    Op.ROM: _lookup,
    Op.RAM: _lookup,
}
"""What is neither a gate nor here is wires."""


@functools.cache
def delay_model(family: str) -> DelayModel:
    """The delays of a family.

    Raises:
        UsageError: there are none for it.
        MissingToolError: the installation lacks its table, or the table is damaged.
    """
    if family not in FAMILIES:
        raise UsageError(f"hlsc: there are no delays for family '{family}'; use one of {', '.join(FAMILIES)}")
    return load_table(TABLES / f"{family}.json")


def load_table(path: Path) -> DelayModel:
    """Read a table that `bench.delays` wrote.

    Raises:
        MissingToolError: it cannot be read, or is damaged.
    """
    try:
        return _model(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingToolError(
            f"hlsc: the table of delays '{path}' cannot be used: {type(error).__name__}: {error}; "
            "install thresher again, or measure it by `python -m bench.delays`"
        ) from error


def _model(table: Mapping[str, object]) -> DelayModel:
    curves = table["curves"]
    if not isinstance(curves, dict) or curves.keys() != CURVES:
        raise ValueError(f"curves are not {', '.join(sorted(CURVES))}")
    model = DelayModel(
        family=str(table["family"]),
        register_ns=_positive(table, "register_ns"),
        gate_ns=_positive(table, "gate_ns"),
        select_ns=_positive(table, "select_ns"),
        block_memory_ns=_positive(table, "block_memory_ns"),
        margin=_positive(table, "margin"),
        curves={name: _curve(name, curve) for name, curve in curves.items()},
    )
    if model.margin < 1.0:
        raise ValueError(f"margin is {model.margin:g}, below 1")
    return model


def _positive(table: Mapping[str, object], key: str) -> float:
    value = table[key]
    if not isinstance(value, int | float) or not 0.0 < value < math.inf:
        raise ValueError(f"{key} is {value!r}, not a positive number")
    return float(value)


def _curve(name: str, curve: Mapping[str, object]) -> Curve:
    scale, points = curve["scale"], curve["points"]
    if scale not in (LINEAR, LOGARITHMIC):
        raise ValueError(f"scale of curve '{name}' is {scale!r}, not {LINEAR} or {LOGARITHMIC}")
    if not isinstance(points, list) or len(points) < 2:
        raise ValueError(f"curve '{name}' has fewer than two points")
    made = tuple((int(size), float(delay)) for size, delay in points)
    for (size, delay), (next_size, next_delay) in itertools.pairwise(made):
        if not (0 < size < next_size and 0.0 < delay <= next_delay):
            raise ValueError(f"curve '{name}' does not rise from size {size} to {next_size}")
    return Curve(str(scale), made)
