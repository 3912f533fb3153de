"""Which heats are run, with which contenders, in the time that is left: with scripted processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gilbench.advice.contest import in_time, warm_race
from gilbench.advice.entry import processes
from gilbench.advice.racing import Contender, Racer
from gilbench.advice.starting import TimeLeft
from gilbench.advice.thresholds import RACE
from gilbench.stats import Estimate
from tests.advice.scripted_heats import FACTS, PROCESSES, SYNC, THREADS, held


class Slow:
    """Starts nothing, and takes `each` seconds for each process by a clock of its own; ending takes none."""

    def __init__(self, each: float) -> None:
        self.each, self.now = each, 0.0

    @contextmanager
    def started(self, contenders: Sequence[Contender]) -> Iterator[Mapping[Contender, Racer]]:
        self.now += self.each * processes(contenders)
        yield {}


class Noting:
    """Notes what is started, set by set. Every turn under one scheduler takes equally long."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []

    @contextmanager
    def started(self, contenders: Sequence[Contender]) -> Iterator[Mapping[Contender, Racer]]:
        self.sets.append([contender.scheduler for contender in contenders])
        yield dict.fromkeys(contenders, self)

    def turn(self, contender: Contender, patience: float) -> float:
        return 1.0 if contender.scheduler == "sync" else 0.9


def test_nothing_new_begins_that_would_not_end_in_time() -> None:
    slow = Slow(each=1.0)
    left = TimeLeft(0.0, lambda: slow.now)
    with left.started(slow, [SYNC, THREADS, PROCESSES]):
        assert slow.now == 3 + 4  # and the four workers
    slow.now = RACE.budget - RACE.heat - 2.5  # enough for two processes and the race
    assert left.for_another([SYNC, THREADS], 0.1)
    assert left.for_another([THREADS, replace(THREADS, chunk=4)], 0.1)
    assert not left.for_another([SYNC, THREADS], 2.0)  # computes so long that three rounds of them take longer
    assert left.for_another([SYNC], 0.6)
    assert not left.for_another([SYNC], 0.6, known=2)
    assert not left.for_another([PROCESSES], 0.1)


@pytest.mark.parametrize(
    ("own", "first", "second"),
    [
        (1.0, {"sync", "threads", "processes"}, {"loky", "distributed"}),
        (1.9, {"sync", "threads", "distributed"}, {"processes", "loky"}),  # which pins what the pools do not
    ],
)
def test_slow_starters_race_later_and_pools_do_where_tasks_have_threads(
    own: float, first: set[str], second: set[str]
) -> None:
    starter = Noting()
    facts = replace(FACTS, cpu_over_wall=own, seconds=1.0, compute_seconds=1.0, held=Estimate(0.1, 0.1, 0.1, 9))
    warm_race(starter, facts, lambda line: None, TimeLeft(0.0, lambda: 1.0), cpus=4, seed=1)
    assert [set(schedulers) for schedulers in starter.sets[:2]] == [first, second]


def test_where_time_is_short_those_race_that_promise_most() -> None:
    """Of equal ones, those of the simplest scheduler; of each process, all chunks or none."""
    slow = Slow(each=1.0)
    left = TimeLeft(0.0, lambda: slow.now)
    with left.started(slow, [SYNC]):
        pass
    loky, cluster, threaded = Contender("loky", 2), Contender("distributed", 2), Contender("distributed", 1, 2)
    chunked = replace(loky, chunk=4)
    entered = [threaded, cluster, loky, chunked]
    for seconds, expected in ((13.0, entered), (9.0, [loky, chunked, cluster]), (5.5, [loky, chunked]), (4.0, [])):
        slow.now = RACE.budget - seconds
        assert set(in_time(entered, left, held(0.9), 2, best=0.2, known=1)) == set(expected), seconds


def test_where_nothing_starts_there_is_no_heat() -> None:
    slow = Slow(each=1.0)
    heats, _ = warm_race(slow, FACTS, lambda line: None, TimeLeft(0.0, lambda: slow.now), cpus=4, seed=1)
    assert heats == []
