"""The race, with contenders whose times are scripted: no clock, no process."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gilbench.advice.racing import Contender, Heat, between, drop, precise, reach, run_heat
from gilbench.process.talk import Broken

SYNC, THREADS, PROCESSES = Contender("sync"), Contender("threads", 1, 4), Contender("processes", 4)


class Scripted:
    """A racer that takes as long as its script says, and raises where the script has a failure instead of seconds."""

    def __init__(self, seconds: Callable[[Contender], float | Broken]) -> None:
        self.seconds = seconds
        self.asked: list[tuple[Contender, float]] = []

    def turn(self, contender: Contender, patience: float) -> float:
        self.asked.append((contender, patience))
        found = self.seconds(contender)
        if isinstance(found, Broken):
            raise found
        return found


def clock() -> Callable[[], float]:
    """Each reading takes a tenth of a second."""
    ticks: Iterator[float] = (number / 10 for number in itertools.count())
    return lambda: next(ticks)


def race(
    times: dict[Contender, float], spread: float = 0.01, seconds: float = 3.0, seed: int = 1
) -> tuple[Heat, Scripted]:
    chance = random.Random(seed)
    racer = Scripted(lambda contender: times[contender] * chance.lognormvariate(0, spread))
    return run_heat(dict.fromkeys(times, racer), seconds, random.Random(seed), clock()), racer


def test_the_hopeless_leave_after_one_turn_the_slow_after_two_the_rest_when_sure() -> None:
    found, racer = race({SYNC: 1.0, THREADS: 0.3, PROCESSES: 0.45})
    assert found.running == [THREADS]
    assert found.left == {SYNC: "left after 1 round", PROCESSES: "left after 2 rounds"}
    turns = [contender for contender, _ in racer.asked]
    assert [turns.count(contender) for contender in (SYNC, PROCESSES)] == [1, 2]


def test_what_is_too_close_to_call_stays() -> None:
    found, _ = race({SYNC: 1.0, THREADS: 0.98, PROCESSES: 1.04})
    assert found.running == [SYNC, THREADS, PROCESSES]
    assert found.left == {}


def test_a_layout_s_worth_of_difference_is_never_sure() -> None:
    """However often it is repeated in the same two processes."""
    layouts = between(THREADS, PROCESSES)
    low, high = reach([0.06, 0.061] * 50, layouts)
    assert low < math.log(1.05) < high
    assert reach([0.06, 0.061, 0.06], layouts)[0] < low


def test_other_chunks_in_the_same_process_share_its_layout() -> None:
    chunked = replace(PROCESSES, chunk=8)
    low, high = reach([0.08, 0.081] * 50, between(PROCESSES, chunked))
    assert math.log(1.05) < low < 0.0805 < high


def test_it_ends_when_more_rounds_would_add_nothing() -> None:
    quiet, _ = race({SYNC: 1.0, THREADS: 1.0}, spread=0.001)
    noisy, _ = race({SYNC: 1.0, THREADS: 1.0}, spread=0.2)
    assert len(quiet.times[SYNC]) == 3
    assert len(noisy.times[SYNC]) > 6


def test_it_ends_in_time_but_not_before_one_round() -> None:
    found, _ = race({SYNC: 1.0, THREADS: 1.0}, spread=0.5, seconds=0.0)
    assert len(found.times[SYNC]) == 1


@pytest.mark.parametrize(("seconds", "rounds"), [(0.05, 1), (0.12, 2), (0.2, 3), (0.5, 4)])
def test_it_lasts_twice_as_long_where_rounds_are_too_few(seconds: float, rounds: int) -> None:
    found, _ = race({SYNC: 1.0, THREADS: 1.0}, spread=0.5, seconds=seconds)
    assert len(found.times[SYNC]) == rounds


def test_every_round_has_a_random_order() -> None:
    _, racer = race({SYNC: 1.0, THREADS: 1.0, PROCESSES: 1.0}, spread=0.3)
    order = [contender for contender, _ in racer.asked]
    rounds = {tuple(order[at : at + 3]) for at in range(0, len(order) - 2, 3)}
    assert len(rounds) > 2


def test_who_takes_too_long_has_lost_and_who_fails_cannot_run() -> None:
    answers: dict[Contender, float | Broken] = {
        SYNC: 1.0,
        THREADS: Broken("timeout", "no answer within 3 s"),
        PROCESSES: Broken("raised", "PicklingError: no"),
    }
    found = run_heat(dict.fromkeys(answers, Scripted(answers.__getitem__)), 3.0, random.Random(1), clock())
    assert found.left == {THREADS: "too slow to wait for"}
    assert found.failed == {PROCESSES: "PicklingError: no"}
    assert found.leader() is SYNC
    assert found.median(THREADS) == math.inf


def test_patience_is_bounded_by_the_best_time() -> None:
    """A contender that takes ten times as long must not cost ten times as much."""
    found, racer = race({SYNC: 10.0, THREADS: 1.0, PROCESSES: 9.0}, seed=3)
    assert found.running == [THREADS]
    first = dict(reversed(racer.asked))
    turns = [contender for contender, _ in racer.asked]
    after_threads = turns[turns.index(THREADS) + 1 :]
    assert all(first[contender] < 10 for contender in after_threads if contender is not THREADS)


def test_newcomers_are_given_no_more_time_than_they_need_to_beat_the_leader() -> None:
    before, _ = race({THREADS: 1.0})
    racer = Scripted(lambda contender: 1.0)
    run_heat({PROCESSES: racer}, 1.0, random.Random(1), clock(), rivals=before)
    assert racer.asked[0][1] < 10


def test_drop_needs_a_leader() -> None:
    state = Heat({SYNC: [None], THREADS: [None]})
    drop(state, 1)
    assert state.running == [SYNC, THREADS]


def test_precise_looks_at_the_spread_within() -> None:
    tight = Heat({SYNC: [1.0, 1.01, 1.0, 1.01], THREADS: [1.02, 1.02, 1.03, 1.02]})
    loose = Heat({SYNC: [1.0, 1.3, 0.8, 1.0], THREADS: [1.02, 0.8, 1.2, 1.02]})
    assert precise(tight)
    assert not precise(loose)


@pytest.mark.parametrize(
    ("contender", "name"),
    [(SYNC, "sync"), (THREADS, "threads 1x4"), (Contender("processes", 4, 1, 16), "processes 4x1, 16 items per task")],
)
def test_names(contender: Contender, name: str) -> None:
    assert contender.name == name
