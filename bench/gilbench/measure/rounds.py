"""Rounds -> observations: starts one fresh worker process after the other, and decides when a case was measured enough.

`run_rounds` decides, from nothing but the ledger and what `start` returns, which turns an order into an observation. Real
workers are started by `Workers`; tests pass scripted timings instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.cases.plan import Plan, observation_seed, round_seed, shuffled, watched_cases
from gilbench.measure.workers import OutOfTimeError
from gilbench.results import disturbance
from gilbench.results.journal import Journal
from gilbench.results.records import Observation, Result
from gilbench.results.result_file import save
from gilbench.results.summary import estimates
from gilbench.schedulers import SPAWN
from gilbench.stats import relative_half_width

Start = Callable[[Order], Observation]
CALLS = ("function", "method")
SPAWNED = (
    2  # observations of each case whose pools are spawned, so that the time this takes is known; then they are forked
)
PRECISION, MAXIMUM, TIME_UP = "precision", "max observations", "max time"
FAILED, INTERRUPTED = "failed", "interrupted"


class Listener(Protocol):
    """Hears what happens: a progress bar, a journal."""

    def starting(self, order: Order, ledger: Ledger) -> None:
        """A worker is about to start."""

    def observed(self, observation: Observation, ledger: Ledger) -> None:
        """A worker has ended."""


@dataclass
class Ledger:
    """What has been observed so far, and what remains to be done.

    stops: case -> reason, for the cases that are done.
    """

    plan: Plan
    observations: list[Observation] = field(default_factory=list)
    stops: dict[Case, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watched = watched_cases(self.plan.cases)  # once, and not for every order
        self._by_case: dict[Case, list[Observation]] = {case: [] for case in self.plan.cases}
        before, self.observations = self.observations, []
        for observation in before:
            self.add(observation)

    def add(self, observation: Observation) -> None:
        """Add one observation. A failed one ends its case."""
        self.observations.append(observation)
        self._by_case[observation.case].append(observation)
        if observation.failure:
            self.stops[observation.case] = FAILED

    def of(self, case: Case) -> Sequence[Observation]:
        """Return the case's observations."""
        return self._by_case[case]

    def settle(self) -> list[Case]:
        """Stop the cases that are precise enough or at the maximum; return those still open."""
        profile = self.plan.profile
        found = estimates(self.observations)
        enough = [
            case
            for case in self.open
            if len(disturbance.undisturbed(self.of(case))) >= profile.min_observations
            or len(self.of(case)) >= profile.max_observations
        ]
        precise = {case for case in enough if relative_half_width(found[case]) <= profile.precision}
        # A baseline continues as long as a case that is compared with it, round by round.
        needed = {case.baseline for case in self.open if case not in precise}
        for case in enough:
            if len(self.of(case)) >= profile.max_observations:
                self.stops[case] = PRECISION if case in precise else MAXIMUM
            elif case in precise - needed:
                self.stops[case] = PRECISION
        return self.open

    @property
    def open(self) -> list[Case]:
        """Cases that have not stopped yet."""
        return [case for case in self.plan.cases if case not in self.stops]

    @property
    def spent(self) -> float:
        """Seconds that all observations took, including those of an interrupted run."""
        return sum(observation.seconds for observation in self.observations)

    def time_left(self) -> float:
        """Seconds that measuring should still take: until each open case has its minimum, or until the limit."""
        mean = self.spent / max(1, len(self.observations))
        needed = 0.0
        for case in self.open:
            seen = [observation.seconds for observation in self.of(case)]
            missing = max(1, self.plan.profile.min_observations - len(seen))
            needed += missing * (sum(seen) / len(seen) if seen else mean)
        return max(0.0, min(needed, self.plan.profile.max_time - self.spent))


