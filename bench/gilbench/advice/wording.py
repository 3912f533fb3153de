"""The advice as sentences, as code and as data. Pure: no clock, no process."""

from __future__ import annotations

import math
from typing import Any, Final

from gilbench import units
from gilbench.advice.choice import Advice, simplicity
from gilbench.advice.entry import most_threads
from gilbench.advice.racing import Contender
from gilbench.advice.target_facts import Facts
from gilbench.advice.thresholds import WORDING
from gilbench.probes.gil_probe import MANY_SWITCHES
from gilbench.schedulers import MIX, Recipe, Shape, all_advisable, all_schedulers
from gilbench.stats import Estimate

FORMAT: Final = 1  # of `as_data`


# --- The answer


def headline(advice: Advice) -> str:
    """Return what to use, in one sentence."""
    chosen = advice.chosen
    chunk = ""
    if advice.facts.items is not None and advice.facts.taken != 1:
        chunk = f", {chosen.chunk} items in one task" if chosen.chunk > 1 else ", one item in one task"
    return f"{all_advisable()[chosen.scheduler].describe(_shape(chosen))}{chunk}"


def outcome(advice: Advice) -> str:
    """Return what speed-up to expect, and how sure that is."""
    times = f"{units.times(advice.speedup.value)} ({units.interval(advice.speedup, 'ratio')})"
    starting = " (startup included)" if advice.once else ""
    others = [contender.name for contender in advice.equal if contender.scheduler != advice.chosen.scheduler]
    if advice.verdict == "cannot tell":
        seen = (
            "nothing looked faster than sync" if advice.chosen.is_sync else f"what was seen is {times} as fast as sync"
        )
        return f"cannot tell for sure{starting}: this machine is too noisy now; {seen}"
    if advice.verdict == "no difference" and advice.chosen.is_sync:
        return f"no difference within 5 %{starting}: {', '.join(others)} would gain nothing, and sync is the simplest"
    rivals = f"{', '.join(others)} may be up to {advice.rival_gain:.0%} faster, for all that was measured"
    if advice.verdict == "undecided" and advice.chosen.is_sync:
        return f"undecided{starting}: {rivals}, and sync is the simplest"
    if advice.chosen.is_sync:
        return f"nothing is faster{starting}"
    more = {
        "no difference": f"; no difference within 5 % between this and {', '.join(others)}, and this is simpler",
        "undecided": f"; undecided: {rivals}, and this is simpler",
    }.get(advice.verdict, "")
    return f"{times} as fast as one task after the other{starting}{more}"


# --- The reasons


def reasons(advice: Advice) -> list[str]:
    """Return why, with the numbers: the GIL, the tasks, and what each task loses under the schedulers that raced."""
    costs = [_cost(contender, advice) for contender in shown_contenders(advice) if _overhead(contender, advice) > 0]
    return [*_about_the_gil(advice), *_about_the_tasks(advice), *costs]


def _about_the_gil(advice: Advice) -> list[str]:
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
        if limit < useful and not facts.gil_is_the_limit:
            means += ", and more by what large results cost the main thread"
        found.append(f"GIL held {held.value:.2f} of the time ({held.low:.2f} to {held.high:.2f}): {means}")
    if facts.switches is not None and facts.switches > MANY_SWITCHES:
        found.append(
            f"{facts.switches:,.0f} GIL switches a second on threads: handing it over costs more than it gains"
        )
    return found


def _about_the_tasks(advice: Advice) -> list[str]:
    facts, found = advice.facts, [_tasks(advice.facts)]
    if not advice.once and _total(advice) > WORDING.unforeseen * facts.seconds:
        found.append(
            f"all of them take {units.seconds(_total(advice))}, {_total(advice) / facts.seconds:.1f} times as long as the "
            "sample suggested: some are much longer"
        )
    if (moved := facts.tasks * facts.result_bytes) > WORDING.moved:
        found.append(f"{units.size(moved)} of results have to be copied from other processes in every compute")
    if facts.busy < 1:
        found.append(f"tasks wait {1 - facts.busy:.0%} of their time: more of them than CPUs can be under way")
    if facts.inner_threads:
        found.append(
            f"tasks start threads of their own: one after the other, they keep {facts.cpu_over_wall:.1f} CPUs busy"
        )
    return found


