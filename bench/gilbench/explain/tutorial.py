"""The tutorial's claims, and whether they hold here. They are decided from a summary's intervals and nothing else.

A claim is a function decorated with `@claim`; its docstring is what the tutorial says. It returns a verdict and the
evidence in one sentence. If something was not measured or is too noisy, the verdict is "cannot tell".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gilbench import units
from gilbench.explain import copying, selected
from gilbench.results.summary import CaseSummary, Summary, pooled_speedup
from gilbench.schedulers import PROCESSES, all_schedulers
from gilbench.stats import Estimate, quotient

HOLDS, FAILS, UNKNOWN = "holds", "does not hold", "cannot tell"
RELEASED = 0.5  # of the time: code that holds the GIL for less lets a second thread gain something
AS_OBJECTS = "csv_text_object"  # reads text as Python objects, which needs the GIL; pandas 3 does so only when asked to
SWEEP = "gilbench run return_bytes --profile default"
NOTICEABLE = 1.2  # a factor that a person notices; a smaller gain is neither "parallel" nor a win

Answer = tuple[str, str]


@dataclass(frozen=True)
class DecidedClaim:
    """One claim with its verdict.

    id: as in the workloads' `claims`. claim: the sentence of the tutorial. verdict: holds, does not hold or cannot tell.
    chart: the name of the chart that shows the evidence.
    """

    id: str
    claim: str
    verdict: str
    evidence: str
    chart: str = ""


@dataclass(frozen=True)
class Evidence:
    """A summary that can be queried by workload and scheduler, at the largest size and with the most workers measured."""

    summary: Summary

    def cases(self, workload: str, scheduler: str, measure: str = "time") -> list[CaseSummary]:
        """Return the cases of a workload under a scheduler, pinned or not; the one to judge by comes last."""
        found = [
            case
            for case in self.summary.compared
            if (case.case.workload, case.case.scheduler, case.case.measure) == (workload, scheduler, measure)
        ]
        return sorted(
            found, key=lambda case: (selected.size_order(case.case.size), case.case.parallelism, case.case.workers)
        )

    def case(self, workload: str, scheduler: str, measure: str = "time") -> CaseSummary | None:
        """Return the case with the largest size and most workers, or None."""
        return next(reversed(self.cases(workload, scheduler, measure)), None)

    def best(self, workload: str, schedulers: Iterable[str]) -> CaseSummary | None:
        """Return the fastest case of a workload under any of the schedulers, at full width, or None."""
        found = [case for scheduler in schedulers if (case := self.case(workload, scheduler))]
        return min(found, key=lambda case: case.estimate.value, default=None)


Claim = Callable[[Evidence], Answer]
CLAIMS: dict[str, Claim] = {}
CHARTS: dict[str, str] = {}  # claim -> the chart that shows its evidence


def claim(identifier: str, chart: str) -> Callable[[Claim], Claim]:
    """Register a claim under the id that workloads name in their `claims`, with the chart that shows its evidence."""

    def register(function: Claim) -> Claim:
        CLAIMS[identifier], CHARTS[identifier] = function, chart
        return function

    return register


def decide(summary: Summary) -> tuple[DecidedClaim, ...]:
    """Return every claim with its verdict, in the tutorial's order."""
    evidence = Evidence(summary)
    decided = []
    for identifier, answer in CLAIMS.items():
        verdict, why = answer(evidence)
        sentence = " ".join((answer.__doc__ or "").split())
        decided.append(DecidedClaim(identifier, sentence, verdict, why, CHARTS[identifier]))
    return tuple(decided)


def above(figure: Estimate | None, bar: float) -> str:
    """Return HOLDS if the whole interval lies above the bar, FAILS if it lies below, and UNKNOWN otherwise."""
    if figure is None:
        return UNKNOWN
    return HOLDS if figure.low > bar else FAILS if figure.high < bar else UNKNOWN


