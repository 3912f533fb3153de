"""How a workload is run: one file per scheduler, and the folder is the registry.

Everything that gilbench knows about a scheduler is in its file. Each module defines

    NAME        what the user types
    CORE        whether every workload meets it in the default profile, not only the representatives
    KIND        what its tasks run on: "serial", "threads", "processes", "mix" (several processes, which may have several
                threads each), or None where dask chooses
    shapes(cpus)            the (workers, threads per worker) worth measuring, the most informative first
    unavailable()           None, or the reason why it cannot run here
    open(shape, setup)      a context manager: opens and warms it, yields how to compute with it, closes it

and may define

    ADVISABLE           an Advisable: how `gilbench advise` races and describes it; without one it is never advised
    LOOKS               series -> Look: how charts draw it; without them its name decides
    series(shape)       the name of its series in charts, where that depends on the shape; otherwise NAME
    PROBED              True where `gilbench probe` includes it unless the user names others
    COLLECTIONS_ONLY    True where it makes sense only for dask collections, which choose a scheduler by themselves
    SCALES              False where even tasks that only sleep do not scale with the workers
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from gilbench.process import pins

if TYPE_CHECKING:
    from concurrent.futures import Executor

SERIAL: Final = "serial"
THREADS: Final = "threads"
PROCESSES: Final = "processes"
MIX: Final = "mix"

SPAWN: Final = "spawn"
FORK: Final = "fork"

FIRST_HEAT: Final = 1  # starts quickly: it races as soon as the target has been probed
SECOND_HEAT: Final = 2  # starts slowly: it races only if the first heat leaves room for it


@dataclass(frozen=True)
class Shape:
    """workers: processes that run tasks. threads: threads in each."""

    workers: int
    threads: int


@dataclass(frozen=True)
class Opened:
    """A scheduler ready for use.

    keywords: arguments for `dask.compute`. settle: called between two computes, outside the timed region; it returns when
    the first has left nothing behind that would save the second any work. pools: how its processes were started, where the
    Setup chose that.
    """

    keywords: Mapping[str, Any]
    settle: Callable[[], None] | None = None
    pools: str = ""


@dataclass(frozen=True)
class Setup:
    """What to do in every process that runs tasks, before anything is timed.

    pools: how a pool starts its processes. SPAWN is safe everywhere. FORK is only for a process that was itself forked from a
    prepared one, and so has no thread that could hold a lock.
    """

    modules: tuple[str, ...] = ()
    pinned: bool = True
    pools: str = SPAWN

    @property
    def initializer(self) -> Callable[[], None]:
        """A picklable function without arguments for a pool's workers."""
        return partial(pins.prepare, self.modules, self.pinned)


# --- What `gilbench advise` needs


@dataclass(frozen=True)
class Costs:
    """Seconds that no machine of today stays below. They only rule a scheduler out; whatever remains is measured.

    per_task: of each task, one after the other. per_compute: of each compute. opening: of starting the workers.
    """

    per_task: float = 0.0
    per_compute: float = 0.0
    opening: float = 0.0


@dataclass(frozen=True)
class Waiting:
    """Tasks that wait part of their time: more of them than CPUs can be under way.

    tasks: under way at a time that would keep all CPUs busy twice over. threads: the same, but no more than are worth trying
    as threads. most_threads: as many as are worth trying at all where tasks mostly wait, otherwise equal to `threads`.
    """

    cpus: int
    tasks: int
    threads: int
    most_threads: int


@dataclass(frozen=True)
class Recipe:
    """Code that computes with a scheduler, to paste.

    imports: lines. opening: a `with` line that starts the workers; empty where none is needed. keywords: what follows the
    tasks in `dask.compute(*tasks`, with its leading comma.
    """

    imports: tuple[str, ...] = ("import dask",)
    opening: str = ""
    keywords: str = ""


def never_wider(waiting: Waiting) -> Sequence[Shape]:
    """Return no shapes: more workers than CPUs are not worth a race."""
    return ()


