"""What came of a check: the measured family as lines of verdicts, as notes on them, and as ordinary results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gilbench import machine
from gilbench.cases.case import Case
from gilbench.cases.plan import Plan, Profile
from gilbench.checks.arms import Arm, Known
from gilbench.checks.family import Checked, Family
from gilbench.checks.lockstep import Epoch
from gilbench.checks.scope import CheckOptions
from gilbench.errors import Failure
from gilbench.results.records import Observation, Result
from gilbench.results.verdicts import Line


def arms_and_software(arms: Sequence[Arm], software: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return lines that say what the arms are, and where their software differs. software: arm name -> what it runs with."""
    base, head = (software[arm.name] for arm in arms)
    changed = [f"{key} {before} -> {after}" for key, (before, after) in machine.differences(base, head).items()]
    return [
        *(f"{arm.name}: {arm.label}" for arm in arms),
        *(f"{arm.name} imports {package} from {file}" for arm in arms for package, file in arm.imported.items()),
        f"software: {', '.join(changed) or 'the same in both arms'}",
    ]


def lines_of(family: Family, failures: Mapping[str, Mapping[str, Failure]]) -> tuple[Line, ...]:
    """Return the lines of the verdicts, one for each case or benchmark that is there, and one for each file that failed.

    failures: file -> arm name -> why it could not be read.
    """
    files = [Line(file, "failed", reason="; ".join(_reasons(arms))) for file, arms in failures.items()]
    return (*(line_of(checked) for checked in family.cases if not checked.absent), *files)


def line_of(checked: Checked) -> Line:
    """Return a case of the family as a line of the verdicts."""
    verdict = checked.verdict
    numbers = {}
    if verdict is not None and checked.epochs:
        numbers = {
            "ratio": verdict.ratio,
            "low": verdict.low,
            "high": verdict.high,
            "detectable": verdict.detectable,
            "base": checked.base,
            "head": checked.base * verdict.ratio,
        }
    return Line(
        case=checked.case.name,
        kind=checked.kind,
        threshold=checked.design.threshold,
        n=len(checked.epochs),
        seconds=checked.seconds,
        reason="; ".join(_reasons(checked.failures)),
        **numbers,
    )


def notes(family: Family, options: CheckOptions) -> Iterator[str]:
    """Yield the lines to read below the verdicts."""
    yield "ratio: head's time over base's, above 1 head is slower; would find: the slowdown found in 80 % of such checks"
    yield imported_differences([epoch for checked in family.cases for epoch in checked.epochs])
    kinds = [checked.kind for checked in family.cases if checked.epochs]
    if options.aa and not options.inject:
        changes = sum(kind in ("regression", "improvement") for kind in kinds)
        yield f"both arms are the same: {changes} false alarms in {len(kinds)} case checks"
    if options.inject:
        yield (
            f"head was slowed down by {options.inject:.1%}: found in {kinds.count('regression')} of {len(kinds)} cases, "
            f"{kinds.count('inconclusive')} inconclusive"
        )
    still = family.open()
    if still:
        yield f"not decided when measuring ended (--max-time {options.max_time:g}): {len(still)} of {len(family.cases)}"
    for checked in family.cases:
        if checked.kind == "inconclusive" and checked.out_of_patience:
            yield f"{checked.case.name}: not decided within {checked.patience:.0f} s"
        if checked.absent:
            arms, failure = list(checked.absent), next(iter(checked.absent.values()))
            where = f" in {arms[0]}" if len(arms) == 1 and failure.kind != "new" else ""
            yield f"{failure.kind}{where}: {checked.case.name}: {failure.reason or 'no reason given'}"
        elif checked.failed and not checked.failures:
            reasons = [reason for epoch in checked.failed for reason in _reasons(epoch.failures)]
            yield f"{checked.case.name}: failed once, and was or would be measured again: {'; '.join(reasons)}"

        yield from _remarks(checked)


def _remarks(checked: Checked) -> Iterator[str]:
    """Yield a line that says what else was noticed about a benchmark, if anything was."""
    found: dict[str, dict[str, None]] = {}
    for epoch in (*checked.epochs, *checked.failed):
        for arm, remarks in epoch.remarks.items():
            for remark in remarks:
                found.setdefault(remark, {})[arm] = None
    said = [
        remark if "base" in arms else f"{remark} (head)" for remark, arms in found.items()
    ]  # base is looked at first
    if said:
        yield f"{checked.case.name}: {'; '.join(said)}"


def _reasons(failures: Mapping[str, Failure]) -> list[str]:
    return [f"{arm}: {failure}" for arm, failure in failures.items()]


def imported_differences(epochs: Sequence[Epoch]) -> str:
    """Return a line that names the files that the workers really imported and that differ between the arms."""
    sources: dict[str, dict[str, str]] = {"base": {}, "head": {}}
    for epoch in epochs:
        for arm, digests in epoch.sources.items():
            sources[arm] |= digests
    files = sorted(set(sources["base"]) | set(sources["head"]))
    changed = [file for file in files if sources["base"].get(file) != sources["head"].get(file)]
    if not changed:
        return f"imported from the trees: {len(files)} files, the same in both arms"
    return f"imported from the trees: {len(files)} files, of which differ: {', '.join(changed)}"


def result_of(family: Family, arm: Arm, known: Known, seed: int, options: CheckOptions) -> Result:
    """Return what one arm measured as an ordinary result: one observation for each epoch."""
    cases = tuple(checked.case for checked in family.cases if isinstance(checked.case, Case))
    profile = Profile("check", (options.size,), (options.size,), "representative", 0.0, 1, 1, 0.0, options.max_time)
    observations = [
        _observation(epoch, round_, arm.name)
        for checked in family.cases
        for round_, epoch in enumerate((*checked.epochs, *checked.failed))
    ]
    stops = {checked.case.name: checked.kind for checked in family.cases}
    return Result(arm.name, Plan(profile, cases, seed, options.timeout), known.machine, tuple(observations), stops)


def _observation(epoch: Epoch, round_: int, arm: str) -> Observation:
    assert isinstance(epoch.case, Case), "result files hold cases"
    values = epoch.base if arm == "base" else epoch.head
    failure = epoch.failures.get(arm) or (None if values else Failure("failed", "the other arm failed"))
    return Observation(
        case=epoch.case,
        round=round_,
        seed=epoch.seed,
        call="function",
        seconds=epoch.seconds,
        values=values,
        metadata={"loops": epoch.loops, "unit": "second", **epoch.facts.get(arm, {})},
        failure=failure,
    )
