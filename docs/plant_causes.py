"""Plant causes of speed-ups, and count how often gilbench names them: a Markdown table.

    python docs/plant_causes.py [--trials 100] [--seed 1] [--journal PATH]

Each trial draws a cause and a dial, lets `gilbench.run` measure docs/planted.py:planted in four rounds (and `gilbench.probe`
the GIL, where tasks wait), and asks `gilbench.explain.chains` what it names first. Trials that are in the journal are not
repeated. 100 trials take about 35 minutes on two cores, on which nothing else may run.

The expected factor, with N CPUs, is what the dial does to the same tasks without gilbench and without dask, in a plain loop and
in pools of concurrent.futures, measured right before (docs/planted.py:plainly; L: loop, 1: one worker, N: all of them):

    gil, lock, imbalance, streams, inner-threads    T1 / (N TN)
    payload                                         TL / T1, with processes
    allocation                                      TL as it is / TL with the allocator leveled

Three are arithmetic:

    chain           1 / N
    length L        min(1, (L + s) / (N s)): the scheduler's s seconds for a task, one after the other, which dask's threads take
                    for tasks that do nothing
    cold-start D    (D + open + t) / t: the compute time t of the trial, and the first compute with the pool's start, `open`,
                    of a trial without a dial, which is measured first

A factor within 5 % of 1 is beneath what gilbench may name; those trials are counted as "too small to name".
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import planted

import gilbench
from gilbench.cases.case import Case
from gilbench.cases.plan import drawn_seed
from gilbench.explain import chains, efficiencies
from gilbench.explain.chains import ALLOCATOR, ONE_WORKER, WORKERS, Chain
from gilbench.explain.factors import NAMED
from gilbench.process import child
from gilbench.process.levels import AS_IS, LEVELED
from gilbench.results.summary import Summary

TARGET = f"{Path(__file__).with_name('planted.py')}:planted"
ROUNDS = 4
CLOSE = 1.1  # times: a factor that far from the expected one, in either direction, is close enough
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
DIALS: Mapping[str, Sequence[float]] = {
    "nothing": (0,),
    "gil": (0.25, 0.5, 1.0),
    "imbalance": (1.0, 2.0, 3.0, 4.0),
    "payload": (0, 4, 16, 64),
    "allocation": (0, 64, 128, 256),
    "streams": (0.5, 1.0),
    "length": (10e-6, 100e-6, 1e-3, 10e-3),
    "lock": (0.75, 1.0),
    "chain": (1,),
    "inner-threads": (float(CPUS),),
    "cold-start": (0.5, 1.0, 2.0),
}
WAIT = ("gil", "lock")
ON_PROCESSES = ("payload", "cold-start")
START = "start-up"
# cause -> what gilbench calls it
NAMES: Mapping[str, Sequence[str]] = {
    "gil": (efficiencies.GIL,),
    "imbalance": (efficiencies.UNEVEN,),
    "payload": (ONE_WORKER, efficiencies.COPYING),
    "allocation": (ALLOCATOR,),
    "streams": (efficiencies.SLOWER,),
    "length": (efficiencies.TASK_COST,),
    "lock": (efficiencies.LOCK,),
    "chain": (efficiencies.DEPENDENT,),
    "inner-threads": (efficiencies.INNER,),
    "cold-start": (START,),
}


@dataclass(frozen=True)
class Rates:
    """What the machine does. per_task: seconds of dask's threads for a task that does nothing. opening: of the pool's start."""

    per_task: float
    opening: float


@dataclass(frozen=True)
class Trial:
    """One trial. first: what was named first; "" for nothing. factor: measured, of the planted cause. expected: as planned."""

    number: int
    kind: str
    dial: float
    first: str
    factor: float
    expected: float

    @property
    def plain(self) -> bool:
        """Whether nothing was planted that may be named."""
        return abs(math.log(self.expected)) <= math.log(NAMED)

    @property
    def found(self) -> bool:
        """Whether the planted cause was named first."""
        return self.first in NAMES.get(self.kind, ())

    @property
    def close(self) -> bool:
        """Whether the factor is as expected."""
        return self.factor > 0 and abs(math.log(self.factor / self.expected)) <= math.log(CLOSE)


# --- Without gilbench


def fastest(call: Callable[[], object], times: int = 5) -> float:
    """Return the seconds of the fastest call."""

    def once() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return min(once() for _ in range(times))


def task_cost() -> float:
    """Return the seconds that dask's threads take for a task that does nothing, in one large graph."""
    import dask
    from dask.threaded import get

    tasks = [dask.delayed(planted.digest, pure=False)(0) for _ in range(400)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return fastest(lambda: dask.compute(*tasks, scheduler=get, pool=pool)) / len(tasks)


def measured_rates() -> Rates:
    """Measure what the expected factors need."""
    summary = measured("cold-start", 0.0)
    (chain,) = chains.chains(summary)
    assert chain.starting is not None
    compute = seconds_of(summary, chain.case)
    return Rates(per_task=task_cost(), opening=chain.starting.value * compute - compute)


def plainly(kind: str, dial: float, level: str = LEVELED) -> Mapping[str, float]:
    """Return the seconds of the same tasks in a fresh process without gilbench and dask (see planted.plainly)."""
    variables = child.environment(drawn_seed(), pinned=True, level=level)
    command = [sys.executable, str(Path(__file__).with_name("planted.py")), kind, repr(dial)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    found: Mapping[str, float] = json.loads(done.stdout)
    return found


# --- Trials


def expected(kind: str, dial: float, rates: Rates, compute: float) -> float:
    """Return the factor that is expected (see the docstring of this file). compute: seconds of the trial, with all workers."""
    if kind == "nothing":
        return 1.0
    if kind == "chain":
        return 1 / CPUS
    if kind == "length":
        return min(1.0, (dial + rates.per_task) / (CPUS * rates.per_task))
    if kind == "cold-start":
        return (dial + rates.opening + compute) / compute
    plain = plainly(kind, dial)
    if kind == "payload":
        return plain["loop"] / plain["one"]
    if kind == "allocation":
        return plainly(kind, dial, AS_IS)["loop"] / plain["loop"]
    return plain["one"] / (CPUS * plain["all"])


def measured(kind: str, dial: float) -> Summary:
    """Return what gilbench measures of tasks with a planted cause."""
    scheduler = "processes" if kind in ON_PROCESSES else "threads"
    os.environ[planted.VARIABLE] = f"{kind} {dial!r}"
    try:
        summary = gilbench.run(
            TARGET,
            schedulers=(scheduler,),
            workers=CPUS,
            sizes="default",
            precision=1e-6,
            max_observations=ROUNDS,
            max_time=300.0,
        )
        if kind in WAIT:
            summary = replace(summary, probes=gilbench.probe(TARGET, probes="gil", schedulers="sync"))
    finally:
        del os.environ[planted.VARIABLE]
    if summary.failures:
        raise SystemExit(f"{kind} {dial:g}: {summary.failures[0].reason}")
    return summary


def seconds_of(summary: Summary, case: Case) -> float:
    """Return the median time of a case."""
    return next(found.estimate.value for found in summary.cases if found.case == case)


def tried(number: int, kind: str, dial: float, rates: Rates) -> Trial:
    """Measure one trial, and let gilbench explain it."""
    summary = measured(kind, dial)
    (chain,) = chains.chains(summary)
    named = chains.first_named(chain)
    first = named.name if named else ""
    if kind == "cold-start" and chains.starts_slowly(chain):
        first = START
    compute = seconds_of(summary, chain.case)
    return Trial(number, kind, dial, first, factor_of(kind, chain), expected(kind, dial, rates, compute))


def factor_of(kind: str, chain: Chain) -> float:
    """Return the factor that gilbench measured for a cause, named or not; that of the workers where nothing was planted."""
    if kind == "cold-start":
        return chain.starting.value if chain.starting else 0.0
    if kind in ("payload", "allocation"):
        return chain.cause(ONE_WORKER if kind == "payload" else ALLOCATOR).factor.value
    if kind == "nothing":
        return chain.cause(WORKERS).factor.value / CPUS
    if kind in WAIT:
        return chain.workers.factor(efficiencies.WAITING).value if chain.workers else 0.0
    names = NAMES[kind]
    parts = chain.workers.losses if chain.workers else ()
    return next((part.factor.value for part in parts if part.name in names), 0.0)


def drawn(trials: int, seed: int) -> list[tuple[str, float]]:
    """Return the kinds and dials of all trials: each kind as often as any other, nothing planted twice as often."""
    draw = random.Random(seed)
    kinds = [*DIALS, "nothing"]
    chosen = [kinds[at % len(kinds)] for at in range(trials)]
    draw.shuffle(chosen)
    return [(kind, draw.choice(DIALS[kind])) for kind in chosen]


# --- The table


def table(trials: Sequence[Trial]) -> str:
    """Return the Markdown table."""
    lines = [
        "| planted | trials | named first | factor within 10 % | dial: expected, measured (median), named first |",
        "|---|---|---|---|---|",
    ]
    telling = [trial for trial in trials if not trial.plain]
    for kind in DIALS:
        mine = [trial for trial in telling if trial.kind == kind]
        if mine:
            lines.append(
                f"| {kind} | {len(mine)} | {share(mine, 'found')} | {share(mine, 'close')} | {by_dial(mine)} |"
            )
    lines.append(f"| all | {len(telling)} | {share(telling, 'found')} | {share(telling, 'close')} | |")
    for name, plain in (
        ("nothing", [trial for trial in trials if trial.kind == "nothing"]),
        ("too small to name", [trial for trial in trials if trial.plain and trial.kind != "nothing"]),
    ):
        quiet = sum(trial.first == "" for trial in plain)
        others = ", ".join(f"{trial.kind} {trial.dial:g}: {trial.first}" for trial in plain if trial.first)
        if plain:
            lines.append(f"| {name} | {len(plain)} | nothing named in {quiet} of {len(plain)} | | {others} |")
    return "\n".join(lines)


def share(trials: Sequence[Trial], what: str) -> str:
    """Return `9 of 10`."""
    return f"{sum(bool(getattr(trial, what)) for trial in trials)} of {len(trials)}"


def by_dial(trials: Sequence[Trial]) -> str:
    """Return what came of each dial."""
    parts = []
    for dial in sorted({trial.dial for trial in trials}):
        mine = [trial for trial in trials if trial.dial == dial]
        figures = [statistics.median(getattr(trial, name) for trial in mine) for name in ("expected", "factor")]
        others = sorted({trial.first or "nothing" for trial in mine if not trial.found})
        parts.append(
            f"{dial:g}: {figures[0]:.2f}, {figures[1]:.2f}, {share(mine, 'found')}"
            + (f" (else {', '.join(others)})" if others else "")
        )
    return "; ".join(parts)


# --- The journal


def read(path: Path, settings: Mapping[str, int]) -> tuple[Rates | None, list[Trial]]:
    """Return what a journal holds. Raises SystemExit where it is of other trials."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if not lines:
        return None, []
    if lines[0]["settings"] != settings:
        raise SystemExit(f"{path} is of other trials ({lines[0]['settings']}): name another --journal")
    return Rates(**lines[0]["rates"]), [Trial(**line) for line in lines[1:]]


def add(path: Path, line: Mapping[str, Any]) -> None:
    """Append a line."""
    with path.open("a") as journal:
        journal.write(json.dumps(line) + "\n")


def main() -> None:
    """Plant, measure, count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--journal", type=Path, default=Path("planted-causes.jsonl"))
    options = parser.parse_args()
    settings = {"trials": options.trials, "seed": options.seed, "cpus": CPUS}
    rates, done = read(options.journal, settings)
    if rates is None:
        rates = measured_rates()
        add(options.journal, {"settings": settings, "rates": asdict(rates)})
    known = {trial.number for trial in done}
    start, fresh = time.monotonic(), 0
    for number, (kind, dial) in enumerate(drawn(options.trials, options.seed)):
        if number in known:
            continue
        trial = tried(number, kind, dial, rates)
        done.append(trial)
        add(options.journal, asdict(trial))
        fresh += 1
        left = (time.monotonic() - start) / fresh * (options.trials - len(done))
        print(
            f"{len(done)}/{options.trials}  {kind} {dial:g}: {trial.first or 'nothing'} named first, "
            f"{trial.factor:.3f} where {trial.expected:.3f} is expected; about {left / 60:.0f} min to go",
            file=sys.stderr,
            flush=True,
        )
    print(table(sorted(done, key=lambda trial: trial.number)))


if __name__ == "__main__":
    main()
