"""Starting and ending the processes of contenders, and what can still be started in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from gilbench.advice.entry import processes
from gilbench.advice.questions import take_turn
from gilbench.advice.racing import Contender, Racer
from gilbench.advice.target_facts import Facts
from gilbench.advice.thresholds import RACE
from gilbench.cases.case import Case
from gilbench.measure.live import LiveProbed
from gilbench.probes import Unavailable
from gilbench.process.talk import Broken
from gilbench.targets.workload import Workload
from gilbench.variables import PARTS, TAKE


class Starter(Protocol):
    """Starts contenders' processes. Simulations script it (docs/simulate_advice.py)."""

    def started(self, contenders: Sequence[Contender]) -> AbstractContextManager[Mapping[Contender, Racer]]:
        """Start a process for each scheduler and shape; yield those that started, by contender, and end them all."""


class LiveRacer:
    """A real process that takes turns."""

    def __init__(self, contender: Contender, starter: LiveStarter) -> None:
        self.probed = starter.alone(contender)
        self.starter, self.late = starter, False

    def turn(self, contender: Contender, patience: float) -> float:
        """Return the seconds of one compute. Raises Broken where it fails or takes longer than `patience`."""
        self.probed.within(min(patience, self.starter.timeout))
        try:
            if self.late:
                raise Broken("timeout", "its process was ended")
            seconds = float(self.probed.ask(take_turn, parts=self.starter.parts(contender))["seconds"])
        except Broken as broken:
            self.late = broken.kind == "timeout"
            raise
        except Unavailable as reason:
            raise Broken("raised", str(reason)) from reason
        time.sleep(self.starter.rest)
        return seconds


@dataclass
class LiveStarter:
    """Starts contenders' processes, several at once, and ends them all.

    timeout: seconds for each answer. given: environment variables that name the user's items. taken: how many of these race;
    None where there are none. rest: seconds after a turn, so that the next contender has the CPUs to itself. alone_seconds:
    that one process alone takes to start, to import the target and to compute once. opening: seconds that others may take for
    that. failed: contender -> why it cannot run.
    """

    target: Workload
    size: str
    timeout: float
    given: Mapping[str, str]
    pinned: bool = True
    taken: int | None = None
    rest: float = 0.0
    alone_seconds: float = 0.0
    opening: float = math.inf
    failed: dict[Contender, str] = field(default_factory=dict)

    def learn(self, facts: Facts) -> None:
        """Take from the facts how many items race, and whether inner threads get in each other's way."""
        self.taken = facts.taken
        if facts.inner_threads:
            self.rest, self.opening = RACE.rest, RACE.opening + RACE.hopeless_at_once * self.alone_seconds

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that processes get on top of the user's own."""
        return self.given if self.taken is None else {**self.given, TAKE: str(self.taken)}

    def case(self, contender: Contender) -> Case:
        """Return the case of a contender. It leaves out the number of tasks, which goes with each turn."""
        return Case(self.target.name, self.size, contender.scheduler, contender.workers, contender.threads, self.pinned)

    def parts(self, contender: Contender) -> int | None:
        """Return the number of a contender's tasks; None for one task for each item."""
        return contender.tasks(self.taken) if self.taken is not None and contender.chunk > 1 else None

    @contextmanager
    def started(self, contenders: Sequence[Contender]) -> Iterator[dict[Contender, LiveRacer]]:
        """Start a process for each scheduler and shape, all at once; yield those that started, by contender."""
        with ExitStack() as stack:
            racers: dict[Case, LiveRacer] = {}
            for contender in contenders:
                case = self.case(contender)
                if case not in racers:
                    # A process computes once before it races. With thousands of tasks that would outlast the race.
                    sharing = [other for other in contenders if self.case(other) == case]
                    racers[case] = LiveRacer(max(sharing, key=lambda other: other.chunk), self)
                    stack.enter_context(racers[case].probed)
            broken: dict[Case, str] = {}
            for case, racer in racers.items():
                try:
                    racer.probed.within(min(self.timeout, self.opening))
                    racer.probed.ready()
                except Broken as error:
                    broken[case] = error.reason
            cases = {contender: self.case(contender) for contender in contenders}
            self.failed |= {contender: broken[case] for contender, case in cases.items() if case in broken}
            yield {contender: racers[case] for contender, case in cases.items() if contender not in self.failed}

    def alone(self, contender: Contender) -> LiveProbed:
        """Return a process for one contender: its first compute has the contender's tasks."""
        parts = {PARTS: str(count)} if (count := self.parts(contender)) else {}
        return LiveProbed(self.case(contender), self.timeout, {**self.environment, **parts})

    def cold(self, contender: Contender, more: float) -> float:
        """Return the seconds of opening and computing once, in a process of its own, and of `more` warm computes."""
        with self.alone(contender) as probed:
            found = probed.ready()
        return float(found["open_seconds"]) + float(found["first_seconds"]) + more * float(found["seconds"])


class TimeLeft:
    """What can still be started and finished in time, judging by how long starting processes has taken so far.

    began: by the clock, when everything began.
    """

    def __init__(self, began: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.began, self.clock = began, clock
        self._each = 0.0  # seconds to start and end one process, at most

    def fits(self, seconds: float) -> bool:
        """Return whether something that takes this many seconds would finish in time."""
        return self.clock() - self.began + seconds < RACE.budget

    def for_another(self, contenders: Sequence[Contender], best: float, known: int = 0) -> bool:
        """Return whether a race of these contenders, in fresh processes, would end in time.

        best: seconds of the fastest compute so far. known: how many race with them whose processes are running already.
        """
        turns = RACE.fewest_rounds * (len(contenders) + known) * best
        return self.fits(self._each * processes(contenders) + max(RACE.heat, turns))

    @contextmanager
    def started(self, starter: Starter, contenders: Sequence[Contender]) -> Iterator[Mapping[Contender, Racer]]:
        """Start contenders, and learn how long that takes."""
        start = self.clock()
        with starter.started(contenders) as racers:
            spent = self.clock() - start
            self._each = max(self._each, spent / processes(contenders))
            yield racers
            start = self.clock()
        self._each = max(self._each, (spent + self.clock() - start) / processes(contenders))
