"""Watching: each task of one compute as it saw itself, in the thread that ran it, under any scheduler; and what that adds up to.

Each task of the optimized graph is wrapped. It reads the clocks where it runs: in the same way under every scheduler. Tasks
that dask fused are one task, because that is what runs. The time that a thread waits for the GIL counts as time inside its
task; the time on a CPU is recorded as well.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gilbench.errors import Unavailable

if TYPE_CHECKING:
    from gilbench.targets.workload import Job

LONGEST_NAME: Final = 60  # characters
MOST: Final = 10_000  # tasks whose figures are added up
COMPUTES: Final = 3  # of which the median one counts

# One clock for all processes: CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS, QueryPerformanceCounter on Windows
# (where time.monotonic has steps of 15 ms).
now = time.perf_counter_ns

Get = Callable[..., Any]
Record = tuple[int, int, int, int, int, int]  # node, process, thread, start, end, time on a CPU (the last three in ns)


# --- In every process that runs tasks


# The records of the process that computes. Writing them to a file would release the GIL after each task, and so change what
# is being watched.
_here: list[Record] = []


@dataclass(frozen=True)
class Timed:
    """What a wrapped task calls: it runs the task, then leaves a record of it.

    node: dask's task. needs: keys of the values that it is called with, in order. number: of the node in its Plan. home: the
    process that computes. folder: for the records of all other processes.
    """

    node: Callable[[Mapping[Hashable, Any]], Any]
    needs: tuple[Hashable, ...]
    number: int
    folder: str
    home: int

    def __call__(self, *values: Any) -> Any:
        """Return the task's result, given the values that it needs."""
        needed = dict(zip(self.needs, values, strict=True))
        start, on_cpu = now(), time.thread_time_ns()
        result = self.node(needed)
        on_cpu, end = time.thread_time_ns() - on_cpu, now()
        process = os.getpid()
        record = (self.number, process, threading.get_ident(), start, end, on_cpu)
        if process == self.home:
            _here.append(record)
        else:
            os.write(_file(self.folder, process), json.dumps(record).encode() + b"\n")
        return result


