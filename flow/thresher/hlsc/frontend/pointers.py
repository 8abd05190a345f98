"""Pointers of the step: each is known to the byte, or is one of a few known places."""

from __future__ import annotations

from dataclasses import dataclass, replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node, Op

NULL = "null"
"""The object that a null pointer points to: none."""

Term = tuple[Node, int]
"""A variable index, signed, and the bytes that one step of it moves the pointer."""


@dataclass(frozen=True)
class Array:
    """The bytes `first..end-1` of an object: elements of `stride` bytes."""

    first: int
    end: int
    stride: int


@dataclass(frozen=True)
class Target:
    """A byte of an object, if `condition` holds (None: always), plus what the terms add.

    `arrays` are those of which one is indexed, where there are terms.
    """

    base: str
    offset: int
    condition: Node | None = None
    terms: tuple[Term, ...] = ()
    arrays: tuple[Array, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether it is a byte of the module's constants."""
        return self.base.startswith("@")


@dataclass(frozen=True)
class Pointer:
    """One of some targets, of which exactly one condition holds."""

    targets: tuple[Target, ...]

    @property
    def only(self) -> Target | None:
        """The target of a pointer that has just one, at a known byte."""
        target = self.targets[0]
        return None if len(self.targets) > 1 or target.terms else target

    def moved(self, offset: int) -> Pointer:
        """The pointer `offset` bytes further."""
        return Pointer(tuple(replace(target, offset=target.offset + offset) for target in self.targets))

    def under(self, builder: Builder, condition: Node) -> Pointer:
        """The pointer, where it is taken only if `condition` holds."""
        return Pointer(
            tuple(
                replace(
                    target,
                    condition=builder.and_(condition, target.condition) if target.condition else condition,
                )
                for target in self.targets
            )
        )

    def simplified(self, builder: Builder) -> Pointer:
        """The same pointer with each place once, and without those where it never points."""
        conditions: dict[Target, list[Node]] = {}
        for target in self.targets:
            found = builder.const(1, 1) if target.condition is None else target.condition
            if found.op is not Op.CONST or found.value:
                conditions.setdefault(replace(target, condition=None), []).append(found)
        if len(conditions) <= 1:
            return Pointer(tuple(conditions) or self.targets[:1])
        return Pointer(
            tuple(replace(target, condition=builder.any_of(each)) for target, each in conditions.items())
        )


def place(base: str, offset: int = 0) -> Pointer:
    """A pointer to a known byte."""
    return Pointer((Target(base, offset),))
