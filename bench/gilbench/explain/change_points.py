"""Change points of a history: at which revisions the level of a benchmark changed, by how much, and how sure that is.

What is known are checks: ln(head / base) of two revisions with a standard error. The level is constant between change points,
so a change at revision k is in every check whose head is at or after k and whose base is before it. This makes each candidate
a column of a linear model of all checks, whatever the bases: one base for many heads, each revision against the one before it,
or both. A sum of checks along a chain would carry the error of each to all that follow, and a test that takes neighbors as
independent then finds changes in plain noise; here, every error stays in its own check.

The search is that of E-divisive means as in Hunter, which is now Apache Otava: divide where the parts differ most, in windows
that overlap, then merge the parts whose difference does not pass a strict test.

- Matteson and James, A Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data, J. Am. Stat. Assoc.
  109, 2014. With its exponent at 2, the divergence of two parts is the squared difference of their means, weighted; for checks
  with errors of their own this becomes the squared z of a step, which is what `_weak` maximizes.
- Fleming, Kolaczkowski, Kumar, Das, McCarthy, Pattabhiraman, and Ingo, Hunter: Using Change Point Detection to Hunt for
  Performance Regressions, ICPE 2023: the windows, Student's t as the test, and weak points that are merged by a strict level.
- Kovacs, Buehlmann, Li, and Munk, Seeded binary segmentation, Biometrika 110, 2023: windows of several lengths.

Otava itself (0.8) needs numpy 2.2 and the clients of a cloud warehouse, of a database, and of a chat, and takes a series of
independent values of one machine. docs/simulate_history.py shows how well this finds known changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ALPHA: Final = 0.001
"""The chance that the history of a benchmark without a change gets any change point: Otava's level, for all revisions at once."""
WEAK: Final = 10
"""How many times as likely a weak point may be by chance as a change point, as in Hunter."""
LEAST: Final = math.log1p(0.01)
"""The smallest change that is named: between machines, the ratio of two revisions itself differs by a percent or so."""
SHORTEST: Final = 20  # revisions in a window
ENOUGH: Final = (
    20  # pairs of neighboring checks from which on their scatter says how wide the intervals should have been
)
SCATTER_DF: Final = 0.37
"""Degrees of freedom of a pair's worth of scatter: the efficiency of the median absolute deviation for normal values."""
NARROWEST: Final = 0.25  # of an interval: a scatter that is less than this is chance
TRUSTED: Final = 2.0
"""How many times the median error a check's own has to be before it counts. A check stops as soon as it is sure, whether it has
measured a small spread by luck or a large one, so its true error has little to do with its interval: in 2,500 simulated checks
the true error of those with many epochs was not below that of those with few. All that is known is that of all checks."""


@dataclass(frozen=True)
class Step:
    """One check as a measurement: log_ratio = ln(head / base), with the error that its interval says; revisions by number."""

    base: int
    head: int
    log_ratio: float
    error: float


@dataclass(frozen=True)
class ChangePoint:
    """A change of the level. index: the first revision that has it. change: ln(level after / before). error: standard error."""

    index: int
    change: float
    error: float


def change_points(steps: Sequence[Step], revisions: int) -> list[ChangePoint]:
    """Return the change points, in the order of the revisions. revisions: how many there are; steps number them from 0."""
    if not steps or revisions < 2:
        return []
    typical = float(np.median([step.error for step in steps]))
    steps = [replace(step, error=step.error if step.error > TRUSTED * typical else typical) for step in steps]
    found = _Checks.of(steps, revisions)
    scale, df = scatter(steps)
    strict, weak = (_critical(level / (revisions - 1), df) * scale for level in (ALPHA, min(WEAK * ALPHA, 0.5)))
    points = {point for start, end in _windows(revisions) for point in _weak(found, start, end, weak)}
    merged = _merged(found, sorted(points), strict)
    merged = _merged(found, _moved(found, merged), strict)
    changes, errors = found.fit(merged)
    return [
        ChangePoint(point, float(change), float(error) * scale)
        for point, change, error in zip(merged, changes, errors, strict=True)
    ]


def scatter(steps: Sequence[Step]) -> tuple[float, float]:
    """Return by which factor checks scatter more (or less) than their errors say, and the degrees of freedom of that.

    It comes from pairs of neighboring revisions, few of which have a change between them, by the median absolute deviation.
    With few pairs the errors are believed as they are (infinite degrees of freedom).
    """
    ordered = sorted(steps, key=lambda step: (step.head, step.base))
    scores = [
        (after.log_ratio - before.log_ratio) / math.hypot(before.error, after.error)
        if after.base == before.base
        else after.log_ratio / after.error
        for before, after in pairwise(ordered)
        if after.base == before.base or abs(after.head - after.base) == 1
    ]
    if len(scores) < ENOUGH:
        return 1.0, math.inf
    return max(NARROWEST, 1.4826 * float(np.median(np.abs(scores)))), SCATTER_DF * len(scores)


