"""Two arms -> verdicts: which case needs another epoch, what each case's verdict is, and what the family's is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bench.lockstep import Epoch
from bench.plan import Case
from bench.sequential import Design, Verdict, decide

OK, REGRESSION, ERROR, NOTHING, INCONCLUSIVE = 0, 1, 2, 3, 4  # exit codes


@dataclass(frozen=True)
class Checked:
    """One case: its epochs, its verdict so far, and how it failed, if it did (arm name -> (kind, reason))."""

    case: Case
    design: Design
    exploring: tuple[Epoch, ...] = ()
    confirming: tuple[Epoch, ...] = ()
    failures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    verdict: Verdict | None = None

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """All epochs in the order measured."""
        return self.exploring + self.confirming

    @property
    def kind(self) -> str:
        """The verdict as a word; failing in head alone is a regression, failing in base no verdict at all."""
        if self.failures:
            return "regression" if set(self.failures) == {"head"} else "failed"
        return self.verdict.kind if self.verdict else "inconclusive"

    @property
    def seconds(self) -> float:
        """Wall time that deciding it took."""
        return sum(epoch.seconds for epoch in self.epochs)

    def decided(self, regressions: int) -> bool:
        """Whether nothing more is to be measured. regressions: other cases called that by now."""
        return bool(self.failures) or self.decide(regressions).next == "stop"

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
            return replace(self, failures=epoch.failures)
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


def exit_code(family: Family, *, strict: bool) -> int:
    """Return 0, 1 regression, 2 error, 3 nothing measured, or 4 inconclusive (only when strict)."""
    kinds = [checked.kind for checked in family.cases]
    if "regression" in kinds:
        return REGRESSION
    if "failed" in kinds:
        return ERROR
    if not any(checked.epochs for checked in family.cases):
        return NOTHING
    return INCONCLUSIVE if strict and "inconclusive" in kinds else OK


def family_of(cases: Sequence[Case], thresholds: Mapping[Case, float]) -> Family:
    """Return a family without epochs; its size and designs are fixed here, before anything is measured."""
    return Family(tuple(Checked(case, Design(threshold=thresholds[case], cases=len(cases))) for case in cases))
