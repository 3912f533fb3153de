"""Opening a case in a child process: what the child is asked to open, and the one way in which it does so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gilbench.cases.case import Case
from gilbench.cases.checking import Compute, FirstCompute, check, compute_of
from gilbench.cases.order import Order

if TYPE_CHECKING:
    from gilbench.schedulers import Opened, Setup
    from gilbench.targets.workload import Job, Workload


@dataclass(frozen=True)
class CaseFacts:
    """What was learned about a case while it was opened.

    build_seconds: to build the graph. build_tasks: tasks that were executed meanwhile. open_seconds: to open and warm the
    scheduler. first: its first compute.
    """

    family: str
    build_seconds: float
    build_tasks: int
    open_seconds: float
    first: FirstCompute

    def as_metadata(self) -> dict[str, Any]:
        """Return the part that goes into the metadata of an observation."""
        return {
            "family": self.family,
            "build_seconds": self.build_seconds,
            "build_tasks": self.build_tasks,
            "open_seconds": self.open_seconds,
            **self.first.as_metadata(),
        }


@dataclass(frozen=True)
class OpenCase:
    """A case that is open in this process: built, its scheduler warm, its first answer checked.

    compute: computes the whole job once and returns its results. settle: see gilbench.schedulers.Opened.
    """

    case: Case
    workload: Workload
    job: Job
    setup: Setup
    opened: Opened
    compute: Compute
    facts: CaseFacts

    @property
    def settle(self) -> Callable[[], None] | None:
        """Waits until nothing of the previous compute is left; None where there is nothing to wait for."""
        return self.opened.settle


@contextmanager
def opened(
    order: Order, *, compared: int | None = None, once_open: Callable[[float], object] | None = None
) -> Iterator[OpenCase]:
    """Open the case of an order in this process, and close its scheduler at the end of the block.

    Modules are imported and inner threads pinned first. Then the job is built, the scheduler is opened, and the first
    answer is checked. Raises WrongAnswer, and whatever the workload raises.

    compared: how many results are compared with those under sync (see `check`); None for all.
    once_open: where given, the scheduler opens before the job is built, and this is called in between with the seconds that
    opening took. This lets several processes open at the same time, and then build and compute one after the other.
    """
    import dask.delayed  # noqa: F401 - before the clock of the build starts

    from gilbench.process import pins
    from gilbench.schedulers import FORK, SPAWN, Setup, Shape, all_schedulers
    from gilbench.targets.naming import is_own, workload_of

    case, workload = order.case, workload_of(order.case.workload)
    # A user's file may start threads, or count on being imported in each process of a pool.
    pools = FORK if order.forked and not order.spawns and not is_own(case.workload) else SPAWN
    setup = Setup(workload.modules, case.pinned, pools)
    pins.prepare(setup.modules, setup.pinned)
    built = None if once_open else _build(workload, case.size)
    start = time.perf_counter()
    with all_schedulers()[case.scheduler].open(Shape(case.workers, case.threads), setup) as scheduler:
        open_seconds = time.perf_counter() - start
        if once_open:
            once_open(open_seconds)
        built = built or _build(workload, case.size)
        first = check(order, workload, built.job, scheduler, compared)
        compute = compute_of(built.job, scheduler.keywords, order.call)
        facts = CaseFacts(workload.family, built.seconds, built.tasks, open_seconds, first)
        yield OpenCase(case, workload, built.job, setup, scheduler, compute, facts)


@dataclass(frozen=True)
class _Built:
    """A job, the seconds that building it took, and the tasks that were executed meanwhile."""

    job: Job
    seconds: float
    tasks: int


def _build(workload: Workload, size: str) -> _Built:
    from gilbench.cases.counting import counting

    with counting({}) as executed:
        start = time.perf_counter()
        job = workload.build(**workload.sizes[size])
        seconds = time.perf_counter() - start
    return _Built(job, seconds, executed.tasks)
