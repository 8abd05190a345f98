"""The places of a step that use a stream or a memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node


@dataclass(frozen=True)
class Site:
    """One place in the C++ that reads or writes; it does so when its block runs."""

    block: str
    condition: Node
    line: str
    values: tuple[Node, ...] = ()


def any_of(builder: Builder, sites: Sequence[Site]) -> Node:
    """Whether a step comes to one of the places."""
    return builder.any_of([site.condition for site in sites])


def chosen(builder: Builder, sites: Sequence[Site], index: int, width: int) -> Node:
    """The value of the place that is taken; any, where none is."""
    if not sites:
        return builder.const(width, 0)
    result = sites[-1].values[index]
    for site in sites[-2::-1]:
        result = builder.select(site.condition, site.values[index], result)
    return result


def address_width(depth: int) -> int:
    """The bits of an address of a memory of `depth` words; at least 1."""
    return max((depth - 1).bit_length(), 1)