@cache
def _file(folder: str, process: int) -> int:
    """Return a descriptor of the file that this process appends its records to, each with one write, so that none is torn."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return os.open(Path(folder) / f"{process}.jsonl", flags, 0o600)


# --- In the process that computes


@dataclass
class Nodes:
    """The nodes of all graphs of one compute, in an order in which each comes after those that it needs.

    names: of each, for people. needs: numbers of those whose results it needs. tasks: numbers of those that do work.
    wrapping: ns spent on wrapping them, which is no part of the compute.
    """

    names: list[str] = field(default_factory=list)
    needs: list[tuple[int, ...]] = field(default_factory=list)
    tasks: set[int] = field(default_factory=set)
    wrapping: int = 0


def timing(get: Get, folder: str, nodes: Nodes, most: int = MOST) -> Get:
    """Return a `get` like dask's, which wraps every task of the graph, adds the graph to `nodes`, and calls `get`.

    It raises Unavailable where there are more than `most` tasks.
    """

    def timed_get(graph: Any, keys: Any, **keywords: Any) -> Any:
        begun = now()
        from dask._task_spec import Alias, DataNode, convert_legacy_graph, cull
        from dask.core import flatten
        from dask.utils import ensure_dict

        whole = convert_legacy_graph(ensure_dict(graph.__dask_graph__() if hasattr(graph, "__dask_graph__") else graph))
        culled = cull(whole, set(flatten([keys])))
        in_order = TopologicalSorter({key: node.dependencies for key, node in culled.items()}).static_order()
        numbers: dict[Hashable, int] = {}
        wrapped: dict[Hashable, Any] = dict.fromkeys(culled)
        for key in in_order:
            node, number = culled[key], len(nodes.names)
            numbers[key] = number
            nodes.names.append(name_of(key, node))
            nodes.needs.append(tuple(numbers[need] for need in node.dependencies))
            if isinstance(node, Alias | DataNode):  # does no work, and is left as it is
                wrapped[key] = node
            else:
                nodes.tasks.add(number)
                wrapped[key] = _timed(key, node, number, folder)
        if len(nodes.tasks) > most:
            raise Unavailable(f"{len(nodes.tasks):,} tasks are too many to watch: {most:,} at most")
        nodes.wrapping += now() - begun
        return get(wrapped, keys, **keywords)

    return timed_get


def _timed(key: Hashable, node: Any, number: int, folder: str) -> Any:
    """Wrap a node of a graph as a whole: its arguments may hold tasks of their own."""
    from dask._task_spec import Task, TaskRef

    needs = tuple(node.dependencies)
    inside = Timed(node, needs, number, folder, os.getpid())
    # Distributed treats tasks that produce data with care when it hands them out: it must still recognize them.
    return Task(key, inside, *map(TaskRef, needs), _data_producer=node.data_producer)


def name_of(key: Hashable, node: Any) -> str:
    """Return a task's name for people: the words of its key, which survive when dask fuses tasks; else its function's name."""
    from dask.utils import funcname, key_split

    name = str(key_split(key))
    if name in ("data", "Other", ""):  # a key without words
        name = funcname(getattr(node, "func", None) or type(node))
    return name[:LONGEST_NAME]


@dataclass(frozen=True)
class Watched:
    """One compute whose tasks were timed. start, end: in ns on the clock `now`. records: of its tasks, in no order."""

    results: list[Any]
    records: list[Record]
    nodes: Nodes
    start: int
    end: int


def watched(
    job: Job, keywords: Mapping[str, Any], settle: Callable[[], None] | None, folder: str, most: int = MOST
) -> Watched:
    """Compute a job once with its tasks wrapped. folder: an empty one, for the records of other processes.

    Raises Unavailable where there are more than `most` tasks, and whatever the tasks raise.
    """
    from dask import compute
    from dask.base import get_scheduler

    groups = [job.collections] if job.together else [[collection] for collection in job.collections]
    results: list[Any] = []
    nodes = Nodes()
    _here.clear()
    start = now()
    for group in groups:
        get = get_scheduler(scheduler=keywords.get("scheduler"), collections=list(group))
        results += compute(*group, **{**keywords, "scheduler": timing(get, folder, nodes, most)})
    end = now()
    if settle:
        settle()
    records = [*_here, *_read(Path(folder))]
    _here.clear()
    return Watched(results, records, nodes, start, end)


def _read(folder: Path) -> list[Record]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [tuple(json.loads(line)) for line in lines]


def require_inside(records: Iterable[Record], start: int, end: int) -> None:
    """Raise Unavailable where a record lies outside [start, end].

    Processes then do not share a clock, or a forked child continued by itself.
    """
    for _, _, _, begun, ended, _ in records:
        if not start <= begun <= ended <= end:
            raise Unavailable(
                "a task ran outside the compute: a task forked, or clocks of this machine's processes differ"
            )


# --- What it adds up to


@dataclass(frozen=True)
class TaskFigures:
    """What the tasks of one compute add up to, in seconds.

    wall: of all tasks, waiting included. cpu: of their threads. busiest: wall time inside tasks of the worker that had most.
    longest: of one task. critical: of the longest chain of tasks each of which needs the one before it. elapsed: the compute.
    """

    wall: float
    cpu: float
    busiest: float
    longest: float
    critical: float
    elapsed: float

    def as_metadata(self) -> dict[str, float]:
        """Return the part that goes into the metadata of an observation."""
        return {f"{PREFIX}{name}": seconds for name, seconds in asdict(self).items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> TaskFigures | None:
        """Read `as_metadata` back; None where a figure is missing, or where the tasks took no time at all."""
        found = {field.name: metadata.get(f"{PREFIX}{field.name}") for field in fields(cls)}
        if not all(isinstance(seconds, int | float) and seconds > 0 for seconds in found.values()):
            return None
        return cls(**{name: float(seconds) for name, seconds in found.items() if seconds is not None})


PREFIX: Final = "tasks_"
UNWATCHED: Final = "tasks_unwatched"  # metadata: why there are no figures
FIGURES: Final = tuple(f"{PREFIX}{field.name}" for field in fields(TaskFigures))


def figures(found: Watched) -> TaskFigures:
    """Return what the tasks of a compute add up to. Raises Unavailable where no task ran, or clocks differ."""
    require_inside(found.records, found.start, found.end)
    if not found.records:
        raise Unavailable("no task ran")
    busy: dict[tuple[int, int], int] = {}
    walls: dict[int, int] = {}
    for number, process, thread, start, end, _ in found.records:
        busy[process, thread] = busy.get((process, thread), 0) + end - start
        walls[number] = end - start
    return TaskFigures(
        wall=sum(busy.values()) / 1e9,
        cpu=sum(record[-1] for record in found.records) / 1e9,
        busiest=max(busy.values()) / 1e9,
        longest=max(walls.values()) / 1e9,
        critical=critical_path(found.nodes.needs, walls) / 1e9,
        elapsed=(found.end - found.start - found.nodes.wrapping) / 1e9,
    )


def critical_path(needs: Sequence[Sequence[int]], walls: Mapping[int, int]) -> int:
    """Return the length of the longest chain of nodes each of which needs the one before it.

    needs: numbers of the nodes that each node needs, all of them smaller than its own. walls: node -> its length, in any
    unit; 0 where it is missing.
    """
    reached: list[int] = []
    for number, before in enumerate(needs):
        reached.append(walls.get(number, 0) + max((reached[need] for need in before), default=0))
    return max(reached, default=0)


def watch(
    job: Job, keywords: Mapping[str, Any], settle: Callable[[], None] | None, budget: float
) -> Mapping[str, float | str]:
    """Compute a few times with each task timed; return metadata: the figures of the median compute, or why there are none.

    budget: seconds after which no further compute is started. Whatever goes wrong is said, and loses no timing.
    """
    found: list[TaskFigures] = []
    try:
        with tempfile.TemporaryDirectory(prefix="gilbench-", ignore_cleanup_errors=True) as scratch:
            while len(found) < COMPUTES and sum(one.elapsed for one in found) < budget:
                folder = Path(scratch) / str(len(found))
                folder.mkdir()
                found.append(figures(watched(job, keywords, settle, str(folder))))
    except Unavailable as error:
        return {UNWATCHED: str(error)}
    except Exception as error:  # noqa: BLE001 - the timings are there, and must not be lost to what explains them
        return {UNWATCHED: f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    median = statistics.median_low(one.elapsed for one in found)
    return next(one for one in found if one.elapsed == median).as_metadata()
