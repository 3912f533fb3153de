"""What all workers bring, compared with its limits: an exact identity, round by round, from what the tasks saw of themselves.

    workers = N x c1/cN x (d1/c1)/(dN/cN) x dN/(N b) x b/TN x T1/d1 x rest

d: wall time inside tasks, and c: CPU time of their threads, summed over tasks; b: d of the busiest worker; T: elapsed; 1 and N:
with one worker and with N. T1/TN is the ratio of two computes whose tasks were timed; what separates it from the ratio of the
timed computes is the rest, which is not explained.

In the terms of the POP project's efficiencies (https://pop-coe.eu/node/69): c1/cN is computation scaling, dN/(N b) is load
balance, and b/TN holds serialization (tasks that wait for one another) and transfer (data and scheduler between tasks). Together
they say where the rest of the ideal speed-up goes, as speedup stacks do (Eyerman, Du Bois, and Eeckhout, ISPASS 2012).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gilbench import stats
from gilbench.cases.watching import TaskFigures
from gilbench.explain.factors import NAMED, Cause
from gilbench.results.summary import CaseSummary
from gilbench.schedulers import all_schedulers
from gilbench.stats import Estimate

SCALING, WAITING, BALANCE = "computation scaling", "waiting", "load balance"
GAPS, OVERHEAD, REST = "dependence and gaps", "overhead of one worker", "not explained"
FACTORS: Final = (SCALING, WAITING, BALANCE, GAPS, OVERHEAD, REST)

SLOWER, INNER, GIL, LOCK, GIL_OR_LOCK, CPU = "slower", "inner threads", "GIL", "lock", "GIL or lock", "CPU"
UNEVEN, FEW_TASKS, DEPENDENT = "uneven", "few tasks", "dependent"
TASK_COST, COPYING, IDLE = "task cost", "copying", "idle"
# What a person reads after "is lost to".
IN_WORDS: Final[Mapping[str, str]] = {
    SLOWER: "memory bandwidth, caches or shared cores",
    INNER: "inner threads, which use the other CPUs already",
    GIL: "waiting for the GIL",
    LOCK: "waiting for a lock (the GIL is hardly held)",
    GIL_OR_LOCK: "waiting for the GIL or a lock (`gilbench run --probe` tells which)",
    CPU: "waiting for a CPU, a disk or a lock",
    UNEVEN: "uneven tasks",
    FEW_TASKS: "too few tasks",
    DEPENDENT: "tasks that wait for one another",
    TASK_COST: "what the scheduler does for each task",
    COPYING: "copying and what the scheduler does for each task",
    IDLE: "gaps between tasks",
}

HARDLY_HELD = 0.1  # share of the time; below it, the GIL can cost two threads 1 % (1 + held^2: mean-value analysis)
LONG_CHAIN = (
    0.8  # of the elapsed time: a longest chain of tasks from here on leaves the workers little to do side by side
)
SEVERAL = 1.5  # times the longest task, from which the longest chain is one of several tasks
ON_CPU = 0.5  # share of the time inside tasks that they are on a CPU; below it, their CPU time does not say how long they take
OUTSIDE = (
    0.1  # of the time with one worker, outside tasks: from here on, the scheduler's work is what more workers wait for
)
MUCH_DATA = 1 << 20  # bytes moved in one compute

Logs = Mapping[str, Sequence[float]]  # factor -> its log in each round


@dataclass(frozen=True)
class Held:
    """Share of the time, from 0 to 1, for which the GIL is held by one task alone, and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Efficiencies:
    """What all workers bring, taken apart.

    ideal: their number. factors: in the order of FACTORS; with `ideal` they multiply to what the workers bring, exactly in
    each round. losses: what part of the ideal is lost to, by name (see IN_WORDS), whether or not it is certain.
    """

    ideal: int
    factors: tuple[Cause, ...]
    losses: tuple[Cause, ...]

    def factor(self, name: str) -> Estimate:
        """Return the factor of that name."""
        return next(cause.factor for cause in self.factors if cause.name == name)

    @property
    def lost(self) -> tuple[Cause, ...]:
        """The losses that are certain, the largest first."""
        return tuple(sorted((loss for loss in self.losses if loss.costs), key=lambda loss: loss.factor.value))


def logs_of(one: CaseSummary, all_workers: CaseSummary) -> Logs:
    """Return the log of each factor in each round in which both cases were timed and watched; empty lists without any."""
    timed_one = dict(zip(one.rounds, one.observations, strict=False))
    timed_all = dict(zip(all_workers.rounds, all_workers.observations, strict=False))
    found: dict[str, list[float]] = {name: [] for name in FACTORS}
    for round_ in timed_one:
        first, last = one.watched.get(round_), all_workers.watched.get(round_)
        if round_ not in timed_all or first is None or last is None:
            continue
        ideal = all_workers.case.parallelism
        for name, value in identity(first, last, ideal, timed_one[round_] / timed_all[round_]).items():
            found[name].append(math.log(value))
    return found


