"""Synthetic results for the chart tests: realistic ones, scripted ones and hostile ones. No clock, no process."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from gilbench.cases.case import Case
from gilbench.errors import Failure
from gilbench.probes._patterns import PATTERNS
from gilbench.probes.granularity_probe import described, search
from gilbench.process.levels import LEVELED
from gilbench.results.records import Probing
from gilbench.results.summary import CaseSummary, FailedCase, Summary
from gilbench.stats import Estimate

MACHINE: dict[str, str | int | float] = {
    "cpu_model_name": "Intel(R) Xeon(R) Processor @ 2.90GHz",
    "usable_cpus": 2,
    "python_version": "3.11.7",
    "pandas_version": "3.1.1",
    "numpy_version": "2.4.6",
    "dask_version": "2026.8.0",
    "gil": "enabled",
}

# family -> workload -> (seconds under sync, share of it that holds the GIL)
WORKLOADS = {
    "collections": {
        "array_mean": (0.08, 0.02),
        "dataframe_groupby": (0.15, 0.3),
        "bag_word_count": (0.2, 1.0),
        "delayed_tree": (0.06, 1.0),
    },
    "control": {"sleep": (0.1, 0.0)},
    "csv_files": {
        "csv_max_price": (0.22, 0.2),
        "csv_numbers": (0.12, 0.14),
        "csv_text": (0.18, 0.21),
        "csv_text_object": (0.31, 0.94),
        "csv_inner_threads": (0.22, 0.2),
        "csv_pyarrow": (0.09, 0.11),
    },
    "delayed_basics": {"tiny_tasks": (0.035, 1.0)},
    "memory": {"shared_array": (0.11, 0.05)},
    "mixed": {"half_and_half": (0.1, 0.5)},
    "moving_data": {"return_bytes": (0.05, 0.1), "broadcast_bytes": (0.06, 0.1), "embedded_bytes": (0.05, 0.1)},
    "numpy_reductions": {
        "sqrt_sum": (0.1, 0.01),
        "sort": (0.12, 0.01),
        "matmul": (0.09, 0.0),
        "memory_bound_sum": (0.1, 0.3),
        "tiny_ufuncs": (0.07, 1.8),
    },
    "python_loops": {"sum_of_squares": (0.1, 1.0), "word_count": (0.13, 1.05), "more_loops": (0.1, 1.0)},
    "shared_work": {"together": (0.09, 1.0), "separately": (0.17, 1.0)},
}
# workload -> scheduler -> times as long as with the allocator leveled
HEAP = {
    "sqrt_sum": {"sync": 3.0, "threads": 1.0, "processes": 2.0},
    "sum_of_squares": {"sync": 1.0, "threads": 1.0, "processes": 1.0},
    "half_and_half": {"sync": 1.5, "threads": 1.0, "processes": 1.4},
}
SWEPT = ("return_bytes", "broadcast_bytes", "embedded_bytes")
SCALING = ("sqrt_sum", "tiny_ufuncs", "csv_text", "csv_text_object", "sum_of_squares", "half_and_half", "sleep")
SCHEDULERS = ("sync", "threads", "processes", "processes-default", "distributed", "loky", "default")
OPENING = dict(zip(SCHEDULERS, (2e-5, 4e-4, 0.62, 1e-4, 1.4, 0.8, 1e-4), strict=True))
PER_TASK = dict(zip(SCHEDULERS[:-1], (1.7e-4, 3.7e-4, 4.5e-4, 2.4e-4, 3e-3, 4e-4), strict=True))


def estimate(value: float, spread: float = 0.05, n: int = 5) -> Estimate:
    """An estimate with an interval of ±spread; none for n < 2."""
    if n < 2:
        return Estimate(value, 0.0, math.inf, n)
    return Estimate(value, value / (1 + spread), value * (1 + spread), n)


def case_summary(
    case: Case, seconds: float, *, family: str = "family", sync: float | None = None, **more: Any
) -> CaseSummary:
    """A case that took this many seconds (or bytes), with a speed-up if the seconds of sync are given."""
    spread, n = more.pop("spread", 0.05), more.pop("n", 5)
    chance = random.Random(case.name.encode(errors="replace"))
    fields = {
        "family": family,
        "estimate": estimate(seconds, spread, n),
        "speedup": None if sync is None else estimate(sync / seconds, spread * 1.4, n),
        "observations": tuple(seconds * chance.lognormvariate(0, spread / 2) for _ in range(n)),
        "opening": None,
        "first": None,
        "tasks": 16,
        "workers_used": case.parallelism,
        "moved_bytes": 0,
        "flags": (),
        "stop": "precision",
    }
    return CaseSummary(case=case, **{**fields, **more})


def summary(
    cases: Iterable[CaseSummary], failures: Iterable[FailedCase] = (), name: str = "example", **machine: Any
) -> Summary:
    return Summary(name, {**MACHINE, **machine}, tuple(cases), tuple(failures))


def shapes(scheduler: str, cpus: int) -> list[tuple[int, int]]:
    counts = sorted({1, cpus, *(2**p for p in range(6) if 2**p < cpus)})
    if scheduler == "sync":
        return [(1, 1)]
    if scheduler in ("threads", "default"):
        return [(1, count) for count in (counts if scheduler == "threads" else [cpus])]
    if scheduler == "distributed":
        mixes = [(count, cpus // count) for count in counts if 1 < count < cpus]
        return sorted({(1, count) for count in counts} | {(count, 1) for count in counts}) + mixes
    return [(count, 1) for count in (counts if scheduler == "processes" else [cpus])]


def model(held: float, case: Case, sync: float, scheduler: str, moved: int) -> float:
    """Seconds that this case might take."""
    if scheduler == "default":
        scheduler = "processes" if case.workload.startswith("bag") else "threads"
        many = scheduler == "processes"
        case = replace(case, workers=case.threads if many else 1, threads=1 if many else case.threads)
    n = case.parallelism
    time = sync * max(1 / n, held if n > 1 else 1.0) if case.workers == 1 else sync / n
    if scheduler != "sync" and (case.workers > 1 or scheduler not in ("threads", "distributed")):
        time += moved * {"distributed": 1.2e-9, "loky": 4e-9}.get(scheduler, 7e-9)
    if scheduler == "processes-default":
        time += 0.35
    return time + 16 * PER_TASK[scheduler] * (0 if scheduler == "sync" else 1)


def planned(cpus: int, full: bool) -> Iterator[tuple[str, Case]]:
    """The family and case of everything measured: about 30 workloads, the first of a family on every scheduler."""
    for family, workloads in WORKLOADS.items():
        for index, workload in enumerate(workloads):
            for size, scheduler in product(("small", "default", "large"), SCHEDULERS):
                core = scheduler in ("sync", "threads", "processes") or (full and scheduler != "default")
                if (size != "default" and workload not in SWEPT) or not (core or index == 0 or family == "collections"):
                    continue
                if scheduler == "default" and family != "collections":
                    continue
                for workers, threads in shapes(scheduler, cpus):
                    if workload in SCALING or workers * threads == cpus or scheduler == "sync":
                        pinned = workload != "csv_inner_threads" or scheduler == "sync"
                        yield family, Case(workload, size, scheduler, workers, threads, pinned)


def realistic(
    cpus: int = 2, name: str = "example", seed: int = 1, faster: float = 1.0, full: bool = True, **machine: Any
) -> Summary:
    """A result of `planned`, with failures, single observations, sweeps and memory cases."""
    chance = random.Random(seed)
    cases: list[CaseSummary] = []
    failures: list[FailedCase] = []
    for family, case in planned(cpus, full):
        base, held = WORKLOADS[family][case.workload]
        factor = {"small": 1 / 16, "default": 1.0, "large": 16.0}[case.size]
        moved = int(2**22 * factor) if case.workload in SWEPT else 0
        sync = base * factor**0.7 / faster
        if chance.random() < 0.02 and case.scheduler != "sync":
            failures.append(FailedCase(case, Failure("timeout", "no answer in 60 s")))
            continue
        seconds = model(held, case, sync, case.scheduler, moved) * chance.lognormvariate(0, 0.03)
        lone = 1 if chance.random() < 0.04 and case.scheduler != "sync" else 5
        opening = OPENING[case.scheduler]
        more: dict[str, Any] = {
            "sync": seconds if case.scheduler == "sync" else sync,
            "spread": 0.01 + 0.08 * chance.random() ** 2,
            "n": lone,
            "opening": estimate(opening, 0.1, lone),
            "first": estimate(seconds * 1.15 + opening * 0.05, 0.15, lone),
            "tasks": 200 if case.workload == "tiny_tasks" else 16,
            "moved_bytes": moved,
        }
        cases.append(case_summary(case, seconds, family=family, **more))
        if case.workload == "shared_array":
            own_memory = case.scheduler not in ("sync", "threads")
            peak = 2**20 * (180 + 95 * case.workers * own_memory) * chance.lognormvariate(0, 0.02)
            cases.append(case_summary(replace(case, measure="memory"), peak, family=family))
    failures = [replace(failure, case=replace(failure.case, level=LEVELED)) for failure in failures]
    found = summary(leveled(cases), failures, name, usable_cpus=cpus, **machine)
    probes = (timelines("sqrt_sum", 0.0, cpus), timelines("sum_of_squares", 1.0, cpus))
    probes += (granularities(cpus),)
    return replace(found, probes=(*probes, *(probing(*work) for works in WORKLOADS.values() for work in works.items())))


def leveled(cases: Iterable[CaseSummary]) -> Iterator[CaseSummary]:
    """The timed cases at the level that is compared, and some of them as users get them, slower by what HEAP says."""
    for case in cases:
        if case.case.measure != "time":
            yield case
            continue
        yield replace(case, case=replace(case.case, level=LEVELED))
        slower = HEAP.get(case.case.workload, {}).get(case.case.scheduler)
        if slower and case.case.size == "default":
            seconds = case.estimate.value * slower
            yield case_summary(case.case, seconds, family=case.family, sync=seconds, spread=0.05)


def probing(workload: str, work: tuple[float, float], switches: float = 240.0) -> Probing:
    """What the probes of GIL and traffic find of a workload. work: (seconds under sync, share of it that holds the GIL)."""
    held = min(1.0, work[1])
    rate = 38_000.0 if work[1] > 1.5 else switches
    gil = {
        "sync": {"held": held, "low": max(0.0, held - 0.02), "high": min(1.0, held + 0.02), "switches_per_second": 0.0},
        "threads": {"held": held, "low": held, "high": held, "switches_per_second": rate},
    }
    traffic = {
        scheduler: {
            "tasks": 8,
            "to_tasks_bytes": 2e3 * factor,
            "from_tasks_bytes": 1e7 * work[0] * factor,
            "between_workers_bytes": 0,
        }
        for scheduler, factor in (("processes", 1.0), ("loky", 1.1), ("distributed", 3.0))
    }
    return Probing(workload, "default", {"gil": gil, "traffic": traffic}, {})


def timelines(
    workload: str, held: float = 1.0, cpus: int = 2, schedulers: Iterable[str] = SCHEDULERS, tasks: int = 16
) -> Probing:
    """What the timeline probe finds, of tasks that take 6 ms, or longer on threads where they hold the GIL."""
    found = {}
    for scheduler in schedulers:
        lanes, threads = 1 if scheduler == "sync" else cpus, scheduler in ("threads", "default")
        long = 0.006 * (max(1.0, held * lanes) if threads else 1.0)
        first = {"processes-default": 0.4, "distributed": 0.02}.get(scheduler, 0.002)
        starts = [first + i // lanes * (long + 3e-4) for i in range(tasks)]
        places = [(0, i % lanes) if threads else (i % lanes, 0) for i in range(tasks)]
        seconds = starts[-1] + long + 0.001
        found[scheduler] = {
            "tasks": [[workload, *place, start, start + long] for place, start in zip(places, starts, strict=True)],
            "seconds": seconds,
            "workers": lanes,
            "planned": tasks,
            "cpu_seconds": tasks * 0.006,
            "computes": [seconds, 1.1 * seconds],
        }
    return Probing(workload, "default", {"timeline": found}, {"timeline": {}})


def granularities(cpus: int = 2, schedulers: Iterable[str] = SCHEDULERS, patterns: Iterable[str] = PATTERNS) -> Probing:
    """What the granularity probe finds, of schedulers that take 50 µs to 4 ms for each task."""
    found: dict[str, dict[str, Any]] = {}
    for number, scheduler in enumerate(schedulers):
        overhead = 5e-5 * 2.0**number
        threads = cpus if scheduler in ("threads", "default") else 1
        processes = 1 if scheduler == "sync" else cpus // threads
        for more, pattern in enumerate(patterns, start=1):
            curve = described(search(lambda seconds, cost=overhead * more: 0.95 * seconds / (seconds + cost)))
            shape = {"workers": processes * threads, "processes": processes, "threads": threads}
            found.setdefault(scheduler, {})[pattern] = {**curve, **shape}
    return Probing("", "tiny", {"granularity": found}, {"granularity": {}})


HOSTILE = "<script>$x^{ & \\frac{\x00\n\ud800]]>"


def hostile() -> Summary:
    """A result whose every text tries to break out: of math, of XML, of a line, of the page."""
    names = [HOSTILE, "$x^{", "$a$ $b$", "_" * 500, "日本", "%s {0} \\$"]
    cases = []
    for name in names:
        for scheduler in ("sync", "threads", HOSTILE, "a-new-one", "default"):
            for threads in (1,) if scheduler == "sync" else (1, 2):
                case = Case(name, "default", scheduler, 1, threads)
                opening = estimate(0.1)
                extra = {"opening": opening, "first": opening, "moved_bytes": 2**20}
                cases.append(case_summary(case, 0.1 / threads, family=name, sync=0.1, **extra))
        cases.append(case_summary(Case(name, "default", HOSTILE, 1, 2, True, "memory"), 2.0**26, family=name))
    machine = dict.fromkeys(MACHINE, HOSTILE)
    failures = [FailedCase(Case("$x^{", "default", "threads", 1, 4), Failure(HOSTILE, HOSTILE))]
    schedulers = ("sync", "threads", HOSTILE)
    lines, rest = timelines(HOSTILE, schedulers=schedulers), probing(HOSTILE, (0.1, 0.5))
    probes = (lines, rest, granularities(schedulers=schedulers, patterns=("tree", HOSTILE)))
    return replace(summary(cases, failures, HOSTILE, **machine), probes=probes)
