"""Several benchmarks in one pair of processes: order, failures, restarts; with scripted workers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gilbench.cases.benchmark import Benchmark, Subject
from gilbench.checks import lockstep
from gilbench.checks.arms import Arm
from gilbench.checks.checker import measure_family
from gilbench.checks.family import Family, family_of
from gilbench.checks.lockstep import Batch, Ended, Epoch, NotStarted, epochs
from gilbench.checks.outcome import lines_of, notes
from gilbench.checks.scope import CheckOptions
from gilbench.process.talk import Broken
from tests.checks.scripted_check import ARMS

A, B, C = (Benchmark("pytest_tests", "tests/test_a.py", f"tests/test_a.py::{name}", name) for name in "abc")


@dataclass
class Script:
    """What happens: (arm, function, step) -> the error raised there, or what `close` returns. Steps: start, open, turn, close."""

    events: Mapping[tuple[str, str, str], Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=lambda: {"base": 1.0, "head": 1.0})
    log: list[str] = field(default_factory=list)
    batches: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, arm: Arm, batch: Batch) -> ScriptedWorker:
        if arm.name == "base":
            self.batches.append(tuple(subject.name[-1] for subject in batch.subjects))
        return ScriptedWorker(self, arm.name, batch)


class ScriptedWorker:
    def __init__(self, script: Script, arm: str, batch: Batch) -> None:
        self.script, self.arm, self.batch = script, arm, batch
        self.subject: Subject | None = None

    def open(self, subject: Subject) -> Mapping[str, Any]:
        self.subject = subject
        self.step("start")
        self.step("open")
        return {"ready": 8, "sources": {"pkg.py": self.arm}}

    def turn(self, loops: int) -> float:
        assert loops == 8, "the base's count of loops holds for both"
        self.step("turn")
        return self.script.seconds[self.arm]

    def close(self) -> Mapping[str, Any]:
        self.script.log.append(f"close {self.arm} {self.name}")
        return self.step("close") or {}

    def end(self) -> None:
        self.script.log.append(f"end {self.arm}")

    @property
    def name(self) -> str:
        assert self.subject is not None
        return self.subject.name[-1]

    def step(self, step: str) -> Any:
        event = self.script.events.get((self.arm, self.name, step))
        if isinstance(event, Exception):
            raise event
        return event


@pytest.fixture(autouse=True)
def few_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "MOST", 6)


def measured(script: Script, *subjects: Benchmark) -> list[Epoch]:
    return list(epochs(Batch(subjects or (A, B, C), 5), ARMS, script))


def test_benchmarks_follow_each_other_in_one_pair() -> None:
    script = Script(seconds={"base": 1.0, "head": 1.1})
    found = measured(script)
    assert [epoch.case for epoch in found] == [A, B, C]
    assert script.batches == [("a", "b", "c")]
    assert {round(epoch.log_ratio, 4) for epoch in found} == {0.0953}
    assert [len(epoch.base) for epoch in found] == [6] * 3
    assert sorted(script.log[-2:]) == ["end base", "end head"]


@pytest.mark.parametrize("step", ["open", "turn", "close"])
def test_a_benchmark_that_fails_is_closed_in_the_other_arm_and_the_rest_goes_on(step: str) -> None:
    script = Script({("head", "b", step): Ended("raised", "no")})
    found = measured(script)
    assert [dict(epoch.failures) != {} for epoch in found] == [False, True, False]
    assert found[1].failures["head"].reason == "no"
    assert (found[1].base, found[1].head) == ((), ())
    assert script.log.count("close base b") == 1
    assert script.batches == [("a", "b", "c")], "both processes live on"


@pytest.mark.parametrize("step", ["open", "turn", "close"])
def test_one_that_kills_its_process_costs_the_others_only_a_new_pair(step: str) -> None:
    script = Script({("base", "b", step): Broken("killed", "exit code 7")})
    found = measured(script)
    assert [epoch.case for epoch in found] == [A, B, C]
    assert [list(epoch.failures) for epoch in found] == [[], ["base"], []]
    assert script.batches == [("a", "b", "c"), ("c",)]


def test_one_that_leaves_something_running_gets_its_result_and_the_others_a_new_pair() -> None:
    script = Script({("head", "a", "close"): {"leaves": True, "remarks": ["leaves 1 thread running"]}})
    found = measured(script)
    assert found[0].leaves and not found[0].failures
    assert found[0].remarks == {"head": ["leaves 1 thread running"]}
    assert script.batches == [("a", "b", "c"), ("b", "c")]


def test_a_process_that_does_not_start_fails_all_of_its_benchmarks_at_once() -> None:
    script = Script({("head", "a", "start"): NotStarted("raised", "no pytest")})
    found = measured(script)
    assert [epoch.case for epoch in found] == [A, B, C]
    assert {epoch.failures["head"].reason for epoch in found} == {"no pytest"}
    assert len(script.batches) == 1


def test_what_is_no_longer_wanted_is_opened_and_closed_without_a_turn() -> None:
    script = Script()
    found = list(epochs(Batch((A, B, C), 5), ARMS, script, lambda subject: subject != B))
    assert [epoch.case for epoch in found] == [A, C]
    assert {"close base b", "close head b"} <= set(script.log)


def test_one_long_turn_of_each_arm_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(second) for second in range(0, 10_000, 60))
    monkeypatch.setattr(lockstep.time, "perf_counter", lambda: next(clock))
    workers = {arm.name: Script()(arm, Batch((A,), 5)) for arm in ARMS}
    assert sorted(lockstep.turns(workers, random.Random(1), 0.2)) == ["base", "head"]


# --- In a check


def decided(script: Script, *, new: set[Benchmark] | None = None, isolate: bool = False) -> Family:
    family = family_of(dict.fromkeys((A, B, C), 0.03))
    *_, last = measure_family(family, ARMS, script, 1, 900.0, clock=lambda: 0.0, new=new or (), isolate=isolate)
    return last


def said(family: Family) -> str:
    return "\n".join(notes(family, CheckOptions()))


def test_one_that_disturbs_others_has_processes_of_its_own_from_then_on() -> None:
    script = Script({("head", "b", "close"): {"leaves": True, "remarks": ["leaves 1 thread running"]}})
    family = decided(script)
    assert [checked.kind for checked in family.cases] == ["same"] * 3
    first_round = [batch for batch in script.batches if len(batch) == 3]
    assert len(first_round) == 1
    assert ("b",) in script.batches
    assert "tests/test_a.py::b: leaves 1 thread running (head)" in said(family)


def test_isolated_benchmarks_never_share() -> None:
    script = Script()
    decided(script, isolate=True)
    assert {len(batch) for batch in script.batches} == {1}


def test_what_is_skipped_has_a_note_and_no_verdict() -> None:
    script = Script({(arm, "b", "open"): Ended("skipped", "no network") for arm in ("base", "head")})
    family = decided(script)
    assert [line.case[-1] for line in lines_of(family, {})] == ["a", "c"]
    assert "skipped: tests/test_a.py::b: no network" in said(family)


def test_what_base_cannot_run_is_new_where_base_does_not_define_it_and_fails_where_it_does() -> None:
    events = {("base", "b", "open"): Ended("raised", "ImportError: no"), ("base", "c", "open"): Ended("raised", "no")}
    family = decided(Script(events), new={B})
    assert [(line.case[-1], line.kind) for line in lines_of(family, {})] == [("a", "same"), ("c", "failed")]
    assert "new: tests/test_a.py::b: base cannot run it: ImportError: no" in said(family)