def opposite(verdict: str) -> str:
    """Return the verdict on the opposite claim."""
    return {HOLDS: FAILS, FAILS: HOLDS}.get(verdict, verdict)


def all_of(verdicts: Iterable[str]) -> str:
    """Return HOLDS if all hold, FAILS if any fails, and UNKNOWN otherwise, also if there are none."""
    found = list(verdicts)
    if FAILS in found:
        return FAILS
    return HOLDS if found and set(found) == {HOLDS} else UNKNOWN


def any_of(verdicts: Iterable[str]) -> str:
    """Return HOLDS if any holds, FAILS if all fail, and UNKNOWN otherwise."""
    return opposite(all_of(opposite(verdict) for verdict in verdicts))


def _pools() -> list[str]:
    """Return the schedulers with a pool of processes that is kept, and so may be advised."""
    return [name for name, found in all_schedulers().items() if found.kind == PROCESSES and found.advisable]


def missing(*workloads: str) -> Answer:
    """Return the answer if nothing was measured."""
    return UNKNOWN, f"not measured: gilbench run {' '.join(workloads)}"


def gain(case: CaseSummary) -> str:
    """Describe a speed-up."""
    return units.estimate(case.speedup, "ratio") if case.speedup else "no baseline"


@claim("memory", chart="memory")
def memory(evidence: Evidence) -> Answer:
    """Threads share one memory, processes each have their own."""
    threads = evidence.case("shared_array", "threads", "memory")
    processes = evidence.case("shared_array", "processes", "memory")
    if not threads or not processes:
        return missing("shared_array")
    more = quotient(processes.estimate, threads.estimate)
    return above(more, 1.5), (
        f"reading one shared array takes {units.size(threads.estimate.value)} at the peak on threads and "
        f"{units.size(processes.estimate.value)} on {processes.case.parallelism} processes, "
        f"{units.estimate(more, 'ratio')} as much"
    )


@claim("copy-back", chart="bytes_moved")
def copy_back(evidence: Evidence) -> Answer:
    """Processes must copy results back to the main session."""
    threads, processes = evidence.case("return_bytes", "threads"), evidence.case("return_bytes", "processes")
    if not threads or not processes:
        return missing("return_bytes")
    slower = evidence.summary.ratio(processes, threads)
    return above(slower, NOTICEABLE), (
        f"returning {units.size(processes.moved_bytes)} takes {units.seconds(threads.estimate.value)} on threads and "
        f"{units.seconds(processes.estimate.value)} on processes, {units.estimate(slower, 'ratio')} as long; "
        f"{_copying(evidence)}"
    )


def _copying(evidence: Evidence) -> str:
    """Return what the copies cost, as a fixed time and a rate."""
    found = copying.cost(evidence.summary, "return_bytes", "processes")
    if found is None:
        return f"what a copy costs cannot be told from fewer than {copying.SIZES} sizes: {SWEEP}"
    rate = f"{units.size(found.rate.value)}/s ({units.interval(found.rate, 'byte')} per second)"
    return f"the copies cost {units.estimate(found.fixed, 'second')} per compute, and move at {rate}, from {found.sizes} sizes"


@claim("loop-gil", chart="scaling")
def loop_gil(evidence: Evidence) -> Answer:
    """A Python loop cannot run in parallel on threads because of the GIL."""
    found = [
        case for name in ("sum_of_squares", "word_count") if (case := evidence.case(name, "threads")) and case.speedup
    ]
    if not found:
        return missing("python_loops")
    gil = evidence.summary.machine.get("gil", "")
    text = ", ".join(f"{case.case.workload} {gain(case)}" for case in found)
    all_loops = pooled_speedup(evidence.summary, found) or found[0].speedup
    return opposite(above(all_loops, NOTICEABLE)), (
        f"speed-up on {found[0].case.parallelism} threads: {text}"
        + (f", both together {units.estimate(all_loops, 'ratio')}" if all_loops and len(found) > 1 else "")
        + (f" (GIL {gil})" if gil else "")
    )


