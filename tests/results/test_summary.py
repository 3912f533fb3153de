"""From observations to estimates, speed-ups, flags and warnings."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.errors import Failure
from gilbench.results.records import Observation, Result
from gilbench.results.summary import estimates, summarize
from tests.scripted import MACHINE, observation, plan

SYNC, THREADS = Case("w", "default", "sync"), Case("w", "default", "threads", 1, 2)


def observed(case: Case, *values: float, **metadata: object) -> list[Observation]:
    return [
        observation(Order(case, round_, 1, "function", 0.1), value, **metadata) for round_, value in enumerate(values)
    ]


def result(*observations: Observation, stops: dict[str, str] | None = None) -> Result:
    cases = list(dict.fromkeys(o.case for o in observations))
    return Result("r", plan(cases), MACHINE, observations, stops or {})


def test_the_speed_up_is_sync_over_this_with_an_interval_around_it() -> None:
    found = summarize(result(*observed(SYNC, 0.20, 0.21, 0.19), *observed(THREADS, 0.10, 0.103, 0.097)))
    sync, threads = found.cases
    assert sync.speedup is None
    assert threads.speedup is not None
    assert threads.speedup.value == pytest.approx(2.0)
    assert 1.8 < threads.speedup.low < 2.0 < threads.speedup.high < 2.2
    assert threads.estimate.value == pytest.approx(0.1)


def test_a_speed_up_is_taken_round_by_round_so_that_a_slow_minute_cancels() -> None:
    slow = [1.0, 3.0, 1.5, 2.0, 1.2]  # the whole machine, alternating
    sync = observed(
        SYNC, *(0.2 * factor * wobble for factor, wobble in zip(slow, (1, 1.01, 0.99, 1, 1.01), strict=True))
    )
    threads = observed(THREADS, *(0.1 * factor for factor in slow))
    found = summarize(result(*sync, *threads)).cases[1]
    assert found.speedup is not None
    assert found.speedup.value == pytest.approx(2.0)
    assert found.speedup.high / found.speedup.low < 1.05 < found.estimate.high / found.estimate.low
    unpaired = [replace(o, round=o.round + 10) for o in threads]
    apart = summarize(result(*sync, *unpaired)).cases[1]
    assert apart.speedup is not None
    assert apart.speedup.high / apart.speedup.low > 2


def test_a_speed_up_beyond_the_ideal_is_flagged() -> None:
    found = summarize(result(*observed(SYNC, 0.3, 0.301, 0.302), *observed(THREADS, 0.1, 0.1, 0.1, tasks=8)))
    assert found.cases[1].flags == ("beyond the ideal 2x: sync pays for something that this does not",)


def test_without_a_baseline_there_is_no_speed_up() -> None:
    (threads,) = summarize(result(*observed(THREADS, 0.1, 0.1))).cases
    assert threads.speedup is None


def test_one_process_alone_has_no_interval() -> None:
    (only,) = summarize(result(*observed(SYNC, 0.1))).cases
    assert (only.estimate.low, only.estimate.high) == (0, float("inf"))


def test_many_cases_lend_each_other_their_spread() -> None:
    many = [o for i in range(20) for o in observed(Case(f"w{i}", "default", "sync"), 0.1, 0.1 * 1.02**i, 0.098)]
    together, alone = estimates(many), estimates(many[:3])
    case = many[0].case
    assert together[case].high / together[case].low < alone[case].high / alone[case].low or alone[case].high < 0.11


def test_memory_is_a_case_of_its_own_in_bytes() -> None:
    memory = replace(THREADS, measure="memory")
    found = summarize(result(*observed(SYNC, 0.2, 0.2), *observed(memory, 6e7, 6.1e7)))
    assert [case.case for case in found.timed] == [SYNC]
    assert [case.case for case in found.memory] == [memory]
    assert found.memory[0].speedup is None


def test_threads_inside_tasks_are_flagged_above_five_percent() -> None:
    flagged, fine = (
        summarize(result(*observed(SYNC, 0.1, 0.1, cpu_over_wall=ratio))).cases[0].flags for ratio in (1.06, 1.04)
    )
    assert flagged == ("inner threads: CPU time is 1.06x wall time",)
    assert fine == ()


def test_a_scheduler_that_used_fewer_workers_than_it_had_is_flagged() -> None:
    (case,) = summarize(result(*observed(THREADS, 0.1, 0.1, workers_used=1, tasks=8))).cases
    assert case.flags == ("ran on 1 of 2 workers",)
    (few,) = summarize(result(*observed(THREADS, 0.1, 0.1, workers_used=1, tasks=1))).cases
    assert few.flags == ()


def test_an_extension_that_brings_the_gil_back_is_flagged() -> None:
    (case,) = summarize(result(*observed(SYNC, 0.1, gil_before="disabled", gil_after="enabled"))).cases
    assert case.flags == ("an extension switched the GIL on",)


@pytest.mark.parametrize(("parallel", "warned"), [(0.05, False), (0.06, False), (0.099, True)])
def test_a_control_that_does_not_scale_makes_the_result_doubtful(parallel: float, warned: bool) -> None:
    sync = observed(SYNC, 0.1, 0.1001, 0.1002, family="control")
    threads = observed(THREADS, parallel, parallel * 1.001, parallel * 0.999, family="control")
    warnings = summarize(result(*sync, *threads)).warnings
    assert bool(warnings) is warned
    assert all("the control does not scale" in warning for warning in warnings)


def test_an_observation_is_written_as_it_always_was() -> None:
    failed = Observation(THREADS, 0, 1, "function", 1.0, failure=Failure("timeout", "no answer"))
    data = json.loads(json.dumps(failed.as_json()))
    assert data["failure"] == ["timeout", "no answer"]
    assert Observation.from_json(data) == failed
    assert Observation(THREADS, 0, 1, "function", 1.0, (0.5,)).as_json()["failure"] is None


def test_failures_and_stops_are_reported() -> None:
    failed = Observation(THREADS, 0, 1, "function", 1.0, failure=Failure("timeout", "no answer"))
    found = summarize(result(*observed(SYNC, 0.1), failed, stops={SYNC.name: "precision"}))
    assert found.cases[0].stop == "precision"
    assert [(f.case, f.kind, f.reason) for f in found.failures] == [(THREADS, "timeout", "no answer")]


def test_the_start_of_a_pool_is_not_taken_from_pools_that_were_forked() -> None:
    processes = Case("w", "default", "processes", 2, 1)
    spawned = observed(processes, 0.1, 0.1, open_seconds=0.4, first_seconds=0.3, pools="spawn")
    forked = [
        replace(one, round=one.round + 2, metadata={**one.metadata, "open_seconds": 0.02, "pools": "fork"})
        for one in spawned
    ]
    found = summarize(result(*observed(SYNC, 0.2, 0.2, 0.2, 0.2), *spawned, *forked)).cases[1]
    assert found.opening is not None
    assert found.opening.value == pytest.approx(0.4)
    assert (found.opening.n, found.estimate.n) == (2, 4)
