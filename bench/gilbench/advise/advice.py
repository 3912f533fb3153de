"""What to advise: which contenders are worth racing, who won, and the reasons in plain words. Pure: no clock, no process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gilbench import units
from gilbench.advise.fit import Fit
from gilbench.advise.racing import SAME, Contender, Heat
from gilbench.probes.gil_probe import MANY_SWITCHES
from gilbench.stats import Estimate, student_quantile

FORMAT: Final = 1
SIMPLEST: Final = ("sync", "threads", "processes", "loky", "distributed")
TIE: Final = (
    0.03  # measured difference up to which the simpler one is taken: what is 5 % worse in truth is then rarely taken
)
CLOSEST: Final = 3  # that race again
MACHINE: Final = 0.08  # standard deviation of the log of a speed-up between two times on one machine (docs/advice.md)
TOO_WIDE: Final = 1.25  # a rival that may be this much faster, for all that is known: nothing can be told then

# What cannot be gone below on any machine of today, for ruling out only: what is not ruled out is measured.
PER_TASK: Final[Mapping[str, float]] = {
    "processes": 100e-6,
    "loky": 100e-6,
    "distributed": 250e-6,
}  # seconds, one by one
PER_COMPUTE: Final[Mapping[str, float]] = {"processes": 300e-6, "loky": 300e-6, "distributed": 2e-3}  # seconds
PIPE: Final = 4e9  # bytes a second between processes
OPENING: Final[Mapping[str, float]] = {"processes": 0.1, "loky": 0.1, "distributed": 0.5}  # seconds, for --once
CROSSING: Final = tuple(PER_TASK)  # schedulers whose tasks and results cross into other processes
HELD: Final = 0.95  # a GIL held this much leaves threads nothing that is worth having
LARGE: Final = 1e5  # bytes of a result from which on threads may win all the same: glibc is slower in the main thread

ENOUGH: Final = 0.05  # seconds of one task from which on overhead matters little: processes add 1 to 2 ms to each
BUSY: Final = 1.15  # CPU over wall time under sync above which tasks have threads of their own
UNFORESEEN: Final = 1.5  # all items over what a few of them made expect, from which on that is told
WAITING: Final = 0.9  # CPU over wall time below which they wait, and more of them than CPUs are worth a try
MOSTLY: Final = 0.5  # the same below which as many workers as CPUs leave them idle for half the time, and need not race
# How many race at most, where tasks wait:
WIDEST: Final = 32  # threads, or four for each CPU where that is more: what waits costs memory all the same
# Processes for each CPU: they cost more, so each pool tries one number.
MANY: Final[Mapping[str, int]] = {"processes": 4, "loky": 2}
EACH: Final = 8  # threads in a worker of a cluster: its event loop shares the GIL with them


@dataclass(frozen=True)
class Facts:
    """What the probes tell of the target, one task after the other.

    tasks: executed in one compute. task_seconds, longest_seconds, seconds: the median one, the longest, all. compute_seconds:
    of one compute. cpu_over_wall: CPU time within tasks over `seconds`. result_bytes: of one task, pickled. held: fraction of
    wall time; None where unknown, and gil says why. gil: "enabled", "disabled" or the reason. items, taken: of the user's
    function, and how many of them were raced; None where the target makes its own tasks. switches: of the GIL on threads, a
    second, where that was asked.
    """

    tasks: int
    task_seconds: float
    longest_seconds: float
    seconds: float
    compute_seconds: float
    cpu_over_wall: float
    result_bytes: float
    object_text: bool = False
    held: Estimate | None = None
    gil: str = "enabled"
    items: int | None = None
    taken: int | None = None
    switches: float | None = None

    @property
    def busy(self) -> float:
        """The fraction of the time that a task keeps a CPU busy; below 1 where it waits, for a disk or for an answer."""
        return max(self.cpu_over_wall, 1e-7) if self.cpu_over_wall < WAITING else 1.0

    @property
    def threaded(self) -> bool:
        """Whether tasks start threads of their own (BLAS, say), which keep more than one CPU busy."""
        return self.cpu_over_wall > BUSY

    @property
    def limited(self) -> bool:
        """Whether the GIL bounds what threads can gain. With large results they gain by memory too, beyond it."""
        return self.gil == "enabled" and self.result_bytes < LARGE


@dataclass(frozen=True)
class Advice:
    """What `advise` says. speedup: over sync. once: whether starting the workers counts.

    verdict: "best", "no difference" (within 5 %, the simpler one is advised) or "cannot tell" (noise).
    speedups: contender -> over sync; None where it did not run. status: contender -> what became of it, as text.
    """

    target: str
    chosen: Contender
    verdict: str
    speedup: Estimate
    once: bool
    facts: Facts
    speedups: Mapping[Contender, Estimate | None]
    status: Mapping[Contender, str]
    seconds: Mapping[Contender, float]
    equal: tuple[Contender, ...] = ()
    cpus: int = 1
    cost_seconds: float = 0.0
    notes: tuple[str, ...] = ()


# --- Who takes part


def entries(scheduler: str, shapes: Iterable[tuple[int, int]], facts: Facts) -> list[Contender]:
    """Return the contenders of one scheduler: every (workers, threads) with every chunk that makes sense."""
    return [
        Contender(scheduler, workers, threads, chunk)
        for workers, threads in shapes
        for chunk in chunks(facts, workers * threads)
    ]


def chunks(facts: Facts, parallelism: int) -> list[int]:
    """Return how many items to put into one task: 1 where they are long, else numbers that make tasks long enough.

    One after the other needs no more than that. Elsewhere two numbers take part: one that leaves every worker four tasks, so
    that all end at about the same time, and one that leaves a single task for each, which costs least where items are alike.
    """
    if facts.items is None or facts.taken is None or facts.task_seconds >= ENOUGH:
        return [1]
    enough = math.ceil(ENOUGH / max(facts.task_seconds, 1e-7))
    if parallelism == 1:
        return [1 if facts.task_seconds >= ENOUGH / 5 else min(enough, facts.taken)]
    return sorted({max(1, min(facts.taken // (4 * parallelism), enough)), math.ceil(facts.taken / parallelism)})


def wider(scheduler: str, facts: Facts, cpus: int) -> list[tuple[int, int]]:
    """Return (workers, threads) with more of them than CPUs, for tasks that wait.

    Twice as many as would keep all CPUs busy if they took turns: they do not, and CPUs are left idle by chance. Half way there
    too; and as many threads as may be where they mostly wait, because they wait for the GIL as well.

    >>> waiting = Facts(99, 0.1, 0.1, 9.9, 9.9, cpu_over_wall=0.2, result_bytes=10)
    >>> [wider(scheduler, waiting, cpus=2) for scheduler in ("threads", "processes", "loky", "distributed")]
    [[(1, 6), (1, 20), (1, 32)], [(8, 1)], [(4, 1)], [(2, 8)]]
    """
    if facts.busy == 1 or (cpus == 1 and scheduler != "threads"):
        return []
    most = math.ceil(2 * cpus / facts.busy)
    most = facts.tasks if facts.tasks < 2 * most else most  # rather all at once than a few of them after the others
    threads = min(most, most_threads(cpus))
    if threads <= cpus:
        return []
    if scheduler == "threads":
        half = max(cpus + 1, math.isqrt(cpus * threads))
        top = min(facts.tasks, most_threads(cpus)) if facts.busy < MOSTLY else threads
        return [(1, n) for n in sorted({half, threads, top})]
    if scheduler == "distributed":
        return [(cpus, min(EACH, math.ceil(threads / cpus)))]
    return [(min(most, MANY[scheduler] * cpus), 1)] if scheduler in MANY else []


def most_threads(cpus: int) -> int:
    """Return how many threads race at most, where tasks wait."""
    return max(WIDEST, 4 * cpus)


def bound(one: Contender, facts: Facts, cpus: int, once: bool = False) -> float:
    """Return seconds that a compute takes at least: what no luck can beat. Tasks are supposed not to depend on each other."""
    n, tasks = one.parallelism, one.tasks(facts.tasks)
    least = max(facts.seconds / n, facts.seconds * facts.busy / cpus, min(facts.longest_seconds, facts.seconds))
    if one.threads > 1 and facts.held and facts.limited:
        least = max(least, facts.seconds * facts.held.low / one.workers)
    # What dask does between the tasks is done by one thread under every scheduler, and for other ones than sync there is more.
    least = max(least, (facts.compute_seconds - facts.seconds) * tasks / facts.tasks)
    if one.scheduler in CROSSING:
        crossing = tasks * PER_TASK[one.scheduler] + facts.tasks * facts.result_bytes / PIPE
        least = max(least, PER_COMPUTE[one.scheduler] + crossing)
        if once:
            least += OPENING[one.scheduler]
    return least


def ruled_out(
    one: Contender, facts: Facts, best: float, cpus: int, once: bool = False, gain: float = SAME
) -> str | None:
    """Return why a contender cannot be better, by that gain, than one that takes `best` seconds; None where it may be."""
    if one.scheduler == "sync":
        return None
    if one.workers == 1 and one.threads > 1 and facts.held and facts.limited and facts.held.value >= HELD:
        return f"the GIL is held {facts.held.value:.2f} of the time"
    least = bound(one, facts, cpus, once)
    if least * (1 + gain) < best:
        return None
    if least > 1.01 * max(facts.seconds / one.parallelism, facts.longest_seconds):
        return f"would take {units.seconds(least)} at the very least, another takes {units.seconds(best)}"
    return f"no more than {gain:.0%} to gain: another takes {units.seconds(best)}"


# --- Who won


def choose(heats: Sequence[Heat]) -> tuple[Contender, str, tuple[Contender, ...]]:
    """Return the contender to advise, the verdict, and those within 5 % of the best. The last heat holds all that could win."""
    last, fit = heats[-1], Fit(heats)
    leader = last.leader()
    able = [one for one in last.times if one == leader or (one not in last.failed and one not in last.left)]
    best = min(able, key=lambda one: _value(fit.ratio(one, leader)))
    over = {one: _value(fit.ratio(one, best)) for one in able}
    tied = [one for one in able if over[one] <= 1 + TIE]
    chosen = min(tied, key=lambda one: (*simplicity(one), over[one]))
    rivals = [fit.ratio(chosen, one) for one in able if one != chosen]
    if any(figure is None or figure.high > TOO_WIDE for figure in rivals):
        return chosen, "cannot tell", tuple(tied)
    others = {one.scheduler for one in tied} - {chosen.scheduler}
    return chosen, "no difference" if others else "best", tuple(tied)


def _value(figure: Estimate | None) -> float:
    return figure.value if figure else math.inf


def simplicity(one: Contender) -> tuple[int, int]:
    """Sort key: the simpler scheduler first, then the one without chunks."""
    place = SIMPLEST.index(one.scheduler) if one.scheduler in SIMPLEST else len(SIMPLEST)
    return place, int(one.chunk > 1)


def undecided(heats: Sequence[Heat]) -> list[Contender]:
    """Return who has to race again in fresh processes: the best of each scheduler that is within reach, three at most.

    With them, as they need no processes of their own, other chunks that may really be better.
    """
    last, fit = heats[-1], Fit(heats)
    leader = last.leader()
    figures = {one: fit.ratio(one, leader) for one in last.running if one != leader}
    near = [
        one
        for one, figure in sorted(figures.items(), key=lambda item: (_value(item[1]), item[0]))
        if figure and figure.low <= 1 + SAME
    ]
    best = {leader.scheduler: leader}
    for one in near:
        best.setdefault(one.scheduler, one)
    close = list(best.values())[:CLOSEST]
    others = [
        one
        for one in near
        for its in close
        if one != its and one.process == its.process and (found := fit.ratio(one, its)) and found.low < 1 - TIE
    ]
    return [*close, *others] if len(close) + len(others) > 1 else []


def speedups_over_sync(heats: Sequence[Heat]) -> dict[Contender, Estimate | None]:
    """Return the speed-up of everyone that finished a compute over sync; None where sync did not run.

    Intervals are for another time on this machine, when its CPUs may have more or less to give than during the race.
    """
    fit = Fit(heats)
    finished = dict.fromkeys(one for heat in heats for one in heat.times if math.isfinite(heat.median(one)))
    baseline = next((one for one in finished if one.scheduler == "sync"), None)
    found = {one: fit.ratio(baseline, one) if baseline else None for one in finished}
    return {one: _another_time(figure) if figure and one != baseline else figure for one, figure in found.items()}


def _another_time(found: Estimate) -> Estimate:
    reach = math.hypot(math.log(found.high / found.value), student_quantile(10.0, 0.975) * MACHINE)
    return Estimate(found.value, found.value * math.exp(-reach), found.value * math.exp(reach), found.n)


# --- In words


def headline(advice: Advice) -> str:
    """Return the answer in one sentence."""
    one = advice.chosen
    what = {
        "sync": "sync: one task after the other",
        "threads": f"threads: {one.threads} threads in one process",
        "processes": f"processes: {one.workers} processes of one thread each",
        "loky": f"a loky pool: {one.workers} processes of one thread each",
        "distributed": f"distributed: a LocalCluster of {one.workers} x {one.threads} (processes x threads in each)",
    }.get(one.scheduler, one.name)
    chunk = ""
    if advice.facts.items is not None and advice.facts.taken != 1:
        chunk = f", {one.chunk} items in one task" if one.chunk > 1 else ", one item in one task"
    return f"{what}{chunk}"


def outcome(advice: Advice) -> str:
    """Return what that is expected to bring, and how sure it is."""
    times = f"{units.times(advice.speedup.value)} ({units.interval(advice.speedup, 'ratio')})"
    long = " with starting the workers" if advice.once else ""
    others = [one.name for one in advice.equal if one.scheduler != advice.chosen.scheduler]
    if advice.verdict == "cannot tell":
        seen = (
            "nothing was seen to be faster"
            if advice.chosen.scheduler == "sync"
            else f"{times} as fast as sync was seen"
        )
        return f"cannot tell for sure{long}: this machine is too noisy now; {seen}"
    if advice.verdict == "no difference" and advice.chosen.scheduler == "sync":
        return f"no difference within 5 %{long}: {', '.join(others)} would bring nothing, and sync is the simplest"
    if advice.chosen.scheduler == "sync":
        return f"nothing is faster{long}"
    same = f"; no difference within 5 % to {', '.join(others)}, but simpler" if others else ""
    return f"{times} as fast as one task after the other{long}{same}"


def reasons(advice: Advice) -> list[str]:
    """Return why, with the numbers."""
    facts, found = advice.facts, []
    if facts.gil == "disabled":
        found.append("this Python runs without a GIL: Python code can run on several threads at once")
    elif facts.held is None:
        found.append(f"GIL unknown: {facts.gil}")
    else:
        held = facts.held
        limit = 1 / max(held.value, 1e-3)
        useful = min(most_threads(advice.cpus), advice.cpus / facts.busy)
        means = "it limits threads little" if limit >= useful else f"threads can give at most {limit:.2f}x"
        if limit < useful and not facts.limited:
            means += ", and more by what large results cost the main thread"
        found.append(f"GIL held {held.value:.2f} of the time ({held.low:.2f} to {held.high:.2f}): {means}")
    if facts.switches is not None and facts.switches > MANY_SWITCHES:
        found.append(f"{facts.switches:,.0f} GIL switches a second on threads: handing over costs more than it brings")
    found.append(_tasks_in_words(facts))
    if not advice.once and _total(advice) > UNFORESEEN * facts.seconds:
        found.append(
            f"all of them take {units.seconds(_total(advice))}, {_total(advice) / facts.seconds:.1f} times as long as those "
            "that were looked at made expect: some are much longer"
        )
    if (moved := facts.tasks * facts.result_bytes) > 1e6:
        found.append(f"{units.size(moved)} of results for every compute have to be copied from other processes")
    if facts.busy < 1:
        found.append(f"tasks wait {1 - facts.busy:.0%} of their time: more of them than CPUs can be under way")
    if facts.threaded:
        found.append(
            f"tasks have threads of their own: they keep {facts.cpu_over_wall:.1f} CPUs busy one after the other"
        )
    return [
        *found,
        *(_cost_in_words(one, advice) for one in shown_contenders(advice) if _overhead(one, advice) > 0),
        *advice.notes,
    ]


def _tasks_in_words(facts: Facts) -> str:
    what = "items" if facts.items is not None else "tasks"
    part = f" (of {facts.items})" if facts.items is not None and facts.items != facts.taken else ""
    uneven = ""
    if facts.longest_seconds > 3 * facts.task_seconds:
        uneven = (
            f" at the median and {units.seconds(facts.longest_seconds)} at most, {units.seconds(facts.seconds)} in all"
        )
    each = f"each returns {units.size(facts.result_bytes)}"
    return f"{facts.tasks} {what}{part} of {units.seconds(facts.task_seconds)}{uneven}; {each}"


def _total(advice: Advice) -> float:
    """Seconds of all tasks one after the other: as probed, or, of a function's items, as raced where that was more."""
    if advice.facts.items is None:
        return advice.facts.seconds  # all were probed; what sync takes beyond is its own
    raced = [seconds for one, seconds in advice.seconds.items() if one.scheduler == "sync"]
    return max(advice.facts.seconds, min(raced, default=0.0))


