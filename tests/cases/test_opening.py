"""Opening a case: the order of the steps, what is learned on the way, and the first compute."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gilbench import schedulers
from gilbench.cases.case import Case
from gilbench.cases.checking import FirstCompute, WrongAnswer, failure_of
from gilbench.cases.opening import CaseFacts, opened
from gilbench.cases.order import Order
from gilbench.errors import Failure
from gilbench.process import pins
from gilbench.schedulers import Opened
from gilbench.targets import naming
from gilbench.targets.workload import Job, Workload


def order(case: Case) -> Order:
    return Order(case, 0, 7, "function", 0.0)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of opening a made-up case, in the order taken."""
    from contextlib import contextmanager

    from dask import delayed
    from dask.local import get_sync

    taken: list[str] = []

    def build(number: int) -> Job:
        taken.append("build")
        return Job([delayed(max)(number, 1)], answer=[number])

    @contextmanager
    def open_(shape, setup):  # type: ignore[no-untyped-def]
        taken.append(f"open {shape.workers}x{shape.threads}")
        yield Opened({"scheduler": get_sync}, lambda: taken.append("settle"))
        taken.append("close")

    workload = Workload("made_up", "none", "", build, {"tiny": {"number": 5}})
    scheduler = replace(schedulers.all_schedulers()["sync"], open=open_)
    monkeypatch.setattr(naming, "workload_of", lambda name: workload)
    monkeypatch.setattr(schedulers, "all_schedulers", lambda: {"sync": scheduler})
    monkeypatch.setattr(pins, "prepare", lambda modules, pinned: taken.append(f"pin {pinned}"))
    return taken


def test_a_timed_case_is_built_before_its_scheduler_opens(steps: list[str]) -> None:
    with opened(order(Case("made_up", "tiny", "sync"))) as case:
        assert steps == ["pin True", "build", "open 1x1", "settle"], "settled after the first compute"
        assert case.compute() == [5]
        assert case.settle is not None
        facts = case.facts
    assert steps[-1] == "close"
    assert (facts.family, facts.build_tasks, facts.first.tasks) == ("none", 0, 1)
    assert facts.build_seconds > 0 and facts.open_seconds > 0
    assert facts.first.checking_seconds == facts.first.seconds > 0


def test_a_probed_case_is_built_once_it_is_open_and_told_to(steps: list[str]) -> None:
    with opened(order(Case("made_up", "tiny", "sync", pinned=False)), once_open=lambda seconds: steps.append("wait")):
        pass
    assert steps == ["pin False", "open 1x1", "wait", "build", "settle", "close"]


def test_what_was_learned_goes_into_metadata_under_the_names_of_result_files() -> None:
    first = FirstCompute(0.5, 0.75, 8, 2, "threads")
    facts = CaseFacts("loops", 0.1, 3, 0.2, first)
    known = {
        "family": "loops", "build_seconds": 0.1, "build_tasks": 3, "open_seconds": 0.2,
        "first_seconds": 0.5, "tasks": 8, "workers_used": 2, "ran_on": "threads",
    }  # fmt: skip
    assert facts.as_metadata() == known
    unchecked = CaseFacts("loops", 0.1, 3, 0.2, FirstCompute(0.5, 0.75, 8, 2, "threads", "it differs"))
    assert unchecked.as_metadata() == {**known, "unchecked": "it differs"}


def test_errors_become_failures() -> None:
    assert failure_of(WrongAnswer("differs from sync's: 1")) == Failure("wrong answer", "differs from sync's: 1")
    assert failure_of(SystemExit(3)) == Failure("raised", "SystemExit: 3")


def test_a_failure_travels_as_a_list_and_is_read_in_its_former_shape_too() -> None:
    failure = Failure("raised", "ValueError: no")
    assert json.loads(json.dumps(failure.as_json())) == ["raised", "ValueError: no"]
    for data in (failure.as_json(), ("raised", "ValueError: no"), {"kind": "raised", "reason": "ValueError: no"}):
        assert Failure.from_json(data) == failure
    assert str(failure) == "raised: ValueError: no"
    for data in ([], ["raised"], ["a", "b", "c"], {"kind": "raised"}):
        with pytest.raises((ValueError, KeyError)):
            Failure.from_json(data)
