"""One heat of the race of `gilbench advise`: live contenders take turns, and those that cannot be the best leave.

A contender is a way to run the target: scheduler, workers, threads per worker, items per task. In each round every
contender that is left takes one turn, in random order, so that whatever lasts longer than a turn hits all alike. Ratios are
taken within rounds. Two processes with the same case differ permanently by a few percent (memory layout). Every interval
allows for that, and what is too close to call races again in fresh processes.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gilbench import units
from gilbench.advice.thresholds import DECISION, NOISE, RACE
from gilbench.process.talk import Broken
from gilbench.stats import own_spread, squared_error, student_quantile


@dataclass(frozen=True, order=True)
class Contender:
    """A way to run the target. workers: processes that run tasks. threads: in each. chunk: items in one task at most."""

    scheduler: str
    workers: int = 1
    threads: int = 1
    chunk: int = 1

    @property
    def is_sync(self) -> bool:
        """Whether it runs one task after the other; every speed-up is taken over that."""
        return self.scheduler == "sync"

    @property
    def name(self) -> str:
        """As a person reads it: `processes 4x1, 16 items per task`."""
        shape = "" if self.is_sync else f" {self.workers}x{self.threads}"
        return f"{self.scheduler}{shape}" + (f", {self.chunk} items per task" if self.chunk > 1 else "")

    @property
    def process(self) -> tuple[str, int, int]:
        """Scheduler and shape. Contenders that differ only in their chunks race in the same process."""
        return self.scheduler, self.workers, self.threads

    @property
    def parallelism(self) -> int:
        """Tasks at a time."""
        return self.workers * self.threads

    def tasks(self, items: int) -> int:
        """Return how many tasks these items make. With chunks each worker gets equally many, so that all end together.

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
    """What was raced in one set of fresh processes.

    times: contender -> round -> seconds; None where it had left, or did not finish. left: contender -> why it left.
    failed: contender -> why it cannot run at all.
    """

    times: dict[Contender, list[float | None]] = field(default_factory=dict)
    left: dict[Contender, str] = field(default_factory=dict)
    failed: dict[Contender, str] = field(default_factory=dict)

    @property
    def running(self) -> list[Contender]:
        """Those that may still be the best."""
        return [contender for contender in self.times if contender not in self.left and contender not in self.failed]

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


def run_heat(
    racers: Mapping[Contender, Racer],
    seconds: float,
    draw: random.Random,
    clock: Callable[[], float] = time.perf_counter,
    rivals: Heat | None = None,
    patience: float = 0.0,
) -> Heat:
    """Race until one contender is left, until more rounds would add nothing, or until the time is up.

    seconds: for the heat; twice as many where they are too few for the fewest rounds. At least one round is run. rivals: an
    earlier heat, whose leader's time bounds the patience with newcomers. patience: seconds that each turn is granted at least,
    so that sync, with which everything is compared, finishes once.
    """
    heat = Heat({contender: [] for contender in racers})
    best = rivals.median(rivals.leader()) if rivals else math.inf
    began, rounds = clock(), 0
    while heat.running and rounds < RACE.most_rounds:
        spent = clock() - began
        if rounds > 0 and spent >= seconds and (rounds >= RACE.fewest_rounds or spent >= RACE.longer * seconds):
            break
        order = draw.sample(heat.running, len(heat.running))
        for times in heat.times.values():
            times.append(None)
        for contender in order:
            known = min(best, min((heat.median(other) for other in heat.times), default=math.inf))
            ruling_out = RACE.hopeless_at_once * known * (2 if rounds == 0 else 1)
            try:
                heat.times[contender][-1] = racers[contender].turn(contender, max(patience, RACE.patience + ruling_out))
            except Broken as broken:
                _leaves(heat, contender, broken)
        rounds += 1
        drop(heat, rounds)
        if rounds >= RACE.fewest_rounds and (len(heat.running) < 2 or precise(heat)):
            break
    return heat


def _leaves(heat: Heat, contender: Contender, broken: Broken) -> None:
    """Note that a contender is too slow, and has lost, or fails, and cannot run at all."""
    if broken.kind == "timeout":
        heat.left[contender] = "too slow to wait for"
    else:
        heat.failed[contender] = broken.reason


def drop(heat: Heat, rounds: int) -> None:
    """Remove the contenders that can no longer be the best."""
    known = [contender for contender in heat.running if math.isfinite(heat.median(contender))]
    if not known:
        return
    leader = min(known, key=heat.median)
    for contender in known:
        ratios = heat.log_ratios(contender, leader)
        if contender is leader or not ratios:
            continue
        if rounds == 1:
            hopeless = ratios[0] > math.log(RACE.hopeless_at_once)
        elif rounds == 2:
            hopeless = min(ratios) > math.log(RACE.hopeless)
        else:
            low, _ = reach(ratios, between(contender, leader))
            hopeless = low > math.log1p(DECISION.same)
        if hopeless:
            heat.left[contender] = f"left after {units.count(rounds, 'round')}"


def between(above: Contender, below: Contender) -> float:
    """Return the variance of the log ratio of two contenders that comes from their processes."""
    return NOISE.chunk**2 if above.process == below.process else 2 * NOISE.layout**2


def reach(ratios: Sequence[float], variance: float, confidence: float = RACE.confidence) -> tuple[float, float]:
    """Return the interval around the median of the log ratios of one heat.

    variance: as `between` returns it.
    """
    center = statistics.median(ratios)
    within = _error(ratios)
    # The variance is known and not estimated, so the quantile of Student's t belongs to the other part alone.
    quantile = student_quantile(max(1, len(ratios) - 1), (1 + confidence) / 2)
    half = math.sqrt(quantile**2 * within + student_quantile(1e6, (1 + confidence) / 2) ** 2 * variance)
    return center - half, center + half


def precise(heat: Heat) -> bool:
    """Return whether more rounds in these processes would add nothing, because layouts differ by more than rounds do."""
    leader = heat.leader()
    for contender in heat.running:
        ratios = heat.log_ratios(contender, leader)
        if contender is leader:
            continue
        if len(ratios) < RACE.fewest_rounds or statistics.variance(ratios) / len(ratios) > NOISE.layout**2 / 2:
            return False
    return True


def _error(ratios: Sequence[float]) -> float:
    """Return the squared standard error within one heat; a presumed one where there is a single round."""
    return squared_error(own_spread(ratios), len(ratios)) if len(ratios) > 1 else NOISE.single_turn**2
