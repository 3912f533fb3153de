"""A small layered layout for task graphs: columns from the inputs to the results, few crossings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

Node = Hashable
# node -> the nodes it needs
Graph = Mapping[Node, Set[Node]]


@dataclass(frozen=True)
class Layout:
    """Where each node stands: column (0: needs nothing) and row (0: top; may lie between two whole ones)."""

    places: Mapping[Node, tuple[int, float]]

    @property
    def columns(self) -> int:
        """Number of columns."""
        return 1 + max((column for column, _ in self.places.values()), default=-1)

    @property
    def rows(self) -> int:
        """Number of rows of the highest column."""
        return 1 + round(max((row for _, row in self.places.values()), default=-1))


def depths(graph: Graph) -> dict[Node, int]:
    """Return node -> length of the longest way to it. The graph has no cycle, as every dask graph."""

    @cache
    def depth(node: Node) -> int:
        return 1 + max((depth(needed) for needed in graph[node]), default=-1)

    return {node: depth(node) for node in graph}


def layered(graph: Graph, labels: Mapping[Node, str], sweeps: int = 4) -> Layout:
    """Lay a graph out. Nodes are sorted in each column by the mean place of their neighbours, there and back again.

    They start in the order of their labels: dask's keys are random, and the same graph has to look the same every time.

    After Sugiyama, Tagawa & Toda, IEEE Trans. Syst. Man Cybern. 11, 1981, without the virtual nodes: an edge may pass
    behind a node of a column that it skips.
    """
    depth = depths(graph)
    users: dict[Node, set[Node]] = {node: set() for node in graph}
    for node, needed in graph.items():
        for other in needed:
            users[other].add(node)
    columns: list[list[Node]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for node in sorted(graph, key=labels.__getitem__):
        columns[depth[node]].append(node)
    for sweep in range(sweeps):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            places = _places(columns)
            column.sort(key=_by_neighbours(graph if forward else users, places))
    return Layout(_places(columns))


def _by_neighbours(
    neighbours: Mapping[Node, Set[Node]], places: Mapping[Node, tuple[int, float]]
) -> Callable[[Node], float]:
    def mean(node: Node) -> float:
        rows = [places[other][1] for other in neighbours[node]]
        return sum(rows) / len(rows) if rows else places[node][1]

    return mean


def _places(columns: Sequence[Sequence[Node]]) -> dict[Node, tuple[int, float]]:
    """Centre every column against the highest."""
    highest = max(map(len, columns), default=0)
    return {
        node: (index, row + (highest - len(column)) / 2)
        for index, column in enumerate(columns)
        for row, node in enumerate(column)
    }


def signatures(graph: Graph, labels: Mapping[Node, str]) -> dict[Node, Hashable]:
    """Return node -> what it computes: its label and what it needs, whatever the nodes are called."""

    @cache
    def signature(node: Node) -> Hashable:
        return labels[node], tuple(sorted(map(hash, map(signature, graph[node]))))

    return {node: signature(node) for node in graph}
