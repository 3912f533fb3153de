"""The inside of a worker process, one for each observation: one case, measured by pyperf in its worker mode.

    python -m gilbench.measure.worker ORDER.json OUTCOME.json

pyperf calls `--worker` internal, so only this module uses it, and tests/measure/test_worker.py fails when a new pyperf
changes it. Imports at the top are light: pools that spawn import this module again in each of their processes.
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
from typing import Any

from gilbench.cases import watching
from gilbench.cases.checking import Compute, WrongAnswer, failure_of
from gilbench.cases.opening import OpenCase, opened
from gilbench.cases.order import Order
from gilbench.files import write
from gilbench.process import layout, levels, lifeline, load

TimeFunction = Callable[[int], float]

MIN_TIME = 0.02  # seconds that one value takes at least: short computes are repeated until they do
MAX_VALUES = (
    10  # values per process: with more, its own spread would hardly matter next to the spread between processes
)


@dataclasses.dataclass
class Meter:
    """Wall and CPU seconds of this process, over all its computes. The clocks are read around the timed region."""

    wall: float = 0.0
    cpu: float = 0.0

    def timer(self, compute: Compute, settle: Callable[[], None] | None) -> TimeFunction:
        """Return pyperf's time function: seconds for `loops` computes, without the settling after each."""

        def seconds(loops: int) -> float:
            cpu = time.process_time()
            elapsed = 0.0
            # Where nothing has to settle there is one turn for all loops, so that the clock is read as rarely as possible.
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
        outcome = run_case(Order.from_json(order_data))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a workload raises is a result: it is reported by name
        if not isinstance(error, WrongAnswer):
            traceback.print_exc()
        outcome = {"failure": failure_of(error).as_json()}
    write(Path(outcome_path), json.dumps(outcome).encode())
    del kept


def run_case(order: Order) -> dict[str, Any]:
    """Open the order's case and measure it. Return the pyperf run as plain data: values, warmups and metadata."""
    import dask.delayed  # noqa: F401 - what dask itself switches on is not the workload's doing

    from gilbench import machine

    gil_before = machine.gil_enabled()
    with opened(order) as case:
        meter = Meter(wall=case.facts.first.checking_seconds)
        with load.watched() as machine_load:
            run = memory_run(order, case) if order.case.measure == "memory" else timed_run(order, case, meter)
        began = time.perf_counter()
        tasks = watching.watch(case.job, case.opened.keywords, case.settle, order.budget / 2) if order.watch else {}
        meter.wall += time.perf_counter() - began
    facts = {
        **case.facts.as_metadata(),
        "moved_bytes": case.job.moved_bytes,
        "busy_seconds": meter.wall,
        "gil_before": "enabled" if gil_before else "disabled",
        "gil_after": "enabled" if machine.gil_enabled() else "disabled",
        "blas": machine.blas(),
        **({"pools": case.opened.pools} if case.opened.pools else {}),
        "started": "forked" if order.forked else "fresh",
        "allocator": levels.in_words(order.case.level),
        **machine_load.as_metadata(),
        **tasks,
    }
    return {**run, "metadata": {**run["metadata"], **facts}}


def timed_run(order: Order, case: OpenCase, meter: Meter) -> dict[str, Any]:
    """Run pyperf's worker. The first observation of a case fixes loops and values for all later ones."""
    time_func = meter.timer(case.compute, case.settle)
    loops, values = order.loops, order.values
    if loops is None or values is None:
        # A first compute that uses up the budget is enough to go by; a short one was cold, and is not relied on.
        first = case.facts.first.seconds
        loops, values = calibrate(first if first > order.budget else time_func(1), order.budget)
    cpu, wall = meter.cpu, meter.wall
    run = pyperf_run(order.case.name, time_func, loops, values, warmups=1 if values > 1 else 0)
    if order.case.scheduler == "sync":
        run["metadata"]["cpu_over_wall"] = (meter.cpu - cpu) / (meter.wall - wall)
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


def memory_run(order: Order, case: OpenCase) -> dict[str, Any]:
    """Measure the peak memory of this process and all its descendants, in bytes beyond what they hold while idle."""
    from gilbench.process.peak_memory import peak_memory

    kinds = set()

    def peak_bytes(loops: int) -> float:
        with peak_memory(os.getpid()) as found:
            case.compute()
        if case.settle:
            case.settle()
        kinds.add(found.kind)
        return float(max(1, found.beyond))

    run = pyperf_run(order.case.name, peak_bytes, loops=1, values=1, warmups=0)
    return {**run, "metadata": {**run["metadata"], "unit": "byte", "memory_kind": kinds.pop()}}


def pyperf_run(name: str, time_func: TimeFunction, loops: int, values: int, warmups: int) -> dict[str, Any]:
    """Act as a pyperf worker: the one place that uses pyperf's internal `--worker`."""
    import pyperf

    runner = pyperf.Runner()
    runner.parse_args(["--worker", f"--loops={loops}", f"--values={values}", f"--warmups={warmups}", "--quiet"])
    (run,) = runner.bench_time_func(name, time_func).get_runs()
    return {"values": list(run.values), "warmups": list(run.warmups), "metadata": run.get_metadata()}


if __name__ == "__main__":
    # Through the real module, so that what is pickled here names gilbench.measure.worker and not __main__.
    from gilbench.measure import worker

    worker.main(*sys.argv[1:])
    os._exit(0)  # everything is written: an orderly shutdown of the interpreter would only cost time
