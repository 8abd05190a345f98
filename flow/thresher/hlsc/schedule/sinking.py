"""Move nodes to later stages where fewer bits cross the registers in between.

A table that is read early and used late costs a register for each bit of its word; read late, it
costs those of its address.
"""

from __future__ import annotations

from collections.abc import Sequence

from thresher.hlsc.ir import Node, Op
from thresher.hlsc.schedule.dependencies import Point, demands
from thresher.hlsc.schedule.placement import Placement


def sink(placement: Placement, stages: int) -> None:
    """Rule 5, node by node, users before what they use."""
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
        nodes = [point for point in self._placement.needs.of if isinstance(point, Node)]
        for node in sorted(nodes, key=lambda node: -node.index):
            if self._movable(node):
                self._move(node)

    def _movable(self, node: Node) -> bool:
        if node in self._placement.first or node in self._placement.recurrence:
            return False
        return node.op not in (Op.STATE, Op.RAM)

    def _uses(self, node: Point, besides: Point | None = None) -> list[int]:
        """The stages in which a result is used."""
        stage = self._placement.stage
        uses = [stage[user] for user in self._users[node] if user is not besides]
        return [*uses, self._last] if node in self._at_end else uses

    def _latest(self, node: Node) -> int:
        stages = [
            self._placement.stage[user] - self._placement.separated(node, user) for user in self._users[node]
        ]
        return min([*stages, self._last])

    def _move(self, node: Node) -> None:
        now = self._placement.stage[node]
        best = max(
            range(now, self._latest(node) + 1), key=lambda stage: (self._saving(node, now, stage), -stage)
        )
        if best > now:
            self._try(node, best)

    def _saving(self, node: Node, now: int, stage: int) -> int:
        """The register bits that a move saves."""
        saved = node.width * (stage - now)
        for source, mask in demands(node.args).items():
            others = max([self._placement.stage[source], *self._uses(source, besides=node)])
            saved -= mask.bit_count() * (max(others, stage) - max(others, now))
        return saved

    def _try(self, node: Node, stage: int) -> None:
        """Move a node; put everything back if something then misses the clock."""
        placement = self._placement
        before = placement.stage[node]
        changed: dict[Point, float] = {}
        placement.stage[node] = stage
        if not self._propagate([node], changed):
            placement.stage[node] = before
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
