"""Addresses as numbers: what hardware can know of them, as it has none.

An address is that of its object, which nobody knows, plus an offset, which is a value like any other. Where
the addresses of the objects cancel out, as in `found - begin`, what is left is a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import operations
from thresher.hlsc.frontend.pointers import NULL, Pointer, Target
from thresher.hlsc.ir import Node, Op, UnitGraph
from thresher.hlsc.refusal import NotHardwareError, UnsupportedUnitError

WIDTH = 64
_ALIGNED_BITS = 4
"""No object that clang lays out is aligned to more than 16 bytes."""
_UNKNOWN = "address of "
"""The bits of an address, in the targets that units are compiled for."""


@dataclass(frozen=True)
class AddressSum:
    """An integer: `rest`, plus the address of each object so many times, modulo 2**width of `rest`."""

    objects: tuple[tuple[str, int], ...]
    rest: Node


def address_used() -> NotHardwareError:
    """The refusal of an address as a number that does not cancel out."""
    return NotHardwareError(
        "an address is used as a number", "use indices; the addresses of members mean nothing in hardware"
    )


def offset(builder: Builder, pointer: Pointer) -> Node:
    """The bytes from the beginning of the object, signed, wherever the pointer points."""
    *others, last = [(target.condition, _offset_of(builder, target)) for target in pointer.targets]
    result = last[1]
    for condition, value in reversed(others):
        assert condition is not None
        result = builder.select(condition, value, result)
    return result


def _offset_of(builder: Builder, target: Target) -> Node:
    total = builder.const(WIDTH, target.offset)
    for index, stride in target.terms:
        step = builder.mul(builder.sext(index, WIDTH), builder.const(WIDTH, stride))
        total = builder.add(total, step)
    return total


def address_of(builder: Builder, pointer: Pointer, width: int) -> AddressSum | Node:
    """The address as an integer.

    Of a pointer that may be null it is that of the object: what else the integer would be depends on where
    the object lies, and is not used by C++ that has a meaning.

    Raises:
        NotHardwareError: it may be that of several objects, or is cast to more bits than it has.
    """
    inside = tuple(target for target in pointer.targets if target.base != NULL)
    bases = {target.base for target in inside}
    if len(bases) > 1 or width > WIDTH:
        raise address_used()
    rest = builder.low(offset(builder, Pointer(inside or pointer.targets)), width)
    return _made([(base, 1) for base in bases], rest)


def _made(objects: Sequence[tuple[str, int]], rest: Node) -> AddressSum | Node:
    """The sum, or the number if it has no address in it."""
    left = tuple(sorted((base, times & rest.mask) for base, times in objects if times & rest.mask))
    return AddressSum(left, rest) if left else rest


def combined(builder: Builder, opcode: str, a: AddressSum | Node, b: AddressSum | Node) -> AddressSum | Node:
    """The result of a binary instruction, one of whose operands at least has an address in it.

    Raises:
        KeyError: the opcode is of no binary instruction.
    """
    if opcode == "xor" and isinstance(b, Node) and b.op is Op.CONST and b.value == b.mask:
        opcode, a, b = "sub", b, a  # `~x` is `-1 - x`
    sums = [AddressSum((), arg) if isinstance(arg, Node) else arg for arg in (a, b)]
    rests = [arg.rest for arg in sums]
    if opcode == "or" and isinstance(b, Node) and _is_apart(sums[0].rest, b):
        opcode = "add"
    if opcode in ("add", "sub"):
        total = Counter(dict(sums[0].objects))
        for base, times in sums[1].objects:
            total[base] += times if opcode == "add" else -times
        return _made(list(total.items()), operations.binary(builder, opcode, *rests))
    fits = opcode == "mul" or rests[1].value < rests[0].width
    if opcode in ("mul", "shl") and isinstance(b, Node) and b.op is Op.CONST and fits:
        factor = b.value if opcode == "mul" else 1 << b.value
        scaled = [(base, factor * times) for base, times in sums[0].objects]
        return _made(scaled, operations.binary(builder, opcode, *rests))
    return operations.binary(builder, opcode, *(numbered(builder, arg) for arg in sums))


def _is_apart(rest: Node, bits: Node) -> bool:
    """Whether bits lie where an address has zeros, so that `or` adds them."""
    used = bits.mask & ~bits.zeros
    return used < 1 << _ALIGNED_BITS and not used & ~rest.zeros


def numbered(builder: Builder, address: AddressSum) -> Node:
    """The integer as a node, in which the addresses of objects are unknown but for their lowest bits.

    LLVM computes the lowest bits of a distance from those of one pointer alone where it knows that the other
    is aligned: `(p - q) & 7` becomes `p & 7`. They are zero in each address here; a step in which a bit above
    them is left is refused (`refuse_addresses`).
    """
    width = address.rest.width
    total = address.rest
    for base, times in address.objects:
        upper = builder.state(_UNKNOWN + base, WIDTH - _ALIGNED_BITS)
        place = builder.concat([builder.const(_ALIGNED_BITS, 0), upper])
        total = builder.add(total, builder.mul(builder.low(place, width), builder.const(width, times)))
    return total


def refuse_addresses(graph: UnitGraph) -> None:
    """Refuse a step that depends on where an object lies; the graph has been simplified.

    Raises:
        UnsupportedUnitError: it does.
    """
    tainted: dict[Node, None] = {}  # in the order of the graph
    for node in graph.nodes():
        if _is_unknown_address(node) or not tainted.keys().isdisjoint(node.args):
            tainted[node] = None
    if tainted:
        line = next((line for line in map(graph.describe, tainted) if line), "")
        refusal = address_used()
        raise UnsupportedUnitError(line, refusal.reason, refusal.remedy)


def _is_unknown_address(node: Node) -> bool:
    return node.op is Op.STATE and node.symbol.startswith(_UNKNOWN)


def truncated(builder: Builder, number: AddressSum, width: int) -> AddressSum | Node:
    """The low bits."""
    return _made(number.objects, builder.low(number.rest, width))


def compare_numbers(builder: Builder, predicate: str, a: AddressSum, b: AddressSum) -> Node:
    """The result of `icmp` on two integers that have addresses in them."""
    if a.objects != b.objects or (a.rest.width < WIDTH and predicate not in ("eq", "ne")):
        return operations.compare(builder, predicate, numbered(builder, a), numbered(builder, b))
    return operations.compare(builder, _signed(predicate), a.rest, b.rest)


def _signed(predicate: str) -> str:
    """The comparison of offsets that is the one of addresses: an offset may be negative."""
    return predicate if predicate in ("eq", "ne") else f"s{predicate[1:]}"


def compare_pointers(builder: Builder, predicate: str, a: Pointer, b: Pointer) -> Node:
    """The result of `icmp` on two pointers; those into different objects differ.

    Raises:
        NotHardwareError: the order of different objects is asked for.
    """
    if predicate in ("eq", "ne"):
        same = builder.any_of([_same_place(builder, one, other) for one in a.targets for other in b.targets])
        return same if predicate == "eq" else builder.not_(same)
    bases = {target.base for target in (*a.targets, *b.targets)}
    if len(bases) > 1:
        raise NotHardwareError(
            "the addresses of different objects are ordered, which have no order in hardware",
            "compare indices, or pointers into one array",
        )
    return operations.compare(builder, _signed(predicate), offset(builder, a), offset(builder, b))


def _same_place(builder: Builder, a: Target, b: Target) -> Node:
    if a.base != b.base:
        return builder.const(1, 0)
    same = builder.eq(_offset_of(builder, a), _offset_of(builder, b))
    conditions = [each.condition for each in (a, b) if each.condition is not None]
    return reduce(builder.and_, conditions, same)


def merged(builder: Builder, choices: Sequence[tuple[Node, AddressSum | Node]]) -> AddressSum | Node:
    """The integer where exactly one of the conditions holds."""
    sums = [AddressSum((), number) if isinstance(number, Node) else number for _, number in choices]
    if any(number.objects != sums[0].objects for number in sums):
        sums = [AddressSum((), numbered(builder, number)) for number in sums]
    rest = sums[-1].rest
    for (condition, _), number in zip(choices[-2::-1], sums[-2::-1], strict=True):
        rest = builder.select(condition, number.rest, rest)
    return _made(sums[0].objects, rest)
