"""timeline: for each task of one compute, which process and thread ran it and from when to when, as the task itself saw it.

dask's own Profiler reports when the parent hands tasks out and gets them back. It takes a batch for one task, and sees nothing
of a cluster. So each task is wrapped, and reads the clock in the thread that runs it: see gilbench.cases.watching.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from gilbench import units
from gilbench.cases import watching
from gilbench.cases.watching import Record
from gilbench.console import printable
from gilbench.probes import Found, Probed, Scene, Unavailable

SCHEDULERS = None
PINNED = True
OF_WORKLOADS = True

COMPUTES = 3  # the fastest is kept, so that no hiccup is drawn
PATIENCE = 10.0  # seconds of computing after which no further compute is started
MOST = 2000  # tasks: more could be neither drawn nor read

STRETCHED = 1.3  # times as long as under sync, from which tasks are said to get in each other's way
WAITING = 0.8  # share of a task's time on a CPU, below which it is said to wait
SIZEABLE = 0.1  # share of the workers' time that the stretching must cost to be worth a sentence
IDLE = 0.3  # share of the workers' time outside tasks, from which the page says where it goes

BEFORE, BETWEEN, AFTER = "before the first task", "between tasks", "after the last task"
UNUSED = "of workers that got no task"
CURES = {
    BEFORE: "save on starting up",
    BETWEEN: "larger tasks, or fewer that need others, would use the workers better",
    AFTER: "results are slow to arrive, or workers slow to end",
    UNUSED: "more tasks, or smaller batches of them, would use all",
}

# --- In the probed process


def record_tasks(scene: Scene, folder: str) -> Found:
    """Compute once; return each task's times in seconds since the start, workers numbered by their first tasks.

    folder: an empty one, for the records of other processes.
    """
    from gilbench.targets.answers import same
    from gilbench.targets.workload import NO_ANSWER

    found = watching.watched(scene.job, scene.opened.keywords, scene.opened.settle, folder, MOST)
    if scene.job.answer is not NO_ANSWER and (difference := same(found.results, scene.job.answer)):
        raise Unavailable(f"the answer of the watched compute differs from the right one: {difference}")
    return {
        "tasks": relative(found.records, found.nodes.names, found.start, found.end),
        "seconds": (found.end - found.start) / 1e9,
        "workers": scene.case.parallelism,
        "planned": len(found.nodes.tasks),
        "cpu_seconds": sum(record[-1] for record in found.records) / 1e9,
    }


def relative(records: Iterable[Record], names: Sequence[str], start: int, end: int) -> list[list[Any]]:
    """Return [name, process, thread, start, end] of each record, by start, in seconds since `start`.

    names: of the nodes that the records number. Processes, and threads of each process, are numbered from 0 in the order of
    their first tasks. Raises Unavailable where a record lies outside [start, end].
    """
    processes: dict[int, dict[int, int]] = {}
    found: list[list[Any]] = []
    in_order = sorted(records, key=lambda record: record[3:5])
    watching.require_inside(in_order, start, end)
    for number, process, thread, begun, ended, _ in in_order:
        threads = processes.setdefault(process, {})
        lane = [list(processes).index(process), threads.setdefault(thread, len(threads))]
        found.append([names[number], *lane, (begun - start) / 1e9, (ended - start) / 1e9])
    return found


# --- In the parent


def examine(probed: Probed) -> Found:
    """Return the timeline of the fastest of a few computes, and the seconds of each ("computes").

    tasks: [name, process, thread, start, end] in seconds since the start of the compute, by start. seconds: of the whole
    compute. workers: tasks that can run at once. planned: tasks of the graph; fewer may have run, where dask still had
    results. cpu_seconds: of the tasks' own threads, over all tasks.
    """
    computes: list[Found] = []
    with tempfile.TemporaryDirectory(prefix="gilbench-", ignore_cleanup_errors=True) as scratch:
        while len(computes) < COMPUTES and sum(compute["seconds"] for compute in computes) < PATIENCE:
            folder = Path(scratch) / str(len(computes))
            folder.mkdir()
            computes.append(probed.ask(record_tasks, folder=str(folder)))
    fastest = min(computes, key=lambda compute: float(compute["seconds"]))
    return {**fastest, "computes": [compute["seconds"] for compute in computes]}


@dataclass(frozen=True)
class Task:
    """One task that ran. process, thread: numbers from 0. start, end: seconds since the start of the compute."""

    name: str
    process: int
    thread: int
    start: float
    end: float

    @property
    def lane(self) -> tuple[int, int]:
        """What ran it."""
        return self.process, self.thread

    @property
    def seconds(self) -> float:
        """How long it took, waiting included."""
        return self.end - self.start


@dataclass(frozen=True)
class Timeline:
    """One compute.

    tasks: by start, at least one. seconds: of the whole compute. workers: tasks that can run at once. planned: tasks of
    the graph. cpu_seconds: for which the tasks' threads were on a CPU. computes: seconds of each compute that was tried.
    """

    tasks: tuple[Task, ...]
    seconds: float
    workers: int
    planned: int
    cpu_seconds: float
    computes: tuple[float, ...]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Timeline | None:
        """Read what `examine` found; None where no task ran."""
        tasks = tuple(Task(*task) for task in found["tasks"])
        figures = (found["seconds"], found["workers"], found["planned"], found["cpu_seconds"])
        return cls(tasks, *figures, tuple(found["computes"])) if tasks else None

    @cached_property
    def lanes(self) -> dict[tuple[int, int], list[Task]]:
        """(process, thread) -> its tasks by start; the lanes in order."""
        lanes: dict[tuple[int, int], list[Task]] = {}
        for task in self.tasks:
            lanes.setdefault(task.lane, []).append(task)
        return dict(sorted(lanes.items()))

    @cached_property
    def inside(self) -> float:
        """Seconds inside tasks, over all lanes."""
        return sum(task.seconds for task in self.tasks)

    @property
    def room(self) -> float:
        """Seconds that all workers had together."""
        return max(self.workers, len(self.lanes)) * self.seconds

    @property
    def busy(self) -> float:
        """Share of the workers' time that was inside tasks."""
        return min(1.0, self.inside / self.room) if self.room > 0 else 0.0

    @property
    def first(self) -> float:
        """Seconds before the first task."""
        return self.tasks[0].start

    @cached_property
    def last(self) -> float:
        """Seconds from the start of the compute to the end of the last task."""
        return max(task.end for task in self.tasks)

    @property
    def at_once(self) -> float:
        """Tasks at once, on average from the first task's start to the last one's end."""
        return self.inside / (self.last - self.first) if self.last > self.first else 1.0

    @property
    def most_at_once(self) -> int:
        """Tasks at once, at most. A task that ends just as another starts does not count with it."""
        steps = sorted([(task.start, 1) for task in self.tasks] + [(task.end, -1) for task in self.tasks])
        running = most = 0
        for _, step in steps:
            running += step
            most = max(most, running)
        return most

    @property
    def gap(self) -> float | None:
        """Seconds between two tasks of a lane, the median; None where no lane had two."""
        pauses = [
            max(0.0, after.start - before.end) for lane in self.lanes.values() for before, after in pairwise(lane)
        ]
        return statistics.median(pauses) if pauses else None

    @property
    def longest(self) -> Task:
        """The task that took longest."""
        return max(self.tasks, key=lambda task: task.seconds)

    @property
    def on_cpu(self) -> float:
        """Share of the time inside tasks that their threads were on a CPU."""
        return min(1.0, self.cpu_seconds / self.inside) if self.inside > 0 else 1.0

    def stretch(self, sync: Timeline) -> float:
        """Return how many times as long as under sync all tasks together took."""
        return self.inside / sync.inside if sync.inside > 0 else 1.0

    @property
    def idle(self) -> str:
        """Where the workers spent most of their time outside tasks: a key of CURES."""
        used = len(self.lanes)
        before, after = used * self.first, used * (self.seconds - self.last)
        places = {
            BEFORE: before,
            BETWEEN: used * self.seconds - self.inside - before - after,
            AFTER: after,
            UNUSED: max(0, self.workers - used) * self.seconds,
        }
        return max(places, key=lambda place: places[place])


