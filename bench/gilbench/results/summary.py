"""Observations -> estimates with intervals and speed-ups, which tables, charts and claims are made of."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gilbench import stats
from gilbench.cases.case import Case
from gilbench.cases.plan import Plan
from gilbench.cases.watching import UNWATCHED, TaskFigures
from gilbench.errors import Failure
from gilbench.process.levels import AS_IS, LEVELED
from gilbench.results import disturbance
from gilbench.results.records import Probing
from gilbench.schedulers import FORK, all_schedulers
from gilbench.stats import Estimate

if TYPE_CHECKING:
    from gilbench.results import disturbance
from gilbench.results.records import Observation, Result

NESTED = 1.05  # CPU time over wall time under sync; above it, tasks must have threads of their own
INNER_THREADS = "inner threads"  # begins the flag that says so
BEYOND = 1.05  # of the ideal speed-up; above it, sync must do extra work, such as fetching memory again
CONTROL = "control"  # the family that has to scale under every parallel scheduler
CONTROL_SCALES = 0.7  # of the ideal speed-up


@dataclass(frozen=True)
class CaseSummary:
    """What is known of one case.

    family: the workload's family.
    estimate: seconds per compute, or peak bytes beyond the idle scheduler for a memory case.
    speedup: sync time over this time; None without a sync case, and for memory cases.
    observations: one median value per process, in the order measured (s, or bytes). rounds: the round of each.
    opening: seconds to open and warm the scheduler. first: seconds of the first compute after that.
    tasks: tasks executed in one compute. workers_used: distinct threads or processes that ran them.
    moved_bytes: data that had to reach or leave tasks in one compute; 0 if the workload is not about moving data.
    flags: what to know before trusting the case, in a few words each.
    stop: why measuring stopped: "precision", "max observations", "max time", ...
    build: seconds to build the graph before anything is computed. build_tasks: tasks executed while building it.
    ran_on: what ran the tasks, according to dask: "threads", "processes", "cluster PxT" or "unknown".
    watched: round -> what the tasks of one compute added up to, where they were timed one by one. unwatched: why they were not.
    disturbed: whether other programs kept the machine busy meanwhile, so that the case can win and lose nothing.
    """

    case: Case
    family: str
    estimate: Estimate
    speedup: Estimate | None
    observations: tuple[float, ...]
    opening: Estimate | None
    first: Estimate | None
    tasks: int
    workers_used: int
    moved_bytes: int
    flags: tuple[str, ...]
    stop: str
    rounds: tuple[int, ...] = ()
    build: Estimate | None = None
    build_tasks: int = 0
    ran_on: str = ""
    watched: Mapping[int, TaskFigures] = field(default_factory=dict)
    unwatched: str = ""
    disturbed: bool = False


@dataclass(frozen=True)
class FailedCase:
    """A case that gave no usable timing, and why."""

    case: Case
    failure: Failure

    @property
    def kind(self) -> str:
        """What happened: see Failure."""
        return self.failure.kind

    @property
    def reason(self) -> str:
        """Why, in one line."""
        return self.failure.reason


@dataclass(frozen=True)
class Summary:
    """One result file, digested.

    name: of the result. machine: fingerprint of machine and software (see gilbench.machine), as in the file.
    warnings: what makes the whole result doubtful. pair_spreads: spread of the log ratios to sync, one for each case.
    probes: what the probes found (see gilbench.probes), if the run included them. plan: what was to be measured, if known.
    """

    name: str
    machine: Mapping[str, str | int | float]
    cases: tuple[CaseSummary, ...]
    failures: tuple[FailedCase, ...]
    warnings: tuple[str, ...] = ()
    pair_spreads: tuple[stats.Spread, ...] = ()
    probes: tuple[Probing, ...] = ()
    plan: Plan | None = None

    def ratio(self, over: CaseSummary, under: CaseSummary) -> Estimate:
        """Return `over` divided by `under`, round by round, with an interval.

        Both were measured within the same minute of a round, so longer slowdowns of the machine cancel out. Pairs with
        few rounds borrow knowledge of the usual spread from all pairs of the result. Without a common round, the two
        estimates are divided.
        """
        logs = paired_logs(over, under)
        if not logs:
            return stats.quotient(over.estimate, under.estimate)
        return _paired(logs, self.pair_spreads)

    @property
    def level(self) -> str:
        """The level of the cases that are compared: leveled, except in a result from before there were levels."""
        return LEVELED if any(case.case.level == LEVELED for case in self.cases) else AS_IS

    @property
    def compared(self) -> tuple[CaseSummary, ...]:
        """The cases that are compared with each other, in the order measured: without what was timed at another level."""
        level = self.level
        return tuple(case for case in self.cases if case.case.measure != "time" or case.case.level == level)

    @property
    def timed(self) -> tuple[CaseSummary, ...]:
        """The cases whose estimate is in seconds, at the level that is compared."""
        return tuple(case for case in self.compared if case.case.measure == "time")

    @property
    def memory(self) -> tuple[CaseSummary, ...]:
        """The cases whose estimate is in bytes."""
        return tuple(case for case in self.cases if case.case.measure == "memory")


def pooled_speedup(summary: Summary, cases: Sequence[CaseSummary]) -> Estimate | None:
    """Return the common speed-up over sync of several cases, from all their rounds; None if there are no rounds."""
    baselines = {case.case: case for case in summary.cases}
    logs = [log for case in cases if (sync := baselines.get(case.case.baseline)) for log in paired_logs(sync, case)]
    return _paired(logs, summary.pair_spreads) if logs else None


def estimates(observations: Iterable[Observation]) -> dict[Case, Estimate]:
    """Return the estimate of every case that has a value.

    Cases with few processes borrow knowledge of the usual spread from the other cases of the same run and measure.
    """
    return moderated_estimates(values_by_case(observations))


def moderated_estimates(values: Mapping[Case, Sequence[float]]) -> dict[Case, Estimate]:
    """Return the estimate of each case, given one number per process."""
    return {
        case: stats.estimate(values[case], variance=spread.variance, df=spread.df)
        for case, spread in spreads(values).items()
    }


def values_by_case(observations: Iterable[Observation]) -> dict[Case, list[float]]:
    """Return one number per process for each case, in the order measured."""
    return {case: [run.value for run in runs] for case, runs in runs_by_case(observations).items()}


def runs_by_case(observations: Iterable[Observation]) -> dict[Case, list[Observation]]:
    """Return the observations of each case that count: those with values, without what others disturbed."""
    runs: dict[Case, list[Observation]] = defaultdict(list)
    for observation in observations:
        if not observation.failure:
            runs[observation.case].append(observation)
    return {case: disturbance.kept(observed) for case, observed in runs.items()}


def spreads(values: Mapping[Case, Sequence[float]]) -> dict[Case, stats.Spread]:
    """Return the moderated spread of the log values of each case. Times and memory are kept apart: they differ in kind."""
    found: dict[Case, stats.Spread] = {}
    for measure in sorted({case.measure for case in values}):
        cases = [case for case in values if case.measure == measure]
        own = [stats.log_spread(values[case]) for case in cases]
        found |= dict(zip(cases, stats.moderated([s.variance for s in own], [s.df for s in own]), strict=True))
    return found


def summarize(result: Result) -> Summary:
    """Digest a result into a CaseSummary for each case that has a value and a FailedCase for each failed observation."""
    runs = runs_by_case(result.observations)
    facts = {
        "estimate": estimates(result.observations),
        "opening": _estimates_of(runs, "open_seconds"),
        "first": _estimates_of(runs, "first_seconds"),
        "build": _estimates_of(runs, "build_seconds"),
    }
    cases = {
        case: _case_summary(case, runs[case], {name: found.get(case) for name, found in facts.items()}, result)
        for case in result.plan.cases
        if case in runs
    }
    pairs = {
        case: paired_logs(cases[case.baseline], cases[case])
        for case in cases
        if case.measure == "time" and case != case.baseline and case.baseline in cases
    }
    pair_spreads = tuple(stats.own_spread(logs) for logs in pairs.values() if logs)
    failures = tuple(FailedCase(o.case, o.failure) for o in result.observations if o.failure)
    found = Summary(
        result.name,
        result.machine,
        tuple(cases.values()),
        failures,
        pair_spreads=pair_spreads,
        probes=result.probes,
        plan=result.plan,
    )
    timed = tuple(
        _with_speedup(summary, found.ratio(cases[case.baseline], summary)) if case in pairs else summary
        for case, summary in cases.items()
    )
    return replace(found, cases=timed, warnings=(*disturbance.warnings(result.observations), *_warnings(timed)))


def _with_speedup(summary: CaseSummary, speedup: Estimate) -> CaseSummary:
    ideal, flags = summary.case.parallelism, summary.flags
    if speedup.low > BEYOND * ideal and summary.case.pinned:
        flags = (*flags, f"beyond the ideal {ideal}x: sync pays for something that this does not")
    return replace(summary, speedup=speedup, flags=flags)


def paired_logs(over: CaseSummary, under: CaseSummary) -> list[float]:
    """Return ln(over / under) of each round in which both were measured."""
    above = dict(zip(over.rounds, over.observations, strict=False))
    below = dict(zip(under.rounds, under.observations, strict=False))
    return [math.log(above[round_] / below[round_]) for round_ in above if round_ in below]


def _paired(logs: Sequence[float], known: Sequence[stats.Spread]) -> Estimate:
    all_spreads = [stats.own_spread(logs), *known]
    spread = stats.moderated([s.variance for s in all_spreads], [s.df for s in all_spreads])[0]
    return stats.paired_ratio(logs, variance=spread.variance, df=spread.df)


def _case_summary(
    case: Case, runs: Sequence[Observation], figures: Mapping[str, Estimate | None], result: Result
) -> CaseSummary:
    facts, estimate = runs[-1].metadata, figures["estimate"]
    assert estimate is not None  # a case with runs has values
    return CaseSummary(
        case=case,
        family=str(facts.get("family", "")),
        estimate=estimate,
        speedup=None,
        observations=tuple(run.value for run in runs),
        rounds=tuple(run.round for run in runs),
        opening=figures["opening"],
        first=figures["first"],
        build=figures["build"],
        tasks=int(facts.get("tasks", 0)),
        workers_used=max(int(run.metadata.get("workers_used", 0)) for run in runs),
        moved_bytes=int(facts.get("moved_bytes", 0)),
        flags=tuple(_flags(case, runs)),
        stop=result.stops.get(case.name, "unfinished"),
        build_tasks=max(int(run.metadata.get("build_tasks", 0)) for run in runs),
        watched={run.round: seen for run in runs if (seen := TaskFigures.from_metadata(run.metadata))},
        unwatched=next((str(run.metadata[UNWATCHED]) for run in runs if UNWATCHED in run.metadata), ""),
        ran_on=" or ".join(sorted({str(run.metadata.get("ran_on", "unknown")) for run in runs})),
        disturbed=any(map(disturbance.is_disturbed, runs)),
    )


def _estimates_of(runs: Mapping[Case, Sequence[Observation]], key: str) -> dict[Case, Estimate]:
    """Return the estimates of a figure in seconds that every observation has in its metadata.

    Not from observations with forked pools: users' pools take longer to start, and to compute for the first time.
    """
    values = {
        case: [
            float(run.metadata[key])
            for run in observed
            if float(run.metadata.get(key, 0)) > 0 and run.metadata.get("pools") != FORK
        ]
        for case, observed in runs.items()
    }
    return moderated_estimates({case: found for case, found in values.items() if found})


def _flags(case: Case, runs: Sequence[Observation]) -> Iterator[str]:
    nested = [float(run.metadata["cpu_over_wall"]) for run in runs if "cpu_over_wall" in run.metadata]
    if nested and statistics.median(nested) > NESTED:
        yield f"{INNER_THREADS}: CPU time is {statistics.median(nested):.2f}x wall time"
    used = max(int(run.metadata.get("workers_used", 0)) for run in runs)
    if case.scheduler != "sync" and 0 < used < min(case.parallelism, int(runs[-1].metadata.get("tasks", 0))):
        yield f"ran on {used} of {case.parallelism} workers"
    if any(run.metadata.get("gil_before") != run.metadata.get("gil_after") for run in runs):
        yield "an extension switched the GIL on"
    if any("unchecked" in run.metadata for run in runs):
        yield "answer not checked"
    if any(map(disturbance.is_disturbed, runs)):
        yield "measured while other programs were busy"


def _warnings(cases: Sequence[CaseSummary]) -> Iterator[str]:
    """Warn if the control did not scale: the machine then had no workers to spare, so no other figure can be trusted."""
    unscaled = {scheduler.name for scheduler in all_schedulers().values() if not scheduler.scales}
    for summary in cases:
        case, speedup = summary.case, summary.speedup
        if summary.family != CONTROL or speedup is None or case.parallelism == 1 or case.scheduler in unscaled:
            continue
        ideal = min(case.parallelism, summary.tasks)
        if speedup.high < CONTROL_SCALES * ideal:
            yield (
                f"the control does not scale: {case.workload} under {case.scheduler} {case.shape} is {speedup.value:.2f}x "
                f"faster than sync, where {ideal}x is expected: no speed-up of {case.scheduler} in this result can be trusted"
            )
