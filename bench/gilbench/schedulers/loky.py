"""loky: a process pool that dask takes as a plain `concurrent.futures.Executor`; it stands for any other one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from gilbench.schedulers import Opened, Setup, Shape, worker_counts
from gilbench.schedulers.processes import wait_for_all

NAME = "loky"
CORE = False


def shapes(cpus: int) -> tuple[Shape, ...]:
    """1, 2, 4 ... processes up to the CPUs, of one thread each."""
    return tuple(Shape(count, 1) for count in worker_counts(cpus))


def unavailable() -> str | None:
    """Return a reason where the package is missing."""
    return None if find_spec("loky") else "the package loky is not installed"


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Start the pool and wait until each of its processes answers."""
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(shape.workers, initializer=setup.initializer) as pool:
        wait_for_all(pool, shape.workers)
        yield Opened({"scheduler": pool})
