"""What a person reads before, during, and after a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gilbench import stats, units
from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.cases.plan import Plan
from gilbench.console import Progress
from gilbench.measure.planning import SECONDS_PROBING, cases_to_probe
from gilbench.measure.rounds import TIME_UP, Ledger
from gilbench.results.records import Observation, Probing, Result
from gilbench.results.summary import estimates

NOTHING = "nothing was measured, because the time was up before a case finished: raise --max-time"


def introduction(plan: Plan, done: int, *, probed: bool = False) -> str:
    """Return the lines to read before the first observation. done: observations that an interrupted run left."""
    profile = plan.profile
    lines = [
        f"{len(plan.cases)} cases, at most {units.duration(profile.max_time)}; each until its 95 % interval is within "
        f"±{profile.precision:.0%} or it was measured {profile.max_observations} times (profile {profile.name}, seed {plan.seed})"
    ]
    if probed:
        workloads = len({case.workload for case in plan.cases})
        lines.append(
            f"then the probes, about {SECONDS_PROBING} s for each of {workloads} workloads and for the schedulers"
        )
    if done:
        lines.append(f"continuing after {done} observations")
    lines += [f"left out: {reason}" for reason in plan.left_out]
    return "\n".join(lines) + "\n"


class RunProgress:
    """A listener that shows how far a run is, and how long it will still take."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._began = time.monotonic()

    def starting(self, order: Order, ledger: Ledger) -> None:
        """Name the case that is measured now."""
        self._show(order.round, ledger, order.case.name)

    def observed(self, observation: Observation, ledger: Ledger) -> None:
        """Show the estimate so far."""
        estimate = so_far(observation.case, ledger)
        self._progress.news(f"{self._status(observation.round, ledger)}  {estimate}")
        self._show(observation.round, ledger, estimate)

    def _show(self, round_: int, ledger: Ledger, text: str) -> None:
        self._progress.state(ledger.spent, ledger.time_left(), f"{self._status(round_, ledger)}  {text}")

    def _status(self, round_: int, ledger: Ledger) -> str:
        done, gone = len(ledger.stops), units.duration(time.monotonic() - self._began)
        left = units.duration(ledger.time_left())
        return f"round {round_ + 1}  {done}/{len(ledger.plan.cases)} cases done  {gone} gone, about {left} to go"


def so_far(case: Case, ledger: Ledger) -> str:
    """Return the case's name and what is known about it."""
    observed = ledger.of(case)
    if observed and observed[-1].failure:
        return f"{case.name}: failed: {observed[-1].failure}"
    estimate = estimates(ledger.observations).get(case)
    if estimate is None:
        return case.name
    show = units.size if case.measure == "memory" else units.seconds
    width = stats.relative_half_width(estimate)
    spread = f" ±{width:.0%}" if width < 1 else ""
    return f"{case.name}: {show(estimate.value)}{spread} (n={estimate.n})"


def conclusion(result: Result, path: Path, *, probed: bool = False) -> str:
    """Return the lines to read at the end: what was measured, what failed, and what to do next; one line where nothing was."""
    if not result.observations:
        return f"{NOTHING}\n"
    stops: Sequence[str] = list(result.stops.values())
    reasons = ", ".join(f"{stops.count(reason)} {reason}" for reason in dict.fromkeys(stops))
    seconds = sum(observation.seconds for observation in result.observations)
    busy = sum(float(observation.metadata.get("busy_seconds", 0)) for observation in result.observations)
    lines = [
        f"{len(result.observations)} observations of {len(result.plan.cases)} cases in {units.duration(seconds)}, "
        f"{busy / seconds if seconds else 0:.0%} of it computing; stopped by: {reasons}"
    ]
    measured = {observation.case for observation in result.observations}
    missing = [case.name for case in result.plan.cases if case not in measured]
    if missing:
        lines.append(f"{len(missing)} cases were not measured at all ({TIME_UP}): {', '.join(missing)}")
    lines += [*failed(result.observations), *unchecked(result.observations)]
    if probed:
        lines += [*unprobed(result), *unavailable(result.probes)]
    lines.append(f"result: {path}")
    lines.append(f"next: gilbench show {path}, gilbench claims {path}, gilbench plot {path}")
    return "\n".join(lines) + "\n"


def failed(observations: Sequence[Observation]) -> Iterator[str]:
    """Yield a line for each reason why cases failed."""
    names: dict[str, list[str]] = {}
    for observation in observations:
        if observation.failure:
            names.setdefault(str(observation.failure), []).append(observation.case.name)
    for reason, cases in names.items():
        yield f"failed: {', '.join(cases)}: {reason}"


def unchecked(observations: Sequence[Observation]) -> Iterator[str]:
    """Yield a line for each workload whose answer could not be checked."""
    reasons = {
        observation.case.workload: observation.metadata["unchecked"]
        for observation in observations
        if "unchecked" in observation.metadata
    }
    for workload, reason in reasons.items():
        yield f"not checked: {workload}: {reason}"


def unprobed(result: Result) -> Iterator[str]:
    """Yield a line that names what there was no time to probe."""
    workloads = dict.fromkeys(case.workload for case in cases_to_probe(result))
    probed = {probing.workload for probing in result.probes}
    missing = [name or "the schedulers" for name in (*workloads, "") if name not in probed] if workloads else []
    if missing:
        yield f"not probed ({TIME_UP}): {', '.join(missing)}"


def unavailable(probes: Sequence[Probing]) -> Iterator[str]:
    """Yield a line for each reason why something could not be probed: which probes of which workloads."""
    without: dict[str, dict[str, dict[str, None]]] = {}  # reason -> probe -> workloads, in order
    for probing in probes:
        for probe, reasons in probing.reasons.items():
            for reason in reasons.values():
                without.setdefault(reason, {}).setdefault(probe, {})[probing.workload or "the schedulers"] = None
    for reason, by_probe in without.items():
        which = "; ".join(f"{probe} of {', '.join(workloads)}" for probe, workloads in by_probe.items())
        yield f"unavailable: {which}: {reason}"
