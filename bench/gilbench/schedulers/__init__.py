"""How a workload is run: one file per scheduler, and the folder is the registry.

Each module defines

    NAME        what the user types
    CORE        whether every workload meets it in the default profile, not only the representatives
    shapes(cpus)            the (workers, threads per worker) worth measuring, the most telling first
    unavailable()           None, or the reason why it cannot run here
    open(shape, setup)      a context manager: opens and warms it, yields how to compute with it, closes it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import Any

from gilbench.process import pins


@dataclass(frozen=True)
class Shape:
    """workers: processes that run tasks. threads: threads in each."""

    workers: int
    threads: int


@dataclass(frozen=True)
class Opened:
    """A scheduler ready for use.

    keywords: arguments for `dask.compute`. settle: called between two computes, outside the timed region, to wait until
    nothing of the one before is left that would save the next one work.
    """

    keywords: Mapping[str, Any]
    settle: Callable[[], None] | None = None


@dataclass(frozen=True)
class Setup:
    """What to do in every process that runs tasks, before anything is timed."""

    modules: tuple[str, ...] = ()
    pinned: bool = True

    @property
    def initializer(self) -> Callable[[], None]:
        """A picklable function without arguments for a pool's workers."""
        return partial(pins.prepare, self.modules, self.pinned)


@dataclass(frozen=True)
class Scheduler:
    """One module of this folder, as an object."""

    name: str
    summary: str
    core: bool
    shapes: Callable[[int], tuple[Shape, ...]]
    unavailable: Callable[[], str | None]
    open: Callable[[Shape, Setup], AbstractContextManager[Opened]]


def worker_counts(cpus: int) -> tuple[int, ...]:
    """Return the largest count first, then 1, 2, 4 ... below it."""
    powers = [2**exponent for exponent in range(cpus.bit_length()) if 2**exponent < cpus]
    return (cpus, *powers)


def summary_of(module: ModuleType) -> str:
    """Return the sentence behind the name in the first line of a module's docstring."""
    return (module.__doc__ or "").partition("\n")[0].partition(": ")[2].partition(". ")[0].rstrip(".")


@cache
def all_schedulers() -> dict[str, Scheduler]:
    """Return name -> Scheduler for every module of this folder; core ones first."""
    from gilbench import schedulers
    from gilbench.plugins import modules_in

    found = [
        Scheduler(module.NAME, summary_of(module), module.CORE, module.shapes, module.unavailable, module.open)
        for module in modules_in(schedulers)
    ]
    return {scheduler.name: scheduler for scheduler in sorted(found, key=lambda s: (s.name != "sync", not s.core))}
