"""The inside of one fresh process: one case, measured by pyperf.Runner in its worker mode.

    python -m bench.worker ORDER.json OUTCOME.json

pyperf calls `--worker` internal, so it is used here only, and tests/test_worker.py fails when a new pyperf changes it.
Only the standard library is imported up here: pools that spawn import this module again in each of their processes.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import layout, lifeline
from bench.files import write

if TYPE_CHECKING:
    from bench.plan import Case
    from bench.schedulers import Opened
    from workloads import Job, Workload

Compute = Callable[[], list[Any]]
TimeFunction = Callable[[int], float]

MIN_TIME = 0.02  # seconds that one value takes at least: short computes are repeated until they do
MAX_VALUES = 10  # values per process beyond which its own spread no longer matters beside that between processes


class WrongAnswer(Exception):
    """A scheduler returned something else than sync: a wrong answer is not a timing."""


@dataclasses.dataclass(frozen=True)
class Order:
    """What one worker is asked to measure.

    call: "function" for dask.compute(x, scheduler=...), "method" for x.compute(scheduler=...).
    loops, values: fixed by the case's first observation, None in that one. budget: seconds of computing to spend.
    seconds_left: until the whole run should end.
    """

    case: Case
    round: int
    seed: int
    call: str
    budget: float
    loops: int | None = None
    values: int | None = None
    seconds_left: float = math.inf

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """Read `as_json` back."""
        from bench.plan import Case

        return cls(**{**data, "case": Case(**data["case"])})


@dataclasses.dataclass
class Meter:
    """Wall and CPU seconds of this process over everything that was computed; around the timed region, not in it."""

    wall: float = 0.0
    cpu: float = 0.0

    def timer(self, compute: Compute, settle: Callable[[], None] | None) -> Callable[[int], float]:
        """Return pyperf's time function: seconds for `loops` computes, the settling after each left out."""

        def seconds(loops: int) -> float:
            cpu = time.process_time()
            elapsed = 0.0
            # One turn for all loops where nothing has to settle, so that the clock is read as seldom as can be.
            for turn in [range(loops)] if settle is None else [range(1)] * loops:
                start = time.perf_counter()
                for _ in turn:
                    compute()
                elapsed += time.perf_counter() - start
                if settle:
                    settle()
            self.cpu += time.process_time() - cpu
            self.wall += elapsed
            return elapsed

        return seconds


def main(order_path: str, outcome_path: str) -> None:
    """Measure the order in the one file and write the outcome, a run or a failure, to the other."""
    lifeline.hold_on()
    order_data = json.loads(Path(order_path).read_text())
    kept = layout.pile(order_data["seed"])
    try:
        outcome = measure(Order.from_json(order_data))
    except WrongAnswer as error:
        outcome = {"failure": {"kind": "wrong answer", "reason": str(error)}}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a workload raises is a result: it is reported by name
        traceback.print_exc()
        outcome = {"failure": {"kind": "raised", "reason": describe(error)}}
    write(Path(outcome_path), json.dumps(outcome).encode())
    del kept


def measure(order: Order) -> dict[str, Any]:
    """Return the pyperf run of the order's case as plain data: values, warmups and metadata."""
    import dask.delayed  # noqa: F401 - before the clock of the build starts

    from bench import machine, pins
    from bench.probes._tasks import counting
    from bench.schedulers import Setup, Shape, all_schedulers
    from bench.targets import workload_of

    case, gil_before = order.case, machine.gil_enabled()
    workload = workload_of(case.workload)
    setup = Setup(workload.modules, case.pinned)
    pins.prepare(setup.modules, setup.pinned)
    with counting({}) as executed:
        start = time.perf_counter()
        job = workload.build(**workload.sizes[case.size])
    built = time.perf_counter()
    with all_schedulers()[case.scheduler].open(Shape(case.workers, case.threads), setup) as opened:
        facts: dict[str, Any] = {
            "family": workload.family,
            "build_seconds": built - start,
            "build_tasks": executed.tasks,
            "open_seconds": time.perf_counter() - built,
        }
        facts |= check(order, workload, job, opened)
        meter = Meter(wall=facts.pop("checking_seconds"))
        if case.measure == "memory":
            run = memory_run(order, compute_of(job, opened.keywords, order.call), opened.settle)
        else:
            time_func = meter.timer(compute_of(job, opened.keywords, order.call), opened.settle)
            run = timed_run(order, time_func, meter, facts)
    facts |= {
        "moved_bytes": job.moved_bytes,
        "busy_seconds": meter.wall,
        "gil_before": "enabled" if gil_before else "disabled",
        "gil_after": "enabled" if machine.gil_enabled() else "disabled",
        "blas": machine.blas(),
    }
    return {**run, "metadata": {**run["metadata"], **facts}}


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
    from bench.answers import NOT_COMPARABLE, same
    from bench.probes._tasks import counting
    from bench.targets import refuse_lazy, spread
    from workloads import NO_ANSWER

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


