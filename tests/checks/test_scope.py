"""What a check covers: the cases, and which change matters in each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gilbench.cases.benchmark import Benchmark
from gilbench.cases.case import Case
from gilbench.cases.plan import THRESHOLD
from gilbench.checks import scope
from gilbench.checks.arms import parse
from gilbench.checks.scope import CheckOptions, cases_of, thresholds
from gilbench.errors import UserError
from gilbench.schedulers import core_schedulers
from tests.checks.scripted_check import OPTIONS, both, known, workload

pytestmark = pytest.mark.usefixtures("two_cpus")


# --- What is checked


def test_without_names_every_familys_representative_meets_the_usual_schedulers_with_all_cpus() -> None:
    cases, missing = cases_of(both(workload("w0"), workload("other", representative=False)), OPTIONS)
    assert missing == []
    assert {case.workload for case in cases} == {"w0"}
    assert sorted(case.name for case in cases) == [
        "w0:tiny:processes:2x1", "w0:tiny:sync:1x1", "w0:tiny:threads:1x2",
    ]  # fmt: skip
    assert {case.scheduler for case in cases} == set(core_schedulers())


def test_what_is_named_is_checked_also_where_it_represents_nothing() -> None:
    arms = both(workload("w0"), workload("other", representative=False), workload("x", family="mixed"))
    found = {
        names: {case.workload for case in cases_of(arms, replace(OPTIONS, workloads=names))[0]}
        for names in (("other",), ("loops",), ("o*", "mixed"))
    }
    assert found == {("other",): {"other"}, ("loops",): {"w0", "other"}, ("o*", "mixed"): {"other", "x"}}


@pytest.mark.parametrize("scheduler", ["sync", "threads", "loky"])
def test_a_scheduler_that_is_named_is_checked_alone(scheduler: str) -> None:
    cases, _ = cases_of(both(workload("w0")), replace(OPTIONS, schedulers=(scheduler,)))
    assert {case.scheduler for case in cases} == {scheduler}
    assert len(cases) == 1


def test_the_size_is_that_which_is_asked_for() -> None:
    cases, _ = cases_of(both(workload("w0")), replace(OPTIONS, size="small"))
    assert {case.size for case in cases} == {"small"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workloads": ("w9",)}, "no workload or family matches 'w9'"),
        ({"schedulers": ("thread",)}, "no scheduler is named 'thread': did you mean threads?"),
        ({"size": "huge"}, "no size is named 'huge'"),
    ],
)
def test_a_name_that_nothing_has_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        cases_of(both(workload("w0")), replace(OPTIONS, **options))


def test_what_one_arm_alone_has_is_named_and_not_checked() -> None:
    arms = {
        "base": known(workload("w0"), workload("gone"), workload("gone_too", representative=False)),
        "head": known(workload("w0"), workload("new")),
    }
    cases, missing = cases_of(arms, OPTIONS)
    assert {case.workload for case in cases} == {"w0"}
    assert missing == ["only in base: gone", "only in head: new"]
    assert cases_of(arms, replace(OPTIONS, workloads=("gone_too",))) == ([], ["only in base: gone_too"])


def test_a_base_of_before_thresholds_is_understood() -> None:
    old = {key: value for key, value in workload("w0").items() if key not in ("collection", "threshold")}
    cases, _ = cases_of({"base": known({**old, "collection": None}), "head": known(workload("w0"))}, OPTIONS)
    assert len(cases) == 3


# --- Which change matters


def decided(*said: tuple[str, float]) -> dict[str, float]:
    """Workload -> threshold, of two workloads without one of their own and one with."""
    head = known(
        workload("sort"), workload("sqrt_sum", family="reductions"), workload("own", family="reductions", threshold=0.2)
    )
    cases = [Case(name, "tiny", "sync") for name in head.workloads]
    return {case.workload: threshold for case, threshold in thresholds(cases, head, said).items()}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([], (0.03, 0.03, 0.2)),
        ([("*", 0.1)], (0.1, 0.1, 0.2)),
        ([("own", 0.05)], (0.03, 0.03, 0.05)),
        ([("reductions", 0.05)], (0.03, 0.05, 0.05)),
        ([("s*", 0.05), ("*", 0.1)], (0.05, 0.05, 0.2)),
        ([("*", 0.1), ("*", 0.15)], (0.15, 0.15, 0.2)),
        ([("sort", 0.05), ("s*", 0.06)], (0.06, 0.06, 0.2)),
        ([("s*", 0.06), ("sort", 0.05)], (0.05, 0.06, 0.2)),
        ([("reductions", 0.06), ("own", 0.05), ("*", 0.1)], (0.1, 0.06, 0.05)),
    ],
)
def test_all_then_the_workloads_own_then_what_is_said_of_some_and_the_last_counts(
    said: list[tuple[str, float]], found: tuple[float, float, float]
) -> None:
    assert decided(*said) == dict(zip(("sort", "sqrt_sum", "own"), found, strict=True))


def test_a_pattern_that_matches_nothing_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^--threshold sotr=: no workload of this check matches 'sotr'$"):
        decided(("sort", 0.05), ("sotr", 0.05))


# --- Benchmarks of a project


def test_the_last_pattern_that_matches_a_benchmark_sets_its_threshold() -> None:
    one, two = (
        Benchmark("pytest_tests", "tests/test_a.py", f"tests/test_a.py::{name}", name) for name in ("one", "two")
    )
    said = [("*", 0.05), ("one", 0.1)]
    assert scope.thresholds_of_benchmarks([one, two], said) == {one: 0.1, two: 0.05}
    assert scope.thresholds_of_benchmarks([one], []) == {one: THRESHOLD}
    with pytest.raises(UserError, match="no benchmark of this check matches 'three'"):
        scope.thresholds_of_benchmarks([one], [("three", 0.1)])


@pytest.mark.parametrize(
    ("options", "of_workloads"),
    [
        ({}, False),
        ({"workloads": ("sum_of_squares",)}, True),
        ({"workloads": ("sum_of_*",)}, True),
        ({"workloads": ("sum_of_squares", "tests/test_a.py")}, False),
        ({"schedulers": ("sync",)}, True),
        ({"workloads": ("sum_of_squares",), "keyword": "x"}, False),
        ({"commands": ("true",)}, False),
    ],
)
def test_a_check_is_of_workloads_where_only_these_are_named(
    tmp_path: Path, options: dict[str, Any], of_workloads: bool
) -> None:
    assert scope.is_of_workloads(CheckOptions(**options), parse(f"path={tmp_path}")) == of_workloads


def test_a_check_of_gilbench_itself_is_of_workloads(tmp_path: Path) -> None:
    (tmp_path / "bench" / "gilbench").mkdir(parents=True)
    assert scope.is_of_workloads(CheckOptions(), parse(f"path={tmp_path}"))
