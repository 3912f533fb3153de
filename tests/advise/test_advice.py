"""What is advised, and in which words: from scripted heats and facts."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gilbench.advise import advice as words
from gilbench.advise import advisor as session
from gilbench.advise.advice import Advice, Facts
from gilbench.advise.advisor import BUDGET, HEAT, Room, Stable, admitted, advised, fits, lost, processes, warm_race
from gilbench.advise.racing import Contender, Heat, Racer
from gilbench.cases.case import Case
from gilbench.errors import UserError
from gilbench.stats import Estimate
from gilbench.targets.workload import Workload
from gilbench.variables import PARTS, TAKE

SYNC, THREADS, PROCESSES = Contender("sync"), Contender("threads", 1, 4), Contender("processes", 4)
LOKY, CLUSTER = Contender("loky", 4), Contender("distributed", 4)
FACTS = Facts(
    tasks=40,
    task_seconds=0.01,
    longest_seconds=0.011,
    seconds=0.4,
    compute_seconds=0.41,
    cpu_over_wall=1.0,
    result_bytes=100.0,
    held=Estimate(0.5, 0.48, 0.52, 1000),
)


def heats(times: dict[Contender, float], count: int = 2, noise: float = 0.01) -> list[Heat]:
    """Heats whose rounds differ by the noise, up for one contender when it is down for the next."""
    return [
        Heat(
            {
                one: [value * (1 + sign), value, value * (1 - sign), value]
                for (one, value), sign in zip(times.items(), itertools.cycle((noise, -noise)), strict=False)
            }
        )
        for _ in range(count)
    ]


def given(
    times: dict[Contender, float], facts: Facts = FACTS, count: int = 2, noise: float = 0.01, once: bool = False
) -> Advice:
    return replace(advised("mine.py:f", facts, heats(times, count, noise), {}, once), cpus=4)


def held(value: float) -> Facts:
    return replace(FACTS, held=Estimate(value, value - 0.01, value + 0.01, 1000))


# --- Who takes part


@pytest.mark.parametrize(
    ("seconds", "items", "taken", "one_by_one", "in_parallel"),
    [
        (0.05, 400, 8, [1], [1]),  # long tasks gain nothing
        (0.02, 400, 40, [1], [2, 10]),  # four tasks for each of four workers, or one
        (1e-4, 16000, 8000, [500], [500, 2000]),
        (1e-4, 8000, 4000, [500], [250, 1000]),
        (1e-4, 64000, 32000, [500], [500, 8000]),  # more than four, where they are long enough
        (1e-4, 160, 160, [160], [10, 40]),
        (1e-4, 8, 8, [8], [1, 2]),
        (1e-4, 1, 1, [1], [1]),
    ],
)
def test_chunks_make_tasks_long_enough_and_leave_enough_of_them(
    seconds: float, items: int, taken: int, one_by_one: list[int], in_parallel: list[int]
) -> None:
    facts = replace(FACTS, items=items, taken=taken, tasks=taken, task_seconds=seconds)
    assert words.chunks(facts, 1) == one_by_one
    assert words.chunks(facts, 4) == in_parallel


def test_a_target_with_its_own_tasks_has_no_chunks() -> None:
    assert words.chunks(replace(FACTS, task_seconds=1e-5), 4) == [1]
    assert words.entries("threads", [(1, 4), (1, 2)], FACTS) == [THREADS, Contender("threads", 1, 2)]


def test_threads_are_ruled_out_by_the_gil_only_where_there_is_one() -> None:
    assert words.ruled_out(THREADS, held(0.99), 0.41, cpus=4) == "the GIL is held 0.99 of the time"
    assert words.ruled_out(Contender("distributed", 1, 4), held(0.99), 0.41, cpus=4) is not None
    assert words.ruled_out(THREADS, held(0.5), 0.41, cpus=4) is None
    assert words.ruled_out(THREADS, replace(FACTS, held=None, gil="disabled"), 0.41, cpus=4) is None
    assert words.ruled_out(PROCESSES, held(0.99), 0.41, cpus=4) is None


def test_processes_are_ruled_out_where_messages_alone_take_longer() -> None:
    short = replace(FACTS, tasks=4000, task_seconds=1e-5, longest_seconds=1e-5, seconds=0.04, compute_seconds=0.2)
    assert "at the very least" in str(words.ruled_out(PROCESSES, short, 0.2, cpus=4))
    heavy = replace(FACTS, result_bytes=1e9)
    assert "at the very least" in str(words.ruled_out(PROCESSES, heavy, 0.41, cpus=4))
    assert words.ruled_out(SYNC, heavy, 0.1, cpus=4) is None


@pytest.mark.parametrize("one", [THREADS, PROCESSES, LOKY, CLUSTER])
def test_no_scheduler_is_faster_than_what_dask_does_between_the_tasks(one: Contender) -> None:
    short = replace(FACTS, tasks=4000, task_seconds=1e-5, longest_seconds=1e-5, seconds=0.04, compute_seconds=3.0)
    assert words.ruled_out(one, short, 3.0, cpus=4) == "would take 2.96 s at the very least, another takes 3.00 s"
    assert words.ruled_out(SYNC, short, 3.0, cpus=4) is None
    fewer = replace(one, chunk=100)
    assert words.ruled_out(fewer, replace(short, items=4000, taken=4000), 3.0, cpus=4) is None


def test_nothing_is_raced_where_the_best_leaves_no_room() -> None:
    assert words.ruled_out(LOKY, FACTS, 0.1, cpus=4) == "no more than 5% to gain: another takes 100 ms"
    assert words.ruled_out(LOKY, FACTS, 0.2, cpus=4) is None


def test_one_long_task_bounds_all() -> None:
    assert words.bound(THREADS, replace(FACTS, longest_seconds=0.3), 4) == pytest.approx(0.3)


def test_threads_race_for_large_results_whatever_the_gil() -> None:
    large = replace(held(0.999), result_bytes=4e6)
    best = large.compute_seconds
    assert words.ruled_out(THREADS, held(0.999), best, cpus=4) == "the GIL is held 1.00 of the time"
    assert words.ruled_out(THREADS, large, best, cpus=4) is None
    assert words.ruled_out(THREADS, replace(held(0.6), result_bytes=4e6), 0.6 * best, cpus=4) is None


WAITING = replace(FACTS, cpu_over_wall=0.2)


@pytest.mark.parametrize(
    ("scheduler", "cpus", "shapes"),
    [
        (
            "threads",
            2,
            [(1, 6), (1, 20), (1, 32)],
        ),  # ten that are busy for a fifth of the time might keep two CPUs busy
        ("threads", 16, [(1, 25), (1, 40)]),  # there are no more tasks than that
        ("processes", 2, [(8, 1)]),  # each costs memory
        ("distributed", 2, [(2, 8)]),  # the event loop shares the GIL with them
        ("loky", 2, [(4, 1)]),
        ("sync", 2, []),
    ],
)
def test_tasks_that_wait_get_more_workers_than_cpus(scheduler: str, cpus: int, shapes: list[tuple[int, int]]) -> None:
    assert words.wider(scheduler, WAITING, cpus) == shapes
    assert words.wider(scheduler, FACTS, cpus) == []
    assert words.wider(scheduler, replace(WAITING, cpu_over_wall=0.95), cpus) == []


def test_tasks_that_only_wait_get_as_many_threads_as_are_worth_it() -> None:
    asleep = replace(FACTS, tasks=10_000, cpu_over_wall=0.0)
    assert words.wider("threads", asleep, 2) == [(1, 8), (1, 32)]
    assert words.wider("threads", asleep, 1) == [(1, 5), (1, 32)]
    assert words.wider("threads", replace(asleep, tasks=2), 2) == []
    assert words.wider("threads", replace(WAITING, tasks=24), 2) == [(1, 6), (1, 24)]
    assert words.wider("processes", replace(WAITING, tasks=4), 2) == [(4, 1)]


def test_a_single_cpu_has_nothing_to_race_unless_tasks_wait() -> None:
    kinds = ["sync", "threads", "processes"]
    assert admitted(kinds, FACTS, 1, 0.41, {}) == [SYNC]
    found = admitted(kinds, replace(WAITING, held=None), 1, 0.41, {})
    assert [one.name for one in found] == ["sync", "threads 1x3", "threads 1x10", "threads 1x32"]


@pytest.mark.parametrize(("busy", "plain"), [(0.45, False), (0.55, True), (1.0, True)])
def test_as_many_workers_as_cpus_have_lost_where_tasks_wait_half_their_time(busy: float, plain: bool) -> None:
    kinds = ["sync", "threads", "processes"]
    found = admitted(kinds, replace(FACTS, held=None, cpu_over_wall=busy), 4, 0.41, {})
    assert (THREADS in found, PROCESSES in found) == (plain, plain)
    assert SYNC in found
    assert max(one.parallelism for one in found) == {0.45: 32, 0.55: 15, 1.0: 4}[busy]
    two = replace(FACTS, tasks=4, held=None, cpu_over_wall=0.1)
    assert THREADS in admitted(kinds, two, 4, 0.41, {}), "there are no more tasks than CPUs"


def test_more_workers_than_cpus_are_bounded_by_the_cpus() -> None:
    wide = Contender("threads", 1, 20)
    assert words.bound(wide, replace(FACTS, held=None, cpu_over_wall=0.5), 4) == pytest.approx(0.4 * 0.5 / 4)
    assert words.bound(wide, replace(WAITING, held=None), 4) == pytest.approx(0.4 / 20)
    assert "tasks wait 80% of their time" in words.page(given({SYNC: 0.4, wide: 0.03}, WAITING))


@pytest.mark.parametrize(
    ("one", "items", "tasks"),
    [
        (THREADS, 44, 44),
        (replace(THREADS, chunk=6), 44, 8),  # of 5 and 6, two for each thread
        (replace(THREADS, chunk=6), 3, 3),
        (replace(SYNC, chunk=6), 44, 8),
        (Contender("processes", 2, 1, 22), 44, 2),
    ],
)
def test_every_worker_gets_as_many_tasks(one: Contender, items: int, tasks: int) -> None:
    assert one.tasks(items) == tasks


def test_other_processes_need_not_start_where_processes_lost_by_far() -> None:
    (close,) = heats({SYNC: 1.0, THREADS: 0.5, PROCESSES: 0.9}, count=1)
    assert lost(close) is None
    (far,) = heats({SYNC: 1.0, THREADS: 0.5, PROCESSES: 1.5, replace(PROCESSES, chunk=4): 1.2}, count=1)
    assert lost(far) == "processes 4x1, 4 items per task takes 2.4x as long as threads 1x4"
    (without,) = heats({SYNC: 1.0, THREADS: 0.5}, count=1)
    assert lost(without) is None


class Slow:
    """Opens nothing, in so many seconds for each process, by a clock of its own; closing takes none."""

    def __init__(self, each: float) -> None:
        self.each, self.now = each, 0.0

    @contextmanager
    def opened(self, contenders: Sequence[Contender]) -> Iterator[Mapping[Contender, Racer]]:
        self.now += self.each * processes(contenders)
        yield {}


def test_nothing_new_begins_that_would_not_end_in_time() -> None:
    slow = Slow(each=1.0)
    room = Room(0.0, lambda: slow.now)
    with room.opened(slow, [SYNC, THREADS, PROCESSES]):
        assert slow.now == 3 + 4  # and the four workers
    slow.now = BUDGET - HEAT - 2.5  # enough for two processes and the race
    assert room.for_another([SYNC, THREADS], 0.1)
    assert room.for_another([THREADS, replace(THREADS, chunk=4)], 0.1)
    assert not room.for_another([SYNC, THREADS], 2.0)  # computes so long that three rounds of them take longer
    assert room.for_another([SYNC], 0.6)
    assert not room.for_another([SYNC], 0.6, known=2)
    assert not room.for_another([PROCESSES], 0.1)


class Opened:
    """Notes what is opened, set by set; every turn takes as long."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []

    @contextmanager
    def opened(self, contenders: Sequence[Contender]) -> Iterator[Mapping[Contender, Racer]]:
        self.sets.append([one.scheduler for one in contenders])
        yield dict.fromkeys(contenders, self)

    def turn(self, contender: Contender, patience: float) -> float:
        return 1.0 if contender.scheduler == "sync" else 0.9


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
    opens = Opened()
    facts = replace(FACTS, cpu_over_wall=own, seconds=1.0, compute_seconds=1.0, held=Estimate(0.1, 0.1, 0.1, 9))
    warm_race(opens, facts, lambda line: None, Room(0.0, lambda: 1.0), cpus=4, seed=1)
    assert [set(schedulers) for schedulers in opens.sets[:2]] == [first, second]


