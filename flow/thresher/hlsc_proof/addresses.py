"""Memory as LLVM has it: bytes at addresses. Every object has a range of addresses of its own.

A pointer is a number. It also carries the objects that it is based on, outside of which LLVM lets it
access nothing, and the step in which it can move, so that only bytes that it can mean are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd

ADDRESS_BITS = 24
"""The bits of an address. Sums wrap, as in LLVM; objects together are smaller."""

_FIRST_ADDRESS = 64


@dataclass(frozen=True)
class Object:
    """`size` bytes from `base` on, in the variable `variable`; nothing if it is only an address."""

    variable: str
    base: int
    size: int

    def bits(self, address: int, count: int) -> str:
        """So many bytes from an address on."""
        low = 8 * (address - self.base)
        return f"{self.variable}[{low + 8 * count - 1}:{low}]"


@dataclass(frozen=True)
class Pointer:
    """An address: `text` is its expression, and it is `first` plus a multiple of `step` (0: `first`)."""

    text: str
    first: int
    step: int
    objects: frozenset[Object]

    @property
    def known(self) -> int | None:
        """The address, where it is known."""
        return None if self.step else self.first

    def moved(self, offset: int) -> Pointer:
        """So many bytes further."""
        first = (self.first + offset) % (1 << ADDRESS_BITS)
        text = _literal(first) if not self.step else f"({self.text} + {_literal(offset)})"
        return Pointer(text, first, self.step, self.objects)

    def indexed(self, index: str, stride: int) -> Pointer:
        """`index`, of the bits of an address, times `stride` bytes further."""
        if stride == 0:
            return self
        text = f"({self.text} + {index} * {_literal(stride)})"
        return Pointer(text, self.first, gcd(self.step, stride), self.objects)

    def places(self, count: int) -> Iterator[tuple[int, Object]]:
        """Every address at which `count` bytes may be meant, with its object."""
        for each in sorted(self.objects, key=lambda found: found.base):
            end = each.base + each.size - count
            if not self.step:
                yield from [(self.first, each)] if each.base <= self.first <= end else []
            else:
                begin = each.base + (self.first - each.base) % self.step
                yield from ((address, each) for address in range(begin, end + 1, self.step))


def either(text: str, pointers: list[Pointer]) -> Pointer:
    """A pointer that is one of some, as `text` says."""
    first = pointers[0].first
    objects = frozenset(each for pointer in pointers for each in pointer.objects)
    step = gcd(*(value for pointer in pointers for value in (pointer.step, abs(pointer.first - first))))
    return Pointer(text if step else _literal(first), first, step, objects)


NULL = Pointer("24'd0", 0, 0, frozenset())
"""The address that no object has."""


def _literal(value: int) -> str:
    return f"{ADDRESS_BITS}'d{value % (1 << ADDRESS_BITS)}"


@dataclass
class AddressSpace:
    """Gives out addresses."""

    _next: int = field(default=_FIRST_ADDRESS)

    def place(self, variable: str, size: int) -> Pointer:
        """The address of a new object."""
        base = self._next
        self._next = base + -(-max(size, 1) // 16) * 16 + 16
        return Pointer(_literal(base), base, 0, frozenset([Object(variable, base, size)]))

    @property
    def is_full(self) -> bool:
        """Whether the objects do not fit into the addresses."""
        return self._next >= 1 << ADDRESS_BITS - 1
