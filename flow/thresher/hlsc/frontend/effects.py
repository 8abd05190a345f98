"""What a step does to the outside and to its memories: collected while the blocks are walked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.exclusive import exclusive
from thresher.hlsc.frontend.layout import Port, RamMember, UnitLayout
from thresher.hlsc.ir import Input, Memory, Node, Output
from thresher.hlsc.refusal import UnsupportedUnitError
from thresher_sim.signals import fields


@dataclass(frozen=True)
class Site:
    """One place in the C++ that reads or writes; it does so when its block runs."""

    block: str
    condition: Node
    line: str
    values: tuple[Node, ...] = ()


@dataclass
class Effects:
    """The places at which each stream and memory is used.

    `reaches` says whether a step can come through both of two blocks, in that order.
    """

    builder: Builder
    layout: UnitLayout
    reaches: Callable[[str, str], bool]
    reads: dict[str, list[Site]] = field(default_factory=dict)
    writes: dict[str, list[Site]] = field(default_factory=dict)
    stores: dict[str, list[Site]] = field(default_factory=dict)

    def read(self, port: Port, site: Site) -> Node:
        """The beat that is read."""
        self._once(self.reads.setdefault(port.name, []), site, f"'{port.name}' is read twice in one step")
        signals = fields(port.width, port.signals)
        return self.builder.concat(
            [self.builder.input(port.name, field.width, field.low) for field in signals]
        )

    def empty(self, port: Port, site: Site) -> Node:
        """Whether no beat is there for the step."""
        for earlier in self.reads.get(port.name, []):
            if self._both(earlier, site):
                raise UnsupportedUnitError(
                    site.line,
                    f"'{port.name}' is tested after it is read in one step (at {earlier.line}), "
                    "and a test sees the stream before the step",
                    "move the test before the read",
                )
        return self.builder.not_(self.builder.valid(port.name))

    def full(self, port: Port, site: Site) -> Node:
        """Whether there is no room for a beat of the step."""
        for earlier in self.writes.get(port.name, []):
            if self._both(earlier, site):
                raise UnsupportedUnitError(
                    site.line,
                    f"'{port.name}' is tested after it is written in one step (at {earlier.line}), "
                    "and a test sees the stream before the step",
                    "move the test before the write",
                )
        return self.builder.full(port.name)

    def write(self, port: Port, site: Site) -> None:
        """Send `site.values[0]`."""
        self._once(self.writes.setdefault(port.name, []), site, f"'{port.name}' is written twice in one step")

    def ram_read(self, ram: RamMember, address: Node, site: Site) -> Node:
        """The word before the step."""
        for earlier in self.stores.get(ram.name, []):
            if self._both(earlier, site):
                raise UnsupportedUnitError(
                    site.line,
                    f"'{ram.name}' is read after it is written in one step (at {earlier.line}), "
                    "and a read sees the contents before the step",
                    "move the read before the write",
                )
        return self.builder.ram(ram.name, ram.width, address)

    def ram_write(self, ram: RamMember, site: Site) -> None:
        """Store `site.values`: the address and the word."""
        self._once(self.stores.setdefault(ram.name, []), site, f"'{ram.name}' is written twice in one step")

    def _once(self, sites: list[Site], site: Site, what: str) -> None:
        for earlier in sites:
            if self._both(earlier, site):
                raise UnsupportedUnitError(
                    site.line,
                    f"{what} (first at {earlier.line})",
                    "a step does so at most once: put the two on different branches of one `if`",
                )
        sites.append(site)

    def _both(self, earlier: Site, later: Site) -> bool:
        """Whether one step may come through both places."""
        return self.reaches(earlier.block, later.block) and not exclusive(earlier.condition, later.condition)

    # The results, once every block has been walked

    def inputs(self) -> tuple[Input, ...]:
        """The streams that the step reads.

        Whether one is read may depend on beats that the step has read before: no beat is taken before
        all that are needed are there, and what is decided on a beat that is not needed is not used.
        """
        return tuple(
            Input(port.name, port.width, self._any(self.reads.get(port.name, [])), port.signals)
            for port in self.layout.ports
            if port.is_input
        )

    def outputs(self) -> tuple[Output, ...]:
        """The streams that the step writes."""
        return tuple(
            Output(port.name, port.width, self._any(sites), self._chosen(sites, 0, port.width), port.signals)
            for port in self.layout.ports
            if not port.is_input
            for sites in [self.writes.get(port.name, [])]
        )

    def memories(self) -> tuple[Memory, ...]:
        """The memories, with their one write."""
        return tuple(
            Memory(
                ram.name,
                ram.width,
                ram.depth,
                self._any(sites),
                self._chosen(sites, 0, address_width(ram.depth)),
                self._chosen(sites, 1, ram.width),
            )
            for ram in self.layout.rams
            for sites in [self.stores.get(ram.name, [])]
        )

    def _any(self, sites: list[Site]) -> Node:
        return self.builder.any_of([site.condition for site in sites])

    def _chosen(self, sites: list[Site], index: int, width: int) -> Node:
        """The value of the place that is taken; any, where none is."""
        if not sites:
            return self.builder.const(width, 0)
        result = sites[-1].values[index]
        for site in sites[-2::-1]:
            result = self.builder.select(site.condition, site.values[index], result)
        return result


def address_width(depth: int) -> int:
    """The bits of an address of a memory of `depth` words; at least 1."""
    return max((depth - 1).bit_length(), 1)
