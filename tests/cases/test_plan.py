"""Cases from workloads, schedulers and profiles; names, filters and the order of rounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gilbench.cases.case import Case
from gilbench.cases.plan import PROFILES, Plan, Selection, arms_of, cases_of, observation_seed, shuffled, watched_cases
from gilbench.errors import UserError, check_names
from gilbench.process.levels import AS_IS, LEVELED
from gilbench.schedulers import Shape, all_schedulers, worker_counts
from gilbench.targets.builtin import all_workloads, choose
from gilbench.targets.workload import SIZES
from tests.scripted import plan

WORKLOADS, SCHEDULERS = all_workloads(), all_schedulers()


def planned(profile: str, cpus: int = 2, selection: Selection | None = None) -> tuple[Case, ...]:
    selection = selection or Selection()
    chosen = choose(WORKLOADS, selection.workloads)
    return cases_of(chosen, SCHEDULERS, PROFILES[profile], selection, cpus)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_family_is_in_every_profile(profile: str) -> None:
    families = {WORKLOADS[case.workload].family for case in planned(profile)}
    assert families == {workload.family for workload in WORKLOADS.values()}


def test_the_default_profile_has_every_workload_under_every_core_scheduler() -> None:
    pairs = {(case.workload, case.scheduler) for case in planned("default")}
    core = [scheduler.name for scheduler in SCHEDULERS.values() if scheduler.core]
    assert core == ["sync", "processes", "threads"]
    assert pairs >= {(workload, scheduler) for workload in WORKLOADS for scheduler in core}


def test_the_representatives_meet_every_scheduler_in_the_default_profile() -> None:
    pairs = {(case.workload, case.scheduler) for case in planned("default")}
    chosen = [workload for workload in WORKLOADS.values() if workload.representative]
    assert pairs >= {(w.name, s) for w in chosen for s in SCHEDULERS if s != "default" or w.collection}


def test_every_scheduler_is_in_the_quick_profile() -> None:
    assert {case.scheduler for case in planned("quick")} == set(SCHEDULERS)


def test_the_thorough_profile_has_everything() -> None:
    pairs = {(case.workload, case.scheduler) for case in planned("thorough")}
    everything = {(w.name, s) for w in WORKLOADS.values() for s in SCHEDULERS if s != "default" or w.collection}
    assert pairs == everything


@pytest.mark.parametrize("cpus", [1, 2, 3, 4, 8, 12])
@pytest.mark.parametrize("profile", PROFILES)
def test_cases_are_unique_and_each_has_its_baseline(profile: str, cpus: int) -> None:
    cases = planned(profile, cpus)
    assert len({case.name for case in cases}) == len(cases)
    assert {case.baseline for case in cases if case.measure == "time"} <= set(cases)


def test_what_is_named_is_measured_in_full() -> None:
    cases = planned("quick", 4, Selection(workloads=("sort",)))
    assert {case.workload for case in cases} == {"sort"}
    assert {case.scheduler for case in cases} == set(SCHEDULERS) - {"default"}
    assert {case.shape for case in cases if case.scheduler == "threads"} == {"1x4", "1x2", "1x1"}


def test_filters_by_family_pattern_scheduler_size_and_workers() -> None:
    cases = planned("default", 4, Selection(("csv_*", "control"), ("threads",), ("tiny", "small"), (2,)))
    assert {case.workload for case in cases} >= {"csv_text", "sleep"}
    assert {case.scheduler for case in cases} == {"sync", "threads"}
    assert {case.size for case in cases} == {"tiny", "small"}
    assert {case.parallelism for case in cases if case.scheduler == "threads"} == {2}


def test_a_misspelled_workload_is_one_line_with_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"no workload or family matches 'csv_txt': did you mean csv_text"):
        choose(WORKLOADS, ["csv_txt"])
    with pytest.raises(UserError, match=r"no scheduler is named 'thread': did you mean threads\?"):
        check_names("scheduler", ["thread"], list(SCHEDULERS))
    with pytest.raises(UserError, match=r"no size is named 'zzz': choose from tiny, small, default, large"):
        check_names("size", ["zzz"], SIZES)


def test_worker_counts_are_powers_of_two_and_all_cpus() -> None:
    assert [worker_counts(cpus) for cpus in (1, 2, 6, 8)] == [(1,), (2, 1), (6, 1, 2, 4), (8, 1, 2, 4)]


def test_distributed_comes_as_all_processes_all_threads_and_every_mix() -> None:
    shapes = SCHEDULERS["distributed"].shapes
    assert shapes(8) == tuple(Shape(*s) for s in [(8, 1), (1, 8), (2, 4), (4, 2), (1, 1), (2, 1), (4, 1)])
    assert Shape(2, 2) in shapes(2), "a mix, also where none fills the CPUs exactly"


def test_the_baseline_is_pinned_even_for_a_case_that_is_not() -> None:
    case = Case("w", "default", "threads", 1, 2, pinned=False)
    assert case.baseline == Case("w", "default", "sync")
    assert case.name == "w:default:threads:1x2:unpinned"
    assert case.parallelism == 2


def test_a_round_is_a_permutation_that_depends_on_seed_and_round_only() -> None:
    cases = [Case(f"w{i}", "tiny", "sync") for i in range(30)]
    first = shuffled(cases, 1, 0)
    assert sorted(first) == sorted(cases)
    assert first == shuffled(reversed(cases), 1, 0)
    assert first != shuffled(cases, 1, 1) != shuffled(cases, 2, 1)


def test_every_place_in_a_round_is_as_likely_for_every_case() -> None:
    cases = [Case(f"w{i}", "tiny", "sync") for i in range(5)]
    firsts = [shuffled(cases, 1, round_)[0].workload for round_ in range(2000)]
    assert all(330 < firsts.count(f"w{i}") < 470 for i in range(5))  # 400 +- 4 standard deviations


def test_observation_seeds_differ_between_cases_and_rounds() -> None:
    cases = [Case(f"w{i}", "tiny", "sync") for i in range(20)]
    seeds = {observation_seed(1, case, round_) for case in cases for round_ in range(20)}
    assert len(seeds) == 400
    assert all(0 <= seed < 2**32 for seed in seeds), "PYTHONHASHSEED takes 32 bits"


def test_a_plan_survives_json() -> None:
    import json

    before = plan(2)
    assert Plan.from_json(json.loads(json.dumps(before.as_json()))) == before


def test_the_tasks_of_one_worker_and_of_all_are_watched_where_every_arm_is_planned() -> None:
    threads = Case("w", "default", "threads", 1, 2, level=LEVELED)
    other = replace(threads, workload="other")
    assert watched_cases([*arms_of(threads), other, replace(other, level=AS_IS)]) == {
        threads,
        replace(threads, threads=1),
    }
    assert watched_cases([other, other.baseline]) == frozenset()