def _overhead(one: Contender, advice: Advice) -> float:
    """Seconds that each task loses under a scheduler, where that is a fifth of the task or more and can be told; else 0."""
    seconds = advice.seconds.get(one, math.inf)
    if (
        one.scheduler in ("sync", "threads")
        or not math.isfinite(seconds)
        or advice.once
        or one.parallelism > advice.cpus
    ):
        return 0.0
    tasks, total = one.tasks(advice.facts.tasks), _total(advice)
    lost = (seconds * one.parallelism - total) / tasks
    return lost if lost > 0.2 * total / tasks else 0.0


def _cost_in_words(one: Contender, advice: Advice) -> str:
    each = units.seconds(_total(advice) / one.tasks(advice.facts.tasks))
    lost = units.seconds(_overhead(one, advice))
    return f"{one.name}: tasks of {each} lose {lost} each there: starting them, moving data, waiting for the last"


def changes(advice: Advice) -> list[str]:
    """Return what would change the answer."""
    facts, one, found = advice.facts, advice.chosen, []
    held = facts.held.value if facts.held else 0.0
    if one.scheduler == "sync" and facts.seconds / max(1, facts.tasks) < ENOUGH / 20 and not advice.once:
        found.append("bigger tasks: what one task costs a pool is then small beside the task")
    if facts.object_text:
        found.append("text as dtype=str in place of object: columns of Python objects keep the GIL")
    if facts.threaded:
        pays = (
            "processes may then do as well as a cluster, which pins most of them itself"
            if one.scheduler == "distributed"
            else "several workers then pay more"
        )
        found.append(f"pinned inner threads (OMP_NUM_THREADS=1, pandas' mode.max_threads): {pays}")
    if facts.gil == "enabled" and held > 0.3 and advice.cpus > 1:
        found.append("free-threaded Python: threads could run all of it at once (gilbench run TARGET --python 3.14t)")
    if advice.once:
        pool = [other for other in advice.seconds if other.scheduler in CROSSING]
        if pool and one.scheduler not in CROSSING:
            found.append("a pool that is kept: with many computes in a row its start is paid once (without --once)")
    elif one.scheduler in CROSSING:
        found.append("a single compute: starting the workers counts then (--once)")
    if facts.tasks * facts.result_bytes > 1e6 and one.scheduler not in CROSSING and held > 0.5:
        found.append("smaller results: reduce within the task, or write to a file and return its name")
    if advice.cpus == 1:
        found.append("more CPUs: with one, nothing can run at the same time")
    return found


