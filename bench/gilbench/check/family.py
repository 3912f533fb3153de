"""Two arms -> verdicts: which case needs another epoch, what each case's verdict is, and what the family's is. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gilbench.cases.case import Case
from gilbench.check.lockstep import Epoch
from gilbench.check.sequential import Design, Verdict, decide
from gilbench.errors import Failure
from gilbench.results.verdicts import Kind

CHANCES = 2  # epochs that a case may fail in before it counts as failed


@dataclass(frozen=True)
class Checked:
    """One case: its epochs, those that failed, and its verdict so far.

    floor: a difference below so many seconds is none, whatever the ratio. patience: seconds to spend on the case at most.
    """

    case: Case
    design: Design
    floor: float = 0.0
    patience: float = math.inf
    exploring: tuple[Epoch, ...] = ()
    confirming: tuple[Epoch, ...] = ()
    failed: tuple[Epoch, ...] = ()
    verdict: Verdict | None = None

    @property
    def failures(self) -> Mapping[str, Failure]:
        """Arm name -> how it failed, of what failed twice; once may be chance, and is tried again."""
        if len(self.failed) < CHANCES:
            return {}
        return {arm: failure for epoch in self.failed for arm, failure in epoch.failures.items()}

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """All epochs in the order measured."""
        return self.exploring + self.confirming

    @property
    def started(self) -> bool:
        """Whether any epoch of it was tried."""
        return bool(self.epochs or self.failed)

    @property
    def kind(self) -> Kind:
        """The verdict as a word; failing in head alone is a regression, failing in base no verdict at all."""
        if self.failures:
            return "regression" if set(self.failures) == {"head"} else "failed"
        if self.verdict is None:
            return "inconclusive"
        changed = self.verdict.kind in ("regression", "improvement")
        return "same" if changed and abs(self.difference) < self.floor else self.verdict.kind

    @property
    def base(self) -> float:
        """Median of the base's medians over the epochs, in seconds; NaN before the first."""
        return _median([statistics.median(epoch.base) for epoch in self.epochs])

    @property
    def difference(self) -> float:
        """Head less base, in seconds; NaN before the first epoch."""
        return math.nan if self.verdict is None else self.base * (self.verdict.ratio - 1)

    @property
    def seconds(self) -> float:
        """Wall time that deciding it took."""
        return sum(epoch.seconds for epoch in (*self.epochs, *self.failed))

    def decided(self, regressions: int) -> bool:
        """Whether nothing more is to be measured. regressions: other cases called that by now."""
        return bool(self.failures) or self.out_of_patience or self.decide(regressions).next == "stop"

    @property
    def out_of_patience(self) -> bool:
        """Whether another epoch, as long as the longest before, would take longer than the case may."""
        done = [epoch.seconds for epoch in (*self.epochs, *self.failed)]
        return bool(done) and sum(done) + max(done) > self.patience

    def decide(self, regressions: int) -> Verdict:
        """Return the verdict at this point of the family."""
        return decide(
            [epoch.log_ratio for epoch in self.exploring],
            [epoch.log_ratio for epoch in self.confirming],
            design=self.design,
            regressions=regressions,
        )

    def added(self, epoch: Epoch, regressions: int) -> Checked:
        """Return the case with one more epoch, in the stage that the verdict before it named."""
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
        """Return how many other cases are called regressions by their epochs (Holm's steps)."""
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
        """Return the family with one more epoch; every other case is asked again, because Holm's steps may have moved."""
        cases = tuple(
            checked.added(epoch, self.regressions(checked)) if checked.case == epoch.case else checked
            for checked in self.cases
        )
        judged = Family(cases)
        for _ in cases:  # each pass can call at most one more
            again = Family(tuple(replace(c, verdict=c.decide(judged.regressions(c))) for c in judged.cases))
            if [c.kind for c in again.cases] == [c.kind for c in judged.cases]:
                return again
            judged = again
        return judged


def family_of(thresholds: Mapping[Case, float], *, floor: float = 0.0, patience: float = math.inf) -> Family:
    """Return a family without epochs; its size and designs are fixed here, before anything is measured.

    thresholds: case -> the change that matters, as a fraction. floor, patience: seconds, as in Checked.
    """
    designs = {case: Design(threshold=threshold, cases=len(thresholds)) for case, threshold in thresholds.items()}
    return Family(tuple(Checked(case, design, floor, patience) for case, design in designs.items()))


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan
