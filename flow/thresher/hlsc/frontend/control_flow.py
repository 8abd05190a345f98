"""The control flow of a step: an acyclic graph of blocks, and when each of them runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thresher.hlsc.builder import Builder
from thresher.hlsc.ir import Node
from thresher.hlsc.llvm.module import Block, Function

EXIT = "<exit>"
"""The block after every return."""


class LoopError(Exception):
    """The control flow has a cycle; `block` is where it closes."""

    def __init__(self, block: Block) -> None:
        super().__init__(block.name)
        self.block = block


class ControlFlow:
    """Blocks in topological order, their dominators, and the blocks that every path passes.

    Blocks that end in `unreachable` are never run and are left out.
    """

    def __init__(self, function: Function) -> None:
        self.blocks = {block.name: block for block in function.blocks}
        self.entry = function.blocks[0].name
        dead = {block.name for block in function.blocks if block.terminator.opcode == "unreachable"}
        self._successors = {
            block.name: [name for name in block.successors if name not in dead] or [EXIT]
            for block in function.blocks
        }
        self._successors[EXIT] = []
        self.order = self._topological()
        self.predecessors: dict[str, list[str]] = {name: [] for name in self.order}
        for name in self.order:
            for successor in self._successors[name]:
                self.predecessors[successor].append(name)
        forward = {name: place for place, name in enumerate(self.order)}
        self.dominator = _dominators(self.order, self.predecessors, forward)
        backward = {name: -place for name, place in forward.items()}
        self._postdominator = _dominators(self.order[::-1], self._successors, backward)

    def _topological(self) -> list[str]:
        """Reverse postorder from the entry.

        Raises:
            LoopError: there is a cycle.
        """
        order: list[str] = []
        open_: set[str] = {self.entry}
        done: set[str] = set()
        path = [(self.entry, iter(self._successors[self.entry]))]
        while path:
            name, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                open_.discard(name)
                done.add(name)
                order.append(name)
            elif following in open_:
                raise LoopError(self.blocks[name])
            elif following not in done:
                open_.add(following)
                path.append((following, iter(self._successors[following])))
        return order[::-1]

    def always_after(self, block: str, first: str) -> bool:
        """Whether every path from `first` passes `block`."""
        while first != block:
            if first == EXIT:
                return False
            first = self._postdominator[first]
        return True

    def reaches(self, first: str, second: str) -> bool:
        """Whether some path leads from `first` to `second`; a block reaches itself."""
        pending, seen = [first], set[str]()
        while pending:
            name = pending.pop()
            if name == second:
                return True
            if name not in seen:
                seen.add(name)
                pending.extend(self._successors[name])
        return False


def _dominators(
    order: list[str], predecessors: Mapping[str, list[str]], rank: Mapping[str, int]
) -> dict[str, str]:
    """The immediate dominator of each block (Cooper, Harvey, Kennedy); the first is its own.

    On an acyclic graph in topological order one pass is enough.
    """
    dominator = {order[0]: order[0]}
    for name in order[1:]:
        reached = [other for other in predecessors[name] if other in dominator]
        common = reached[0]
        for other in reached[1:]:
            while other != common:
                if rank[other] > rank[common]:
                    other = dominator[other]  # noqa: PLW2901
                else:
                    common = dominator[common]
        dominator[name] = common
    return dominator


class Predicates:
    """When blocks and edges are taken, as single bits.

    `edge(a, b)` gives the bit by which block `a`, when it runs, goes on to `b`.
    """

    def __init__(self, flow: ControlFlow, builder: Builder, edge: Callable[[str, str], Node]) -> None:
        self._flow = flow
        self._builder = builder
        self._edge = edge
        self._known: dict[tuple[str, str], Node] = {}

    def block(self, name: str) -> Node:
        """Whether the block runs in this step."""
        return self.within(self._flow.entry, name)

    def within(self, first: str, name: str) -> Node:
        """Whether the block runs, given that `first`, which dominates it, runs."""
        key = (first, name)
        if key not in self._known:
            self._known[key] = self._within(first, name)
        return self._known[key]

    def _within(self, first: str, name: str) -> Node:
        if self._flow.always_after(name, first):
            return self._builder.const(1, 1)
        above = self._flow.dominator[name]
        if above != first:
            return self._builder.and_(self.within(first, above), self.within(above, name))
        return self._builder.any_of(
            [self.arrival(first, other, name) for other in self._flow.predecessors[name]]
        )

    def arrival(self, first: str, other: str, name: str) -> Node:
        """Whether `name` is entered from `other`, given that `first`, which dominates it, runs."""
        return self._builder.and_(self.within(first, other), self._edge(other, name))