def code(advice: Advice) -> list[str]:
    """Return dask code to paste. It leaves open what is the user's own: the function and its items, or the tasks."""
    one, own = advice.chosen, advice.facts.items is not None
    imports, opening, keywords = _way(one, advice.once)
    head = [*imports, *(["from dask import delayed"] if own else [])]
    body = _delayed(one, advice.target.rpartition(":")[2]) if own else []
    compute = f"{'parts' if one.chunk > 1 else 'results'} = dask.compute(*tasks{keywords})"
    body += [opening, f"    {compute}"] if opening else [compute]
    if one.chunk > 1:
        body.append("results = [result for part in parts for result in part]")
    if one.scheduler in CROSSING:
        body = ['if __name__ == "__main__":  # its processes import this file', *(f"    {line}" for line in body)]
    return [*head, *body]


def _way(one: Contender, once: bool) -> tuple[list[str], str, str]:
    """Return what a scheduler needs: imports, the line that opens it, if any, and the keywords of dask.compute."""
    if one.scheduler == "distributed":
        shape = f"n_workers={one.workers}, threads_per_worker={one.threads}"
        return (
            ["import dask", "from dask.distributed import Client, LocalCluster"],
            f"with LocalCluster({shape}) as cluster, Client(cluster):",
            "",
        )
    if one.scheduler == "loky":
        return ["import dask, loky"], "", f", scheduler=loky.get_reusable_executor({one.workers})"
    if one.scheduler == "processes" and not once:
        return (
            ["import dask, multiprocessing", "from concurrent.futures import ProcessPoolExecutor"],
            f'with ProcessPoolExecutor({one.workers}, multiprocessing.get_context("spawn")) as pool:  # keep it',
            ', scheduler="processes", pool=pool, chunksize=1',
        )
    workers = {"threads": f", num_workers={one.threads}", "processes": f", num_workers={one.workers}, chunksize=1"}
    return ["import dask"], "", f', scheduler="{one.scheduler}"{workers.get(one.scheduler, "")}'


