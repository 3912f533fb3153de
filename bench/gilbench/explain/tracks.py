"""Tracks: how a benchmark went over the revisions of a project, from the entries of a history. Pure.

Every estimate is a ratio of two revisions that took turns on one machine, so levels chain through the revisions that checks
share, and a change of machine is in none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gilbench.explain.change_points import Step, change_points
from gilbench.results.history_file import Entry
from gilbench.results.verdicts import Revision
from gilbench.stats import Estimate

QUANTILE_95 = 1.959964
"""Normal quantile behind a 95 % interval."""


@dataclass(frozen=True)
class Point:
    """One check: its head's level, as a multiple of the first revision's. revision: its number in the track."""

    revision: int
    level: Estimate


@dataclass(frozen=True)
class Change:
    """A change of the level. first: the first revision that has it, by number. ratio: level after over before, 95 % interval."""

    first: int
    ratio: Estimate


@dataclass(frozen=True)
class Track:
    """One benchmark over the revisions that were checked, in the order of their commits.

    points: one for each check. changes: in the same order. levels: of each revision, with the changes that were found, as a
    multiple of the first one's. apart: numbers of revisions from which on no check leads back to earlier ones.
    """

    benchmark: str
    revisions: tuple[Revision, ...]
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    levels: tuple[float, ...]
    apart: tuple[int, ...] = ()

    def before(self, change: Change) -> Revision:
        """Return the last revision that was checked and does not have the change."""
        return self.revisions[change.first - 1]


def tracks(entries: Iterable[Entry]) -> list[Track]:
    """Return a track for each benchmark, by name."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.benchmark, []).append(entry)
    return [_track(name, found[name]) for name in sorted(found)]


def _track(benchmark: str, entries: Sequence[Entry]) -> Track:
    there = {revision.commit: revision for entry in entries for revision in (entry.base, entry.head)}
    revisions = sorted(there.values(), key=lambda revision: revision.time)  # of one second: as in the file
    number = {revision.commit: index for index, revision in enumerate(revisions)}
    steps = [
        Step(
            number[entry.base.commit],
            number[entry.head.commit],
            math.log(entry.ratio),
            max(math.log(entry.high / entry.low) / 2 / QUANTILE_95, 1e-6),
        )
        for entry in entries
    ]
    found = change_points(steps, len(revisions))
    logs = [sum(point.change for point in found if point.index <= index) for index in range(len(revisions))]
    points = [
        Point(step.head, _estimate(logs[step.base], entry.ratio, entry.low, entry.high, entry.n))
        for step, entry in zip(steps, entries, strict=True)
    ]
    changes = [
        Change(
            point.index,
            Estimate(
                math.exp(point.change),
                math.exp(point.change - QUANTILE_95 * point.error),
                math.exp(point.change + QUANTILE_95 * point.error),
                sum(min(step.base, step.head) < point.index <= max(step.base, step.head) for step in steps),
            ),
        )
        for point in found
    ]
    return Track(
        benchmark,
        tuple(revisions),
        tuple(sorted(points, key=lambda point: point.revision)),
        tuple(changes),
        tuple(map(math.exp, logs)),
        tuple(_apart(steps, len(revisions))),
    )


def _estimate(log: float, ratio: float, low: float, high: float, n: int) -> Estimate:
    level = math.exp(log)
    return Estimate(level * ratio, level * low, level * high, n)


def _apart(steps: Sequence[Step], revisions: int) -> list[int]:
    """Return the first revision of every group that checks connect, without the group of revision 0."""
    group = list(range(revisions))

    def root(node: int) -> int:
        while group[node] != node:
            group[node] = group[group[node]]
            node = group[node]
        return node

    for step in steps:
        first, second = sorted((root(step.base), root(step.head)))
        group[second] = first
    return [node for node in range(1, revisions) if root(node) == node]
