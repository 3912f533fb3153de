"""default: no scheduler named. What a plain `.compute()` does: threads for Array, DataFrame and Delayed, processes for Bag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gilbench.schedulers import Look, Opened, Setup, Shape

NAME = "default"
CORE = False
KIND = None  # threads or processes: the collection decides
COLLECTIONS_ONLY = True
LOOKS = {"default": Look("#7F7F7F", "*", "x", place=60)}


def shapes(cpus: int) -> tuple[Shape, ...]:
    """Nominal: dask starts as many threads, or processes, as there are CPUs."""
    return (Shape(1, cpus),)


def unavailable() -> str | None:
    """Return None: it always works."""
    return None


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Leave the choice to the collection."""
    import dask

    setup.initializer()
    with dask.config.set({"multiprocessing.initializer": setup.initializer}):
        yield Opened({})
