"""Epochs -> verdicts: which cases need another epoch, and what the verdict on each case is by now. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gilbench.cases.benchmark import Subject
from gilbench.checks.lockstep import Epoch
from gilbench.checks.sequential import Design, Verdict, decide
from gilbench.errors import Failure
from gilbench.results.verdicts import Kind

CHANCES = 2  # epochs in which a case has to fail before it counts as failed
ABSENT = ("skipped", "not found", "new")  # kinds of failures of benchmarks that there is nothing to say about


@dataclass(frozen=True)
class Checked:
    """One case: its epochs, those that failed, and its verdict so far.

    floor: seconds; a smaller difference counts as none, whatever the ratio. patience: the most seconds to spend on the case.
    """

    case: Subject
    design: Design
    floor: float = 0.0
    patience: float = math.inf
    exploring: tuple[Epoch, ...] = ()
    confirming: tuple[Epoch, ...] = ()
    failed: tuple[Epoch, ...] = ()
    verdict: Verdict | None = None

    @property
    def failures(self) -> Mapping[str, Failure]:
        """Arm name -> how it failed, where the case has failed twice: one failure may be chance, and is tried again."""
        if len(self.failed) < CHANCES or self.absent:
            return {}
        return {arm: failure for epoch in self.failed for arm, failure in epoch.failures.items()}

    @property
    def absent(self) -> Mapping[str, Failure]:
        """Arm name -> why the benchmark is not there to be measured, such as a test that is skipped; empty where it is."""
        found = {arm: failure for epoch in self.failed for arm, failure in epoch.failures.items()}
        return found if any(failure.kind in ABSENT for failure in found.values()) else {}

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """All epochs, in the order in which they were measured."""
        return self.exploring + self.confirming

    @property
    def started(self) -> bool:
        """Whether any of its epochs was tried."""
        return bool(self.epochs or self.failed)

    @property
    def kind(self) -> Kind:
        """The verdict as a word: failing in head alone is a regression; failing in base gives no verdict at all."""
        if self.failures:
            return "regression" if set(self.failures) == {"head"} else "failed"
        if self.verdict is None:
            return "inconclusive"
        changed = self.verdict.kind in ("regression", "improvement")
        return "same" if changed and abs(self.difference) < self.floor else self.verdict.kind

    @property
    def base(self) -> float:
        """The median over the epochs of base's medians, in seconds; NaN before the first epoch."""
        return _median([statistics.median(epoch.base) for epoch in self.epochs])

    @property
    def difference(self) -> float:
        """Head minus base, in seconds; NaN before the first epoch."""
        return math.nan if self.verdict is None else self.base * (self.verdict.ratio - 1)

    @property
    def seconds(self) -> float:
        """The wall time spent on it."""
        return sum(epoch.seconds for epoch in (*self.epochs, *self.failed))

    def decided(self, regressions: int) -> bool:
        """Return whether nothing more is to be measured. regressions: how many other cases are regressions."""
        return bool(self.failures or self.absent) or self.out_of_patience or self.decide(regressions).next == "stop"

    @property
    def out_of_patience(self) -> bool:
        """Whether one more epoch, as long as the longest so far, would exceed the patience."""
        done = [epoch.seconds for epoch in (*self.epochs, *self.failed)]
        return bool(done) and sum(done) + max(done) > self.patience

    def decide(self, regressions: int) -> Verdict:
        """Return the verdict by now. regressions: how many other cases are regressions."""
        return decide(
            [epoch.log_ratio for epoch in self.exploring],
            [epoch.log_ratio for epoch in self.confirming],
            design=self.design,
            regressions=regressions,
        )

    def added(self, epoch: Epoch, regressions: int) -> Checked:
        """Return the case with one more epoch, in the stage that the verdict before it asked for."""
        if epoch.failures:
            return replace(self, failed=(*self.failed, epoch))
        if self.decide(regressions).next == "confirm":
            return replace(self, confirming=(*self.confirming, epoch))
        return replace(self, exploring=(*self.exploring, epoch))


@dataclass(frozen=True)
class Family:
    """All cases of one check. Pure: `added` returns a new family."""

    cases: tuple[Checked, ...]

    def regressions(self, without: Checked) -> int:
        """Return how many other cases are regressions by their epochs, for Holm's steps."""
        return sum(
            1
            for other in self.cases
            if other.case != without.case
            and not other.failures
            and other.verdict
            and other.verdict.kind == "regression"
        )

    def open(self) -> list[Checked]:
        """Return the cases that need another epoch."""
        return [checked for checked in self.cases if not checked.decided(self.regressions(checked))]

    def added(self, epoch: Epoch) -> Family:
        """Return the family with one more epoch. Every other case is decided again: Holm's steps may have moved."""
        cases = tuple(
            checked.added(epoch, self.regressions(checked)) if checked.case == epoch.case else checked
            for checked in self.cases
        )
        judged = Family(cases)
        for _ in cases:  # each pass calls at most one more case a regression
            again = Family(
                tuple(replace(checked, verdict=checked.decide(judged.regressions(checked))) for checked in judged.cases)
            )
            if [checked.kind for checked in again.cases] == [checked.kind for checked in judged.cases]:
                return again
            judged = again
        return judged


def family_of(thresholds: Mapping[Subject, float], *, floor: float = 0.0, patience: float = math.inf) -> Family:
    """Return a family without epochs: its size and its designs are fixed before anything is measured.

    thresholds: case -> the change that matters, as a fraction. floor, patience: seconds, as in Checked.
    """
    designs = {case: Design(threshold=threshold, cases=len(thresholds)) for case, threshold in thresholds.items()}
    return Family(tuple(Checked(case, design, floor, patience) for case, design in designs.items()))


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan
