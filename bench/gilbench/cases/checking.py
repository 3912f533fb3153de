"""Computing a case, and checking its first answer: a wrong answer is not a timing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gilbench.errors import Failure, describe

if TYPE_CHECKING:
    from gilbench.cases.order import Order
    from gilbench.schedulers import Opened
    from gilbench.targets.workload import Job, Workload


Compute = Callable[[], list[Any]]


class WrongAnswer(Exception):
    """A scheduler returned something other than sync did: a wrong answer is not a timing."""


@dataclass(frozen=True)
class FirstCompute:
    """What the first compute of a case showed.

    seconds: of that compute, which is cold. checking_seconds: of all computes of the check. tasks: executed in one compute.
    workers_used: distinct threads or processes that executed them. ran_on: what these are, "threads", "processes",
    "cluster PxT" or "unknown". unchecked: why the answer could not be checked; None where it was.
    """

    seconds: float
    checking_seconds: float
    tasks: int
    workers_used: int
    ran_on: str
    unchecked: str | None = None

    def as_metadata(self) -> dict[str, Any]:
        """Return the part that goes into the metadata of an observation."""
        found = {
            "first_seconds": self.seconds,
            "tasks": self.tasks,
            "workers_used": self.workers_used,
            "ran_on": self.ran_on,
        }
        return found if self.unchecked is None else {**found, "unchecked": self.unchecked}


def compute_of(job: Job, keywords: Mapping[str, Any], call: str) -> Compute:
    """Return the function that is timed: it computes all of the job's collections and returns a list of results."""
    from dask import compute

    collections = list(job.collections)
    if call == "method":
        return lambda: [collection.compute(**keywords) for collection in collections]
    if job.together:
        return lambda: list(compute(*collections, **keywords))
    return lambda: [compute(collection, **keywords)[0] for collection in collections]


def seconds_of(compute: Callable[[], Any], settle: Callable[[], None] | None) -> float:
    """Return the seconds of one compute, without the settling after it."""
    start = time.perf_counter()
    compute()
    seconds = time.perf_counter() - start
    if settle:
        settle()
    return seconds


def check(order: Order, workload: Workload, job: Job, opened: Opened, most: int | None = None) -> FirstCompute:
    """Compute for the first time, count the tasks, and compare the answer. Raises WrongAnswer.

    A collection is computed in both ways, so that `.compute()` and `dask.compute` are known to agree. An answer that sync
    itself does not give twice cannot be checked: then `unchecked` says why, and measuring goes on.
    most: how many collections of a job without an answer are computed under sync too, evenly spread; None for all.
    """
    from gilbench.cases.counting import counting
    from gilbench.targets.answers import same
    from gilbench.targets.calls import refuse_lazy, spread
    from gilbench.targets.workload import NO_ANSWER

    answer = job.answer
    compared = spread(range(len(job.collections)), most if answer is NO_ANSWER else None)
    some = replace(job, collections=[job.collections[at] for at in compared])
    if answer is NO_ANSWER and order.case.scheduler != "sync":
        answer = sync_answer(some)
        refuse_lazy(answer)
    other = "method" if order.call == "function" else "function"
    difference_of_sync = None
    seconds, tasks = {}, {}
    for call in (order.call, other) if workload.collection else (order.call,):
        compute = compute_of(job, opened.keywords, call)
        with counting(opened.keywords) as tasks[call]:
            start = time.perf_counter()
            results = compute()
            seconds[call] = time.perf_counter() - start
            if opened.settle:
                opened.settle()
        refuse_lazy(results)
        difference = None if answer is NO_ANSWER else same([results[at] for at in compared], answer)
        if difference and job.answer is NO_ANSWER:
            difference_of_sync = same(sync_answer(some), answer)
        if difference and not difference_of_sync:
            whose = "sync's" if job.answer is NO_ANSWER else "the right answer"
            way = "" if call == "function" else " through .compute()"
            raise WrongAnswer(f"differs from {whose}{way}: {difference}")
    count = tasks[order.call]
    return FirstCompute(
        seconds=seconds[order.call],
        checking_seconds=sum(seconds.values()),
        tasks=count.tasks,
        workers_used=len(count.workers),
        ran_on=" and ".join(sorted(count.places)) or "unknown",
        unchecked=_why_unchecked(difference_of_sync) if difference_of_sync else None,
    )


def _why_unchecked(difference_of_sync: str) -> str:
    from gilbench.targets.answers import NOT_COMPARABLE

    if NOT_COMPARABLE in difference_of_sync:
        return difference_of_sync
    return f"its result differs from call to call: {difference_of_sync}"


def sync_answer(job: Job) -> list[Any]:
    """Return what the sync scheduler computes."""
    from dask.local import get_sync

    return compute_of(job, {"scheduler": get_sync}, "function")()


def failure_of(error: BaseException) -> Failure:
    """Return how to report an error that was raised while a case was opened, checked or computed."""
    if isinstance(error, WrongAnswer):
        return Failure("wrong answer", str(error))
    return Failure("raised", describe(error))
