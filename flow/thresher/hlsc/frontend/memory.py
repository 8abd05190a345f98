"""Memory as the front end sees it: objects of bits, cut into segments that hold one value each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node

Content = Node | None
"""A value, or None where any value will do."""


@dataclass(frozen=True)
class Segment:
    """`width` bits from bit `low` of an object on."""

    low: int
    width: int
    content: Content

    @property
    def high(self) -> int:
        """The first bit after it."""
        return self.low + self.width


Segments = tuple[Segment, ...]


def load(builder: Builder, segments: Segments, low: int, width: int) -> Content:
    """The bits of an object; bits that were never stored are zero beside bits that were."""
    parts = cut(builder, segments, [low, low + width])
    inside = [part for part in parts if low <= part.low and part.high <= low + width]
    if all(part.content is None for part in inside):
        return None
    values: list[Node] = []
    position = low
    for part in inside:
        if part.low > position:
            values.append(builder.const(part.low - position, 0))
        values.append(builder.const(part.width, 0) if part.content is None else part.content)
        position = part.high
    if position < low + width:
        values.append(builder.const(low + width - position, 0))
    return builder.concat(values)


def store(builder: Builder, segments: Segments, low: int, width: int, content: Content) -> Segments:
    """The object after the store."""
    parts = cut(builder, segments, [low, low + width])
    kept = [part for part in parts if part.high <= low or part.low >= low + width]
    return tuple(sorted([*kept, Segment(low, width, content)], key=lambda part: part.low))


def cut(builder: Builder, segments: Segments, places: Sequence[int]) -> Segments:
    """The same contents with no segment across any of `places`."""
    result: list[Segment] = []
    for segment in segments:
        inner = sorted({place for place in places if segment.low < place < segment.high})
        edges = [segment.low, *inner, segment.high]
        for low, high in pairwise(edges):
            result.append(_part(builder, segment, low, high))
    return tuple(result)


def _part(builder: Builder, segment: Segment, low: int, high: int) -> Segment:
    if (low, high) == (segment.low, segment.high):
        return segment
    content = segment.content
    if content is not None:
        content = builder.slice(content, low - segment.low, high - low)
    return Segment(low, high - low, content)


Memory = Mapping[str, Segments]
"""The objects by name: `self`, and the local variables of the step."""


def merge(
    builder: Builder, memories: Sequence[Memory], choose: Callable[[Sequence[Content]], Content]
) -> Memory:
    """The memory where paths join; `choose` takes one content for each path."""
    result: dict[str, Segments] = {}
    for name in dict.fromkeys(name for memory in memories for name in memory):
        versions = [memory.get(name, ()) for memory in memories]
        if all(version is versions[0] for version in versions):
            result[name] = versions[0]
        else:
            result[name] = _merge_object(builder, versions, choose)
    return result


def _merge_object(
    builder: Builder, versions: Sequence[Segments], choose: Callable[[Sequence[Content]], Content]
) -> Segments:
    places = sorted({edge for version in versions for part in version for edge in (part.low, part.high)})
    pieces = [{part.low: part for part in cut(builder, version, places)} for version in versions]
    result = []
    for low in places[:-1]:
        found = [piece.get(low) for piece in pieces]
        present = [part for part in found if part is not None]
        if present:
            contents = [part.content if part else None for part in found]
            result.append(Segment(low, present[0].width, choose(contents)))
    return tuple(result)