def test_first_computes_are_not_waited_for_where_threads_get_in_each_other_s_way() -> None:
    stable = Stable(Workload("mine.py:f", "own", "", list, {}), "default", 120.0, {})  # type: ignore[arg-type]
    stable.learn(FACTS)
    assert (stable.pause, stable.opening) == (0.0, math.inf)
    for started in (1.0, 12.0):  # as large libraries take to be imported
        stable.started = started
        stable.learn(replace(FACTS, cpu_over_wall=1.9))
        assert stable.pause > 0
        assert 2 * started < stable.opening < 3 * started + 10


def test_where_time_is_short_those_race_that_promise_most() -> None:
    """Of equal ones the simplest scheduler's; all chunks of a process, or none of it."""
    slow = Slow(each=1.0)
    room = Room(0.0, lambda: slow.now)
    with room.opened(slow, [SYNC]):
        pass
    loky, cluster, threaded = Contender("loky", 2), Contender("distributed", 2), Contender("distributed", 1, 2)
    chunked = replace(loky, chunk=4)
    entered = [threaded, cluster, loky, chunked]
    for left, expected in ((13.0, entered), (9.0, [loky, chunked, cluster]), (5.5, [loky, chunked]), (4.0, [])):
        slow.now = BUDGET - left
        assert set(fits(entered, room, held(0.9), 2, best=0.2, known=1)) == set(expected), left