@claim("csv-gil", chart="gil")
def csv_gil(evidence: Evidence) -> Answer:
    """pd.read_csv releases the GIL."""
    names = {case.case.workload for case in evidence.summary.timed if case.family == "csv_files"} - {AS_OBJECTS}
    if not names:
        return missing("csv_files")
    verdicts, texts = [], []
    for probing in evidence.summary.probes:
        found = selected.gil_held(probing)
        if probing.workload in names and found:
            held, low, high = found
            verdicts.append(HOLDS if high < RELEASED else FAILS if low > RELEASED else UNKNOWN)
            texts.append(f"{probing.workload} holds it for {held:.0%} ({low:.0%} to {high:.0%}) of the time")
    if not verdicts:
        return UNKNOWN, "not probed: gilbench run csv_files --probe"
    return all_of(verdicts), "; ".join(texts)


@claim("csv-threads", chart="speedup")
def csv_threads(evidence: Evidence) -> Answer:
    """So threads win for pd.read_csv."""
    names = dict.fromkeys(case.case.workload for case in evidence.summary.timed if case.family == "csv_files")
    verdicts, texts = [], []
    for name in names:
        threads, others = evidence.case(name, "threads"), evidence.best(name, ("sync", *_pools()))
        if threads and others:
            ahead = evidence.summary.ratio(others, threads)
            verdicts.append(HOLDS if ahead.low > 1 else FAILS if ahead.high < 1 else UNKNOWN)
            other = others.case.scheduler
            outcomes = {HOLDS: "threads win", FAILS: f"{other} is faster", UNKNOWN: "no clear winner"}
            texts.append(f"{name}: {outcomes[verdicts[-1]]}, threads {units.times(ahead.value)} as fast as {other}")
    if not verdicts:
        return missing("csv_files")
    return all_of(verdicts), "; ".join(texts)


@claim("defaults", chart="regret")
def defaults(evidence: Evidence) -> Answer:
    """Each collection has a default scheduler (Array, DataFrame and Delayed threads, Bag processes), not always the best."""
    found = [regret for case in _defaults(evidence) if (regret := regret_of(evidence, case))]
    if not found:
        return missing("dask_collections")
    as_stated = all(
        case.ran_on == ("processes" if case.case.workload.startswith("bag") else "threads") for case, _, _ in found
    )
    text = "; ".join(
        f"{case.case.workload}: the default, {case.ran_on}, takes {units.times(ratio.value)} "
        f"({units.interval(ratio, 'ratio')}) as long as the best, {best.case.scheduler}"
        for case, best, ratio in found
    )
    return all_of([HOLDS if as_stated else FAILS, any_of(above(ratio, 1.05) for _, _, ratio in found)]), text


def regret_of(evidence: Evidence, default: CaseSummary) -> tuple[CaseSummary, CaseSummary, Estimate] | None:
    """Return the case of a collection's default, the fastest of its other cases, and the ratio of their times."""
    others = [
        case
        for case in evidence.summary.timed
        if (case.case.workload, case.case.size) == (default.case.workload, default.case.size) and case is not default
    ]
    if not others:
        return None
    best = min(others, key=lambda case: case.estimate.value)
    return default, best, evidence.summary.ratio(default, best)


def _defaults(evidence: Evidence) -> list[CaseSummary]:
    return [case for case in evidence.summary.timed if case.case.scheduler == "default"]


