"""threads: dask's thread pool in this process; all threads share its memory, and its GIL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from gilbench.schedulers import Opened, Setup, Shape, worker_counts

NAME = "threads"
CORE = True


def shapes(cpus: int) -> tuple[Shape, ...]:
    """One process; 1, 2, 4 ... threads up to the CPUs."""
    return tuple(Shape(1, count) for count in worker_counts(cpus))


def unavailable() -> str | None:
    """Return None: it always works."""
    return None


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Open a pool of its own, because dask keeps its pools for the life of the process."""
    from dask.threaded import get

    setup.initializer()
    with ThreadPoolExecutor(shape.threads) as pool:
        yield Opened({"scheduler": get, "pool": pool})
