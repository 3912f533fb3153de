"""sync: one task after the other in the main thread. The baseline that every speed-up is taken over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gilbench.schedulers import FIRST_HEAT, SERIAL, Advisable, Look, Opened, Recipe, Setup, Shape

NAME = "sync"
CORE = True
KIND = SERIAL
PROBED = True
LOOKS = {"sync": Look("#000000", "X", "", place=0)}


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


def describe(shape: Shape) -> str:
    """Return what to use, as a phrase."""
    return "sync: one task after the other"


def recipe(shape: Shape, once: bool) -> Recipe:
    """Return code: the scheduler's name."""
    return Recipe(keywords=', scheduler="sync"')


ADVISABLE = Advisable(
    simplicity=0, describe=describe, recipe=recipe, heat=FIRST_HEAT, heat_with_inner_threads=FIRST_HEAT
)
