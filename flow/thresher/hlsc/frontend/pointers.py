"""Pointers of the step: each is known to the byte, or is one of a few known places."""

from __future__ import annotations

from dataclasses import dataclass, replace

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node


@dataclass(frozen=True)
class Target:
    """A byte of an object, if `condition` holds (None: always), plus `index * stride` bytes.

    Only into constant tables does an index stay a variable.
    """

    base: str
    offset: int
    condition: Node | None = None
    index: Node | None = None
    stride: int = 0


@dataclass(frozen=True)
class Pointer:
    """One of some targets, of which exactly one condition holds."""

    targets: tuple[Target, ...]

    @property
    def only(self) -> Target | None:
        """The target of a pointer that has just one, at a known byte."""
        target = self.targets[0]
        return target if len(self.targets) == 1 and target.index is None else None

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


def place(base: str, offset: int = 0) -> Pointer:
    """A pointer to a known byte."""
    return Pointer((Target(base, offset),))