def test_a_single_compute_pays_for_the_start() -> None:
    assert words.bound(CLUSTER, FACTS, 4, once=True) > words.bound(CLUSTER, FACTS, 4) + 0.4


# --- Who won


def test_the_fastest_is_advised() -> None:
    found = given({SYNC: 0.4, THREADS: 0.11, PROCESSES: 0.2})
    assert (found.chosen, found.verdict) == (THREADS, "best")
    assert found.speedup.value == pytest.approx(0.4 / 0.11, rel=0.01)
    assert found.speedup.low < 0.4 / 0.11 < found.speedup.high


@pytest.mark.parametrize(
    ("times", "chosen"),
    [
        ({SYNC: 1.0, THREADS: 0.99, PROCESSES: 1.01}, SYNC),
        ({SYNC: 1.0, THREADS: 0.51, PROCESSES: 0.50}, THREADS),
        ({SYNC: 1.0, PROCESSES: 0.51, LOKY: 0.505, CLUSTER: 0.5}, PROCESSES),
    ],
)
def test_within_five_percent_there_is_no_difference_and_the_simpler_is_taken(
    times: dict[Contender, float], chosen: Contender
) -> None:
    found = given(times)
    assert (found.chosen, found.verdict) == (chosen, "no difference")
    assert "no difference within 5 %" in words.outcome(found)


