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
from dataclasses import dataclass, field
from typing import Any, Protocol

from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.checks.arms import Arm
from gilbench.checks.turns import TurnOrder
from gilbench.errors import Failure
from gilbench.process import child
from gilbench.process.talk import Broken, Talk

WARM_UP = 2  # turns of each worker that are not counted
SECONDS = 0.8  # of turns at least; as long as starting took where that is more, so that starting pays off
FEWEST, MOST = 6, 150  # turns of each worker
ADDR_NO_RANDOMIZE = 0x0040000  # personality(2)


class Worker(Protocol):
    """A live worker of one arm. Tests script it."""

    def ready(self) -> Mapping[str, Any]:
        """Wait until it is open; return what it reports about itself. Raises Broken."""

    def turn(self, loops: int) -> float:
        """Return one value in seconds, the mean of `loops` computes. Raises Broken."""

    def end(self) -> None:
        """End it and all that it started."""


Start = Callable[[Arm, Order], Worker]


@dataclass(frozen=True)
class Epoch:
    """One epoch of one case.

    base, head: values in seconds, in the order measured, the same number of each. failures: arm name -> how it failed.
    loops: computes behind each value. facts: arm name -> metadata of its case. sources: arm name -> file -> digest of what
    was imported from its tree.
    """

    case: Case
    seed: int
    seconds: float
    base: tuple[float, ...] = ()
    head: tuple[float, ...] = ()
    loops: int = 1
    failures: Mapping[str, Failure] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def log_ratio(self) -> float:
        """ln(head / base), above 0 where head is slower: the median over pairs of neighboring turns.

        Where the machine's speed drifts, pairing halves the spread of an epoch compared with the quotient of medians.
        """
        return statistics.median(math.log(head / base) for base, head in zip(self.base, self.head, strict=True))


def epoch(case: Case, arms: tuple[Arm, Arm], start: Start, seed: int, loops: int | None) -> Epoch:
    """Run one epoch: both workers start at once, open and check the case, then take turns in random order.

    loops: what the case's first epoch found, so that the same number of computes is behind every value; None in that epoch.
    """
    began = time.perf_counter()
    failures: dict[str, Failure] = {}
    values: dict[str, list[float]] = {arm.name: [] for arm in arms}
    said: dict[str, Mapping[str, Any]] = {}
    order = Order(case, 0, seed, "function", SECONDS)
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for arm in random.Random(seed).sample(arms, 2):
            workers[arm.name] = start(arm, order)
            stack.callback(workers[arm.name].end)
        for name, worker in workers.items():
            try:
                said[name] = worker.ready()
            except Broken as broken:
                failures[name] = broken.failure
        if not failures:
            loops = loops or int(said["base"]["ready"])
            try:
                for name in turns(workers, random.Random(seed), max(SECONDS, time.perf_counter() - began)):
                    values[name].append(workers[name].turn(loops))
            except Broken as broken:
                failures[name] = broken.failure
                values = {arm.name: [] for arm in arms}
    return Epoch(
        case=case,
        seed=seed,
        seconds=time.perf_counter() - began,
        base=tuple(values["base"][WARM_UP:]),
        head=tuple(values["head"][WARM_UP:]),
        loops=loops or 1,
        failures=failures,
        facts={name: answer["facts"] for name, answer in said.items()},
        sources={name: answer["sources"] for name, answer in said.items()},
    )


def turns(workers: Mapping[str, Worker], draw: random.Random, seconds: float) -> Iterator[str]:
    """Yield whose turn it is: each arm once in random order, again and again, until time is up or there were enough."""
    began = time.perf_counter()
    taken = 0
    while taken < WARM_UP + FEWEST or (taken < WARM_UP + MOST and time.perf_counter() - began < seconds):
        yield from draw.sample(sorted(workers), len(workers))
        taken += 1


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

    def __call__(self, arm: Arm, order: Order) -> LiveWorker:
        """Start a worker."""
        return LiveWorker(arm, order, self)


class LiveWorker:
    """A real worker process."""

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

    def ready(self) -> Mapping[str, Any]:
        """Wait until it is open, then keep it to its CPUs. Both arms get the same CPUs, but not while they start up."""
        answer = self._talk.hear()
        pin(self._talk.process.pid, self._cpus)
        return answer

    def turn(self, loops: int) -> float:
        """Grant one turn and return its value, in seconds."""
        self._talk.say(str(loops))
        return float(self._talk.hear()["value"])

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