@dataclass(frozen=True)
class Advisable:
    """A scheduler as `gilbench advise` sees it.

    simplicity: its place among schedulers that are equally fast, in steps of ten; the lowest is advised. describe: shape ->
    what to use, as a phrase. recipe: (shape, whether there is only one compute) -> code. heat: FIRST_HEAT or SECOND_HEAT.
    heat_with_inner_threads: the same where tasks start threads of their own. costs: for ruling it out. wider: the shapes with
    more workers than CPUs that race where tasks wait.
    """

    simplicity: int
    describe: Callable[[Shape], str]
    recipe: Callable[[Shape, bool], Recipe]
    heat: int = SECOND_HEAT
    heat_with_inner_threads: int = SECOND_HEAT
    costs: Costs = Costs()
    wider: Callable[[Waiting], Sequence[Shape]] = never_wider


# --- What charts need


@dataclass(frozen=True)
class Look:
    """How a series is drawn. The marker and the hatch tell it apart where colors do not.

    color: `#RRGGBB`; the palette is that of Okabe and Ito, "Color Universal Design", 2008, with gray in place of yellow,
    which is faint on white. marker, hatch: as matplotlib spells them; hatches are of lines only, because dots make an SVG
    ten times as large. place: its place in legends and tables, in steps of ten, the lowest first.
    """

    color: str
    marker: str
    hatch: str
    place: int


# --- The registry


@dataclass(frozen=True)
class Scheduler:
    """One module of this folder, as an object. The module's docstring says what the fields are."""

    name: str
    summary: str
    core: bool
    kind: str | None
    shapes: Callable[[int], tuple[Shape, ...]]
    unavailable: Callable[[], str | None]
    open: Callable[[Shape, Setup], AbstractContextManager[Opened]]
    series: Callable[[Shape], str]
    looks: Mapping[str, Look]
    advisable: Advisable | None
    probed: bool
    collections_only: bool
    scales: bool

    @property
    def crosses(self) -> bool:
        """Whether tasks and results are copied from one process to another."""
        return self.kind in (PROCESSES, MIX)


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
    from gilbench.files import modules_in

    found = [_as_scheduler(module) for module in modules_in(schedulers)]
    return {scheduler.name: scheduler for scheduler in sorted(found, key=lambda s: (s.name != "sync", not s.core))}


@cache
def all_advisable() -> dict[str, Advisable]:
    """Return name -> Advisable for every scheduler that `gilbench advise` may advise; the simplest first."""
    found = sorted(all_schedulers().values(), key=simplicity)
    return {scheduler.name: scheduler.advisable for scheduler in found if scheduler.advisable}


@cache
def core_schedulers() -> tuple[str, ...]:
    """Return the names of the schedulers that every workload meets; the simplest first."""
    return tuple(s.name for s in sorted(all_schedulers().values(), key=simplicity) if s.core)


def simplicity(scheduler: Scheduler) -> float:
    """Return a sort key that puts the simplest scheduler first, and those that are never advised last."""
    return scheduler.advisable.simplicity if scheduler.advisable else math.inf


def _as_scheduler(module: ModuleType) -> Scheduler:
    return Scheduler(
        name=module.NAME,
        summary=summary_of(module),
        core=module.CORE,
        kind=module.KIND,
        shapes=module.shapes,
        unavailable=module.unavailable,
        open=module.open,
        series=getattr(module, "series", lambda shape: str(module.NAME)),
        looks=getattr(module, "LOOKS", {}),
        advisable=getattr(module, "ADVISABLE", None),
        probed=getattr(module, "PROBED", False),
        collections_only=getattr(module, "COLLECTIONS_ONLY", False),
        scales=getattr(module, "SCALES", True),
    )


def wait_for_all(pool: Executor, workers: int) -> None:
    """Return when `workers` different processes of the pool have answered."""
    seen: set[int] = set()
    while len(seen) < workers:
        answers = [pool.submit(_answer) for _ in range(workers)]
        seen.update(answer.result() for answer in answers)


def _answer() -> int:
    import os
    import time

    time.sleep(0.005)  # long enough for the other processes to take their share of the questions
    return os.getpid()
