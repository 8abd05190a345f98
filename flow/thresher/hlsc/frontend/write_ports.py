"""The write ports of a memory, from the places in a step that write it.

Places of which a step comes to one at most share a port; there are two ports. A later write wins, so one to
the same address takes the earlier one back: no step writes one address through both ports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.site import Site, address_width, any_of, chosen
from thresher.hlsc.ir import WRITE_PORTS, Write
from thresher.hlsc.refusal import UnsupportedUnitError

Together = Callable[[Site, Site], bool]
"""Whether one step may come through both of two places, in that order."""


def write_ports(
    builder: Builder, name: str, width: int, depth: int, sites: Sequence[Site], together: Together
) -> tuple[Write, ...]:
    """The ports; one that never writes where there is no place.

    A place's values are the address and the word.

    Raises:
        UnsupportedUnitError: a step may come to more places than there are ports.
    """
    pairs: set[tuple[int, int]] = set()
    assigned: list[int] = []
    for later, site in enumerate(sites):
        pairs |= {(place, later) for place in range(later) if together(sites[place], site)}
        assigned = _assigned(name, sites[: later + 1], pairs)
    ports: list[list[Site]] = [[] for _ in range(WRITE_PORTS)]
    for place, port in enumerate(assigned):
        ports[port].append(_effective(builder, sites, place, pairs))
    return tuple(
        Write(
            any_of(builder, port),
            chosen(builder, port, 0, address_width(depth)),
            chosen(builder, port, 1, width),
        )
        for place, port in enumerate(ports)
        if port or not place
    )


def _effective(builder: Builder, sites: Sequence[Site], place: int, pairs: set[tuple[int, int]]) -> Site:
    """The place, where no later one of the same step writes its address."""
    site = sites[place]
    condition = site.condition
    for later in range(place + 1, len(sites)):
        if (place, later) in pairs:
            same = builder.eq(site.values[0], sites[later].values[0])
            over = builder.and_(sites[later].condition, same)
            condition = builder.and_(condition, builder.not_(over))
    return Site(site.block, condition, site.line, site.values)


def _assigned(name: str, sites: Sequence[Site], pairs: set[tuple[int, int]]) -> list[int]:
    """The port of each place: two that a step may come to have different ones."""
    ports: dict[int, int] = {}
    for first in range(len(sites)):
        pending = [] if first in ports else [first]
        ports.setdefault(first, 0)
        while pending:
            place = pending.pop()
            for other in _partners(place, pairs):
                if other not in ports:
                    ports[other] = 1 - ports[place]
                    pending.append(other)
                elif ports[other] == ports[place]:
                    raise _too_many(name, sites, sorted({place, other} | _partners(place, pairs)))
    return [ports[place] for place in range(len(sites))]


def _partners(place: int, pairs: set[tuple[int, int]]) -> set[int]:
    return {other for pair in pairs if place in pair for other in pair if other != place}


def _too_many(name: str, sites: Sequence[Site], places: Sequence[int]) -> UnsupportedUnitError:
    lines = [sites[place].line for place in places]
    return UnsupportedUnitError(
        lines[-1],
        f"'{name}' is written at {len(lines)} places of one step "
        f"(at {', '.join(lines[:-1])} and {lines[-1]}), and a memory has {WRITE_PORTS} write ports",
        "put all but two of them on different branches of one `if`, widen the word to hold what is written "
        "together, or write in several steps",
    )
