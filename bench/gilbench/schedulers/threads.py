"""threads: dask's thread pool in this process; all threads share its memory, and its GIL."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from gilbench.schedulers import (
    FIRST_HEAT,
    THREADS,
    Advisable,
    Look,
    Opened,
    Recipe,
    Setup,
    Shape,
    Waiting,
    worker_counts,
)

NAME = "threads"
CORE = True
KIND = THREADS
PROBED = True
LOOKS = {"threads": Look("#0072B2", "o", "///", place=10)}


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


def wider(waiting: Waiting) -> Sequence[Shape]:
    """Return as many threads as keep all CPUs busy, a number halfway there on a log scale, and the most worth trying."""
    half = max(waiting.cpus + 1, math.isqrt(waiting.cpus * waiting.threads))
    return [Shape(1, count) for count in sorted({half, waiting.threads, waiting.most_threads})]


def describe(shape: Shape) -> str:
    """Return what to use, as a phrase."""
    return f"threads: {shape.threads} threads in one process"


def recipe(shape: Shape, once: bool) -> Recipe:
    """Return code: dask keeps the pool by itself."""
    return Recipe(keywords=f', scheduler="threads", num_workers={shape.threads}')


ADVISABLE = Advisable(
    simplicity=10,
    describe=describe,
    recipe=recipe,
    heat=FIRST_HEAT,
    heat_with_inner_threads=FIRST_HEAT,
    wider=wider,
)
