"""processes: a warm pool of spawned processes and one task per message, the best that dask's processes can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from gilbench.schedulers import (
    FIRST_HEAT,
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

NAME = "processes"
CORE = True
KIND = PROCESSES
PROBED = True
LOOKS = {"processes": Look("#D55E00", "s", "\\\\\\", place=20)}
WIDEST = 4  # processes for each CPU where tasks wait; each costs memory, so a single number is tried


def shapes(cpus: int) -> tuple[Shape, ...]:
    """1, 2, 4 ... processes up to the CPUs, of one thread each."""
    return tuple(Shape(count, 1) for count in worker_counts(cpus))


def unavailable() -> str | None:
    """Return None: it always works."""
    return None


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Start the pool and wait until each of its processes answers. Spawn, as a rule: forks of threaded programs deadlock."""
    import multiprocessing

    from dask.multiprocessing import get

    context = multiprocessing.get_context(setup.pools)
    with ProcessPoolExecutor(shape.workers, mp_context=context, initializer=setup.initializer) as pool:
        wait_for_all(pool, shape.workers)
        # The default chunksize of 6 runs a graph of up to 6 tasks in one process.
        yield Opened({"scheduler": get, "pool": pool, "chunksize": 1}, pools=setup.pools)


def wider(waiting: Waiting) -> Sequence[Shape]:
    """Return one shape: as many processes as keep all CPUs busy, and at most WIDEST for each CPU."""
    return [Shape(min(waiting.tasks, WIDEST * waiting.cpus), 1)]


def describe(shape: Shape) -> str:
    """Return what to use, as a phrase."""
    return f"processes: {shape.workers} processes of one thread each"


def recipe(shape: Shape, once: bool) -> Recipe:
    """Return code: with a pool that is kept, unless there is only one compute."""
    if once:
        return Recipe(keywords=f', scheduler="processes", num_workers={shape.workers}, chunksize=1')
    return Recipe(
        imports=("import dask, multiprocessing", "from concurrent.futures import ProcessPoolExecutor"),
        opening=f'with ProcessPoolExecutor({shape.workers}, multiprocessing.get_context("spawn")) as pool:  # keep it',
        keywords=', scheduler="processes", pool=pool, chunksize=1',
    )


ADVISABLE = Advisable(
    simplicity=20,
    describe=describe,
    recipe=recipe,
    heat=FIRST_HEAT,
    costs=Costs(per_task=100e-6, per_compute=300e-6, opening=0.1),  # far below any machine of today (docs/advice.md)
    wider=wider,
)
