"""processes: a warm pool of spawned processes and one task per message, which is the best that dask's processes can do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from gilbench.schedulers import Opened, Setup, Shape, worker_counts

NAME = "processes"
CORE = True


def shapes(cpus: int) -> tuple[Shape, ...]:
    """1, 2, 4 ... processes up to the CPUs, of one thread each."""
    return tuple(Shape(count, 1) for count in worker_counts(cpus))


def unavailable() -> str | None:
    """Return None: it always works."""
    return None


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Start the pool and wait until each of its processes answers. Always spawn: forks of threaded programs deadlock."""
    import multiprocessing

    from dask.multiprocessing import get

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(shape.workers, mp_context=context, initializer=setup.initializer) as pool:
        wait_for_all(pool, shape.workers)
        # The default chunksize of 6 runs a graph of up to 6 tasks in one process.
        yield Opened({"scheduler": get, "pool": pool, "chunksize": 1})


def wait_for_all(pool: Executor, workers: int) -> None:
    """Return when `workers` different processes of the pool have answered."""
    seen: set[int] = set()
    while len(seen) < workers:
        answers = [pool.submit(_answer) for _ in range(workers)]
        seen.update(answer.result() for answer in answers)


def _answer() -> int:
    import os
    import time

    time.sleep(0.005)  # long enough for the other processes to take their share of the questions
    return os.getpid()
