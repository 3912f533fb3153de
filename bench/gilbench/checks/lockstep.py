"""Epochs: one fresh worker per arm, both alive, taking turns on one case; each epoch yields one log ratio.

What lasts longer than a turn (clock frequency, a busy neighbor) hits both arms alike and cancels. What remains is the memory
layout of each process, so both workers of an epoch share one: hash seed, heap pile and, on Linux, an address space without
randomization. The next epoch draws another. The unit of replication is the epoch.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from gilbench.cases.benchmark import Subject
from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.checks.arms import Arm
from gilbench.checks.turns import TurnOrder
from gilbench.errors import Failure
from gilbench.process import child
from gilbench.process.talk import Broken, Talk

WARM_UP = 2  # turns of each worker that are not counted; fewer where a turn takes so long that there are few
SECONDS = 0.8  # of turns at least; as long as starting took where that is more, so that starting pays off
SHARED_SECONDS = 0.1  # the same for each of several benchmarks in one pair of processes, which share the starting
FEWEST, MOST = 6, 150  # turns of each worker
LONGEST = 2.0  # seconds of turns after which fewer than the fewest will do
ADDR_NO_RANDOMIZE = 0x0040000  # personality(2)


class Ended(Broken):
    """What was open failed, but its worker goes on with the next one."""


class NotStarted(Broken):
    """The worker failed before it opened anything."""


class Worker(Protocol):
    """A live worker of one arm, which opens the subjects of its batch one after the other. Tests script it."""

    def open(self, subject: Subject) -> Mapping[str, Any]:
        """Wait until it is open; return what it reports about itself. Raises Broken."""

    def turn(self, loops: int) -> float:
        """Return one value in seconds, the mean of `loops` computes. Raises Broken."""

    def close(self) -> Mapping[str, Any]:
        """End what is open; return what was noticed about it. Raises Broken."""

    def end(self) -> None:
        """End it and all that it started."""


@dataclass(frozen=True)
class Batch:
    """What one pair of fresh processes measures: a case alone, or benchmarks in the order given.

    seed: of the memory layout. loops: subject -> computes behind each value, as its first epoch found them.
    """

    subjects: tuple[Subject, ...]
    seed: int
    loops: Mapping[Subject, int] = field(default_factory=dict)


Start = Callable[[Arm, Batch], Worker]


@dataclass(frozen=True)
class Epoch:
    """One epoch of one case or benchmark.

    base, head: values in seconds, in the order measured, the same number of each. failures: arm name -> how it failed.
    loops: computes behind each value. facts: arm name -> metadata of its case. sources: arm name -> file -> digest of what
    was imported from its tree. remarks: arm name -> what else was noticed. leaves: whether something of it still runs.
    """

    case: Subject
    seed: int
    seconds: float
    base: tuple[float, ...] = ()
    head: tuple[float, ...] = ()
    loops: int = 1
    failures: Mapping[str, Failure] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remarks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    leaves: bool = False

    @property
    def log_ratio(self) -> float:
        """ln(head / base), above 0 where head is slower: the median over pairs of neighboring turns.

        Where the machine's speed drifts, pairing halves the spread of an epoch compared with the quotient of medians.
        """
        return statistics.median(math.log(head / base) for base, head in zip(self.base, self.head, strict=True))


def epochs(
    batch: Batch, arms: tuple[Arm, Arm], start: Start, wanted: Callable[[Subject], bool] = lambda _: True
) -> Iterator[Epoch]:
    """Yield an epoch of each subject of a batch: both workers start at once, open one, take turns on it, and so on.

    wanted: whether a subject is still to be measured when its turn comes; the others are opened and closed again. Where a
    worker dies, or something of a subject still runs, both are replaced for the subjects that are left. Where a worker does
    not start, the epochs of all that are left say so.
    """
    left = list(batch.subjects)
    while left:
        began = time.perf_counter()
        together = len(left)
        with contextlib.ExitStack() as stack:
            workers: dict[str, Worker] = {}
            for arm in random.Random(batch.seed).sample(arms, 2):
                workers[arm.name] = start(arm, Batch(tuple(left), batch.seed, batch.loops))
                stack.callback(workers[arm.name].end)
            share: float | None = None
            going = True
            while left and going:
                pair = _Pair(left[0], workers, batch)
                opened = time.perf_counter()
                pair.open()
                if pair.not_started:
                    took = (time.perf_counter() - began) / together
                    yield from (replace(pair.epoch(took), case=subject) for subject in left)
                    return
                if share is None:  # what starting took, divided among all that were started
                    share, opened = (time.perf_counter() - began) / together, time.perf_counter()
                measures = wanted(left[0])
                if measures:
                    pair.take_turns(max(SECONDS if together == 1 else SHARED_SECONDS, share))
                pair.close()
                left.pop(0)
                if measures:
                    yield pair.epoch(share + time.perf_counter() - opened)
                going = pair.goes_on


class _Pair:
    """Both workers while one subject is open."""

    def __init__(self, subject: Subject, workers: Mapping[str, Worker], batch: Batch) -> None:
        self.subject, self.workers, self.batch = subject, workers, batch
        self.loops = batch.loops.get(subject)
        self.failures: dict[str, Failure] = {}
        self.said: dict[str, Mapping[str, Any]] = {}
        self.values: dict[str, list[float]] = {"base": [], "head": []}
        self.noticed: dict[str, Mapping[str, Any]] = {}
        self.goes_on = True
        self.not_started = False

    def open(self) -> None:
        """Open the subject in both arms."""
        for name, worker in self.workers.items():
            try:
                self.said[name] = worker.open(self.subject)
            except Broken as broken:
                self._fail(name, broken)

    def take_turns(self, seconds: float) -> None:
        """Take turns for some time, unless an arm failed."""
        if self.failures:
            return
        self.loops = self.loops or int(self.said["base"]["ready"])
        name = ""
        try:
            for name in turns(self.workers, random.Random(f"{self.batch.seed}/{self.subject.name}"), seconds):
                self.values[name].append(self.workers[name].turn(self.loops))
        except Broken as broken:
            self._fail(name, broken)

    def close(self) -> None:
        """Close the subject in the arms where it is open, unless their workers are about to be replaced anyway."""
        for name, worker in self.workers.items():
            if self.goes_on and name not in self.failures:
                try:
                    self.noticed[name] = worker.close()
                except Broken as broken:
                    self._fail(name, broken)
        self.goes_on = self.goes_on and not self.leaves

    @property
    def leaves(self) -> bool:
        """Whether something of the subject still runs."""
        return any(noticed.get("leaves") for noticed in self.noticed.values())

    def epoch(self, seconds: float) -> Epoch:
        """Return what was measured. seconds: that it took."""
        warm = min(WARM_UP, len(self.values["base"]) // 4)
        values = {} if self.failures else {name: tuple(found[warm:]) for name, found in self.values.items()}
        return Epoch(
            case=self.subject,
            seed=self.batch.seed,
            seconds=seconds,
            base=values.get("base", ()),
            head=values.get("head", ()),
            loops=self.loops or 1,
            failures=self.failures,
            facts={name: answer.get("facts", {}) for name, answer in self.said.items()},
            sources={name: answer.get("sources", {}) for name, answer in self.said.items()},
            remarks={name: noticed["remarks"] for name, noticed in self.noticed.items() if noticed.get("remarks")},
            leaves=self.leaves,
        )

    def _fail(self, name: str, broken: Broken) -> None:
        self.failures[name] = broken.failure
        self.goes_on = self.goes_on and isinstance(broken, Ended)
        self.not_started = self.not_started or isinstance(broken, NotStarted)


def turns(workers: Mapping[str, Worker], draw: random.Random, seconds: float) -> Iterator[str]:
    """Yield whose turn it is: each arm once in random order, again and again, until time is up or there were enough.

    Where turns take long, even one of each arm is enough.
    """
    began = time.perf_counter()
    taken, gone = 0, 0.0
    while taken == 0 or (taken < WARM_UP + FEWEST and gone < LONGEST) or (taken < WARM_UP + MOST and gone < seconds):
        yield from draw.sample(sorted(workers), len(workers))
        taken, gone = taken + 1, time.perf_counter() - began


@dataclass(frozen=True)
class Live:
    """Starts a real worker for each arm and order that it is called with.

    timeout: seconds for each answer. cpus: those that workers are kept to; empty for any. slowdown: arm name -> fraction to
    be slower by. environment: variables on top of the user's own.
    """

    timeout: float
    cpus: Sequence[int] = ()
    slowdown: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, arm: Arm, batch: Batch) -> LiveWorker:
        """Start a worker."""
        (case,) = batch.subjects
        assert isinstance(case, Case), "a case has a worker of its own"
        return LiveWorker(arm, Order(case, 0, batch.seed, "function", SECONDS), self)


class LiveWorker:
    """A real worker process for one case."""

    def __init__(self, arm: Arm, order: Order, how: Live) -> None:
        given = {**how.environment, **arm.environment}
        self._cpus = how.cpus[: order.case.parallelism] if how.cpus else ()
        self._talk = Talk(
            [arm.python, "-P", "-m", "gilbench.checks.turns"],
            TurnOrder(order, str(arm.tree), how.slowdown.get(arm.name, 0.0)).as_json(),
            child.environment(order.seed, pinned=order.case.pinned, level=order.case.level, given=given),
            how.timeout,
            scratch=arm.folder,  # is removed with the arm, whatever happens here
            cwd=arm.folder,
            preexec_fn=fix_addresses if sys.platform == "linux" else None,
        )

    def open(self, subject: Subject) -> Mapping[str, Any]:
        """Wait until it is open, then keep it to its CPUs. Both arms get the same CPUs, but not while they start up."""
        answer = self._talk.hear()
        pin(self._talk.process.pid, self._cpus)
        return answer

    def turn(self, loops: int) -> float:
        """Grant one turn and return its value, in seconds."""
        self._talk.say(str(loops))
        return float(self._talk.hear()["value"])

    def close(self) -> Mapping[str, Any]:
        """Do nothing: the process ends with its only case."""
        return {}

    def end(self) -> None:
        """End it and all that it started."""
        self._talk.end()


def fix_addresses() -> None:
    """Switch off address space randomization, between fork and exec, on Linux. Best effort: it may be forbidden."""
    if sys.platform == "linux":
        ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)


def pin(pid: int, cpus: Sequence[int]) -> None:
    """Keep every thread of a process, and of those it has started, to these CPUs. Does nothing outside Linux."""
    if sys.platform != "linux" or not cpus:
        return
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            for thread in process.threads():
                os.sched_setaffinity(thread.id, cpus)