def _tasks(facts: Facts) -> str:
    what = "items" if facts.items is not None else "tasks"
    part = f" (of {facts.items})" if facts.items is not None and facts.items != facts.taken else ""
    uneven = ""
    if facts.longest_seconds > WORDING.uneven * facts.task_seconds:
        longest, total = units.seconds(facts.longest_seconds), units.seconds(facts.seconds)
        uneven = f" at the median and {longest} at most, {total} in all"
    each = f"each returns {units.size(facts.result_bytes)}"
    return f"{facts.tasks} {what}{part} of {units.seconds(facts.task_seconds)}{uneven}; {each}"


def _total(advice: Advice) -> float:
    """Return the seconds of all tasks, one after the other: as probed, or as raced where a function's items took more."""
    if advice.facts.items is None:
        return advice.facts.seconds  # all of them were probed; whatever sync takes beyond that is its own
    raced = [seconds for contender, seconds in advice.seconds.items() if contender.is_sync]
    return max(advice.facts.seconds, min(raced, default=0.0))


def _overhead(contender: Contender, advice: Advice) -> float:
    """Return the seconds that each task loses under a scheduler with processes, or 0 if they are not worth mentioning."""
    seconds = advice.seconds.get(contender, math.inf)
    crosses = all_schedulers()[contender.scheduler].crosses
    if not crosses or not math.isfinite(seconds) or advice.once or contender.parallelism > advice.cpus:
        return 0.0
    tasks, total = contender.tasks(advice.facts.tasks), _total(advice)
    lost = (seconds * contender.parallelism - total) / tasks
    return lost if lost > WORDING.overhead * total / tasks else 0.0


def _cost(contender: Contender, advice: Advice) -> str:
    each = units.seconds(_total(advice) / contender.tasks(advice.facts.tasks))
    lost = units.seconds(_overhead(contender, advice))
    return f"{contender.name}: tasks of {each} lose {lost} each to starting them, moving data and waiting for the last"


# --- What would change the answer


def changes(advice: Advice) -> list[str]:
    """Return what would change the answer."""
    facts, found = advice.facts, []
    scheduler = all_schedulers()[advice.chosen.scheduler]
    held = facts.held.value if facts.held else 0.0
    if advice.chosen.is_sync and facts.seconds / max(1, facts.tasks) < WORDING.short_task and not advice.once:
        found.append("bigger tasks: they make what a pool costs for each task matter less")
    if facts.object_text:
        found.append("text as dtype=str instead of object: columns of Python objects hold the GIL")
    if facts.inner_threads:
        pays = (
            "processes may then do as well as a cluster, which pins most of them itself"
            if scheduler.kind == MIX
            else "several workers then gain more"
        )
        found.append(f"pinned inner threads (OMP_NUM_THREADS=1, pandas' mode.max_threads): {pays}")
    if facts.gil == "enabled" and held > WORDING.gil_matters and advice.cpus > 1:
        found.append("free-threaded Python: threads could run all of it at once (gilbench run TARGET --python 3.14t)")
    if advice.once:
        raced = any(all_schedulers()[contender.scheduler].crosses for contender in advice.seconds)
        if raced and not scheduler.crosses:
            found.append("a pool that is kept: for many computes in a row it starts only once (without --once)")
    elif scheduler.crosses:
        found.append("a single compute: starting the workers counts then (--once)")
    moved = facts.tasks * facts.result_bytes
    if moved > WORDING.moved and not scheduler.crosses and held > WORDING.gil_forces_processes:
        found.append("smaller results: reduce within the task, or write to a file and return its name")
    if advice.cpus == 1:
        found.append("more CPUs: with one, nothing can run at the same time")
    return found


# --- Code


def code(advice: Advice) -> list[str]:
    """Return dask code to paste, by line. It leaves out what is the user's own: the function and its items, or the tasks."""
    chosen, own = advice.chosen, advice.facts.items is not None
    recipe: Recipe = all_advisable()[chosen.scheduler].recipe(_shape(chosen), advice.once)
    imports = [*recipe.imports, *(["from dask import delayed"] if own else [])]
    body = _delayed(chosen, advice.target.rpartition(":")[2]) if own else []
    compute = f"{'parts' if chosen.chunk > 1 else 'results'} = dask.compute(*tasks{recipe.keywords})"
    body += [recipe.opening, f"    {compute}"] if recipe.opening else [compute]
    if chosen.chunk > 1:
        body.append("results = [result for part in parts for result in part]")
    if all_schedulers()[chosen.scheduler].crosses:
        body = ['if __name__ == "__main__":  # its processes import this file', *(f"    {line}" for line in body)]
    return [*imports, *body]