@dataclass(frozen=True)
class _Checks:
    """All checks, each divided by its error. columns: (checks, revisions); column k is what a change of 1 at k adds."""

    base: NDArray[np.int_]
    head: NDArray[np.int_]
    values: Array
    columns: Array
    weights: Array

    @classmethod
    def of(cls, steps: Sequence[Step], revisions: int) -> _Checks:
        base, head = (np.array([getattr(step, side) for step in steps]) for side in ("base", "head"))
        weights = 1 / np.array([step.error for step in steps])
        numbers = np.arange(revisions)
        spans = (head[:, None] >= numbers).astype(float) - (base[:, None] >= numbers)
        values = weights * np.array([step.log_ratio for step in steps])
        return cls(base, head, values, weights[:, None] * spans, weights)

    def fit(self, points: Sequence[int]) -> tuple[Array, Array]:
        """Return the changes at these points, fitted together by weighted least squares, and their standard errors."""
        if not points:
            return np.empty(0), np.empty(0)
        chosen = self.columns[:, list(points)]
        inverse = np.linalg.pinv(chosen.T @ chosen, hermitian=True)
        return inverse @ chosen.T @ self.values, np.sqrt(np.maximum(np.diag(inverse), 1e-300))


def _critical(level: float, df: float) -> float:
    """Return the quantile that a score exceeds, to either side, with this chance."""
    from scipy import stats

    return float(stats.norm.isf(level / 2) if math.isinf(df) else stats.t.isf(level / 2, df))


def _windows(revisions: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end): all revisions, then halves that overlap by half, and so on down to SHORTEST."""
    length = revisions
    while True:
        step = max(1, length // 2)
        starts = {*range(0, revisions - length + 1, step), revisions - length}
        yield from ((start, start + length) for start in sorted(starts))
        if length // 2 < SHORTEST:
            return
        length //= 2


def _weak(checks: _Checks, start: int, end: int, bar: float) -> Iterator[int]:
    """Yield the points that divide a window, the strongest first, as long as one is above the bar.

    Only checks whose head is in the window count. The level of each base outside it is free.
    """
    inside = (checks.head >= start) & (checks.head < end)
    columns, rest = checks.columns[inside][:, start + 1 : end].copy(), checks.values[inside].copy()
    base, weights = checks.base[inside], checks.weights[inside]
    for outside in np.unique(base[(base < start) | (base >= end)]):
        _project(columns, rest, weights * (base == outside))
    while columns.size:
        norms = np.linalg.norm(columns, axis=0)
        usable = norms > 1e-6 * weights.max(initial=1.0)
        scores = np.where(usable, np.abs(columns.T @ rest) / np.where(usable, norms, 1.0), 0.0)
        best = int(scores.argmax())
        if scores[best] < bar:
            return
        yield start + 1 + best
        _project(columns, rest, columns[:, best].copy())


def _project(columns: Array, rest: Array, direction: Array) -> None:
    """Remove a direction from all columns and from what is left of the values, in place."""
    norm = float(np.linalg.norm(direction))
    if norm > 0:
        unit = direction / norm
        columns -= np.outer(unit, unit @ columns)
        rest -= unit * (unit @ rest)


def _merged(checks: _Checks, points: Sequence[int], bar: float) -> list[int]:
    """Return the points that stay when the least certain one is removed, again and again, until all pass."""
    kept = list(points)
    while kept:
        changes, errors = checks.fit(kept)
        scores = np.abs(changes) / errors
        scores[np.abs(changes) < LEAST] = 0.0
        least = int(scores.argmin())
        if scores[least] >= bar:
            return kept
        del kept[least]
    return kept


def _moved(checks: _Checks, points: Sequence[int]) -> list[int]:
    """Return each point moved to where, between its neighbors, it explains the checks best, given the others."""
    moved = list(points)
    for index in range(len(moved)):
        others = moved[:index] + moved[index + 1 :]
        low = moved[index - 1] + 1 if index else 1
        high = moved[index + 1] if index + 1 < len(moved) else checks.columns.shape[1]
        columns, rest = checks.columns[:, low:high].copy(), checks.values.copy()
        basis = np.linalg.qr(checks.columns[:, others])[0] if others else np.empty((len(rest), 0))
        columns -= basis @ (basis.T @ columns)
        rest -= basis @ (basis.T @ rest)
        norms = np.linalg.norm(columns, axis=0)
        usable = norms > 1e-6 * checks.weights.max()
        moved[index] = low + int((np.abs(columns.T @ rest) * usable / np.where(usable, norms, 1.0)).argmax())
    return moved
