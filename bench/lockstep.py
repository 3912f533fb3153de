"""Epochs: one fresh worker per arm, both alive, taking turns on one case; each epoch yields one log ratio.

What lasts longer than a turn (frequency, a busy neighbour) hits both arms alike and cancels. What remains is each process's
memory layout, so both workers of an epoch share one: hash seed, heap pile and, on Linux, an address space without
randomisation; the next epoch draws another. The unit of replication is the epoch.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench import layout, lifeline, pins
from bench.arms import Arm
from bench.plan import Case
from bench.run import last_line
from bench.turns import TurnOrder
from bench.worker import Order

WARM_UP = 2  # turns of each worker that are not counted
SECONDS = 0.3  # of turns for each worker: beyond about 40 turns an epoch's spread no longer shrinks
FEWEST, MOST = 6, 40  # turns of each worker
ADDR_NO_RANDOMIZE = 0x0040000  # personality(2)


class Worker(Protocol):
    """A live worker of one arm. Tests script it."""

    def ready(self) -> Mapping[str, Any]:
        """Wait until it is open; return what it says of itself. Raises Broken."""

    def turn(self, loops: int) -> float:
        """Return one value in seconds, of so many computes. Raises Broken."""

    def end(self) -> None:
        """End it and all that it started."""


class Broken(Exception):
    """A worker failed. kind and reason as in a Failure."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind, self.reason = kind, reason


Start = Callable[[Arm, Order], Worker]


@dataclass(frozen=True)
class Epoch:
    """One epoch of one case.

    base, head: values in seconds, in the order measured, as many of each. failures: arm name -> (kind, reason).
    loops: computes behind each value. sources: arm name -> file -> digest of what was imported from its tree.
    """

    case: Case
    seed: int
    seconds: float
    base: tuple[float, ...] = ()
    head: tuple[float, ...] = ()
    loops: int = 1
    failures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def log_ratio(self) -> float:
        """ln(head / base): above 0 head is slower."""
        return math.log(statistics.median(self.head) / statistics.median(self.base))


def epoch(case: Case, arms: tuple[Arm, Arm], start: Start, seed: int, loops: int | None) -> Epoch:
    """Run one epoch. loops: as the case's first epoch found, so that every value stands for as many computes.

    Both workers start at once, are opened and checked, then take turns in random order.
    """
    began = time.perf_counter()
    failures: dict[str, tuple[str, str]] = {}
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
                failures[name] = (broken.kind, broken.reason)
        if not failures:
            loops = loops or int(said["base"]["ready"])
            try:
                for name in turns(workers, random.Random(seed)):
                    values[name].append(workers[name].turn(loops))
            except Broken as broken:
                failures[name] = (broken.kind, broken.reason)
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


def turns(workers: Mapping[str, Worker], draw: random.Random) -> Iterator[str]:
    """Yield whose turn it is: each arm once in random order, again and again until there were enough turns."""
    began = time.perf_counter()
    taken = 0
    while taken < WARM_UP + FEWEST or (taken < WARM_UP + MOST and time.perf_counter() - began < SECONDS * len(workers)):
        yield from draw.sample(sorted(workers), len(workers))
        taken += 1


@dataclass(frozen=True)
class Live:
    """Starts real workers: call it with an arm and an order. slowdown: arm name -> fraction to be slower by."""

    timeout: float
    cpus: Sequence[int] = ()
    slowdown: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, arm: Arm, order: Order) -> LiveWorker:
        """Start a worker."""
        return LiveWorker(arm, order, self)


class LiveWorker:
    """A real worker process, speaking JSON lines."""

    def __init__(self, arm: Arm, order: Order, how: Live) -> None:
        self.timeout = how.timeout
        self._scratch = Path(tempfile.mkdtemp(prefix="gilbench-"))
        order_file = self._scratch / "order.json"
        ordered = TurnOrder(order, str(arm.tree), how.slowdown.get(arm.name, 0.0)).as_json()
        order_file.write_text(json.dumps(ordered))
        environment = {**os.environ, **how.environment, **arm.environment}
        environment |= layout.environment(order.seed) | pins.environment(order.case.pinned)
        cpus = how.cpus[: order.case.parallelism] if how.cpus else ()
        self._errors = (self._scratch / "printed.txt").open("wb")
        self.process = lifeline.start(
            [arm.python, "-P", "-m", "bench.turns", str(order_file)],
            environment,
            self._errors.fileno(),
            stdout=subprocess.PIPE,
            text=True,
            cwd=arm.folder,
            preexec_fn=(lambda: settle_process(cpus)) if sys.platform == "linux" else None,
        )

    def ready(self) -> Mapping[str, Any]:
        """Wait until it is open."""
        return self._answer()

    def turn(self, loops: int) -> float:
        """Grant one turn and return its value."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{loops}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says why
        return float(self._answer()["value"])

    def end(self) -> None:
        """End the process group and remove what it left."""
        import shutil

        lifeline.end(self.process)
        for stream in (self.process.stdout, self._errors):
            if stream:
                stream.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _answer(self) -> Mapping[str, Any]:
        assert self.process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            lifeline.end(self.process)

        watchdog = threading.Timer(self.timeout, give_up)
        watchdog.start()
        try:
            line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        if late.is_set():
            raise Broken("timeout", f"no answer within {self.timeout:g} s: see --timeout")
        if not line:
            self.process.wait()
            how = lifeline.signal_name(self.process.returncode)
            raise Broken("killed", f"{how}: {last_line(self._scratch / 'printed.txt')}")
        answer: Mapping[str, Any] = json.loads(line)
        if "failure" in answer:
            raise Broken(*answer["failure"])
        return answer


def settle_process(cpus: Sequence[int]) -> None:
    """Between fork and exec, on Linux: no address space randomisation, and only these CPUs. Best effort: may be forbidden."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)
    if cpus:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cpus)