def _delayed(chosen: Contender, function: str) -> list[str]:
    if chosen.chunk == 1:
        return [f"tasks = [delayed({function})(item) for item in items]"]
    return [
        f"def batch(items): return [{function}(item) for item in items]",
        f"n = {_number_of_tasks(chosen)}  # tasks, of {chosen.chunk} items at most",
        "tasks = [delayed(batch)(items[i * len(items) // n:(i + 1) * len(items) // n]) for i in range(n)]",
    ]


def _number_of_tasks(chosen: Contender) -> str:
    """Return Contender.tasks as code."""
    if chosen.parallelism == 1:
        return f"-(-len(items) // {chosen.chunk})"
    return f"{chosen.parallelism} * -(-len(items) // {chosen.parallelism * chosen.chunk})"


def _shape(contender: Contender) -> Shape:
    return Shape(contender.workers, contender.threads)


# --- The page, and data


def page(advice: Advice) -> str:
    """Return one screen of text."""
    shown = shown_contenders(advice)
    width = max(len(contender.name) for contender in shown)
    lines = [f"{advice.target}: {headline(advice)}", f"  {outcome(advice)}", "", "why"]
    lines += [f"  {line}" for line in reasons(advice)]
    lines += [_row(contender, advice, width) for contender in shown]
    if found := changes(advice):
        lines += ["", "what would change it", *(f"  {line}" for line in found)]
    lines += ["", "code", *(f"  {line}" for line in code(advice))]
    return "\n".join(lines) + "\n"


def _row(contender: Contender, advice: Advice, width: int) -> str:
    """Return the line of a contender. width: characters of the names."""
    speedup = advice.speedups.get(contender)
    figure = f"{units.times(speedup.value)} ({units.interval(speedup, 'ratio')})" if speedup else ""
    if contender.is_sync and speedup:
        figure = "1x, the baseline"
    mark = ">" if contender == advice.chosen else " "
    return f"  {mark} {contender.name:{width}s}  {figure:26s} {advice.status[contender]}".rstrip()


def shown_contenders(advice: Advice) -> list[Contender]:
    """Return one contender for each scheduler and shape: the chosen one, or its fastest, or one that was ruled out."""
    best: dict[tuple[str, int, int], Contender] = {}
    for contender in sorted(
        advice.status, key=lambda each: (each != advice.chosen, advice.seconds.get(each, math.inf), each)
    ):
        best.setdefault(contender.process, contender)
    return sorted(best.values(), key=lambda contender: (simplicity(contender), contender))


def as_data(advice: Advice) -> dict[str, Any]:
    """Return plain data, for programs. Times are in seconds, sizes in bytes."""
    facts = advice.facts
    return {
        "gilbench_advice": FORMAT,
        "target": advice.target,
        "advice": _contender_data(advice.chosen),
        "verdict": advice.verdict,
        "once": advice.once,
        "speedup": _estimate_data(advice.speedup),
        "reasons": reasons(advice),
        "changes": changes(advice),
        "code": code(advice),
        "contenders": [
            {**_contender_data(contender), "speedup": _estimate_data(advice.speedups.get(contender)), "status": status,
             "seconds": advice.seconds.get(contender)}
            for contender, status in advice.status.items()
        ],
        "tasks": {
            "count": facts.tasks, "median_seconds": facts.task_seconds, "longest_seconds": facts.longest_seconds,
            "seconds": facts.seconds, "result_bytes": facts.result_bytes, "cpu_over_wall": facts.cpu_over_wall,
        },
        "gil": {"state": facts.gil, "held": _estimate_data(facts.held), "switches_per_second": facts.switches},
        "cost_seconds": advice.cost_seconds,
    }  # fmt: skip


def _contender_data(contender: Contender) -> dict[str, Any]:
    return {
        "scheduler": contender.scheduler,
        "workers": contender.workers,
        "threads": contender.threads,
        "chunk": contender.chunk,
    }


def _estimate_data(estimate: Estimate | None) -> dict[str, float] | None:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high} if estimate else None
