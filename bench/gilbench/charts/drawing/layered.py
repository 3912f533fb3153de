"""A small layered layout for task graphs: columns from the inputs to the results, with few crossings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

Node = Hashable
# node -> the nodes it needs
Graph = Mapping[Node, Set[Node]]


@dataclass(frozen=True)
class Layout:
    """Where each node is: its column (0 needs nothing) and its row (0 is the top; may be a fraction)."""

    places: Mapping[Node, tuple[int, float]]

    @property
    def columns(self) -> int:
        """Number of columns."""
        return 1 + max((column for column, _ in self.places.values()), default=-1)

    @property
    def rows(self) -> int:
        """Number of rows in the tallest column."""
        return 1 + round(max((row for _, row in self.places.values()), default=-1))


def depths(graph: Graph) -> dict[Node, int]:
    """Return node -> length of the longest path to it. Like every dask graph, the graph has no cycle."""

    @cache
    def depth(node: Node) -> int:
        return 1 + max((depth(needed) for needed in graph[node]), default=-1)

    return {node: depth(node) for node in graph}


def lay_out(graph: Graph, labels: Mapping[Node, str], sweeps: int = 4) -> Layout:
    """Lay out a graph. In sweeps forward and back, each column is sorted by the mean row of its nodes' neighbors.

    Nodes start in the order of their labels, because dask's keys are random and the same graph must always look the same.

    After Sugiyama, Tagawa & Toda, IEEE Trans. Syst. Man Cybern. 11, 1981, but without virtual nodes: an edge that skips
    a column may pass behind one of its nodes.
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
            column.sort(key=_by_neighbors(graph if forward else users, places))
    return Layout(_places(columns))


def _by_neighbors(
    neighbors: Mapping[Node, Set[Node]], places: Mapping[Node, tuple[int, float]]
) -> Callable[[Node], float]:
    def mean(node: Node) -> float:
        rows = [places[other][1] for other in neighbors[node]]
        return sum(rows) / len(rows) if rows else places[node][1]

    return mean


def _places(columns: Sequence[Sequence[Node]]) -> dict[Node, tuple[int, float]]:
    """Center every column against the tallest one."""
    tallest = max(map(len, columns), default=0)
    return {
        node: (index, row + (tallest - len(column)) / 2)
        for index, column in enumerate(columns)
        for row, node in enumerate(column)
    }


def signatures(graph: Graph, labels: Mapping[Node, str]) -> dict[Node, Hashable]:
    """Return node -> what it computes: its label and what it needs, regardless of the nodes' keys."""

    @cache
    def signature(node: Node) -> Hashable:
        return labels[node], tuple(sorted(map(hash, map(signature, graph[node]))))

    return {node: signature(node) for node in graph}
