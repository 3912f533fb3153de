"""default: nothing said. What a plain `.compute()` does: threads for Array, DataFrame and Delayed, processes for Bag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gilbench.schedulers import Opened, Setup, Shape

NAME = "default"
CORE = False


def shapes(cpus: int) -> tuple[Shape, ...]:
    """Nominal: dask takes as many threads, or processes, as there are CPUs."""
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
