"""Computing a case, and checking its first answer: a wrong answer is not a timing."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gilbench.cases.opening import Order

if TYPE_CHECKING:
    from gilbench.schedulers import Opened
    from gilbench.targets.workload import Job, Workload


Compute = Callable[[], list[Any]]


class WrongAnswer(Exception):
    """A scheduler returned something else than sync: a wrong answer is not a timing."""


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
    """Return the seconds of one compute, the settling after it left out."""
    start = time.perf_counter()
    compute()
    seconds = time.perf_counter() - start
    if settle:
        settle()
    return seconds


def check(order: Order, workload: Workload, job: Job, opened: Opened, most: int | None = None) -> dict[str, Any]:
    """Compute for the first time, count the tasks, and compare the answer. Raises WrongAnswer.

    A collection is computed both ways, so that `.compute()` and `dask.compute` are known to give the same. An answer that
    sync does not give twice is none: then the fact "unchecked" says why, and measuring goes on.
    most: how many collections of a job without an answer are computed under sync too, evenly spread; None for all.
    """
    from gilbench.cases.counting import counting
    from gilbench.targets.answers import NOT_COMPARABLE, same
    from gilbench.targets.calls import refuse_lazy, spread
    from gilbench.targets.workload import NO_ANSWER

    checked_for = 0.0
    answer = job.answer
    compared = spread(range(len(job.collections)), most if answer is NO_ANSWER else None)
    some = dataclasses.replace(job, collections=[job.collections[at] for at in compared])
    if answer is NO_ANSWER and order.case.scheduler != "sync":
        answer = sync_answer(some)
        refuse_lazy(answer)
    other = "method" if order.call == "function" else "function"
    facts: dict[str, Any] = {}
    unchecked = None
    for call in (order.call, other) if workload.collection else (order.call,):
        compute = compute_of(job, opened.keywords, call)
        with counting(opened.keywords) as count:
            start = time.perf_counter()
            results = compute()
            seconds = time.perf_counter() - start
            if opened.settle:
                opened.settle()
        checked_for += seconds
        refuse_lazy(results)
        difference = None if answer is NO_ANSWER else same([results[at] for at in compared], answer)
        if difference and job.answer is NO_ANSWER:
            unchecked = same(sync_answer(some), answer)
        if difference and not unchecked:
            whose = "sync's" if job.answer is NO_ANSWER else "the right answer"
            way = "" if call == "function" else " through .compute()"
            raise WrongAnswer(f"differs from {whose}{way}: {difference}")
        if call == order.call:
            facts = {"first_seconds": seconds, "tasks": count.tasks, "workers_used": len(count.workers)}
            facts["ran_on"] = " and ".join(sorted(count.places)) or "unknown"
    if unchecked:
        facts["unchecked"] = (
            unchecked if NOT_COMPARABLE in unchecked else f"its result differs from call to call: {unchecked}"
        )
    return {**facts, "checking_seconds": checked_for}


def sync_answer(job: Job) -> list[Any]:
    """Return what the sync scheduler computes."""
    from dask.local import get_sync

    return compute_of(job, {"scheduler": get_sync}, "function")()
