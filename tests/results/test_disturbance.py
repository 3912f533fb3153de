"""Observations that other programs disturbed: set aside where enough are left, and said loudly."""

from __future__ import annotations

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.explain.winners import contests
from gilbench.measure.rounds import Ledger
from gilbench.results import disturbance
from gilbench.results.records import Observation, Result
from gilbench.results.summary import summarize
from tests.scripted import MACHINE, observation, plan

SYNC, THREADS = Case("w", "default", "sync"), Case("w", "default", "threads", 1, 2)


def seen(case: Case, *rounds: tuple[float, float]) -> list[Observation]:
    """Observations of (seconds, CPUs that others took)."""
    return [
        observation(Order(case, number, 1, "function", 0.6), value, others_cpus=others)
        for number, (value, others) in enumerate(rounds)
    ]


def result(*observations: Observation) -> Result:
    return Result("r", plan([SYNC, THREADS]), MACHINE, observations)


def test_a_quiet_machine_is_not_mentioned() -> None:
    found = summarize(result(*seen(SYNC, *[(0.1, 0.05)] * 3), *seen(THREADS, *[(0.05, 0.02)] * 3)))
    assert found.warnings == ()
    assert not any(case.disturbed or case.flags for case in found.cases)


def test_what_was_disturbed_is_set_aside_where_enough_is_left() -> None:
    quiet = [(0.1, 0.0), (0.102, 0.1), (0.098, 0.0)]
    found = summarize(result(*seen(SYNC, *quiet, (0.5, 0.9)), *seen(THREADS, *[(0.05, 0.0)] * 4)))
    sync = found.cases[0]
    assert sync.observations == (0.1, 0.102, 0.098)
    assert sync.rounds == (0, 1, 2)
    assert not sync.disturbed
    (warning,) = found.warnings
    assert warning.startswith("the machine was busy: other programs took up to 0.9 CPUs during 1 of 8 observations")


def test_where_too_little_is_left_all_count_and_nothing_wins() -> None:
    threads = seen(THREADS, (0.05, 0.9), (0.051, 0.8), (0.049, 0.0))
    found = summarize(result(*seen(SYNC, *[(0.1, 0.0)] * 3), *threads))
    case = found.cases[1]
    assert case.disturbed and len(case.observations) == 3
    assert "measured while other programs were busy" in case.flags
    (contest,) = contests(found)
    assert contest.winner == "undecided"
    quiet = summarize(result(*seen(SYNC, *[(0.1, 0.0)] * 3), *seen(THREADS, *[(0.05, 0.0)] * 3)))
    assert contests(quiet)[0].winner == "threads"


def test_time_that_the_host_gave_to_other_guests_counts_too() -> None:
    (stolen,) = seen(SYNC, (0.1, 0.1))
    assert not disturbance.is_disturbed(stolen)
    assert disturbance.is_disturbed(observation(Order(SYNC, 0, 1, "function", 0.6), 0.1, stolen_cpus=0.4))
    assert not disturbance.is_disturbed(observation(Order(SYNC, 0, 1, "function", 0.6), 0.1)), "not known"


def test_a_case_is_measured_on_until_it_has_enough_that_was_not_disturbed() -> None:
    ledger = Ledger(plan([SYNC], min_observations=2, max_observations=5), seen(SYNC, *[(0.1, 0.9)] * 4))
    assert ledger.settle() == [SYNC]
    for quiet in seen(SYNC, (0.1, 0.0), (0.1, 0.0)):
        ledger.add(quiet)
    assert ledger.settle() == []
    never = Ledger(plan([SYNC], min_observations=2, max_observations=5), seen(SYNC, *[(0.1, 0.9)] * 5))
    assert never.settle() == [], "but not without end"
