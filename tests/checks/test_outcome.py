"""What came of a check: lines of verdicts, notes, and ordinary results; scripted epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gilbench.checks.family import Family, family_of
from gilbench.checks.lockstep import Epoch
from gilbench.checks.outcome import arms_and_software, imported_differences, line_of, notes, result_of
from gilbench.errors import Failure
from gilbench.results.result_file import load, save
from gilbench.results.summary import summarize
from tests.checks.scripted_check import ARMS, OPTIONS, W0, W1, both, broken, judged, known

# --- Verdicts and notes


def notes_on(family: Family, **options: Any) -> str:
    return "\n".join(notes(family, replace(OPTIONS, **options)))


def test_a_check_of_equal_arms_counts_its_false_alarms() -> None:
    assert "both arms are the same: 0 false alarms in 2 case checks" in notes_on(judged(w0=1.0, w1=1.0), aa=True)
    assert "both arms are the same: 2 false alarms in 3 case checks" in notes_on(
        judged(w0=1.1, w1=0.9, w2=1.0), aa=True
    )
    assert "false alarms" not in notes_on(judged(w0=1.0))


def test_an_injected_slowdown_is_counted_where_it_was_found() -> None:
    said = notes_on(judged(w0=1.1, w1=1.0, w2=1.1), inject=0.1)
    assert "head was slowed down by 10.0%: found in 2 of 3 cases, 0 inconclusive" in said
    assert "slowed down" not in notes_on(judged(w0=1.0))
    both_said = notes_on(judged(w0=1.1), inject=0.1, aa=True)
    assert "found in 1 of 1 cases" in both_said and "false alarms" not in both_said


def test_cases_that_were_never_measured_count_for_neither() -> None:
    family = Family((*judged(w0=1.0).cases, *family_of({W1: 0.03}).cases))
    assert "0 false alarms in 1 case checks" in notes_on(family, aa=True)
    assert "found in 0 of 1 cases, 0 inconclusive" in notes_on(family, inject=0.1)


def epoch_with(sources: Mapping[str, Mapping[str, str]]) -> Epoch:
    return Epoch(W0, 1, 1.0, (1.0,), (1.0,), sources=sources)


def test_files_that_the_workers_imported_and_that_differ_are_named() -> None:
    same = {"workloads/a.py": "1", "workloads/b.py": "2"}
    equal = [epoch_with({"base": same, "head": same})]
    assert imported_differences(equal) == "imported from the trees: 2 files, the same in both arms"
    other = [*equal, epoch_with({"base": {"x.py": "1"}, "head": {"x.py": "2", "new.py": "3"}})]
    assert imported_differences(other) == "imported from the trees: 4 files, of which differ: new.py, x.py"


def test_the_arms_and_what_differs_between_their_software_are_stated() -> None:
    lines = arms_and_software(
        ARMS, {"base": known().machine, "head": known(pandas_version="3.0.3", gil="disabled").machine}
    )
    assert lines == [
        "base: main (1234567)", "head: working tree", "software: gil enabled -> disabled, pandas_version 3.1.1 -> 3.0.3",
    ]  # fmt: skip
    assert (
        arms_and_software(ARMS, {arm: found.machine for arm, found in both().items()})[-1]
        == "software: the same in both arms"
    )


def test_a_decided_case_as_a_line() -> None:
    (checked,) = judged(w0=1.25).cases
    line = line_of(checked)
    assert (line.case, line.kind, line.reason, line.n, line.seconds) == ("w0:tiny:sync:1x1", "regression", "", 10, 10.0)
    assert (line.ratio, line.base, line.head) == pytest.approx((1.25, 0.1, 0.125))
    assert (line.low, line.high, line.threshold) == pytest.approx((1.25, 1.25, 0.03))


def test_a_case_without_any_epoch_as_a_line() -> None:
    line = line_of(family_of({W0: 0.05}).cases[0])
    assert (line.kind, line.n, line.seconds, line.threshold) == ("inconclusive", 0, 0, 0.05)
    assert all(math.isnan(number) for number in (line.ratio, line.base, line.head))
    assert (line.low, line.high) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("arms", "kind", "reason"),
    [
        (("head",), "regression", "head: raised: ValueError: head"),
        (("base",), "failed", "base: raised: ValueError: base"),
        (("base", "head"), "failed", "base: raised: ValueError: base; head: raised: ValueError: head"),
    ],
)
def test_a_case_that_failed_as_a_line(arms: tuple[str, ...], kind: str, reason: str) -> None:
    family = family_of({W0: 0.03}).added(broken(W0, *arms)).added(broken(W0, *arms))
    line = line_of(family.cases[0])
    assert (line.kind, line.reason, line.n, line.seconds) == (kind, reason, 0, 4.0)
    assert math.isnan(line.ratio) and math.isnan(line.head)


# --- Results


def test_both_arms_become_ordinary_results(tmp_path: Path) -> None:
    family = judged(w0=1.5, w1=1.0)
    for arm, seconds in zip(ARMS, (0.1, 0.15), strict=True):
        save(result_of(family, arm, known(usable_cpus=3), 7, OPTIONS), tmp_path / f"{arm.name}.json")
        result = load(tmp_path / f"{arm.name}.json")
        assert (result.plan.seed, result.plan.cases, result.machine["usable_cpus"]) == (7, (W0, W1), 3)
        assert result.stops == {"w0:tiny:sync:1x1": "regression", "w1:tiny:sync:1x1": "same"}
        summary = summarize(result)
        assert [case.estimate.value for case in summary.cases] == [pytest.approx(seconds), pytest.approx(0.1)]
        assert [case.estimate.n for case in summary.cases] == [10, 5]
        assert summary.failures == ()


def test_an_epoch_that_failed_is_a_failure_in_both_results_with_the_reason_of_each() -> None:
    family = judged(w0=1.0).added(broken(W0, "head"))
    base, head = (result_of(family, arm, known(), 7, OPTIONS).observations for arm in ARMS)
    assert [o.failure for o in base if o.failure] == [Failure("failed", "the other arm failed")]
    assert [o.failure for o in head if o.failure] == [Failure("raised", "ValueError: head")]
    for observations in (base, head):
        assert [o.round for o in observations] == list(range(6))
        assert all(bool(o.values) != bool(o.failure) for o in observations)