def test_beyond_five_percent_the_faster_is_taken() -> None:
    found = given({SYNC: 1.0, THREADS: 0.55, PROCESSES: 0.5})
    assert (found.chosen, found.verdict) == (PROCESSES, "best")


def test_it_cannot_tell_where_noise_leaves_a_quarter_open() -> None:
    found = given({SYNC: 1.0, THREADS: 1.02}, count=1, noise=0.5)
    assert found.verdict == "cannot tell"
    assert words.outcome(found).startswith("cannot tell")


def test_a_chunk_needs_a_reason() -> None:
    facts = replace(FACTS, items=400, taken=400)
    plain, chunked = THREADS, replace(THREADS, chunk=10)
    assert given({SYNC: 1.0, plain: 0.5, chunked: 0.495}, facts).chosen == plain
    assert given({SYNC: 1.0, plain: 0.6, chunked: 0.5}, facts).chosen == chunked


def test_who_has_left_is_not_chosen_and_who_failed_is_named() -> None:
    found = heats({SYNC: 0.4, THREADS: 0.3})[:1]
    found[0].times[PROCESSES] = [None]
    found[0].failed[PROCESSES] = "PicklingError: cannot pickle"
    advice = advised("mine.py:f", FACTS, found, {}, once=False)
    assert advice.chosen == THREADS
    assert advice.status[PROCESSES] == "PicklingError: cannot pickle"
    assert "PicklingError" in words.page(advice)