def run_rounds(ledger: Ledger, start: Start, listeners: Sequence[Listener] = ()) -> None:
    """Measure in random rounds until each case is precise, at its maximum, failed, or time is up. Fills in the ledger.

    The ledger may hold the observations of an interrupted run: these are not measured again, and the rest follows in the
    order that it would have had.
    """
    for order in orders(ledger):
        for listener in listeners:
            listener.starting(order, ledger)
        try:
            observation = start(order)
        except OutOfTimeError:
            ledger.stops |= dict.fromkeys(ledger.open, TIME_UP)
            return
        ledger.add(observation)
        for listener in listeners:
            listener.observed(observation, ledger)


def orders(ledger: Ledger) -> Iterator[Order]:
    """Yield what to measure next, round by round, until every case has stopped.

    What a round measures depends on nothing but the rounds before it. A resumed run replays the rounds that it has, and so
    arrives at the same order.
    """
    plan, past = ledger.plan, Ledger(ledger.plan)
    for round_ in itertools.count():
        open_cases = past.settle()
        ledger.stops |= past.stops
        if not open_cases:
            return
        done = {observation.case for observation in ledger.observations if observation.round == round_}
        for case in shuffled(open_cases, plan.seed, round_):
            if case in done:
                continue
            if ledger.spent >= plan.profile.max_time:
                ledger.stops |= dict.fromkeys(ledger.open, TIME_UP)
                return
            yield next_order(ledger, case, round_)
        for observation in ledger.observations:
            if observation.round == round_:
                past.add(observation)


def next_order(ledger: Ledger, case: Case, round_: int) -> Order:
    """Return the order for one observation. The first one of a case fixes loops and values for all later ones."""
    measured = [observation for observation in ledger.of(case) if not observation.failure]
    loops = int(measured[0].metadata.get("loops", 1)) if measured else None
    return Order(
        case=case,
        round=round_,
        seed=observation_seed(ledger.plan.seed, case, round_),
        call=CALLS[round_ % 2] if case.workload in ledger.plan.collections else CALLS[0],
        budget=ledger.plan.profile.budget,
        seconds_left=ledger.plan.profile.max_time - ledger.spent,
        loops=loops,
        values=len(measured[0].values) if measured else None,
        spawns=sum(observation.metadata.get("pools") == SPAWN for observation in measured) < SPAWNED,
        round_seed=round_seed(ledger.plan.seed, round_),
        watch=case in ledger.watched,
    )


@dataclass(frozen=True)
class Writer:
    """A listener that puts every observation on disk before the next one starts."""

    journal: Journal

    def starting(self, order: Order, ledger: Ledger) -> None:
        """Nothing to write yet."""

    def observed(self, observation: Observation, ledger: Ledger) -> None:
        """Append it."""
        self.journal.add(observation)


class Interrupted(Exception):
    """Ctrl-C: what was measured is kept. The text says how to continue."""


def measure_into(
    before: Result,
    path: Path,
    start: Start,
    listeners: Sequence[Listener] = (),
    *,
    resume: bool = False,
    again: str = "",
) -> Result:
    """Measure a plan into the result file `path`, with a journal next to it; return the result as saved.

    before: the plan, and the observations of the interrupted run that is to be continued. again: options that --resume
    needs. Raises Interrupted on Ctrl-C, after saving what was measured. The journal stays, for --resume, until all is measured.
    """
    journal_path = path.with_suffix(".jsonl")
    journal = Journal(journal_path, before.plan, before.machine, new=not resume)
    ledger = Ledger(before.plan, list(before.observations))
    interrupted = False
    try:
        run_rounds(ledger, start, [Writer(journal), *listeners])
    except KeyboardInterrupt:
        interrupted = True
        ledger.stops |= dict.fromkeys(ledger.open, INTERRUPTED)
    finally:
        journal.close()
    stops = {case.name: reason for case, reason in ledger.stops.items()}
    result = replace(before, observations=tuple(ledger.observations), stops=stops)
    if ledger.observations:
        save(result, path)
    if interrupted:
        kept = (
            f"{len(ledger.observations)} observations are kept in {path}"
            if ledger.observations
            else "nothing was measured"
        )
        raise Interrupted(f"interrupted: {kept}; continue with `gilbench run --resume --name {path.stem}{again}`")
    journal_path.unlink(missing_ok=True)
    return result
