"""How contenders' processes are started: with fakes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gilbench.advice import starting
from gilbench.advice.starting import LiveStarter
from gilbench.cases.case import Case
from gilbench.targets.workload import Workload
from gilbench.variables import PARTS, TAKE
from tests.advice.scripted_heats import FACTS, SYNC, THREADS


def test_first_computes_are_not_waited_for_where_threads_get_in_each_other_s_way() -> None:
    starter = LiveStarter(Workload("mine.py:f", "own", "", list, {}), "default", 120.0, {})  # type: ignore[arg-type]
    starter.learn(FACTS)
    assert (starter.rest, starter.opening) == (0.0, math.inf)
    for started in (1.0, 12.0):  # as large libraries take to be imported
        starter.alone_seconds = started
        starter.learn(replace(FACTS, cpu_over_wall=1.9))
        assert starter.rest > 0
        assert 2 * started < starter.opening < 3 * started + 10


def test_a_process_opens_with_the_fewest_tasks_of_its_contenders(monkeypatch: pytest.MonkeyPatch) -> None:
    """It computes before it races, and with thousands of tasks that would take longer than the race."""
    opened: list[tuple[str, str | None]] = []

    class Probed:
        def __init__(self, case: Case, timeout: float, environment: Mapping[str, str]) -> None:
            assert environment[TAKE] == "400"
            opened.append((case.scheduler, environment.get(PARTS)))

        def __enter__(self) -> Probed:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def within(self, seconds: float) -> None:
            assert seconds == 1.0

        def ready(self) -> None:
            pass

    monkeypatch.setattr(starting, "LiveProbed", Probed)
    chunked = replace(THREADS, chunk=100)
    starter = LiveStarter(Workload("mine.py:f", "own", "", list, {}), "default", 1.0, {}, taken=400)  # type: ignore[arg-type]
    with starter.started([THREADS, chunked, SYNC, replace(THREADS, chunk=10)]) as racers:
        assert racers[THREADS] is racers[chunked]
    assert opened == [("threads", "4"), ("sync", None)]