def test_nothing_that_runs_is_an_error() -> None:
    nothing = Heat({SYNC: [None]}, failed={SYNC: "raised"})
    with pytest.raises(UserError, match=r"'mine.py:f' could not be raced: raised"):
        advised("mine.py:f", FACTS, [nothing], {SYNC: "raised"}, once=False)


def test_speed_up_of_one_that_never_met_sync_goes_by_way_of_a_third() -> None:
    first = heats({SYNC: 1.0, THREADS: 0.5}, count=1)
    second = heats({THREADS: 0.5, CLUSTER: 0.25}, count=1)
    all_ = words.speedups_over_sync([*first, *second])
    found, direct = all_[CLUSTER], all_[THREADS]
    assert found
    assert direct
    assert found.value == pytest.approx(4.0, rel=0.01)
    assert found.high / found.low > direct.high / direct.low


def test_those_too_close_race_again_one_of_each_scheduler_and_three_at_most() -> None:
    found = heats({SYNC: 1.0, THREADS: 0.5, PROCESSES: 0.52, LOKY: 0.5, CLUSTER: 0.53}, count=1)
    found[-1].left[SYNC] = "left after 2 rounds"
    again = words.undecided(found)
    assert len(again) == words.CLOSEST
    assert len({one.scheduler for one in again}) == len(again)
    clear = heats({THREADS: 0.5, PROCESSES: 0.8}, count=1)
    assert words.undecided(clear) == []


def test_other_chunks_race_again_while_they_may_be_better() -> None:
    chunked = replace(THREADS, chunk=4)
    assert words.undecided(heats({THREADS: 0.5, chunked: 0.51}, noise=0.1)) == [THREADS, chunked]
    assert words.undecided(heats({THREADS: 0.5, chunked: 0.51}, noise=0.001)) == []  # no better than by 3 %
    other = replace(PROCESSES, chunk=4)
    found = words.undecided(heats({THREADS: 0.5, PROCESSES: 0.51, other: 0.511}, count=1, noise=0.1))
    assert found == [THREADS, PROCESSES, other]


# --- Processes


def test_a_process_opens_with_the_fewest_tasks_of_its_contenders(monkeypatch: pytest.MonkeyPatch) -> None:
    """It computes before it races: thousands of tasks would take longer than the race."""
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

    monkeypatch.setattr(session, "LiveProbed", Probed)
    chunked = replace(THREADS, chunk=100)
    stable = Stable(Workload("mine.py:f", "own", "", list, {}), "default", 1.0, {}, taken=400)  # type: ignore[arg-type]
    with stable.opened([THREADS, chunked, SYNC, replace(THREADS, chunk=10)]) as racers:
        assert racers[THREADS] is racers[chunked]
    assert opened == [("threads", "4"), ("sync", None)]


# --- In words


def test_the_page_is_one_screen_and_has_all_parts() -> None:
    facts = replace(held(0.97), items=4000, taken=400, result_bytes=5e5, switches=38_000.0)
    times = {SYNC: 0.4, THREADS: 0.6, PROCESSES: 0.2, LOKY: 0.22, CLUSTER: 0.9}
    page = words.page(given(times, facts))
    assert len(page.splitlines()) < 30
    assert max(map(len, page.splitlines())) < 150
    for part in (
        "mine.py:f: processes: 4 processes of one thread each",
        "as fast as one task after the other",
        "GIL held 0.97 of the time (0.96 to 0.98): threads can give at most 1.03x",
        "38,000 GIL switches a second",
        "40 items (of 4000) of 10.0 ms; each returns 488 KiB",
        "have to be copied",
        "tasks of 10.0 ms lose 10.0 ms each there",
        "what would change it",
        "free-threaded Python",
        "--once",
        "ProcessPoolExecutor(4",
    ):
        assert part in page, part


def test_items_that_were_not_looked_at_may_be_longer() -> None:
    """And what a scheduler loses is then reckoned from all of them."""
    facts = replace(FACTS, items=40, taken=40)
    told = words.reasons(given({SYNC: 1.2, PROCESSES: 0.4}, facts))
    assert any(line.startswith("all of them take 1.20 s, 3.0 times as long") for line in told)
    assert "processes 4x1: tasks of 30.0 ms lose 10.0 ms each there" in "\n".join(told)
    assert not any("made expect" in line for line in words.reasons(given({SYNC: 0.42, PROCESSES: 0.2}, facts)))
    assert not any(
        "made expect" in line for line in words.reasons(given({SYNC: 1.2, PROCESSES: 0.2}))
    )  # sync's own cost