@claim("override", chart="regret")
def override(evidence: Evidence) -> Answer:
    """The default is changed with .compute(scheduler=...) or dask.compute(x, scheduler=...)."""
    expected = {"threads": "threads", "processes": "processes", "processes-default": "processes"}
    names = [case.case.workload for case in _defaults(evidence)]
    found = [case for name in names for scheduler in expected if (case := evidence.case(name, scheduler))]
    if not found:
        return missing("dask_collections")
    wrong = [case for case in found if case.ran_on != expected[case.case.scheduler]]
    if wrong:
        return FAILS, "; ".join(f"{case.case.name} ran on {case.ran_on}" for case in wrong)
    return HOLDS, (
        f"{len(found)} overrides of {len(names)} collections ran on the scheduler they named and gave the right answer, "
        "through .compute() and through dask.compute"
    )


@claim("cluster", chart="speedup")
def cluster(evidence: Evidence) -> Answer:
    """Threads and processes together need a Cluster and a Client."""
    mixed = [case for case in evidence.summary.timed if case.case.workers > 1 and case.case.threads > 1]
    local = [case for case in evidence.summary.timed if case.case.scheduler not in ("distributed", "sync")]
    if not mixed or not local:
        return missing("sum_of_squares", "--scheduler distributed", "--scheduler threads", "--scheduler processes")
    exceptions = [case.case.name for case in local if case.ran_on not in ("threads", "processes", "unknown")]
    used = [case for case in mixed if case.ran_on == f"cluster {case.case.shape}"]
    verdict = all_of([HOLDS if used else FAILS, FAILS if exceptions else HOLDS])
    where = ", ".join(sorted({case.ran_on for case in mixed}))
    return verdict, f"with a Cluster and a Client, tasks ran on {where}; no other scheduler mixed threads and processes"


@claim("lazy", chart="task_graph")
def lazy(evidence: Evidence) -> Answer:
    """delayed returns a lazy object: nothing runs before compute."""
    found = [case for name in ("sleep", "tiny_tasks") if (case := evidence.case(name, "sync"))]
    if not found:
        return missing("control", "delayed_basics")
    ran = [case for case in found if case.build_tasks]
    text = "; ".join(
        f"{case.case.workload}: building the graph took {units.seconds(case.build.value)} and ran {case.build_tasks} tasks, "
        f"computing it took {units.seconds(case.estimate.value)}"
        for case in found
        if case.build
    )
    return FAILS if ran else HOLDS, text


@claim("visualize", chart="task_graph")
def visualize(evidence: Evidence) -> Answer:
    """.visualize() draws the graph."""
    installed = str(evidence.summary.machine.get("graph_drawing", ""))
    if not installed:
        return UNKNOWN, "the result does not say what is installed"
    if installed.startswith("nothing"):
        reason = installed.partition(": ")[2]
        fix = "install graphviz, the Python package and the program (pip install graphviz; apt, brew or choco install graphviz)"
        return UNKNOWN, f"it could not be tried: {reason}; {fix}. `gilbench plot` draws the same graph without it"
    return HOLDS, f"it draws with {installed}"


@claim("graph", chart="task_graph")
def graph(evidence: Evidence) -> Answer:
    """Computing two results together does shared work once."""
    together, separately = evidence.best("together", ("sync",)), evidence.best("separately", ("sync",))
    if not together or not separately:
        return missing("shared_work")
    saved = evidence.summary.ratio(separately, together)
    return all_of([HOLDS if together.tasks < separately.tasks else FAILS, above(saved, 1.05)]), (
        f"together, {together.tasks} tasks take {units.seconds(together.estimate.value)}; separately, "
        f"{separately.tasks} take {units.seconds(separately.estimate.value)}, {units.estimate(saved, 'ratio')} as long"
    )


@claim("many-csv", chart="speedup")
def many_csv(evidence: Evidence) -> Answer:
    """Many CSV files are read with one delayed(pd.read_csv) each and computed at once."""
    best = evidence.best("csv_max_price", ("threads", *_pools(), "distributed"))
    if not best or not best.speedup:
        return missing("csv_max_price")
    return above(best.speedup, NOTICEABLE), (
        f"{best.tasks} tasks computed at once on {best.case.scheduler} are {gain(best)} as fast as one after another"
    )
