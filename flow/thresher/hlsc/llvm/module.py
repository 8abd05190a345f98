"""LLVM's textual IR as data: functions, blocks, instructions, constants, metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thresher.hlsc.llvm.types import Type


@dataclass(frozen=True)
class Local:
    """`%name`: an instruction's result or a parameter."""

    name: str


@dataclass(frozen=True)
class Number:
    """An integer constant; `null` is 0."""

    value: int


@dataclass(frozen=True)
class Undefined:
    """`undef` or `poison`: any value will do."""


@dataclass(frozen=True)
class Address:
    """A byte of a global, `offset` from its beginning."""

    symbol: str
    offset: int = 0


@dataclass(frozen=True)
class Zeros:
    """`zeroinitializer` of an array or a structure: every byte is zero."""


@dataclass(frozen=True)
class Aggregate:
    """A constant array or structure, with all elements of its type."""

    elements: tuple[Operand, ...]


@dataclass(frozen=True)
class Opaque:
    """A constant that hlsc does not understand, as it is written."""

    text: str


Constant = Number | Undefined | Address | Zeros | Aggregate | Opaque
Value = Local | Constant


@dataclass(frozen=True)
class Operand:
    """A value with its type."""

    type: Type
    value: Value


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    `detail` is the predicate of a comparison, the function of a call (without `@`), the number of an
    `extractvalue`, `inbounds` of a `getelementptr` that is, empty otherwise.
    `type` is the type of the result; of a `getelementptr` that which it steps over.
    `labels` are the blocks of a branch, of a `phi` (one for each operand), or of a `switch`
    (the default first, then one for each case; the cases are the operands after the first).
    """

    opcode: str
    type: Type
    operands: tuple[Operand, ...] = ()
    labels: tuple[str, ...] = ()
    detail: str = ""
    result: str = ""
    location: str = ""


@dataclass(frozen=True)
class VariableName:
    """`#dbg_value`: from here on the C++ variable `variable` (metadata) is the value `name`."""

    name: str
    variable: str


@dataclass(frozen=True)
class Block:
    """A basic block; its last instruction is the terminator."""

    name: str
    instructions: tuple[Instruction, ...]

    @property
    def terminator(self) -> Instruction:
        """The instruction that leaves the block."""
        return self.instructions[-1]

    @property
    def successors(self) -> tuple[str, ...]:
        """The blocks that may follow, each once."""
        return tuple(dict.fromkeys(self.terminator.labels))


@dataclass(frozen=True)
class Function:
    """A function with a body; the first block is its entry."""

    name: str
    parameters: tuple[str, ...]
    blocks: tuple[Block, ...]
    variables: tuple[VariableName, ...]
    location: str


@dataclass(frozen=True)
class Module:
    """A translation unit. Globals, named types and metadata stay text until they are asked for."""

    functions: Mapping[str, Function]
    globals: Mapping[str, str]
    types: Mapping[str, str]
    metadata: Mapping[str, str]
