"""Maximum flows, for the cheapest cut between two sides of a network (Dinic, 1970)."""

from __future__ import annotations

from collections import deque

UNLIMITED = 1 << 60
"""A capacity that no cut goes through."""


class Network:
    """Vertices `0..size-1` and directed edges with capacities."""

    def __init__(self, size: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(size)]
        self._head: list[int] = []
        self._left: list[int] = []

    def connect(self, tail: int, head: int, capacity: int) -> None:
        """Add an edge."""
        for start, end, room in ((tail, head, capacity), (head, tail, 0)):
            self._edges[start].append(len(self._head))
            self._head.append(end)
            self._left.append(room)

    def near_side(self, source: int, sink: int) -> list[bool]:
        """For each vertex, whether the cheapest cut leaves it with the source; the fewest that can be."""
        while True:
            levels = self._levels(source)
            if levels[sink] < 0:
                return [level >= 0 for level in levels]
            places = [0] * len(self._edges)
            while self._augment(source, sink, levels, places):
                pass

    def _levels(self, source: int) -> list[int]:
        """The fewest edges with room from the source to each vertex, or -1."""
        levels = [-1] * len(self._edges)
        levels[source] = 0
        queue = deque([source])
        while queue:
            vertex = queue.popleft()
            for edge in self._edges[vertex]:
                head = self._head[edge]
                if self._left[edge] and levels[head] < 0:
                    levels[head] = levels[vertex] + 1
                    queue.append(head)
        return levels

    def _augment(self, source: int, sink: int, levels: list[int], places: list[int]) -> bool:
        """Fill one shortest path; `places` are the edges of each vertex that may still lead to the sink."""
        path: list[int] = []
        vertex = source
        while vertex != sink:
            edges = self._edges[vertex]
            while places[vertex] < len(edges):
                edge = edges[places[vertex]]
                if self._left[edge] and levels[self._head[edge]] == levels[vertex] + 1:
                    break
                places[vertex] += 1
            if places[vertex] < len(edges):
                path.append(edges[places[vertex]])
                vertex = self._head[path[-1]]
            elif path:
                vertex = self._head[path.pop() ^ 1]
                places[vertex] += 1
            else:
                return False
        room = min(self._left[edge] for edge in path)
        for edge in path:
            self._left[edge] -= room
            self._left[edge ^ 1] += room
        return True