def format(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a person should know."""
    timelines = {scheduler: timeline for scheduler, data in found.items() if (timeline := Timeline.of(data))}
    sync = timelines.get("sync")
    for scheduler, timeline in timelines.items():
        sentences = [_figures(timeline), *_advice(timeline, sync if scheduler != "sync" else None)]
        yield f"{scheduler}: {'. '.join(sentences)}"


def _figures(timeline: Timeline) -> str:
    count = units.count(len(timeline.tasks), "task")
    if timeline.planned > len(timeline.tasks):
        count += f" (of {timeline.planned}: dask still had the others' results)"
    longest, gap = timeline.longest, timeline.gap
    parts = [
        f"{count}, {timeline.at_once:.2g} at once (at most {timeline.most_at_once}) on {_workers(timeline)}",
        f"inside tasks {100 * timeline.busy:.0f} % of the time",
        f"first task after {units.seconds(timeline.first)}",
        *([f"{units.seconds(gap)} between two"] if gap is not None else []),
        f"longest: {printable(longest.name)}, {units.seconds(longest.seconds)}",
    ]
    return ", ".join(parts)


def _workers(timeline: Timeline) -> str:
    """Return what ran the tasks: `2 threads`, `1 of 2 processes`."""
    used, processes = len(timeline.lanes), len({process for process, _ in timeline.lanes})
    noun = "process" if processes == used > 1 else "thread"
    of = f"{used} of {timeline.workers}" if used < timeline.workers else str(used)
    if used < timeline.workers:
        noun = "worker"
    plural = max(used, timeline.workers) > 1
    return f"{of} {noun}{'' if not plural else 'es' if noun == 'process' else 's'}"


def _advice(timeline: Timeline, sync: Timeline | None) -> Iterator[str]:
    """Yield a sentence about what costs most, where something does."""
    if sync and timeline.stretch(sync) >= STRETCHED and timeline.inside - sync.inside >= SIZEABLE * timeline.room:
        on_cpu = f"on a CPU for {100 * timeline.on_cpu:.0f} % of that"
        yield f"Tasks take {timeline.stretch(sync):.1f}x as long as under sync, {on_cpu}: {_reason(timeline)}"
    if timeline.busy <= 1 - IDLE and timeline.workers > 1:
        yield f"Most of the workers' idle time is {timeline.idle}: {CURES[timeline.idle]}"


def _reason(timeline: Timeline) -> str:
    if timeline.on_cpu >= WAITING:
        return "they run slower side by side, on shared memory, caches or CPUs"
    shared = len({process for process, _ in timeline.lanes}) < len(timeline.lanes)
    return f"they wait for {'the GIL, ' if shared else ''}a CPU or a disk"
