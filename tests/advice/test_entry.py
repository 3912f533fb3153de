"""Who takes part: chunks, shapes, and what the facts rule out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gilbench.advice import wording
from gilbench.advice.entry import admitted, bound, chunks, contenders, ruled_out, wider
from gilbench.advice.racing import Contender
from tests.advice.scripted_heats import CLUSTER, FACTS, LOKY, PROCESSES, SYNC, THREADS, WAITING, given, held


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
    assert chunks(facts, 1) == one_by_one
    assert chunks(facts, 4) == in_parallel


def test_a_target_with_its_own_tasks_has_no_chunks() -> None:
    assert chunks(replace(FACTS, task_seconds=1e-5), 4) == [1]
    assert contenders("threads", [(1, 4), (1, 2)], FACTS) == [THREADS, Contender("threads", 1, 2)]


def test_threads_are_ruled_out_by_the_gil_only_where_there_is_one() -> None:
    assert ruled_out(THREADS, held(0.99), 0.41, cpus=4) == "the GIL is held 0.99 of the time"
    assert ruled_out(Contender("distributed", 1, 4), held(0.99), 0.41, cpus=4) is not None
    assert ruled_out(THREADS, held(0.5), 0.41, cpus=4) is None
    assert ruled_out(THREADS, replace(FACTS, held=None, gil="disabled"), 0.41, cpus=4) is None
    assert ruled_out(PROCESSES, held(0.99), 0.41, cpus=4) is None


def test_processes_are_ruled_out_where_messages_alone_take_longer() -> None:
    short = replace(FACTS, tasks=4000, task_seconds=1e-5, longest_seconds=1e-5, seconds=0.04, compute_seconds=0.2)
    assert "at the very least" in str(ruled_out(PROCESSES, short, 0.2, cpus=4))
    heavy = replace(FACTS, result_bytes=1e9)
    assert "at the very least" in str(ruled_out(PROCESSES, heavy, 0.41, cpus=4))
    assert ruled_out(SYNC, heavy, 0.1, cpus=4) is None


@pytest.mark.parametrize("contender", [THREADS, PROCESSES, LOKY, CLUSTER])
def test_no_scheduler_is_faster_than_what_dask_does_between_the_tasks(contender: Contender) -> None:
    short = replace(FACTS, tasks=4000, task_seconds=1e-5, longest_seconds=1e-5, seconds=0.04, compute_seconds=3.0)
    assert ruled_out(contender, short, 3.0, cpus=4) == "would take 2.96 s at the very least, another takes 3.00 s"
    assert ruled_out(SYNC, short, 3.0, cpus=4) is None
    fewer = replace(contender, chunk=100)
    assert ruled_out(fewer, replace(short, items=4000, taken=4000), 3.0, cpus=4) is None


def test_nothing_is_raced_where_the_best_leaves_no_room() -> None:
    assert ruled_out(LOKY, FACTS, 0.1, cpus=4) == "no more than 5% to gain: another takes 100 ms"
    assert ruled_out(LOKY, FACTS, 0.2, cpus=4) is None


def test_one_long_task_bounds_all() -> None:
    assert bound(THREADS, replace(FACTS, longest_seconds=0.3), 4) == pytest.approx(0.3)


def test_threads_race_for_large_results_whatever_the_gil() -> None:
    large = replace(held(0.999), result_bytes=4e6)
    best = large.compute_seconds
    assert ruled_out(THREADS, held(0.999), best, cpus=4) == "the GIL is held 1.00 of the time"
    assert ruled_out(THREADS, large, best, cpus=4) is None
    assert ruled_out(THREADS, replace(held(0.6), result_bytes=4e6), 0.6 * best, cpus=4) is None


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
    assert wider(scheduler, WAITING, cpus) == shapes
    assert wider(scheduler, FACTS, cpus) == []
    assert wider(scheduler, replace(WAITING, cpu_over_wall=0.95), cpus) == []


def test_tasks_that_only_wait_get_as_many_threads_as_are_worth_it() -> None:
    asleep = replace(FACTS, tasks=10_000, cpu_over_wall=0.0)
    assert wider("threads", asleep, 2) == [(1, 8), (1, 32)]
    assert wider("threads", asleep, 1) == [(1, 5), (1, 32)]
    assert wider("threads", replace(asleep, tasks=2), 2) == []
    assert wider("threads", replace(WAITING, tasks=24), 2) == [(1, 6), (1, 24)]
    assert wider("processes", replace(WAITING, tasks=4), 2) == [(4, 1)]


def test_a_single_cpu_has_nothing_to_race_unless_tasks_wait() -> None:
    kinds = ["sync", "threads", "processes"]
    assert admitted(kinds, FACTS, 1, 0.41) == ([SYNC], {})
    found, _ = admitted(kinds, replace(WAITING, held=None), 1, 0.41)
    assert [contender.name for contender in found] == ["sync", "threads 1x3", "threads 1x10", "threads 1x32"]


@pytest.mark.parametrize(("busy", "plain"), [(0.45, False), (0.55, True), (1.0, True)])
def test_as_many_workers_as_cpus_have_lost_where_tasks_wait_half_their_time(busy: float, plain: bool) -> None:
    kinds = ["sync", "threads", "processes"]
    found, _ = admitted(kinds, replace(FACTS, held=None, cpu_over_wall=busy), 4, 0.41)
    assert (THREADS in found, PROCESSES in found) == (plain, plain)
    assert SYNC in found
    assert max(contender.parallelism for contender in found) == {0.45: 32, 0.55: 15, 1.0: 4}[busy]
    two = replace(FACTS, tasks=4, held=None, cpu_over_wall=0.1)
    assert THREADS in admitted(kinds, two, 4, 0.41)[0], "there are no more tasks than CPUs"


def test_more_workers_than_cpus_are_bounded_by_the_cpus() -> None:
    wide = Contender("threads", 1, 20)
    assert bound(wide, replace(FACTS, held=None, cpu_over_wall=0.5), 4) == pytest.approx(0.4 * 0.5 / 4)
    assert bound(wide, replace(WAITING, held=None), 4) == pytest.approx(0.4 / 20)
    assert "tasks wait 80% of their time" in wording.page(given({SYNC: 0.4, wide: 0.03}, WAITING))


@pytest.mark.parametrize(
    ("contender", "items", "tasks"),
    [
        (THREADS, 44, 44),
        (replace(THREADS, chunk=6), 44, 8),  # of 5 and 6, two for each thread
        (replace(THREADS, chunk=6), 3, 3),
        (replace(SYNC, chunk=6), 44, 8),
        (Contender("processes", 2, 1, 22), 44, 2),
    ],
)
def test_every_worker_gets_as_many_tasks(contender: Contender, items: int, tasks: int) -> None:
    assert contender.tasks(items) == tasks


def test_a_single_compute_pays_for_the_start() -> None:
    assert bound(CLUSTER, FACTS, 4, once=True) > bound(CLUSTER, FACTS, 4) + 0.4