def _delayed(one: Contender, function: str) -> list[str]:
    if one.chunk == 1:
        return [f"tasks = [delayed({function})(item) for item in items]"]
    return [
        f"def batch(items): return [{function}(item) for item in items]",
        f"n = {_number_of_tasks(one)}  # tasks, of {one.chunk} items at most",
        "tasks = [delayed(batch)(items[i * len(items) // n:(i + 1) * len(items) // n]) for i in range(n)]",
    ]


def _number_of_tasks(one: Contender) -> str:
    """Return Contender.tasks as code."""
    if one.parallelism == 1:
        return f"-(-len(items) // {one.chunk})"
    return f"{one.parallelism} * -(-len(items) // {one.parallelism * one.chunk})"


def page(advice: Advice) -> str:
    """Return one screen of text."""
    lines = [f"{advice.target}: {headline(advice)}", f"  {outcome(advice)}", "", "why"]
    lines += [f"  {line}" for line in reasons(advice)]
    shown = shown_contenders(advice)
    width = max(len(one.name) for one in shown)
    for one in shown:
        speedup = advice.speedups.get(one)
        figure = f"{units.times(speedup.value)} ({units.interval(speedup, 'ratio')})" if speedup else ""
        if one.scheduler == "sync" and speedup:
            figure = "1x, the baseline"
        mark = ">" if one == advice.chosen else " "
        lines.append(f"  {mark} {one.name:{width}s}  {figure:26s} {advice.status[one]}".rstrip())
    if more := changes(advice):
        lines += ["", "what would change it", *(f"  {line}" for line in more)]
    lines += ["", "code", *(f"  {line}" for line in code(advice))]
    return "\n".join(lines) + "\n"


