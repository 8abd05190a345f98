"""What the calls of C's library that clang leaves compute: `memcmp`, `bcmp`, `memchr`, `wmemchr`."""

from __future__ import annotations

from collections.abc import Callable

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend import operations
from thresher.hlsc.frontend.addressing import MAX_ELEMENTS
from thresher.hlsc.frontend.pointers import NULL, Pointer, Target
from thresher.hlsc.ir import Node, Op
from thresher.hlsc.refusal import NotHardwareError

COMPARISONS = frozenset({"memcmp", "bcmp"})
SEARCHES = {"memchr": 1, "wmemchr": 4}
"""The bytes of an element."""

Load = Callable[[Pointer, int], Node]
"""So many bits of memory."""


def compared(builder: Builder, load: Load, a: Pointer, b: Pointer, size: Node) -> Node:
    """`memcmp`: -1, 0 or 1 in 32 bits, by the first byte that differs, unsigned; it serves as `bcmp`.

    Raises:
        NotHardwareError: the size is variable.
    """
    count = constant_size(size, "compared")
    if count == 0:
        return builder.const(32, 0)
    first, second = (operations.bytes_reversed(builder, load(pointer, 8 * count)) for pointer in (a, b))
    return operations.three_way(builder, "ult", first, second, 32)


def found(builder: Builder, load: Load, pointer: Pointer, value: Node, size: Node, step: int) -> Pointer:
    """`memchr`, or `wmemchr` where `step` is 4: the first element that is equal, or null.

    Raises:
        NotHardwareError: the number of elements is variable, or too large.
    """
    count = constant_size(size, "searched")
    if count > MAX_ELEMENTS:
        raise NotHardwareError(
            f"an array of {count} elements is searched in one step, of which {MAX_ELEMENTS} can be",
            "search a few elements in each step, with the place in a member",
        )
    wanted = builder.low(value, 8 * step)
    targets: list[Target] = []
    none = builder.const(1, 1)
    for index in range(count):
        element = pointer.moved(index * step)
        equal = builder.eq(load(element, 8 * step), wanted)
        targets += element.under(builder, builder.and_(none, equal)).targets
        none = builder.and_(none, builder.not_(equal))
    return Pointer((*targets, Target(NULL, 0, none))).simplified(builder)


def constant_size(size: Node, what: str) -> int:
    """The value of a size.

    Raises:
        NotHardwareError: it is variable.
    """
    if size.op is not Op.CONST:
        raise NotHardwareError(
            f"memory of variable size is {what}",
            "make the number of elements a constant, with a condition for each element",
        )
    return size.value
