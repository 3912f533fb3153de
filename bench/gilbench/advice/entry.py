"""Who takes part in the race: shapes, chunks, and what the facts rule out. Pure: no clock, no process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from gilbench import units
from gilbench.advice.racing import Contender
from gilbench.advice.target_facts import Facts
from gilbench.advice.thresholds import DECISION, ENTRY
from gilbench.schedulers import SECOND_HEAT, SERIAL, Waiting, all_advisable, all_schedulers


def schedulers_of_heat(heat: int, facts: Facts) -> list[str]:
    """Return the names of the schedulers that race in the first or the second heat; the simplest first."""
    return [
        name
        for name, scheduler in all_advisable().items()
        if (scheduler.heat_with_inner_threads if facts.inner_threads else scheduler.heat) == heat
    ]


def admitted(
    schedulers: Iterable[str], facts: Facts, cpus: int, best: float, once: bool = False
) -> tuple[list[Contender], dict[Contender, str]]:
    """Return the contenders of these schedulers that may win, and why each of the others may not.

    best: seconds of the fastest compute so far. once: starting the workers counts.
    """
    found: list[Contender] = []
    refused: dict[Contender, str] = {}
    for name in schedulers:
        scheduler, starts_slowly = all_schedulers()[name], all_advisable()[name].heat == SECOND_HEAT
        if reason := scheduler.unavailable():
            refused[Contender(name)] = f"not available: {reason}"
            continue
        serial = scheduler.kind == SERIAL
        parallelism = 1 if serial else cpus
        shapes = [
            (shape.workers, shape.threads)
            for shape in scheduler.shapes(cpus)
            if shape.workers * shape.threads == parallelism
        ]
        more = wider(name, facts, cpus)
        # With one CPU, these are sync plus overhead. Where tasks wait half of the time, they leave CPUs idle for that long.
        useless = not serial and (cpus == 1 or (more and facts.busy < ENTRY.mostly_waits))
        gain = ENTRY.slow_start_gain if starts_slowly else DECISION.same
        for contender in contenders(name, [*([] if useless else shapes), *more], facts):
            if why := ruled_out(contender, facts, best, cpus, once, gain):
                refused[contender] = f"ruled out: {why}"
            else:
                found.append(contender)
    return found, refused


def contenders(scheduler: str, shapes: Iterable[tuple[int, int]], facts: Facts) -> list[Contender]:
    """Return the contenders of one scheduler: each (workers, threads) with each chunk that makes sense."""
    return [
        Contender(scheduler, workers, threads, chunk)
        for workers, threads in shapes
        for chunk in chunks(facts, workers * threads)
    ]


def chunks(facts: Facts, parallelism: int) -> list[int]:
    """Return how many items to put into one task: 1 where they are long, otherwise numbers that make tasks long enough.

    Where one task follows the other, a single number is enough. Elsewhere two take part: one that leaves each worker four
    tasks, so that all workers end at about the same time, and one that leaves each worker a single task, which costs least
    where items are alike.
    """
    if facts.items is None or facts.taken is None or facts.task_seconds >= ENTRY.long_task:
        return [1]
    enough = math.ceil(ENTRY.long_task / max(facts.task_seconds, 1e-7))
    if parallelism == 1:
        return [1 if facts.task_seconds >= ENTRY.lone_task else min(enough, facts.taken)]
    several = facts.taken // (ENTRY.tasks_per_worker * parallelism)
    return sorted({max(1, min(several, enough)), math.ceil(facts.taken / parallelism)})


def wider(name: str, facts: Facts, cpus: int) -> list[tuple[int, int]]:
    """Return the (workers, threads) of a scheduler that are more than CPUs, for tasks that wait.

    Twice as many tasks are under way as would keep all CPUs busy if they took turns: they do not take turns, and by chance
    some CPUs are idle. Where tasks mostly wait, the largest number of threads races as well, because tasks wait for the GIL
    too.

    >>> waiting = Facts(99, 0.1, 0.1, 9.9, 9.9, cpu_over_wall=0.2, result_bytes=10)
    >>> [wider(name, waiting, cpus=2) for name in ("threads", "processes", "loky", "distributed")]
    [[(1, 6), (1, 20), (1, 32)], [(8, 1)], [(4, 1)], [(2, 8)]]
    """
    if facts.busy == 1 or (cpus == 1 and all_schedulers()[name].crosses):
        return []
    tasks = math.ceil(ENTRY.busy_twice * cpus / facts.busy)
    tasks = facts.tasks if facts.tasks < 2 * tasks else tasks  # all at once, rather than a few left for a second turn
    threads = min(tasks, most_threads(cpus))
    if threads <= cpus:
        return []
    top = min(facts.tasks, most_threads(cpus)) if facts.busy < ENTRY.mostly_waits else threads
    waiting = Waiting(cpus, tasks, threads, top)
    scheduler = all_schedulers()[name].advisable
    return [(shape.workers, shape.threads) for shape in (scheduler.wider(waiting) if scheduler else ())]


def most_threads(cpus: int) -> int:
    """Return the most threads that race where tasks wait."""
    return max(ENTRY.most_threads, ENTRY.most_threads_per_cpu * cpus)


def bound(contender: Contender, facts: Facts, cpus: int, once: bool = False) -> float:
    """Return the fewest seconds that one compute can take, with the best of luck.

    Assumes that tasks do not depend on each other. once: starting the workers counts.
    """
    parallelism, tasks = contender.parallelism, contender.tasks(facts.tasks)
    scheduler = all_schedulers()[contender.scheduler]
    least = max(
        facts.seconds / parallelism,
        facts.seconds * facts.busy / cpus,
        min(facts.longest_seconds, facts.seconds),
    )
    if contender.threads > 1 and facts.held and facts.gil_is_the_limit:
        least = max(least, facts.seconds * facts.held.low / contender.workers)
    # Under every scheduler one thread does dask's own work between tasks, and schedulers other than sync have more of it.
    least = max(least, (facts.compute_seconds - facts.seconds) * tasks / facts.tasks)
    if scheduler.crosses and scheduler.advisable:
        costs = scheduler.advisable.costs
        crossing = tasks * costs.per_task + facts.tasks * facts.result_bytes / ENTRY.pipe
        least = max(least, costs.per_compute + crossing)
        if once:
            least += costs.opening
    return least


def ruled_out(
    contender: Contender, facts: Facts, best: float, cpus: int, once: bool = False, gain: float = DECISION.same
) -> str | None:
    """Return why a contender cannot beat one that takes `best` seconds by this gain; None where it may."""
    if contender.is_sync:
        return None
    only_threads = contender.workers == 1 and contender.threads > 1
    if only_threads and facts.held and facts.gil_is_the_limit and facts.held.value >= ENTRY.gil_held:
        return f"the GIL is held {facts.held.value:.2f} of the time"
    least = bound(contender, facts, cpus, once)
    if least * (1 + gain) < best:
        return None
    if least > ENTRY.bounded * max(facts.seconds / contender.parallelism, facts.longest_seconds):
        return f"would take {units.seconds(least)} at the very least, another takes {units.seconds(best)}"
    return f"no more than {gain:.0%} to gain: another takes {units.seconds(best)}"


def processes(entrants: Sequence[Contender]) -> int:
    """Return how many processes contenders start: one for each scheduler and shape, and its workers where it has some."""
    shapes = {contender.process for contender in entrants}
    crossing = [workers for scheduler, workers, _ in shapes if all_schedulers()[scheduler].crosses]
    return len(shapes) + sum(crossing)
