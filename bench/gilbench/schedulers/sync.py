"""sync: one task after the other in the main thread. The baseline that every speed-up is taken over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gilbench.schedulers import Opened, Setup, Shape

NAME = "sync"
CORE = True


def shapes(cpus: int) -> tuple[Shape, ...]:
    """One process, one thread."""
    return (Shape(1, 1),)


def unavailable() -> str | None:
    """Return None: it always works."""
    return None


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Yield dask's own get function: a name would make dask import distributed on first use."""
    from dask.local import get_sync

    setup.initializer()
    yield Opened({"scheduler": get_sync})
