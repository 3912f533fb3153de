"""loky: a process pool that dask uses as a plain `concurrent.futures.Executor`; it represents all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from gilbench.schedulers import (
    PROCESSES,
    Advisable,
    Costs,
    Look,
    Opened,
    Recipe,
    Setup,
    Shape,
    Waiting,
    wait_for_all,
    worker_counts,
)

NAME = "loky"
CORE = False
KIND = PROCESSES
LOOKS = {"loky": Look("#009E73", "d", "--//", place=50)}
WIDEST = 2  # processes for each CPU where tasks wait; each costs memory, so a single number is tried


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


def wider(waiting: Waiting) -> Sequence[Shape]:
    """Return one shape: as many processes as keep all CPUs busy, and at most WIDEST for each CPU."""
    return [Shape(min(waiting.tasks, WIDEST * waiting.cpus), 1)]


def describe(shape: Shape) -> str:
    """Return what to use, as a phrase."""
    return f"a loky pool: {shape.workers} processes of one thread each"


def recipe(shape: Shape, once: bool) -> Recipe:
    """Return code: loky keeps the pool by itself."""
    return Recipe(imports=("import dask, loky",), keywords=f", scheduler=loky.get_reusable_executor({shape.workers})")


ADVISABLE = Advisable(
    simplicity=30,
    describe=describe,
    recipe=recipe,
    costs=Costs(per_task=100e-6, per_compute=300e-6, opening=0.1),  # far below any machine of today (docs/advice.md)
    wider=wider,
)