def shown_contenders(advice: Advice) -> list[Contender]:
    """Return one contender for each scheduler and shape: the chosen one, or its fastest, or one that was ruled out."""
    best: dict[tuple[str, int, int], Contender] = {}
    for one in sorted(advice.status, key=lambda one: (one != advice.chosen, advice.seconds.get(one, math.inf), one)):
        best.setdefault((one.scheduler, one.workers, one.threads), one)
    return sorted(best.values(), key=lambda one: (simplicity(one), one))


def as_data(advice: Advice) -> dict[str, Any]:
    """Return plain data, for programs."""

    def figure(estimate: Estimate | None) -> dict[str, float] | None:
        return {"value": estimate.value, "low": estimate.low, "high": estimate.high} if estimate else None

    def contender(one: Contender) -> dict[str, Any]:
        return {"scheduler": one.scheduler, "workers": one.workers, "threads": one.threads, "chunk": one.chunk}

    facts = advice.facts
    return {
        "gilbench_advice": FORMAT,
        "target": advice.target,
        "advice": contender(advice.chosen),
        "verdict": advice.verdict,
        "once": advice.once,
        "speedup": figure(advice.speedup),
        "reasons": reasons(advice),
        "changes": changes(advice),
        "code": code(advice),
        "contenders": [
            {**contender(one), "speedup": figure(advice.speedups.get(one)), "status": status,
             "seconds": advice.seconds.get(one)}
            for one, status in advice.status.items()
        ],
        "tasks": {
            "count": facts.tasks, "median_seconds": facts.task_seconds, "longest_seconds": facts.longest_seconds,
            "seconds": facts.seconds, "result_bytes": facts.result_bytes, "cpu_over_wall": facts.cpu_over_wall,
        },
        "gil": {"state": facts.gil, "held": figure(facts.held), "switches_per_second": facts.switches},
        "cost_seconds": advice.cost_seconds,
    }  # fmt: skip
