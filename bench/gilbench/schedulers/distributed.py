"""distributed: a LocalCluster of P processes with T threads each, and a Client."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec

from gilbench.schedulers import (
    FIRST_HEAT,
    MIX,
    Advisable,
    Costs,
    Look,
    Opened,
    Recipe,
    Setup,
    Shape,
    Waiting,
    worker_counts,
)

NAME = "distributed"
CORE = False
KIND = MIX
PROBED = True
LOOKS = {
    "distributed 1xN": Look("#56B4E9", "^", "---", place=40),
    "distributed Nx1": Look("#CC79A7", "v", "|||", place=41),
    "distributed mix": Look("#8A7A00", "P", "++", place=42),
    "distributed": Look("#8A7A00", "H", "+//", place=43),  # where its shape is unknown or does not matter
    "distributed 1x1": Look("#CC79A7", "|", "-", place=44),
}
WIDEST = 8  # threads in each worker where tasks wait: the worker's event loop shares the GIL with them

QUIET = {
    "distributed.worker.profile.enabled": False,  # a thread that looks at every stack every 10 ms
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

    Results are released in the background. Computing the same graph again at once would find some of them still there, and
    compute less than it appears to.
    """
    while tasks:
        time.sleep(0.001)


def series(shape: Shape) -> str:
    """Return the series of a shape: one process with many threads behaves unlike many processes with one."""
    if shape.workers > 1 and shape.threads > 1:
        return "distributed mix"
    return "distributed 1xN" if shape.threads > 1 else "distributed Nx1" if shape.workers > 1 else "distributed 1x1"


def wider(waiting: Waiting) -> Sequence[Shape]:
    """Return one shape: a worker for each CPU, with at most WIDEST threads."""
    return [Shape(waiting.cpus, min(WIDEST, math.ceil(waiting.threads / waiting.cpus)))]


def describe(shape: Shape) -> str:
    """Return what to use, as a phrase."""
    return f"distributed: a LocalCluster of {shape.workers} x {shape.threads} (processes x threads in each)"


def recipe(shape: Shape, once: bool) -> Recipe:
    """Return code: the client becomes dask's scheduler."""
    workers = f"n_workers={shape.workers}, threads_per_worker={shape.threads}"
    return Recipe(
        imports=("import dask", "from dask.distributed import Client, LocalCluster"),
        opening=f"with LocalCluster({workers}) as cluster, Client(cluster):",
    )


ADVISABLE = Advisable(
    simplicity=40,
    describe=describe,
    recipe=recipe,
    heat_with_inner_threads=FIRST_HEAT,  # it pins such threads; those of a pool's processes get in each other's way
    costs=Costs(per_task=250e-6, per_compute=2e-3, opening=0.5),  # far below any machine of today (docs/advice.md)
    wider=wider,
)
