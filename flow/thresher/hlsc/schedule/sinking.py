"""Move nodes to later stages where fewer bits cross the registers in between.

A table that is read early and used late costs a register for each bit of its word; read late, it
costs those of its address.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thresher.hlsc.ir import Node, Op
from thresher.hlsc.schedule.dependencies import Point, demands
from thresher.hlsc.schedule.placement import Placement


def sink(placement: Placement, stages: int) -> None:
    """Rule 4, node by node, users before what they use."""
    _Sinking(placement, stages).run()


class _Sinking:
    def __init__(self, placement: Placement, stages: int) -> None:
        self._placement = placement
        self._last = stages - 1
        self._users: dict[Point, list[Point]] = {point: [] for point in placement.needs.of}
        for point, needed in placement.needs.of.items():
            for source in needed:
                self._users[source].append(point)
        outputs = demands([node for port in placement.graph.outputs for node in (port.written, port.value)])
        self._at_end = set(outputs)

    def run(self) -> None:
        """Move groups of nodes that are computed from the same values, then single nodes."""
        nodes = [point for point in self._placement.needs.of if isinstance(point, Node)]
        order = [node for node in sorted(nodes, key=lambda node: -node.index) if self._movable(node)]
        groups: dict[tuple[int, frozenset[Point]], list[Node]] = {}
        for node in order:
            key = (self._placement.stage[node], frozenset(self._placement.needs.of[node]))
            groups.setdefault(key, []).append(node)
        for group in groups.values():
            if len(group) > 1:
                self._move([node for node in group if self._latest(node) > self._placement.stage[node]])
        for node in order:
            self._move([node])

    def _movable(self, node: Node) -> bool:
        if node in self._placement.first or node in self._placement.recurrence:
            return False
        return node.op not in (Op.STATE, Op.RAM)

    def _uses(self, point: Point, besides: Collection[Point] = ()) -> list[int]:
        """The stages in which a result is used."""
        stage = self._placement.stage
        uses = [stage[user] for user in self._users[point] if user not in besides]
        return [*uses, self._last] if point in self._at_end else uses

    def _latest(self, node: Node) -> int:
        users = self._users[node]
        stages = [self._placement.stage[user] - self._placement.separated(node, user) for user in users]
        return min([*stages, self._last - (node in self._placement.registered)])

    def _move(self, nodes: Sequence[Node]) -> None:
        """Move nodes of one stage together to where that saves most, if it saves anything."""
        if not nodes:
            return
        now = self._placement.stage[nodes[0]]
        latest = min(self._latest(node) for node in nodes)
        best = max(range(now, latest + 1), key=lambda stage: (self._saving(nodes, now, stage), -stage))
        if best > now:
            self._try(nodes, best)

    def _saving(self, nodes: Sequence[Node], now: int, stage: int) -> int:
        """The register bits that a move saves."""
        saved = sum(node.width for node in nodes) * (stage - now)
        for source, mask in demands(arg for node in nodes for arg in node.args).items():
            others = max([self._placement.stage[source], *self._uses(source, besides=nodes)])
            saved -= mask.bit_count() * (max(others, stage) - max(others, now))
        return saved

    def _try(self, nodes: Sequence[Node], stage: int) -> None:
        """Move nodes; put everything back if something then misses the clock."""
        placement = self._placement
        before = placement.stage[nodes[0]]
        changed: dict[Point, float] = {}
        placement.stage.update(dict.fromkeys(nodes, stage))
        if not self._propagate(nodes, changed):
            placement.stage.update(dict.fromkeys(nodes, before))
            placement.arrival.update(changed)

    def _propagate(self, pending: Sequence[Node], changed: dict[Point, float]) -> bool:
        """Renew arrival times from some nodes on; False as soon as one is too late."""
        placement = self._placement
        queue = list(pending)
        while queue:
            node = queue.pop()
            when = placement.time(node)
            changed.setdefault(node, placement.arrival[node])
            if when > placement.usable:
                return False
            placement.arrival[node] = when
            queue += [
                user
                for user in self._users[node]
                if isinstance(user, Node)
                and placement.stage[user] == placement.stage[node]
                and placement.time(user) != placement.arrival[user]
            ]
        return True
