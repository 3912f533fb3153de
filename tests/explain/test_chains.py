"""Speed-ups taken apart: the factors multiply, each sentence says no more than its intervals, and nothing is impossible."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gilbench.cases.case import Case
from gilbench.cases.plan import arms_of
from gilbench.explain import chains
from gilbench.explain.chains import ALLOCATOR, ALLOCATOR_AGAIN, ONE_WORKER, STEPS, WORKERS, Chain
from gilbench.process.levels import AS_IS, LEVELED
from gilbench.results.records import Probing
from gilbench.results.summary import Summary, summarize
from tests.results.test_summary import observed, result

THREADS = Case("w", "default", "threads", 1, 2, level=LEVELED)
PROCESSES = Case("w", "default", "processes", 2, 1, level=LEVELED)


def summary(case: Case, *seconds: float, spread: float = 0.004, probes: tuple[Probing, ...] = ()) -> Summary:
    """A result of the five arms of a case, in the order of the steps, that took so many seconds, over six rounds."""
    wiggle = [1 + spread * step for step in (-1, 1, -0.5, 0.5, 0, 0.2)]
    arms = zip(arms_of(case), seconds, strict=True)
    runs = [run for arm, value in arms for run in observed(arm, *(value * factor for factor in wiggle))]
    return replace(summarize(result(*runs)), probes=probes)


def chain(case: Case, *seconds: float, **more: object) -> Chain:
    (found,) = chains.chains(summary(case, *seconds, **more))  # type: ignore[arg-type]
    return found


def test_the_arms_differ_by_one_switch_at_a_time() -> None:
    arms = arms_of(PROCESSES)
    assert [(arm.scheduler, arm.workers, arm.level) for arm in arms] == [
        ("sync", 1, AS_IS), ("sync", 1, LEVELED), ("processes", 1, LEVELED), ("processes", 2, LEVELED), ("processes", 2, AS_IS),
    ]  # fmt: skip


@pytest.mark.parametrize("case", [THREADS, PROCESSES])
def test_the_factors_multiply_to_the_speed_up_that_users_get(case: Case) -> None:
    found = chain(case, 0.400, 0.100, 0.110, 0.060, 0.090)
    factors = {cause.name: cause.factor.value for cause in found.causes}
    assert tuple(factors) == STEPS
    assert factors[ALLOCATOR] == pytest.approx(4.0, rel=0.01)
    assert factors[ONE_WORKER] == pytest.approx(0.91, rel=0.01)
    assert factors[WORKERS] == pytest.approx(1.83, rel=0.01)
    assert factors[ALLOCATOR_AGAIN] == pytest.approx(0.67, rel=0.01)
    assert math.prod(factors.values()) * found.unexplained == pytest.approx(found.speedup.value)
    assert found.unexplained == pytest.approx(1.0, abs=0.02)
    assert found.allocator.value == pytest.approx(4.0 * 0.6667, rel=0.01)
    assert found.allocator.low < found.allocator.value < found.allocator.high


def test_the_headline_of_old_is_the_allocator() -> None:
    """sync 60.7 ms as it is, 14.8 ms leveled, threads the same with one worker, 1.2x with two: 5.8x as users get it."""
    found = chain(THREADS, 0.0607, 0.0148, 0.0150, 0.0123, 0.0105)
    said = chains.sentence(found)
    assert said.startswith("threads 1x2: 5.78x as fast as sync, as users get them: 4.8")
    assert "MALLOC_TRIM_THRESHOLD_" in said
    assert "1.22x from 2 threads" in said
    assert said.index("freed memory") < said.index("from 2 threads"), "the largest first"
    assert chains.headline([found]) == "1 of 1 speed-ups owe more to the allocator than to the workers"


def test_nothing_is_named_that_its_interval_does_not_carry() -> None:
    said = chains.sentence(chain(THREADS, 0.101, 0.100, 0.102, 0.101, 0.100, spread=0.1))
    assert said.endswith("no single cause stands out from the noise")


def test_losses_are_losses() -> None:
    said = chains.sentence(chain(PROCESSES, 0.010, 0.010, 0.040, 0.030, 0.030))
    assert said.startswith("processes 2x1: 3.00x as slow as sync")
    assert "4.00x is lost to copying and the pool" in said
    assert "1.33x from 2 processes" in said


def test_workers_cannot_bring_more_than_they_are_or_than_the_gil_allows() -> None:
    beyond = chain(THREADS, 0.1, 0.1, 0.1, 0.04, 0.04)
    assert beyond.impossible
    assert "the measurement is at fault" in chains.sentence(beyond)
    held = {"held": 0.8, "low": 0.78, "high": 0.82}
    probing = Probing("w", "default", {"gil": {"sync": held}}, {})
    bound = chain(THREADS, 0.1, 0.1, 0.1, 0.06, 0.06, probes=(probing,))
    assert bound.limit == pytest.approx(1 / 0.78)
    assert bound.impossible
    assert not chain(PROCESSES, 0.1, 0.1, 0.1, 0.06, 0.06, probes=(probing,)).impossible, "each process has its own GIL"


def test_without_every_arm_there_is_no_chain() -> None:
    whole = summary(THREADS, 0.4, 0.1, 0.1, 0.06, 0.06)
    for missing in arms_of(THREADS):
        part = replace(whole, cases=tuple(case for case in whole.cases if case.case != missing))
        assert chains.chains(part) == []