def timed_run(order: Order, time_func: TimeFunction, meter: Meter, facts: dict[str, Any]) -> dict[str, Any]:
    """Run pyperf's worker; its first observation fixes loops and values for all later ones of the case."""
    loops, values = order.loops, order.values
    if loops is None or values is None:
        # A first compute that uses the budget up has said enough; a short one was cold, and is not believed.
        first = float(facts["first_seconds"])
        loops, values = calibrate(first if first > order.budget else time_func(1), order.budget)
    cpu, wall = meter.cpu, meter.wall
    run = pyperf_run(order.case.name, time_func, loops, values, warmups=1 if values > 1 else 0)
    if order.case.scheduler == "sync":
        facts["cpu_over_wall"] = (meter.cpu - cpu) / (meter.wall - wall)
    return run


def calibrate(seconds: float, budget: float) -> tuple[int, int]:
    """Return (loops, values): enough loops for one value to last, as many values as the budget pays for.

    >>> calibrate(0.001, budget=0.6)
    (32, 10)
    >>> calibrate(0.15, budget=0.6)
    (1, 4)
    >>> calibrate(3.0, budget=0.6)
    (1, 1)
    """
    loops = 1
    while loops * seconds < MIN_TIME:
        loops *= 2
    return loops, max(1, min(MAX_VALUES, round(budget / (loops * seconds))))


def memory_run(order: Order, compute: Compute, settle: Callable[[], None] | None) -> dict[str, Any]:
    """Measure the peak memory of this process and all below it, beyond what they hold while idle, in bytes."""
    from bench.probes.memory import peak_memory

    kinds = set()

    def peak_bytes(loops: int) -> float:
        with peak_memory(os.getpid()) as found:
            compute()
        if settle:
            settle()
        kinds.add(found.kind)
        return float(max(1, found.beyond))

    run = pyperf_run(order.case.name, peak_bytes, loops=1, values=1, warmups=0)
    return {**run, "metadata": {**run["metadata"], "unit": "byte", "memory_kind": kinds.pop()}}


def pyperf_run(name: str, time_func: TimeFunction, loops: int, values: int, warmups: int) -> dict[str, Any]:
    """Be a pyperf worker: this is the one place that uses the internal `--worker`."""
    import pyperf

    runner = pyperf.Runner()
    runner.parse_args(["--worker", f"--loops={loops}", f"--values={values}", f"--warmups={warmups}", "--quiet"])
    (run,) = runner.bench_time_func(name, time_func).get_runs()
    return {"values": list(run.values), "warmups": list(run.warmups), "metadata": run.get_metadata()}


def describe(error: BaseException) -> str:
    """Return one line: the exception's type and text, what it was computed from, and the user's own line that raised it."""
    from bench.errors import UserError
    from bench.report import printable

    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    text = kind + (_said(error) or "no message")
    cause = error.__cause__
    because = [f"from {type(cause).__name__}: {_said(cause)}"] if cause and _said(cause) else []
    apart = (str(Path(__file__).parent), *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(apart) and Path(frame.filename).is_file()]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in own[-1:] if kind]
    about = ", ".join([*because, *getattr(error, "__notes__", ()), *places])
    return printable(f"{text[:300]} ({about[:300]})" if about else text[:300])


def _said(error: BaseException) -> str:
    """Return an exception's text on one line, without the traceback of another process that some have in it."""
    return " ".join(str(error).removeprefix('\n"""\n').partition("Traceback (most recent call last)")[0].split())


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names bench.worker and not __main__.
    from bench import worker

    worker.main(*sys.argv[1:])
    os._exit(0)  # everything is written: taking the interpreter down in good order would only cost time
