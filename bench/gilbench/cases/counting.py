"""Counting: how many tasks one compute executes, and how many threads or processes run them.

dask optimizes graphs before it runs them, and batches tasks: what is executed is often not what was written.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class TaskCount:
    """What was executed so far.

    workers: the threads or processes that ran tasks; empty where dask does not report them. places: what these are,
    "threads", "processes" or "cluster PxT" (processes times threads in each).
    """

    tasks: int = 0
    workers: set[Hashable] = field(default_factory=set)
    places: set[str] = field(default_factory=set)

    def add(self, worker: int | None) -> None:
        """Count one task that a local scheduler executed: `worker` is a thread's or a process's number, or None."""
        self.tasks += 1
        if worker is not None:
            self.workers.add(worker)
            threads = {thread.ident for thread in threading.enumerate()}
            self.places.add("threads" if worker in threads else "processes")

    def add_on_cluster(self, address: str, thread: int | None) -> None:
        """Count one task that a distributed worker executed."""
        self.tasks += 1
        self.workers.add((address, thread))
        processes = len({worker[0] for worker in self.workers if isinstance(worker, tuple)})
        self.places = {f"cluster {processes}x{-(-len(self.workers) // processes)}"}


@contextmanager
def counting(keywords: Mapping[str, Any]) -> Iterator[TaskCount]:
    """Count what any compute in this block executes, under the scheduler in `keywords` (arguments of dask.compute)."""
    cluster = getattr(keywords.get("scheduler"), "cluster", None)
    with _on_cluster(cluster.scheduler) if cluster is not None else _here() as count:
        yield count


@contextmanager
def _here() -> Iterator[TaskCount]:
    from dask.callbacks import Callback

    count = TaskCount()
    with Callback(posttask=lambda key, result, graph, state, worker: count.add(worker)):
        yield count


@contextmanager
def _on_cluster(scheduler: Any) -> Iterator[TaskCount]:
    from distributed.diagnostics.plugin import SchedulerPlugin

    count = TaskCount()

    class Counter(SchedulerPlugin):  # type: ignore[misc]
        def transition(self, key: Any, start: str, finish: str, *args: Any, **details: Any) -> None:
            if start == "processing" and finish == "memory":
                count.add_on_cluster(str(details.get("worker")), details.get("thread"))

    scheduler.add_plugin(Counter(), name="gilbench-tasks")
    try:
        yield count
    finally:
        scheduler.remove_plugin("gilbench-tasks")
