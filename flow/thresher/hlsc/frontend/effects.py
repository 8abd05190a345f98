"""What a step does to the outside and to its memories: collected while the blocks are walked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thresher.hlsc.builder import Builder
from thresher.hlsc.frontend.exclusive import exclusive
from thresher.hlsc.frontend.layout import Port, RamMember, UnitLayout
from thresher.hlsc.frontend.site import Site, any_of, chosen
from thresher.hlsc.frontend.write_ports import write_ports
from thresher.hlsc.ir import WRITE_PORTS, Input, Memory, Node, Output
from thresher.hlsc.refusal import UnsupportedUnitError
from thresher_sim.signals import fields


@dataclass(frozen=True)
class Fill:
    """A memory is made from the words of a table."""

    site: Site
    words: Sequence[int]


@dataclass
class Effects:
    """The places at which each stream and memory is used.

    `reaches` says whether a step can come through both of two blocks, in that order. `fills` are the tables
    that memories are made from.
    """

    builder: Builder
    layout: UnitLayout
    reaches: Callable[[str, str], bool]
    reads: dict[str, list[Site]] = field(default_factory=dict)
    writes: dict[str, list[Site]] = field(default_factory=dict)
    loads: dict[str, list[Site]] = field(default_factory=dict)
    stores: dict[str, list[Site]] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)

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

    def ram_read(self, ram: RamMember, write_first: bool, site: Site) -> Node:
        """The word at the address that is the site's value: that before the step, or the step's own.

        Raises:
            UnsupportedUnitError: the step writes before, and the memory is not `write_first`.
        """
        (address,) = site.values
        self.loads.setdefault(ram.name, []).append(site)
        word = self.builder.ram(ram.name, ram.width, address)
        for earlier in self.stores.get(ram.name, []):
            if not self._both(earlier, site):
                continue
            if not write_first:
                raise _read_after_write(ram, earlier, site)
            same = self.builder.eq(earlier.values[0], address)
            word = self.builder.select(self.builder.and_(earlier.condition, same), earlier.values[1], word)
        return word

    def ram_write(self, ram: RamMember, site: Site) -> None:
        """Store `site.values`: the address, the word, and the address as it stands in the C++."""
        self.stores.setdefault(ram.name, []).append(site)

    def ram_fill(self, ram: RamMember, words: Sequence[int], site: Site) -> None:
        """Let the memory begin with words."""
        self.fills[ram.name] = Fill(site, words)

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
            Input(port.name, port.width, any_of(self.builder, self.reads.get(port.name, [])), port.signals)
            for port in self.layout.ports
            if port.is_input
        )

    def outputs(self) -> tuple[Output, ...]:
        """The streams that the step writes."""
        return tuple(
            Output(
                port.name,
                port.width,
                any_of(self.builder, sites),
                chosen(self.builder, sites, 0, port.width),
                port.signals,
            )
            for port in self.layout.ports
            if not port.is_input
            for sites in [self.writes.get(port.name, [])]
        )

    def memories(self) -> tuple[Memory, ...]:
        """The memories, with their writes.

        Raises:
            UnsupportedUnitError: a step writes one at more places than there are ports.
        """
        return tuple(self._memory(ram) for ram in self.layout.rams)

    def _memory(self, ram: RamMember) -> Memory:
        sites = self.stores.get(ram.name, [])
        ports = write_ports(self.builder, ram.name, ram.width, ram.depth, sites, self._both)
        apart = len(ports) == WRITE_PORTS and not any(
            self._both(load, store) or self._both(store, load)
            for load in self.loads.get(ram.name, [])
            for store in sites
        )
        return Memory(ram.name, ram.width, ram.depth, ports, apart)


def _read_after_write(ram: RamMember, earlier: Site, site: Site) -> UnsupportedUnitError:
    return UnsupportedUnitError(
        site.line,
        f"'{ram.name}' is read after it is written in one step (at {earlier.line}), "
        "and a read sees the contents before the step",
        "move the read before the write, or let reads see earlier writes of their step: "
        f"Ram<{ram.width}, {ram.depth}, RamOrder::kWriteFirst>",
    )
