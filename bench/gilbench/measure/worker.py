"""The inside of one fresh process: one case, measured by pyperf.Runner in its worker mode.

    python -m gilbench.measure.worker ORDER.json OUTCOME.json

pyperf calls `--worker` internal, so it is used here only, and tests/measure/test_worker.py fails when a new pyperf changes it.
Only the standard library is imported up here: pools that spawn import this module again in each of their processes.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gilbench.cases.checking import Compute, WrongAnswer, check, compute_of
from gilbench.cases.opening import Order
from gilbench.errors import describe
from gilbench.files import write
from gilbench.process import layout, lifeline

if TYPE_CHECKING:
    pass

TimeFunction = Callable[[int], float]

MIN_TIME = 0.02  # seconds that one value takes at least: short computes are repeated until they do
MAX_VALUES = 10  # values per process beyond which its own spread no longer matters beside that between processes


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

    from gilbench import machine
    from gilbench.cases.counting import counting
    from gilbench.process import pins
    from gilbench.schedulers import Setup, Shape, all_schedulers
    from gilbench.targets.naming import workload_of

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
    from gilbench.process.memory import peak_memory

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


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names gilbench.measure.worker and not __main__.
    from gilbench.measure import worker

    worker.main(*sys.argv[1:])
    os._exit(0)  # everything is written: taking the interpreter down in good order would only cost time
