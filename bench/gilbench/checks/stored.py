"""One call of `gilbench compare`: two stored results, case by case, or the reason why their timings cannot be compared.

Two runs at two times are not paired: a change in the machine between them is in the ratio, but not in its interval.
In `gilbench check`, both arms take turns, so nothing of the kind has to be ruled out.
"""

from __future__ import annotations

import math
from typing import Literal

from gilbench import machine, stats
from gilbench.cases.case import Case
from gilbench.cases.plan import THRESHOLD
from gilbench.errors import UserError
from gilbench.report.columns import headline
from gilbench.results.summary import Summary, paired_logs, spreads
from gilbench.results.verdicts import Kind, Line, Verdicts
from gilbench.stats import Estimate

Of = Literal["time", "speed-up"]
ALPHA = 0.01
"""The chance that any case without a change for the worse is called a regression, as in gilbench.checks.sequential.Design."""
POWER_Z = 0.84
"""Normal quantile of 80 %: the share of tries in which a detectable change is found."""


def compare(base: Summary, head: Summary, *, threshold: float = THRESHOLD, of: Of = "time") -> Verdicts:
    """Return the verdict on each case that both results measured.

    threshold: the change that matters, as a fraction. of: "time" needs results of one machine with the same versions;
    "speed-up" (over sync) may come from several. Raises UserError for results that cannot be compared, or that have no case
    in common.
    """
    obstacles = machine.obstacles(base.machine, head.machine)
    different = ", ".join(f"{key} {before} -> {after}" for key, (before, after) in obstacles.items())
    if of == "time" and different:
        raise UserError(
            f"{base.name} and {head.name} cannot be compared by time: {different}; --ratios compares their speed-ups"
        )
    before, now = costs(base, of), costs(head, of)
    shared = [case for case in before if case in now]
    if not shared:
        raise UserError(f"{base.name} and {head.name} have no case in common{' besides sync' if of != 'time' else ''}")
    known = spreads(before), spreads(now)

    def ratio(case: Case, confidence: float) -> Estimate:
        above, below = known[1][case], known[0][case]
        return stats.ratio(
            now[case], before[case], numerator_spread=above, denominator_spread=below, confidence=confidence
        )

    lines = []
    for case in shared:
        strict = ratio(case, 1 - 2 * ALPHA / len(shared))
        medians = [stats.estimate(values[case]).value for values in (before, now)]
        shown = medians if of == "time" else [1 / median for median in medians]
        lines.append(_line(case, ratio(case, 0.95), strict, threshold, shown))
    lines += _failed_in_head(base, head, threshold)
    return Verdicts(
        base=headline(base),
        head=headline(head),
        lines=tuple(lines),
        about=(f"base: {headline(base)}", f"head: {headline(head)}", *([f"differs: {different}"] if different else [])),
        notes=tuple(_notes(base, head, len(shared), of)),
        of=of,
    )


def costs(summary: Summary, of: Of) -> dict[Case, list[float]]:
    """Return what each case costs, one number for each process: seconds, or its time over sync's in the same round."""
    if of == "time":
        return {case.case: list(case.observations) for case in summary.timed}
    timed = {case.case: case for case in summary.timed}
    logs = {
        case: paired_logs(found, timed[case.baseline])
        for case, found in timed.items()
        if case != case.baseline and case.baseline in timed
    }
    return {case: [math.exp(log) for log in found] for case, found in logs.items() if found}


def _line(case: Case, shown: Estimate, strict: Estimate, threshold: float, medians: list[float]) -> Line:
    kind: Kind = "inconclusive"
    if strict.low > 1 + threshold:
        kind = "regression"
    elif strict.high < 1 / (1 + threshold):
        kind = "improvement"
    elif shown.low >= 1 / (1 + threshold) and shown.high <= 1 + threshold:
        kind = "same"
    half, strict_half = math.log(shown.high / shown.value), math.log(strict.high / strict.value)
    detectable = math.expm1(math.log1p(threshold) + strict_half + POWER_Z / 1.96 * half)
    return Line(
        case=case.name,
        kind=kind,
        ratio=shown.value,
        low=shown.low,
        high=shown.high,
        detectable=detectable,
        threshold=threshold,
        base=medians[0],
        head=medians[1],
        n=shown.n,
    )


def _failed_in_head(base: Summary, head: Summary, threshold: float) -> list[Line]:
    """Return a regression for each case that base measured and that failed in every process of head."""
    before, now = ({case.case for case in summary.timed} for summary in (base, head))
    reasons = {failure.case: f"head: {failure.kind}: {failure.reason}" for failure in head.failures}
    return [
        Line(case.name, "regression", threshold=threshold, reason=reason)
        for case, reason in reasons.items()
        if case in before and case not in now
    ]


def _notes(base: Summary, head: Summary, shared: int, of: Of) -> list[str]:
    notes = [
        "ratio: head's time over base's, above 1 head is slower"
        if of == "time"
        else "ratio: base's speed-up over head's, above 1 head has lost some of it"
    ]
    for side, summary, other in (("base", base, head), ("head", head, base)):
        there = {case.case for case in other.timed}
        only = [case.case.name for case in summary.timed if case.case not in there]
        if only:
            notes.append(f"only in {side}: {', '.join(only)}")
    notes.append(
        "two runs at two times: what changed in the machine between them counts as a difference; see gilbench check"
    )
    return notes
