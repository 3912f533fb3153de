"""What every scheduler's file says of it, and the orders that follow."""

from __future__ import annotations

import pytest

from gilbench.advice.entry import schedulers_of_heat
from gilbench.schedulers import (
    FIRST_HEAT,
    MIX,
    PROCESSES,
    SECOND_HEAT,
    SERIAL,
    THREADS,
    Scheduler,
    Shape,
    all_advisable,
    all_schedulers,
    core_schedulers,
)
from tests.advice.scripted_heats import FACTS

SCHEDULERS = all_schedulers()


@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=list(SCHEDULERS))
def test_each_has_a_kind_a_summary_and_a_look_for_each_series(scheduler: Scheduler) -> None:
    assert scheduler.kind in (SERIAL, THREADS, PROCESSES, MIX, None)
    assert scheduler.summary
    assert {scheduler.series(shape) for shape in (Shape(1, 1), *scheduler.shapes(4))} <= set(scheduler.looks)


def test_no_two_have_the_same_place_or_are_equally_simple() -> None:
    places = [look.place for scheduler in SCHEDULERS.values() for look in scheduler.looks.values()]
    assert len(set(places)) == len(places)
    ranks = [advisable.simplicity for advisable in all_advisable().values()]
    assert len(set(ranks)) == len(ranks)


def test_the_simplest_comes_first() -> None:
    assert list(all_advisable()) == ["sync", "threads", "processes", "loky", "distributed"]
    assert core_schedulers() == ("sync", "threads", "processes")


def test_everything_that_may_be_advised_races_in_one_of_two_heats() -> None:
    heats = [schedulers_of_heat(heat, FACTS) for heat in (FIRST_HEAT, SECOND_HEAT)]
    assert heats == [["sync", "threads", "processes"], ["loky", "distributed"]]


def test_what_crosses_into_other_processes_has_a_cost() -> None:
    for name, advisable in all_advisable().items():
        assert (advisable.costs.per_task > 0) == SCHEDULERS[name].crosses
