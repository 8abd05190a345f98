"""The graph that one step of a unit becomes: pure operations on exactly sized bit vectors.

A node is a value of one step. Registers and memories are the unit's state: a `STATE` node is a
register before the step, and `Register.next` is what it holds after. Nodes are hash-consed by the
`Builder`, so two equal computations are one node, and the arguments of a node have lower indices.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from thresher_sim.signals import Signals


class Op(enum.Enum):
    """What a node computes; widths are checked by the `Builder`.

    `INPUT` is a signal of the beat that is read, from bit `Node.value` of the beat on.
    `VALID` is 1 where an input offers a beat in the cycle in which the step is taken, and `FULL` where an
    output has no room for a beat of this step.
    Comparisons are one bit wide. Shifts by at least the width shift everything out. `CONCAT`
    lists its parts from the least significant on. `SLICE` begins at bit `Node.value`. `COMPRESS`
    counts each group of bits and gives the counts by columns: bit 0 of every count, then bit 1 of
    every count, and so on.
    """

    CONST = "const"
    INPUT = "input"
    VALID = "valid"
    FULL = "full"
    STATE = "state"
    ROM = "rom"
    RAM = "ram"
    NOT = "not"
    AND = "and"
    OR = "or"
    XOR = "xor"
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    EQ = "eq"
    ULT = "ult"
    SLT = "slt"
    SHL = "shl"
    LSHR = "lshr"
    ASHR = "ashr"
    SELECT = "select"
    CONCAT = "concat"
    SLICE = "slice"
    SEXT = "sext"
    POPCOUNT = "popcount"
    COMPRESS = "compress"


WIRING = frozenset({Op.CONST, Op.CONCAT, Op.SLICE, Op.SEXT})
"""Operations that cost neither logic nor time."""

OF_STREAMS = frozenset({Op.INPUT, Op.VALID, Op.FULL})
"""What streams say to a step as it begins."""

GATES = frozenset({Op.AND, Op.OR, Op.XOR, Op.SELECT})
"""Bitwise operations, for which a look-up table that uses their results may have room."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """One value. Identity is equality; `Builder` makes nodes and nothing else does.

    `value` is the number of a `CONST`, the lowest bit of a `SLICE`, of an `INPUT` or of a `ROM`'s columns,
    and the number of bits that a `COMPRESS` counts together.
    `symbol` names the port, register, table or memory of `INPUT`, `VALID`, `FULL`, `STATE`, `ROM` and `RAM`.
    `zeros` and `ones` are the bits known to be 0 and 1; `signed_width` is the number of low bits
    of which, as a signed number, the rest is the sign extension.
    """

    index: int
    op: Op
    width: int
    args: tuple[Node, ...]
    value: int
    symbol: str
    zeros: int
    ones: int
    signed_width: int

    def __repr__(self) -> str:
        return f"<{self.op.value} {self.index}, {self.width} bits>"

    @property
    def mask(self) -> int:
        """All ones, as wide as the node."""
        return (1 << self.width) - 1

    @property
    def unsigned_width(self) -> int:
        """The number of low bits above which all are known to be 0."""
        return (self.mask & ~self.zeros).bit_length()


@dataclass(frozen=True)
class Origin:
    """Where a node comes from in the C++: a variable's name and `file:line`, each may be empty."""

    name: str = ""
    line: str = ""


@dataclass(frozen=True)
class Input:
    """A stream that the step reads when `needed` is 1; its beat is its `INPUT` nodes, one for each signal.

    A step waits for the beats that it needs. One that needs a beat only where `VALID` is 1 does not.
    """

    name: str
    width: int
    needed: Node
    signals: Signals = ()


@dataclass(frozen=True)
class Output:
    """A stream to which the step writes `value` when `written` is 1."""

    name: str
    width: int
    written: Node
    value: Node
    signals: Signals = ()


@dataclass(frozen=True)
class Register:
    """A member variable. `reset` is None where the C++ gives it no initial value."""

    name: str
    width: int
    reset: int | None
    next: Node


@dataclass(frozen=True)
class Write:
    """A write port of a memory: where `written` is 1, the step stores `data` at `address`."""

    written: Node
    address: Node
    data: Node

    @property
    def nodes(self) -> tuple[Node, Node, Node]:
        """All that it takes."""
        return self.written, self.address, self.data


WRITE_PORTS = 2
"""The most that a memory has."""


@dataclass(frozen=True)
class Memory:
    """A `Ram`. Its reads are `RAM` nodes; they see the contents before the step.

    No step writes one address through two ports. `reads_apart` says that no step that writes needs a word.
    `initial` are the words after configuration; None where any will do.
    """

    name: str
    width: int
    depth: int
    writes: tuple[Write, ...]
    reads_apart: bool = False
    initial: tuple[int, ...] | None = field(default=None, compare=False, repr=False)

    @property
    def nodes(self) -> list[Node]:
        """All that its write ports take."""
        return [node for write in self.writes for node in write.nodes]


class TableStyle(enum.Enum):
    """What a table is to be made of; `AUTO` leaves it to the rule of `schedule.memories`."""

    AUTO = "auto"
    BLOCK = "block"
    DISTRIBUTED = "distributed"


@dataclass(frozen=True)
class Table:
    """Constant words, read by `ROM` nodes."""

    name: str
    width: int
    words: tuple[int, ...]
    style: TableStyle = TableStyle.AUTO


@dataclass(frozen=True)
class UnitGraph:
    """One step of a unit: what it reads, writes and remembers."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    registers: tuple[Register, ...]
    memories: tuple[Memory, ...]
    tables: Mapping[str, Table]
    origins: Mapping[Node, Origin] = field(default_factory=dict)

    def roots(self) -> Iterator[Node]:
        """Every node that the unit's behaviour is made of, in the order of the members."""
        for port in self.inputs:
            yield port.needed
        for output in self.outputs:
            yield from (output.written, output.value)
        for register in self.registers:
            yield register.next
        for memory in self.memories:
            yield from memory.nodes

    def nodes(self) -> list[Node]:
        """All nodes that the roots need, arguments first."""
        return reachable(self.roots())

    def asked(self) -> frozenset[str]:
        """The outputs of which a step asks whether they are full."""
        return frozenset(node.symbol for node in self.nodes() if node.op is Op.FULL)

    def describe(self, node: Node) -> str:
        """The line of C++ that a message about `node` should name, or an empty string."""
        origin = self.origins.get(node)
        return origin.line if origin else ""


def reachable(roots: Iterable[Node]) -> list[Node]:
    """All nodes that `roots` are computed from and themselves, arguments first."""
    found: set[Node] = set()
    pending = list(roots)
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending.extend(node.args)
    return sorted(found, key=lambda node: node.index)


def wired_bits(node: Node, mask: int) -> list[int]:
    """The bits of each argument that the bits `mask` of a wiring node are."""
    if node.op is Op.SLICE:
        return [mask << node.value]
    if node.op is Op.SEXT:
        arg = node.args[0]
        return [mask & arg.mask | (1 << (arg.width - 1) if mask >> arg.width else 0)]
    bits = []
    for part in node.args:
        bits.append(mask & part.mask)
        mask >>= part.width
    return bits