@pytest.mark.parametrize("chosen", [SYNC, THREADS, PROCESSES, LOKY, CLUSTER, replace(PROCESSES, chunk=8)])
@pytest.mark.parametrize("items", [None, 100])
@pytest.mark.parametrize("once", [False, True])
def test_the_code_is_python(chosen: Contender, items: int | None, once: bool) -> None:
    facts = replace(FACTS, items=items, taken=items)
    found = given({SYNC: 1.0, chosen: 0.5 if chosen != SYNC else 1.0}, facts, once=once)
    assert found.chosen == chosen
    compile("\n".join(words.code(found)), "code", "exec")


@pytest.mark.parametrize("chunk", [1, 8])
@pytest.mark.parametrize("items", [8, 100])
def test_the_code_computes_what_it_should(chunk: int, items: int) -> None:
    """What is advised for threads, run as it stands."""
    one = replace(THREADS, chunk=chunk)
    found = given({SYNC: 1.0, one: 0.5}, replace(FACTS, items=items, taken=items))
    space: dict[str, object] = {"f": lambda x: x * x, "items": range(items)}
    exec("\n".join(words.code(found)), space)
    assert list(space["results"]) == [x * x for x in range(items)]  # type: ignore[call-overload]


@pytest.mark.serial
@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("scheduler", ["processes", "loky", "distributed"])
def test_the_code_is_a_program_also_with_processes(scheduler: str, once: bool, tmp_path: Path) -> None:
    """Pasted under a function and its items, in a file of its own: processes import it again."""
    one = Contender(scheduler, 2, 1, 8)
    lines = words.code(given({SYNC: 1.0, one: 0.5}, replace(FACTS, items=100, taken=100), once=once))
    program = tmp_path / "mine.py"
    program.write_text(
        "\n".join(["def f(x): return x * x", "items = range(100)", *lines, "    print(sum(results), len(results))"])
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == [str(sum(x * x for x in range(100))), "100"], done.stderr


@pytest.mark.parametrize(
    ("facts", "times", "change"),
    [
        (replace(held(0.9), object_text=True), {SYNC: 0.4}, "dtype=str"),
        (replace(held(0.1), cpu_over_wall=1.8), {SYNC: 0.4}, "OMP_NUM_THREADS"),
        (replace(held(0.1), cpu_over_wall=1.8), {SYNC: 0.4, CLUSTER: 0.2}, "do as well as a cluster"),
        (held(0.9), {SYNC: 0.4, PROCESSES: 0.2}, "free-threaded"),
        (replace(held(0.9), tasks=4000, seconds=0.4), {SYNC: 0.4}, "bigger tasks"),
        (replace(held(0.9), result_bytes=1e7), {SYNC: 0.4}, "smaller results"),
    ],
)
def test_what_would_change_the_answer(facts: Facts, times: dict[Contender, float], change: str) -> None:
    assert any(change in line for line in words.changes(given(times, facts)))


def test_without_a_gil_it_is_not_blamed() -> None:
    found = given({SYNC: 0.4, THREADS: 0.1}, replace(FACTS, held=None, gil="disabled"))
    assert "runs without a GIL" in words.reasons(found)[0]
    assert not any("free-threaded" in line for line in words.changes(found))


def test_an_unknown_gil_is_no_guess() -> None:
    found = given({SYNC: 0.4, THREADS: 0.1}, replace(FACTS, held=None, gil="calibration failed"))
    assert words.reasons(found)[0] == "GIL unknown: calibration failed"


def test_data_is_json_and_complete() -> None:
    found = given({SYNC: 0.4, THREADS: 0.1, PROCESSES: 0.2})
    data = json.loads(json.dumps(words.as_data(found)))
    assert data["advice"] == {"scheduler": "threads", "workers": 1, "threads": 4, "chunk": 1}
    assert data["verdict"] == "best"
    assert {one["scheduler"] for one in data["contenders"]} == {"sync", "threads", "processes"}
    assert data["speedup"]["low"] < data["speedup"]["value"] < data["speedup"]["high"]
    assert all(math.isfinite(one["seconds"]) for one in data["contenders"])
