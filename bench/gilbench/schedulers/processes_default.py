"""processes-default: what a plain `.compute(scheduler="processes")` gives: a new pool each time, and six tasks per message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gilbench.schedulers import PROCESSES, Look, Opened, Setup, Shape

NAME = "processes-default"
CORE = False
KIND = PROCESSES
SCALES = False  # one message carries six tasks, which then run in the same process
LOOKS = {"processes-default": Look("#E69F00", "D", "xx", place=30)}


def shapes(cpus: int) -> tuple[Shape, ...]:
    """As many processes as CPUs: dask's own choice."""
    return (Shape(cpus, 1),)


def unavailable() -> str | None:
    """Return None: it always works."""
    return None


@contextmanager
def open(shape: Shape, setup: Setup) -> Iterator[Opened]:
    """Have dask run the pins in each process it starts: the only thing that is not its default."""
    import dask

    setup.initializer()
    with dask.config.set({"multiprocessing.initializer": setup.initializer}):
        yield Opened({"scheduler": "processes"})