def identity(one: TaskFigures, many: TaskFigures, workers: int, timed: float) -> dict[str, float]:
    """Return the factors of FACTORS for one round: times the number of workers, they multiply to `timed`.

    one, many: with one worker and with all. timed: time with one worker over that with all, of the computes that count.
    """
    return {
        SCALING: one.cpu / many.cpu,
        WAITING: (one.wall / one.cpu) / (many.wall / many.cpu),
        BALANCE: many.wall / (workers * many.busiest),
        GAPS: many.busiest / many.elapsed,
        OVERHEAD: one.elapsed / one.wall,
        REST: timed / (one.elapsed / many.elapsed),
    }


def efficiencies(
    pairs: Sequence[tuple[CaseSummary, CaseSummary, bool, Held | None]],
) -> list[Efficiencies | None]:
    """Return what all workers bring, taken apart, for each pair of cases; None where no round was watched in both.

    pairs: (one worker, all workers, whether tasks have inner threads, the share of the time that one task holds the GIL).
    Few rounds borrow knowledge of the usual spread of a factor from the other pairs.
    """
    logs = [logs_of(one, many) for one, many, _, _ in pairs]
    groups = [
        _groups(found, one, many, inner, held) if found[REST] else {}
        for found, (one, many, inner, held) in zip(logs, pairs, strict=True)
    ]
    every = [{name: found[name] for name in FACTORS} if found[REST] else {} for found in logs]
    factors = _estimated(every)
    losses = _estimated(groups)
    return [
        Efficiencies(many.case.parallelism, mine, lost) if mine else None
        for (_, many, _, _), mine, lost in zip(pairs, factors, losses, strict=True)
    ]


def _groups(logs: Logs, one: CaseSummary, many: CaseSummary, inner: bool, held: Held | None) -> dict[str, list[float]]:
    """Return name of what the ideal is lost to -> log of the factor in each round."""
    figures = list(many.watched.values())
    found: dict[str, list[float]] = {}

    def lost(name: str, *factors: str) -> None:
        found[name] = [sum(values) for values in zip(*(logs[factor] for factor in factors), strict=True)]

    if inner:
        lost(INNER, SCALING, WAITING)
    elif statistics.median(seen.cpu / seen.wall for seen in one.watched.values()) < ON_CPU:
        lost(_waited_for(many, held), SCALING, WAITING)
    else:
        lost(SLOWER, SCALING)
        lost(_waited_for(many, held), WAITING)
    if depend(figures, many.case.parallelism):
        lost(DEPENDENT, BALANCE, GAPS, OVERHEAD)
    else:
        lost(FEW_TASKS if many.tasks < many.case.parallelism else UNEVEN, BALANCE)
        lost(_between(one, many), GAPS, OVERHEAD)
    return found


def depend(figures: Sequence[TaskFigures], workers: int) -> bool:
    """Return whether tasks that need one another keep workers from running side by side.

    No schedule is faster than the longest chain, and none has more workers busy than work over that chain (Brent, J. ACM 21,
    1974). A chain of one task is an uneven task.
    """
    chain = statistics.median(seen.critical / seen.longest for seen in figures) >= SEVERAL
    long = statistics.median(seen.critical / seen.elapsed for seen in figures) >= LONG_CHAIN
    narrow = statistics.median(seen.wall / seen.critical for seen in figures) < workers / NAMED
    return chain and (long or narrow)


def _waited_for(many: CaseSummary, held: Held | None) -> str:
    if many.case.threads == 1:
        return CPU  # each process has its own GIL
    if held is None:
        return GIL_OR_LOCK
    return LOCK if held.high < HARDLY_HELD else GIL if held.low >= HARDLY_HELD else GIL_OR_LOCK


def _between(one: CaseSummary, many: CaseSummary) -> str:
    """Return what happens while no task runs."""
    outside = statistics.median(1 - seen.wall / seen.elapsed for seen in one.watched.values())
    if outside < OUTSIDE:
        return IDLE
    crosses = all_schedulers()[many.case.scheduler].crosses if many.case.scheduler in all_schedulers() else False
    return COPYING if crosses and many.moved_bytes >= MUCH_DATA else TASK_COST


def _estimated(found: Sequence[Mapping[str, Sequence[float]]]) -> list[tuple[Cause, ...]]:
    """Return the causes of each item, each with an interval that borrows the spread of the same factor of other items."""
    spreads: dict[str, list[stats.Spread]] = {}
    places: list[dict[str, int]] = []
    for item in found:
        places.append({name: len(spreads.setdefault(name, [])) for name in item})
        for name, logs in item.items():
            spreads[name].append(stats.own_spread(list(logs)))
    moderated = {
        name: stats.moderated([spread.variance for spread in own], [spread.df for spread in own])
        for name, own in spreads.items()
    }
    return [
        tuple(_cause(name, item[name], moderated[name][place]) for name, place in mine.items())
        for item, mine in zip(found, places, strict=True)
    ]


def _cause(name: str, logs: Sequence[float], spread: stats.Spread) -> Cause:
    return Cause(name, stats.paired_ratio(logs, variance=spread.variance, df=spread.df))
