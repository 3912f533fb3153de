"""distributed: a LocalCluster of P processes with T threads each, and a Client."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec

from gilbench.schedulers import Opened, Setup, Shape, worker_counts

NAME = "distributed"
CORE = False

QUIET = {
    "distributed.worker.profile.enabled": False,  # a thread that looks at every stack, each 10 ms
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
}


def shapes(cpus: int) -> tuple[Shape, ...]:
    """All processes, all threads, every mix that fills the CPUs (2x2 where none does), then fewer processes."""
    whole = [Shape(cpus, 1)]
    if cpus > 1:
        whole.append(Shape(1, cpus))
    mixes = [Shape(workers, cpus // workers) for workers in range(2, cpus) if cpus % workers == 0]
    if cpus > 1 and not mixes:
        mixes = [Shape(2, 2)]
    fewer = [Shape(count, 1) for count in worker_counts(cpus)[1:]]
    return (*whole, *mixes, *fewer)


def unavailable() -> str | None:
    """Return a reason where the package is missing (it has no wheels for some free-threaded builds)."""
    return None if find_spec("distributed") else "the package distributed is not installed"


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Start a cluster on the loopback interface, and wait for all its workers.

    Always processes, also for 1xN: with `processes=False` the scheduler, the client and the tasks share one GIL.
    """
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(QUIET),
        LocalCluster(
            n_workers=shape.workers,
            threads_per_worker=shape.threads,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(shape.workers)
        client.run(setup.initializer)
        yield Opened({"scheduler": client}, partial(wait_until_forgotten, cluster.scheduler.tasks))


def wait_until_forgotten(tasks: Sized) -> None:
    """Return when the cluster's scheduler knows no task any more.

    Results are released in the background: computing the same graph again at once would find some still there, and
    compute less than it seems to.
    """
    while tasks:
        time.sleep(0.001)
