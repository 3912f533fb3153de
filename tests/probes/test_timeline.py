"""The timeline probe: what each task records, what is made of it, and a real compute under many schedulers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from operator import add, mul
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gilbench.cases.case import Case
from gilbench.probes import Found, Question, Scene, Unavailable, all_probes, timeline_probe
from gilbench.probes.timeline_probe import Timeline
from gilbench.targets.workload import NO_ANSWER, Job

MS = 10**6  # ns


def found(*tasks: tuple[str, int, int, float, float], seconds: float, workers: int = 2, **more: Any) -> Found:
    """What the probe finds, of tasks that were on a CPU all the time unless said otherwise."""
    cpu = sum(end - start for *_, start, end in tasks)
    data = {"planned": len(tasks), "cpu_seconds": cpu, "computes": [seconds], **more}
    return {"tasks": [list(task) for task in tasks], "seconds": seconds, "workers": workers, **data}


def a_timeline(*tasks: tuple[str, int, int, float, float], seconds: float, **more: Any) -> Timeline:
    timeline_ = Timeline.of(found(*tasks, seconds=seconds, **more))
    assert timeline_ is not None
    return timeline_


SYNC = found(*(("work", 0, 0, i / 100, (i + 1) / 100) for i in range(8)), seconds=0.08, workers=1)
THREADS = found(*(("work", 0, i % 2, i // 2 / 50, (i // 2 + 1) / 50) for i in range(8)), seconds=0.08, cpu_seconds=0.08)


def scene(job: Job, scheduler: Any, case: Case | None = None) -> Scene:
    opened: Any = SimpleNamespace(keywords={"scheduler": scheduler} if scheduler else {}, settle=None)
    nothing: Any = None
    case = case or Case("w", "tiny", "threads", 1, 2)
    return Scene(case, nothing, job, nothing, opened, list, 0.0)


def delayed_job(answer: Any = NO_ANSWER) -> Job:
    from dask import delayed

    parts = [delayed(mul)(number, number) for number in range(4)]
    return Job(collections=[delayed(sum)(parts)], answer=answer)


# --- A compute that is watched


def test_a_compute_that_is_watched_gives_the_same_as_one_that_is_not(tmp_path: Path) -> None:
    from dask.local import get_sync

    recorded = timeline_probe.record_tasks(scene(delayed_job([14]), get_sync), str(tmp_path))
    assert [task[:3] for task in recorded["tasks"]] == [["mul", 0, 0]] * 4 + [["sum", 0, 0]]
    assert recorded["planned"] == 5
    assert recorded["workers"] == 2
    assert recorded["cpu_seconds"] >= 0
    with pytest.raises(Unavailable, match=r"the answer of the watched compute differs from the right one: .*14"):
        timeline_probe.record_tasks(scene(delayed_job([15]), get_sync), str(tmp_path))


@pytest.mark.parametrize("together", [True, False])
def test_without_a_scheduler_each_collection_has_its_own(tmp_path: Path, together: bool) -> None:
    import dask.array as da
    from dask import delayed

    job = Job(collections=[delayed(add)(1, 2), da.ones(4, chunks=2).sum()], answer=[3, 4.0], together=together)
    recorded = timeline_probe.record_tasks(scene(job, None), str(tmp_path))
    assert len(recorded["tasks"]) == recorded["planned"] >= 3


def test_dask_says_which_results_it_had_already() -> None:
    """The records of a scheduler that did not run all tasks: fewer than planned, and format says so."""
    lines = list(timeline_probe.format({"threads": {**THREADS, "planned": 12}}))
    assert "8 tasks (of 12: dask still had the others' results), " in lines[0]


# --- Times since the start


def test_workers_are_numbered_as_they_come_to_work() -> None:
    names = ["first", "second", "third", "late"]
    records = [
        (3, 70, 5, 108 * MS, 109 * MS, 0),
        (0, 90, 9, 101 * MS, 104 * MS, 0),
        (1, 70, 7, 102 * MS, 103 * MS, 0),
        (2, 90, 7, 105 * MS, 110 * MS, 0),
    ]
    assert timeline_probe.relative(records, names, 100 * MS, 110 * MS) == [
        ["first", 0, 0, 0.001, 0.004],
        ["second", 1, 0, 0.002, 0.003],
        ["third", 0, 1, 0.005, 0.010],
        ["late", 1, 1, 0.008, 0.009],
    ]


@pytest.mark.parametrize(("start", "end"), [(99, 105), (101, 111), (106, 105)])
def test_clocks_that_disagree_are_reported(start: int, end: int) -> None:
    with pytest.raises(Unavailable, match="clocks"):
        timeline_probe.relative([(0, 1, 1, start * MS, end * MS, 0)], ["x"], 100 * MS, 110 * MS)


class Answers:
    """A probed process that is scripted."""

    pid = 1
    case = Case("w", "tiny", "sync")

    def __init__(self, *seconds: float) -> None:
        self.seconds, self.folders = list(seconds), list[Path]()

    def pose(self, question: Question, **what: Any) -> None:
        raise NotImplementedError

    def answer(self) -> Found:
        raise NotImplementedError

    def ask(self, question: Question, **what: Any) -> Found:
        assert question is timeline_probe.record_tasks
        folder = Path(what["folder"])
        assert folder.is_dir()
        assert list(folder.iterdir()) == []
        self.folders.append(folder)
        seconds = self.seconds.pop(0)
        return found(("x", 0, 0, 0.0, seconds), seconds=seconds)


def test_the_fastest_of_three_is_kept_and_nothing_on_disk() -> None:
    probed = Answers(0.3, 0.1, 0.2)
    measured = timeline_probe.examine(probed)
    assert measured["seconds"] == 0.1
    assert measured["tasks"] == [["x", 0, 0, 0.0, 0.1]]
    assert measured["computes"] == [0.3, 0.1, 0.2]
    assert len(set(probed.folders)) == 3
    assert not any(folder.parent.exists() for folder in probed.folders)


def test_a_long_compute_is_not_repeated() -> None:
    assert timeline_probe.examine(Answers(timeline_probe.PATIENCE + 1))["computes"] == [timeline_probe.PATIENCE + 1]


# --- What is made of it


def test_figures_of_a_timeline() -> None:
    timeline = a_timeline(
        ("a", 0, 0, 0.10, 0.30),
        ("b", 1, 0, 0.20, 0.40),
        ("c", 0, 0, 0.35, 0.55),
        ("d", 1, 0, 0.40, 0.50),
        seconds=1.0,
        workers=4,
    )
    assert {where: [task.name for task in lane] for where, lane in timeline.lanes.items()} == {
        (0, 0): ["a", "c"],
        (1, 0): ["b", "d"],
    }
    assert timeline.inside == pytest.approx(0.7)
    assert timeline.busy == pytest.approx(0.175)
    assert (timeline.first, timeline.last) == (0.10, 0.55)
    assert timeline.at_once == pytest.approx(0.7 / 0.45)
    assert timeline.most_at_once == 2, "b ends as d starts"
    assert timeline.gap == pytest.approx(0.025), "the median of 0.05 and 0"
    assert timeline.longest.name in "abc"
    assert timeline.idle == timeline_probe.UNUSED
    assert replace(timeline, workers=2).idle == timeline_probe.AFTER
    assert replace(timeline, workers=2, seconds=0.56).idle == timeline_probe.BEFORE
    assert timeline.on_cpu == 1.0
    assert replace(timeline, cpu_seconds=0.35).on_cpu == pytest.approx(0.5)


def test_a_task_without_length_is_no_division_by_zero() -> None:
    timeline = a_timeline(("x", 0, 0, 0.0, 0.0), seconds=0.0, workers=1)
    assert (timeline.busy, timeline.at_once, timeline.on_cpu, timeline.gap, timeline.stretch(timeline)) == (
        0.0,
        1.0,
        1.0,
        None,
        1.0,
    )
    assert Timeline.of(found(seconds=1.0)) is None
    assert (
        len(
            list(
                timeline_probe.format({"sync": found(("x", 0, 0, 0.0, 0.0), seconds=0.0), "threads": found(seconds=1)})
            )
        )
        == 1
    )


def test_people_read_what_happened_and_what_to_do() -> None:
    sync, threads = timeline_probe.format({"sync": SYNC, "threads": THREADS})
    assert sync == (
        "sync: 8 tasks, 1 at once (at most 1) on 1 thread, inside tasks 100 % of the time, "
        "first task after 0 ns, 0 ns between two, longest: work, 10.0 ms"
    )
    assert threads == (
        "threads: 8 tasks, 2 at once (at most 2) on 2 threads, inside tasks 100 % of the time, "
        "first task after 0 ns, 0 ns between two, longest: work, 20.0 ms. "
        "Tasks take 2.0x as long as under sync, on a CPU for 50 % of that: they wait for the GIL, a CPU or a disk"
    )


def test_advice_knows_what_cannot_be_the_gil() -> None:
    tasks = [("work", i % 2, 0, start, end) for i, (_, _, _, start, end) in enumerate(THREADS["tasks"])]
    apart = found(*tasks, seconds=0.08, cpu_seconds=0.08)
    assert list(timeline_probe.format({"sync": SYNC, "processes": apart}))[1].endswith("they wait for a CPU or a disk")
    slow = {**apart, "cpu_seconds": 0.16}
    assert list(timeline_probe.format({"sync": SYNC, "processes": slow}))[1].endswith(
        "on shared memory, caches or CPUs"
    )
    assert " on 2 processes, " in next(timeline_probe.format({"processes": slow}))
    # Four times as long, and yet next to nothing.
    short = found(*(("x", 0, 0, 0.01 * i, 0.01 * i + 1e-4) for i in range(8)), seconds=0.08, workers=1)
    long = found(*(("x", 0, 0, 0.01 * i, 0.01 * i + 4e-4) for i in range(8)), seconds=0.08, workers=2)
    said = list(timeline_probe.format({"sync": short, "threads": long}))
    assert "as long as" not in said[1]
    assert said[1].endswith(
        "on 1 of 2 workers, inside tasks 2 % of the time, first task after 0 ns, 9.60 ms between two, longest: x, 400 µs. "
        "Most of the workers' idle time is of workers that got no task: more tasks, or smaller batches of them, would use all"
    ), said[1]


def test_names_that_are_hostile_are_one_line() -> None:
    (said,) = timeline_probe.format({"sync": found(("a\nb\x1b[31m\ud800", 0, 0, 0.0, 1.0), seconds=1.0, workers=1)})
    assert said.isprintable()
    assert "longest: a?b?[31m?, 1.00 s" in said


# --- For real


def test_the_probe_is_registered() -> None:
    probe = all_probes()["timeline"]
    assert probe.of_workloads and probe.pinned and probe.schedulers is None
    assert probe.summary.startswith("for each task of one compute")


@pytest.mark.serial
def test_every_scheduler_reports_where_its_tasks_ran() -> None:
    from gilbench.measure import prober
    from gilbench.schedulers import all_schedulers

    schedulers = [name for name, scheduler in all_schedulers().items() if scheduler.unavailable() is None]
    assert {"sync", "threads", "processes"} <= set(schedulers)
    got = prober.probe(
        "sleep", "default", schedulers, ("timeline",), lambda case: prober.LiveProbed(case, 120.0), cpus=2
    )
    assert got.reasons == {"timeline": {}}
    lines = list(timeline_probe.format(got.found["timeline"]))
    assert len(lines) == len(schedulers)
    for scheduler, data in got.found["timeline"].items():
        timeline = Timeline.of(data)
        assert timeline is not None
        assert [task.name for task in timeline.tasks] == ["sleep"] * 8, scheduler
        assert timeline.planned == 8
        assert len(timeline.computes) == 3 and timeline.seconds == min(timeline.computes)
        assert all(0 <= task.start <= task.end <= timeline.seconds for task in timeline.tasks)
        assert all(task.seconds >= 0.019 for task in timeline.tasks), "each slept for 20 ms inside"
        assert [task.start for task in timeline.tasks] == sorted(task.start for task in timeline.tasks)
        # What sleeps leaves the next task to the other worker; a new pool may be too slow to start both in time.
        expected = {"sync": [(0, 0)], "threads": [(0, 0), (0, 1)], "default": [(0, 0), (0, 1)]}
        lanes = expected.get(scheduler, [(0, 0), (1, 0)])
        assert list(timeline.lanes) in ([lanes, lanes[:1]] if scheduler == "processes-default" else [lanes]), scheduler
        assert timeline.workers == (1 if scheduler == "sync" else 2)
        for lane in timeline.lanes.values():
            assert all(before.end <= after.start for before, after in pairwise(lane))


@pytest.mark.serial
def test_fused_and_dependent_tasks_of_collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gilbench.measure import prober

    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path))
    for workload, name in (("array_mean", "arange"), ("together", "expensive")):
        got = prober.probe(
            workload,
            "tiny",
            ("threads", "processes"),
            ("timeline",),
            lambda case: prober.LiveProbed(case, 120.0),
            cpus=2,
        )
        assert got.reasons == {"timeline": {}}
        counts = {len(data["tasks"]) for data in got.found["timeline"].values()}
        assert len(counts) == 1
        for data in got.found["timeline"].values():
            assert data["tasks"][0][0] == name
            assert len(data["tasks"]) == data["planned"]
            assert data["tasks"][-1][3] >= max(task[4] for task in data["tasks"] if task[0] == name), (
                "needs all of them"
            )
