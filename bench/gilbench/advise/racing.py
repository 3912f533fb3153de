"""The race of `gilbench advise`: live contenders take turns, and each leaves as soon as it cannot be the best.

A contender is a way to run the target: scheduler, workers, threads per worker, items per task. In each round every
contender that is left takes one turn, in random order, so that whatever lasts longer than a turn hits all alike. Ratios are
taken within rounds. Two processes with the same case differ for good by some percent (memory layout): that is added to
every interval, and what lies too close races again in fresh processes.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gilbench.process.talk import Broken
from gilbench.stats import own_spread, squared_error, student_quantile

SAME: Final = 0.05  # a difference below is none
HOPELESS: Final = 1.35  # a ratio to the leader, seen in both of two rounds, at which a contender leaves
AT_ONCE: Final = 3.0  # the same after a single round: it may have met a busy moment
LAYOUT: Final = 0.035  # standard deviation of the log, between two processes that measure the same case (docs/check.md)
ALIKE: Final = 0.01  # the same between two chunks in one process: what a few rounds by chance agree to is not believed
UNTOLD: Final = 0.1  # the same of a turn, where a single one tells nothing of it
FEWEST, MOST = 3, 40  # rounds in one heat
LONGER: Final = 2.0  # times the seconds of a heat, where they were not enough for the fewest rounds
PATIENCE = 1.0  # seconds to wait for a turn beyond those that would rule it out: it may have met a busy moment


@dataclass(frozen=True, order=True)
class Contender:
    """A way to run the target. workers: processes that run tasks. threads: in each. chunk: items in one task at most."""

    scheduler: str
    workers: int = 1
    threads: int = 1
    chunk: int = 1

    @property
    def name(self) -> str:
        """As a person reads it: `processes 4x1, 16 items per task`."""
        shape = "" if self.scheduler == "sync" else f" {self.workers}x{self.threads}"
        return f"{self.scheduler}{shape}" + (f", {self.chunk} items per task" if self.chunk > 1 else "")

    @property
    def process(self) -> tuple[str, int, int]:
        """Scheduler and shape: contenders that differ in their chunks only race in the same process."""
        return self.scheduler, self.workers, self.threads

    @property
    def parallelism(self) -> int:
        """Tasks at a time."""
        return self.workers * self.threads

    def tasks(self, items: int) -> int:
        """Return how many tasks so many items make: with chunks as many for each worker, so that all end together.

        >>> Contender("processes", 2, chunk=4).tasks(60)  # of 3 or 4 items; 15 of 4 would be 32 for one, 28 for the other
        16
        """
        if self.chunk == 1:
            return items
        return min(items, self.parallelism * math.ceil(items / (self.parallelism * self.chunk)))


class Racer(Protocol):
    """The process of one or several contenders. Tests script it."""

    def turn(self, contender: Contender, patience: float) -> float:
        """Return the seconds of one compute. Raises Broken where it fails, or takes longer than `patience`."""


@dataclass
class Heat:
    """One set of fresh processes. times: contender -> round -> seconds; None where it had left, or never came.

    left: contender -> why it left. failed: contender -> why it cannot run at all.
    """

    times: dict[Contender, list[float | None]] = field(default_factory=dict)
    left: dict[Contender, str] = field(default_factory=dict)
    failed: dict[Contender, str] = field(default_factory=dict)

    @property
    def running(self) -> list[Contender]:
        """Those that may still be the best."""
        return [one for one in self.times if one not in self.left and one not in self.failed]

    def median(self, contender: Contender) -> float:
        """Seconds of one compute; infinite where it never finished one."""
        known = [seconds for seconds in self.times[contender] if seconds is not None]
        return statistics.median(known) if known else math.inf

    def leader(self) -> Contender:
        """The fastest so far."""
        return min(self.times, key=self.median)

    def log_ratios(self, above: Contender, below: Contender) -> list[float]:
        """ln(above / below), by round, where both took their turn."""
        pairs = zip(self.times[above], self.times[below], strict=True)
        return [math.log(a / b) for a, b in pairs if a is not None and b is not None]


def heat(
    racers: Mapping[Contender, Racer],
    seconds: float,
    draw: random.Random,
    clock: Callable[[], float] = time.perf_counter,
    rivals: Heat | None = None,
    patience: float = 0.0,
) -> Heat:
    """Race until one is left, until more rounds would not tell more, or for so many seconds: twice that for too few rounds.

    rivals: an earlier heat; its leader's time bounds the patience with newcomers. patience: seconds of it for everyone, so
    that sync, to which all is compared, finishes once. At least one round is run.
    """
    state = Heat({one: [] for one in racers})
    best = rivals.median(rivals.leader()) if rivals else math.inf
    began, rounds = clock(), 0
    while state.running and rounds < MOST:
        spent = clock() - began
        if rounds > 0 and spent >= seconds and (rounds >= FEWEST or spent >= LONGER * seconds):
            break
        round_ = draw.sample(state.running, len(state.running))
        for one in state.times:
            state.times[one].append(None)
        for one in round_:
            known = min(best, min((state.median(other) for other in state.times), default=math.inf))
            wait = max(patience, PATIENCE + AT_ONCE * known * (2 if rounds == 0 else 1))
            try:
                state.times[one][-1] = racers[one].turn(one, wait)
            except Broken as broken:
                _leaves(state, one, broken)
        rounds += 1
        drop(state, rounds)
        if rounds >= FEWEST and (len(state.running) < 2 or precise(state)):
            break
    return state


def _leaves(state: Heat, one: Contender, broken: Broken) -> None:
    """A contender that is too slow has lost; one that fails cannot run at all."""
    if broken.kind == "timeout":
        state.left[one] = "too slow to wait for"
    else:
        state.failed[one] = broken.reason


def drop(state: Heat, rounds: int) -> None:
    """Let leave whoever cannot be the best any more."""
    known = [one for one in state.running if math.isfinite(state.median(one))]
    if not known:
        return
    leader = min(known, key=state.median)
    for one in known:
        ratios = state.log_ratios(one, leader)
        if one is leader or not ratios:
            continue
        if rounds == 1:
            hopeless = ratios[0] > math.log(AT_ONCE)
        elif rounds == 2:
            hopeless = min(ratios) > math.log(HOPELESS)
        else:
            low, _ = reach(ratios, between(one, leader))
            hopeless = low > math.log1p(SAME)
        if hopeless:
            state.left[one] = f"left after {rounds} round{'s' if rounds > 1 else ''}"


def between(above: Contender, below: Contender) -> float:
    """Return the variance of the log ratio of two contenders that comes from their processes."""
    return ALIKE**2 if above.process == below.process else 2 * LAYOUT**2


def reach(ratios: Sequence[float], variance: float, confidence: float = 0.99) -> tuple[float, float]:
    """Return the interval of the mean of log ratios of one heat. At 99 %, because it is looked at often.

    variance: as `between` says.
    """
    centre = statistics.median(ratios)
    within = _error(ratios)
    # The variance is known and not estimated: the quantile is that of the part which is.
    quantile = student_quantile(max(1, len(ratios) - 1), (1 + confidence) / 2)
    half = math.sqrt(quantile**2 * within + student_quantile(1e6, (1 + confidence) / 2) ** 2 * variance)
    return centre - half, centre + half


def precise(state: Heat) -> bool:
    """Whether more rounds in these processes would tell nothing more: their own spread is small beside the layouts'."""
    leader = state.leader()
    for one in state.running:
        ratios = state.log_ratios(one, leader)
        if one is not leader and (len(ratios) < FEWEST or statistics.variance(ratios) / len(ratios) > LAYOUT**2 / 2):
            return False
    return True


def _error(ratios: Sequence[float]) -> float:
    """Return the squared standard error within one heat; that of a tenth where a single round cannot tell."""
    return squared_error(own_spread(ratios), len(ratios)) if len(ratios) > 1 else UNTOLD**2
